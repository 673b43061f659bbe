// Frame traces from arbitrary text; those that parse are walked.
#include <cstddef>
#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/media/frame_trace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const auto trace = rtclab::media::FrameTrace::Parse(rtclab::AsString({data, size}));
  if (!trace) return 0;
  rtclab::media::TracePosition position;
  for (int i = 1; i < 50; ++i) {
    const int64_t bytes = position.Next(*trace, rtclab::DataRate::KilobitsPerSec(i * 40));
    CHECK(bytes >= 10 && bytes <= 1'000'000);
  }
  return 0;
}
