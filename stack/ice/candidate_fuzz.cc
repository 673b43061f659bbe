// Any text: the parser does not crash, and what it accepts survives being written and read again.
#include <cstdint>
#include <cstdlib>

#include "stack/base/bytes.h"
#include "stack/ice/candidate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace rtclab;
  const auto candidate = ice::ParseCandidate(AsString({data, size}));
  if (!candidate) return 0;
  const std::string text = ice::ToString(*candidate);
  const auto again = ice::ParseCandidate(text);
  if (!again || ice::ToString(*again) != text) std::abort();
  return 0;
}
