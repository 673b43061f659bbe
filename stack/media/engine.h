// The media half of a peer: sources, encoders, RTP and RTCP in both directions, congestion control and pacing, jitter buffers and
// decoders. Sans-IO; it makes and takes plaintext RTP and RTCP, so SRTP is between it and the network.
//
// A driver
//   * configures both directions, again at each renegotiation: a stream that stays (same mid and SSRC) keeps its state;
//   * says SetNetworkAvailable(true) when packets can leave (DTLS connected);
//   * gives what arrives to HandleRtp() and HandleRtcp() (RFC 5761 section 4 tells them apart), drains PollTransmit() and
//     PollEvent() after every call, and calls HandleTimeout() at NextTimeout().
#ifndef RTCLAB_STACK_MEDIA_ENGINE_H_
#define RTCLAB_STACK_MEDIA_ENGINE_H_

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/media/config.h"
#include "stack/media/stats.h"

namespace rtclab::media {

// A packet to protect and send.
struct MediaPacket {
  bool rtcp = false;
  Bytes bytes;
};

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
// No frame for as long as W3C webrtc-stats calls a freeze (freezeCount); its end has its whole length.
struct FreezeStarted {
  std::string mid;
  uint32_t ssrc = 0;
};
struct FreezeEnded {
  std::string mid;
  uint32_t ssrc = 0;
  TimeDelta duration;
};
enum class KeyframeReason : uint8_t { kNoKeyframeYet, kLoss, kTimeout };
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

class Engine {
 public:
  // `rng` must outlive the engine.
  Engine(EngineConfig config, Rng& rng);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Replaces the set of streams. Streams no longer there end with a BYE. SSRCs must be unique, encodings not empty.
  void SetSendStreams(Timestamp now, std::vector<SendStreamConfig> streams);
  void SetReceiveStreams(Timestamp now, std::vector<ReceiveStreamConfig> streams);
  // Nothing leaves before the first `true`; sources begin with it. `false` holds everything.
  void SetNetworkAvailable(Timestamp now, bool available);
  // New limits of all that is sent.
  void SetRateLimits(Timestamp now, const congestion::RateLimits& limits);
  // The path changed and what is known of the old one (packets in flight) is void.
  void OnPathChanged(Timestamp now);
  // The overhead of a packet changed, as when the path begins to use a relay.
  void SetOverhead(Timestamp now, DataSize overhead_per_packet);
  // A key frame is wanted from the far end for every video stream of the m-section.
  void RequestKeyframe(Timestamp now, std::string_view mid);
  // Ends everything that is sent with a BYE (RFC 3550 section 6.3.7).
  void Stop(Timestamp now);

  // One plaintext packet each. `ecn` is the two bits of its IP header (RFC 3168).
  void HandleRtp(Timestamp now, ByteView packet, uint8_t ecn = 0);
  void HandleRtcp(Timestamp now, ByteView packet);

  void HandleTimeout(Timestamp now);
  std::optional<MediaPacket> PollTransmit();
  std::optional<Event> PollEvent();
  Timestamp NextTimeout() const;

  EngineStats stats(Timestamp now) const;
  // What happened since the last call. The caller chooses the interval.
  Sample SampleSeries(Timestamp now);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_ENGINE_H_
