#include "stack/media/frame_trace.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "stack/base/check.h"

namespace rtclab::media {
namespace {

constexpr double kLeastFrame = 10;           // fs_min of RFC 8593 section 6.2.1
constexpr double kLargestFrame = 1'000'000;  // fs_max
constexpr int64_t kLargestRateKbps = 1'000'000;

std::string_view TakeWord(std::string_view& line) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  const std::size_t length = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, length);
  line.remove_prefix(length);
  return word;
}

std::optional<int64_t> ParseTraceNumber(std::string_view word, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

Result<FrameTrace::Encoding> ParseRateLine(std::string_view line, std::size_t offset) {
  const auto rate = ParseTraceNumber(TakeWord(line), 1, kLargestRateKbps);
  if (!rate) return Fail("'rate' wants kilobits per second from 1 to 1000000", offset);
  FrameTrace::Encoding encoding{DataRate::KilobitsPerSec(*rate), {}};
  for (auto word = TakeWord(line); !word.empty(); word = TakeWord(line)) {
    const auto size = ParseTraceNumber(word, 1, static_cast<int64_t>(kLargestFrame));
    if (!size) return Fail("a frame size is not a number from 1 to 1000000", offset);
    encoding.sizes.push_back(static_cast<uint32_t>(*size));
  }
  return encoding;
}

Result<void> CheckTrace(const FrameTrace& trace, std::size_t offset) {
  if (trace.encodings.empty()) return Fail("a trace needs at least one 'rate' line", offset);
  const auto& first = trace.encodings.front();
  if (first.sizes.size() <= static_cast<std::size_t>(trace.skip_frames)) {
    return Fail("a trace needs more frames than it skips", offset);
  }
  return {};
}

}  // namespace

Result<FrameTrace> FrameTrace::Parse(std::string_view text) {
  FrameTrace trace;
  std::size_t offset = 0;
  while (offset < text.size()) {
    const std::size_t end = std::min(text.find('\n', offset), text.size());
    std::string_view line = text.substr(offset, end - offset);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::string_view word = TakeWord(line);
    if (word == "fps") {
      const auto fps = ParseTraceNumber(TakeWord(line), 1, 120);
      if (!fps) return Fail("'fps' wants a number from 1 to 120", offset);
      trace.fps = static_cast<double>(*fps);
    } else if (word == "skip") {
      const auto skip = ParseTraceNumber(TakeWord(line), 0, 1'000'000);
      if (!skip) return Fail("'skip' wants a number of frames", offset);
      trace.skip_frames = static_cast<int>(*skip);
    } else if (word == "rate") {
      auto encoding = ParseRateLine(line, offset);
      if (!encoding) return tl::unexpected(encoding.error());
      if (!trace.encodings.empty()) {
        const auto& last = trace.encodings.back();
        if (encoding->rate <= last.rate) return Fail("rates must rise", offset);
        if (encoding->sizes.size() != last.sizes.size()) {
          return Fail("all rates must have the same count of frames", offset);
        }
      }
      trace.encodings.push_back(std::move(*encoding));
    } else if (!word.empty() && word.front() != '#') {
      return Fail("a line must begin with 'fps', 'skip', 'rate' or '#'", offset);
    }
    offset = end + 1;
  }
  if (auto checked = CheckTrace(trace, text.size()); !checked) {
    return tl::unexpected(checked.error());
  }
  return trace;
}

int64_t TracePosition::Next(const FrameTrace& trace, DataRate rate) {
  CHECK(!trace.encodings.empty());
  const auto& encodings = trace.encodings;
  const std::size_t count = encodings.front().sizes.size();
  if (index_ >= count) index_ = 0;
  // The lowest rate above the target; the one before it is r_current.
  const auto above = std::upper_bound(
      encodings.begin(), encodings.end(), rate,
      [](DataRate r, const FrameTrace::Encoding& encoding) { return r < encoding.rate; });
  double size = 0;
  if (above == encodings.begin() || above == encodings.end()) {
    const auto& nearest = above == encodings.begin() ? encodings.front() : encodings.back();
    size = nearest.sizes[index_] *
           (static_cast<double>(rate.bps()) / static_cast<double>(nearest.rate.bps()));
  } else {
    const auto& low = *(above - 1);
    const double distance = static_cast<double>(rate.bps() - low.rate.bps()) /
                            static_cast<double>(above->rate.bps() - low.rate.bps());
    size = above->sizes[index_] * distance + low.sizes[index_] * (1 - distance);
  }
  const auto skip = static_cast<std::size_t>(trace.skip_frames);
  index_ = index_ < skip ? index_ + 1 : (index_ + 1 - skip) % (count - skip) + skip;
  return static_cast<int64_t>(std::clamp(size, kLeastFrame, kLargestFrame));
}

}  // namespace rtclab::media
