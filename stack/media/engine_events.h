// What an Engine tells its driver.
#ifndef RTCLAB_STACK_MEDIA_ENGINE_EVENTS_H_
#define RTCLAB_STACK_MEDIA_ENGINE_EVENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "stack/base/units.h"
#include "stack/media/config.h"

namespace rtclab::media {

// The first frame (video: rendered; audio: played) of a stream.
struct FirstFrameReceived {
  std::string mid;
  uint32_t ssrc = 0;
  Kind kind = Kind::kVideo;
};
// A frame was decoded and rendered; only with EngineConfig::frame_events.
struct FrameDecoded {
  std::string mid;
  uint32_t ssrc = 0;
  uint32_t number = 0;  // of the sender's frames, if its content says so
  bool key_frame = false;
  std::optional<TimeDelta> end_to_end_delay;  // capture to rendering
};
// No frame for as long as W3C webrtc-stats calls a freeze (freezeCount); its end has its whole
// length.
struct FreezeStarted {
  std::string mid;
  uint32_t ssrc = 0;
};
struct FreezeEnded {
  std::string mid;
  uint32_t ssrc = 0;
  TimeDelta duration;
};
enum class KeyframeReason : uint8_t { kNoKeyframeYet, kLoss, kTimeout, kRequested };
// This end asked for a key frame: once for each PLI or FIR sent.
struct KeyframeRequested {
  std::string mid;
  uint32_t ssrc = 0;
  bool fir = false;  // else PLI
  KeyframeReason reason = KeyframeReason::kLoss;
};
// A new SSRC was associated with an m-section (RFC 8843 section 9.2).
struct RemoteSsrcMapped {
  enum class By : uint8_t { kSignalled, kMid, kRid, kPayloadType };
  uint32_t ssrc = 0;
  std::string mid;
  std::string rid;
  By by = By::kSignalled;
  std::optional<uint32_t> repairs;  // set for an RTX or FEC stream: the SSRC that it repairs
};
// The far end said BYE for a stream.
struct RemoteBye {
  std::string mid;
  uint32_t ssrc = 0;
};
// The controller's target changed; `reason` is its own, of static storage.
struct TargetRateChanged {
  DataRate target;
  std::string_view reason;
};
// A frame's content differs from what its sender made: never, unless a stack has a fault.
struct FrameCorrupt {
  std::string mid;
  uint32_t ssrc = 0;
  uint32_t number = 0;
};
using Event =
    std::variant<FirstFrameReceived, FrameDecoded, FreezeStarted, FreezeEnded, KeyframeRequested,
                 RemoteSsrcMapped, RemoteBye, TargetRateChanged, FrameCorrupt>;

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_ENGINE_EVENTS_H_
