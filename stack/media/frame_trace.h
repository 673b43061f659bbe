// Recorded frame sizes of a real encoder at several target rates, and how a source walks through
// them (RFC 8593 section 6).
#ifndef RTCLAB_STACK_MEDIA_FRAME_TRACE_H_
#define RTCLAB_STACK_MEDIA_FRAME_TRACE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "stack/base/error.h"
#include "stack/base/units.h"

namespace rtclab::media {

// The map `Traces` of RFC 8593 section 6.1: one vector of frame sizes a target rate, all of one
// length, rates rising. The first frame of each is a key frame.
struct FrameTrace {
  struct Encoding {
    DataRate rate;
    std::vector<uint32_t> sizes;  // bytes
  };
  double fps = 30;  // of the recording
  int skip_frames =
      20;  // SkipFrames: how many frames at the start are left out when the trace begins again
  std::vector<Encoding> encodings;

  // Reads a trace from text: lines `fps N`, `skip N`, and `rate KBPS SIZE SIZE ...`; empty lines
  // and lines that begin with `#` are skipped. At least one rate, rates rising, all of the same
  // count of sizes (1 to 1,000,000 bytes each), more sizes than `skip`. The error's offset is the
  // byte where its line begins.
  static Result<FrameTrace> Parse(std::string_view text);
};

// r_current and t_current of RFC 8593 section 6.2.1.
class TracePosition {
 public:
  // Back to the trace's first frame, a key frame (section 6.2.2).
  void Restart() { index_ = 0; }
  // The size of the next frame at target `rate`, bytes, clipped to [10, 1,000,000]; moves on by one
  // frame.
  int64_t Next(const FrameTrace& trace, DataRate rate);

 private:
  std::size_t index_ = 0;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_FRAME_TRACE_H_
