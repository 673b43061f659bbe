#include "stack/rtp/opus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace rtclab::rtp {
namespace {

constexpr std::size_t kMaxOpusFrame = 1275;  // RFC 6716 section 3.4, R2
constexpr int64_t kMaxOpusMicros = 120'000;  // R5

// One or two bytes of a frame's length (RFC 6716 section 3.2.1).
std::optional<std::size_t> ReadFrameLength(ByteReader& reader) {
  const auto first = reader.ReadU8();
  if (!first) return std::nullopt;
  if (*first < 252) return *first;
  const auto second = reader.ReadU8();
  if (!second) return std::nullopt;
  return *second * std::size_t{4} + *first;
}

// Sizes of the frames of a packet; false: R2 to R7 are broken.
struct FrameSizes {
  std::size_t count = 0;
  std::size_t largest = 0;
  std::size_t padding = 0;
};

//    0 1 2 3 4 5 6 7
//   |v|p|     M     |  then padding lengths, then for v the lengths of all frames but the last
bool ReadCode3(ByteReader& reader, FrameSizes& sizes) {
  const auto byte = reader.ReadU8();
  if (!byte) return false;
  sizes.count = *byte & 0x3f;
  if (sizes.count == 0) return false;
  if ((*byte & 0x40) != 0) {
    for (;;) {
      const auto p = reader.ReadU8();
      if (!p) return false;
      sizes.padding += *p == 255 ? 254u : *p;
      if (*p != 255) break;
    }
  }
  std::size_t listed = 0;
  if ((*byte & 0x80) != 0) {
    for (std::size_t i = 0; i + 1 < sizes.count; ++i) {
      const auto length = ReadFrameLength(reader);
      if (!length) return false;
      listed += *length;
      sizes.largest = std::max(sizes.largest, *length);
    }
  }
  if (reader.remaining() < sizes.padding + listed) return false;
  const std::size_t left = reader.remaining() - sizes.padding - listed;
  if ((*byte & 0x80) != 0) {
    sizes.largest = std::max(sizes.largest, left);
    return true;
  }
  sizes.largest = left / sizes.count;
  return left % sizes.count == 0;
}

bool ReadFrameSizes(uint8_t code, ByteReader& reader, FrameSizes& sizes) {
  switch (code) {
    case 0:
      sizes = {1, reader.remaining(), 0};
      return true;
    case 1:
      sizes = {2, reader.remaining() / 2, 0};
      return reader.remaining() % 2 == 0;
    case 2: {
      const auto first = ReadFrameLength(reader);
      if (!first || *first > reader.remaining()) return false;
      sizes = {2, std::max(*first, reader.remaining() - *first), 0};
      return true;
    }
    default:
      return ReadCode3(reader, sizes);
  }
}

// One name of the fmtp line: where its value goes and what it may be.
struct NumberParameter {
  std::string_view name;
  int low;
  int high;
  void (*set)(OpusParameters&, int);
};
constexpr std::array<NumberParameter, 10> kOpusParameters = {{
    {"maxplaybackrate", 8000, 48000, [](OpusParameters& p, int v) { p.max_playback_rate = v; }},
    {"sprop-maxcapturerate", 8000, 48000,
     [](OpusParameters& p, int v) { p.sprop_max_capture_rate = v; }},
    {"maxptime", 3, 120, [](OpusParameters& p, int v) { p.max_ptime_ms = v; }},
    {"ptime", 3, 120, [](OpusParameters& p, int v) { p.ptime_ms = v; }},
    // Section 6.1: any positive number is allowed, outside 6000 to 510000 it is to be ignored.
    {"maxaveragebitrate", 1, 0x7FFFFFFF,
     [](OpusParameters& p, int v) {
       if (v >= 6000 && v <= 510000) p.max_average_bitrate = v;
     }},
    {"stereo", 0, 1, [](OpusParameters& p, int v) { p.stereo = v == 1; }},
    {"sprop-stereo", 0, 1, [](OpusParameters& p, int v) { p.sprop_stereo = v == 1; }},
    {"cbr", 0, 1, [](OpusParameters& p, int v) { p.cbr = v == 1; }},
    {"useinbandfec", 0, 1, [](OpusParameters& p, int v) { p.use_inband_fec = v == 1; }},
    {"usedtx", 0, 1, [](OpusParameters& p, int v) { p.use_dtx = v == 1; }},
}};

std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

OpusMode OpusToc::mode() const {
  return config < 12 ? OpusMode::kSilk : config < 16 ? OpusMode::kHybrid : OpusMode::kCelt;
}

// RFC 6716 section 3.1, table 2.
OpusBandwidth OpusToc::bandwidth() const {
  if (config < 12) return static_cast<OpusBandwidth>(config / 4);
  if (config < 16) return config < 14 ? OpusBandwidth::kSuperWide : OpusBandwidth::kFull;
  constexpr std::array<OpusBandwidth, 4> kCelt = {OpusBandwidth::kNarrow, OpusBandwidth::kWide,
                                                  OpusBandwidth::kSuperWide, OpusBandwidth::kFull};
  return kCelt[(config - 16u) / 4 % 4];
}

TimeDelta OpusToc::frame_duration() const {
  constexpr std::array<int64_t, 4> kSilkMillis = {10, 20, 40, 60};
  if (config < 12) return TimeDelta::Millis(kSilkMillis[config % 4u]);
  if (config < 16) return TimeDelta::Millis(config % 2 == 0 ? 10 : 20);
  return TimeDelta::Micros(int64_t{2500} << config % 4);
}

uint32_t OpusPacket::samples() const {
  return static_cast<uint32_t>(duration().micros() * (kOpusClockRate / 1000) / 1000);
}

Result<OpusPacket> ParseOpusPacket(ByteView payload) {
  if (payload.empty()) return Fail("Opus packet of no bytes");
  OpusPacket packet;
  packet.toc = OpusToc::Decode(payload[0]);
  ByteReader reader(payload);
  reader.ReadU8();
  FrameSizes sizes;
  if (!ReadFrameSizes(packet.toc.code, reader, sizes)) {
    return Fail("Opus frame lengths do not fit the packet", reader.offset());
  }
  if (sizes.largest > kMaxOpusFrame) return Fail("Opus frame of over 1275 bytes", reader.offset());
  packet.frame_count = sizes.count;
  packet.padding = sizes.padding;
  if (packet.duration().micros() > kMaxOpusMicros) return Fail("Opus packet of over 120 ms", 1);
  packet.dtx = sizes.largest <= 1;  // RFC 6716 section 3.2.1: no frame; one byte is as good as none
  return packet;
}

Result<OpusParameters> ParseOpusParameters(std::string_view fmtp) {
  OpusParameters parameters;
  std::size_t at = 0;
  while (at < fmtp.size()) {
    const std::size_t end = std::min(fmtp.find(';', at), fmtp.size());
    const std::string_view item = TrimSpaces(fmtp.substr(at, end - at));
    const std::size_t equals = item.find('=');
    const auto* known =
        std::find_if(kOpusParameters.begin(), kOpusParameters.end(),
                     [&](const auto& p) { return p.name == item.substr(0, equals); });
    if (known != kOpusParameters.end()) {
      const std::string_view text =
          equals == item.npos ? std::string_view() : item.substr(equals + 1);
      int value = 0;
      const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || stop != text.data() + text.size() || value < known->low ||
          value > known->high) {
        return Fail(
            fmt::format("{} is not a number from {} to {}", known->name, known->low, known->high),
            at);
      }
      known->set(parameters, value);
    }
    at = end + 1;
  }
  return parameters;
}

std::string FormatOpusParameters(const OpusParameters& p) {
  const OpusParameters defaults;
  std::string out;
  const auto add = [&out](std::string_view name, int value) {
    out += fmt::format("{}{}={}", out.empty() ? "" : ";", name, value);
  };
  if (p.max_playback_rate != defaults.max_playback_rate)
    add("maxplaybackrate", p.max_playback_rate);
  if (p.sprop_max_capture_rate != defaults.sprop_max_capture_rate) {
    add("sprop-maxcapturerate", p.sprop_max_capture_rate);
  }
  if (p.max_average_bitrate) add("maxaveragebitrate", *p.max_average_bitrate);
  if (p.stereo) add("stereo", 1);
  if (p.sprop_stereo) add("sprop-stereo", 1);
  if (p.cbr) add("cbr", 1);
  if (p.use_inband_fec) add("useinbandfec", 1);
  if (p.use_dtx) add("usedtx", 1);
  return out;
}

}  // namespace rtclab::rtp
