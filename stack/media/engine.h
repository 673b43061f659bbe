// The media half of a peer: sources, encoders, RTP and RTCP in both directions, congestion control
// and pacing, jitter buffers and decoders. Sans-IO; it makes and takes plaintext RTP and RTCP, so
// SRTP is between it and the network.
//
// A driver
//   * configures both directions, again at each renegotiation: a stream that stays (same mid and
//     SSRC) keeps its state;
//   * says SetNetworkAvailable(true) when packets can leave (DTLS connected);
//   * gives what arrives to HandleRtp() and HandleRtcp() (RFC 5761 section 4 tells them apart),
//     drains PollTransmit() and PollEvent() after every call, and calls HandleTimeout() at
//     NextTimeout().
#ifndef RTCLAB_STACK_MEDIA_ENGINE_H_
#define RTCLAB_STACK_MEDIA_ENGINE_H_

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/media/config.h"
#include "stack/media/engine_events.h"
#include "stack/media/outbox.h"
#include "stack/media/stats.h"

namespace rtclab::media {

class Engine {
 public:
  // `rng` must outlive the engine.
  Engine(EngineConfig config, Rng& rng);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Replaces the set of streams. Streams no longer there end with a BYE. SSRCs must be unique,
  // encodings not empty.
  void SetSendStreams(Timestamp now, const std::vector<SendStreamConfig>& streams);
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
