// Any text, read as a description, as a fragment and as single attributes: nothing crashes, an error names a place in the
// text, and what is accepted survives being written and read again. Its first byte chooses.
#include <cstdint>
#include <cstdlib>

#include "stack/base/bytes.h"
#include "stack/sdp/codec.h"
#include "stack/sdp/fragment.h"
#include "stack/sdp/validate.h"

namespace rtclab::sdp {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void CheckPlace(const ParseError& error, std::string_view text) {
  Require(error.line >= 1 && error.column >= 1 && !error.reason.empty());
  Require(static_cast<std::size_t>(error.line) <= text.size() + 1);
  Require(static_cast<std::size_t>(error.column) <= text.size() + 1);
}

void FuzzDescription(std::string_view text) {
  const auto description = Parse(text);
  if (!description) return CheckPlace(description.error(), text);
  const std::string written = Serialize(*description);
  const auto again = Parse(written);
  Require(again.has_value() && *again == *description && Serialize(*again) == written);
  Require(Validate(*description).size() == Validate(*again).size());
  for (const MediaDescription& media : description->media) {
    for (const Codec& codec : Codecs(media)) (void)codec.AssociatedPayloadType();
    (void)DescribeTransport(*description, media);
  }
}

void FuzzFragment(std::string_view text) {
  const auto fragment = ParseFragment(text);
  if (!fragment) return CheckPlace(fragment.error(), text);
  const std::string written = Serialize(*fragment);
  const auto again = ParseFragment(written);
  Require(again.has_value() && *again == *fragment && Serialize(*again) == written);
}

void FuzzAttributes(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    const auto value = ParseAttribute(line);
    if (!value) {
      CheckPlace(value.error(), line);
      continue;
    }
    const auto again = ParseAttribute(ToString(*value));
    Require(again.has_value() && *again == *value);
  }
}

}  // namespace
}  // namespace rtclab::sdp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace rtclab;
  if (size == 0) return 0;
  const std::string_view text = AsString({data, size}).substr(1);
  if (data[0] == 'a')
    sdp::FuzzAttributes(text);
  else if (data[0] == 'f')
    sdp::FuzzFragment(text);
  else
    sdp::FuzzDescription(text);
  return 0;
}
