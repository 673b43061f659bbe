// Which packets of a stream to ask for again, when, and when to give up (RFC 4585 section 6.2.1).
#ifndef RTCLAB_STACK_RTP_NACK_GENERATOR_H_
#define RTCLAB_STACK_RTP_NACK_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "stack/base/units.h"
#include "stack/rtp/unwrapper.h"

namespace rtclab::rtp {

struct NackConfig {
  // A gap is taken for a loss when so many later packets have come, or after so long, whichever is
  // first: what is only reordered is not asked for.
  int reordering_packets = 3;
  TimeDelta reordering_delay = TimeDelta::Millis(20);
  int max_requests = 10;          // of one packet
  std::size_t max_missing = 500;  // more at once: hopeless
  int64_t max_age_packets = 10'000;
  TimeDelta max_age = TimeDelta::Seconds(2);
  TimeDelta initial_rtt = TimeDelta::Millis(100);
  TimeDelta min_repeat_interval =
      TimeDelta::Millis(20);  // a repeat waits for an RTT, and at least this
};

// Drain with PollNack() and PollKeyframeRequest() after OnPacket() and HandleTimeout().
class NackGenerator {
 public:
  explicit NackGenerator(const NackConfig& config = {});

  // A packet of the stream has come, by itself, by RTX or by FEC. `keyframe_start`: it begins a frame
  // that needs none before it; when too many are missing, those before it are dropped first, without
  // harm.
  void OnPacket(Timestamp now, uint16_t sequence, bool keyframe_start = false);
  // Everything before this sequence number has been played out or given up.
  void ClearUpTo(uint16_t sequence);
  void SetRtt(TimeDelta rtt) { rtt_ = rtt; }
  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const;
  // The sequence numbers to put into one NACK now.
  std::optional<std::vector<uint16_t>> PollNack();
  // True once when a gap was given up (requests used up, too old, too many): only a keyframe helps.
  bool PollKeyframeRequest();

  std::size_t missing() const { return missing_.size(); }
  uint64_t requests() const { return requests_; }    // sequence numbers asked for, repeats included
  uint64_t recovered() const { return recovered_; }  // asked for and come
  uint64_t given_up() const { return given_up_; }

 private:
  struct Missing {
    int64_t sequence;
    Timestamp noticed;
    Timestamp next_request;
    int requests = 0;
  };
  void AddGap(Timestamp now, int64_t from, int64_t to);
  void DropHopeless(Timestamp now);
  void Request(Timestamp now);
  TimeDelta RepeatInterval() const;

  NackConfig config_;
  TimeDelta rtt_;
  std::optional<int64_t> highest_;
  std::optional<int64_t> last_keyframe_;
  std::deque<Missing> missing_;  // by sequence
  std::vector<uint16_t> pending_;
  bool keyframe_needed_ = false;
  uint64_t requests_ = 0;
  uint64_t recovered_ = 0;
  uint64_t given_up_ = 0;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_NACK_GENERATOR_H_
