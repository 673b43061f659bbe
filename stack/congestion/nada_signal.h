// NADA's receiver part (RFC 8698 sections 4.2 and 5.1): from packets to the aggregate congestion
// signal x_curr, the mode of rate adaptation and the receiving rate.
#ifndef RTCLAB_STACK_CONGESTION_NADA_SIGNAL_H_
#define RTCLAB_STACK_CONGESTION_NADA_SIGNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/ring.h"
#include "stack/base/units.h"
#include "stack/congestion/queue_delay.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

// The average loss interval of TFRC (RFC 5348 section 5.4), in packets. Losses within a round trip
// are one loss event (section 5.2 there).
class LossIntervals {
 public:
  void OnReceived() { ++since_event_; }
  void OnLost(Timestamp sent, TimeDelta rtt);

  bool any() const { return event_start_.has_value(); }
  // I_mean; zero before the first loss.
  double Average() const;
  // Packets since the last lost one.
  int64_t since_loss() const { return since_event_ - last_loss_offset_; }

 private:
  static constexpr std::size_t kIntervals = 8;
  std::array<double, kIntervals> closed_{};  // the latest first
  std::size_t count_ = 0;
  int64_t since_event_ = 0;       // I_0: packets since the last event began
  int64_t last_loss_offset_ = 0;  // where in I_0 the last loss was
  std::optional<Timestamp> event_start_;
};

class NadaSignal {
 public:
  // The packets of one feedback, in the order they were sent.
  void OnPacket(const PacketResult& packet, TimeDelta rtt);
  // Each DELTA: brings p_loss and p_mark up to date and forms x_curr, equation (2).
  void Update();

  TimeDelta x_curr() const { return x_curr_; }
  bool ramp_up() const { return ramp_up_; }  // rmode == 0
  DataRate r_recv() const;
  double p_loss() const { return p_loss_; }
  double p_mark() const { return p_mark_; }
  TimeDelta d_queue() const { return d_queue_; }
  // Whether the last loss is recent enough for warping; 1: fully, between: the transition.
  double WarpShare() const;

  // Equation (1).
  static TimeDelta Warp(TimeDelta d_queue);
  // Equation (2), at most kXmax.
  static TimeDelta Aggregate(TimeDelta d_tilde, double p_mark, double p_loss);

 private:
  static constexpr std::size_t kMinFilter = 15;  // section 5.1.1
  struct Observation {
    Timestamp arrived;  // of a lost packet: of the one before
    DataSize size;      // zero: lost
    TimeDelta delay;
    bool lost = false;
    bool marked = false;
  };
  void Expire(Timestamp arrived);
  void Restart(Timestamp arrived);

  QueueDelay base_;
  std::array<TimeDelta, kMinFilter> samples_{};
  std::size_t sample_count_ = 0;
  TimeDelta d_queue_;
  Ring<Observation> window_;  // LOGWIN
  DataSize window_bytes_;
  int window_lost_ = 0;
  int window_marked_ = 0;
  int window_delayed_ = 0;  // samples of QEPS or more
  std::optional<Timestamp> first_arrival_;
  Timestamp last_arrival_;
  LossIntervals losses_;
  double p_loss_ = 0;
  double p_mark_ = 0;
  TimeDelta x_curr_;
  bool ramp_up_ = true;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_NADA_SIGNAL_H_
