// SCReAM's lost packet detection with a reordering window, and its loss event rate (RFC 8298 sections
// 4.1.2.1 and 4.1.2.4).
#ifndef RTCLAB_STACK_CONGESTION_SCREAM_LOSSES_H_
#define RTCLAB_STACK_CONGESTION_SCREAM_LOSSES_H_

#include <cstdint>
#include <optional>

#include "stack/base/ring.h"
#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

class ScreamLosses {
 public:
  // Takes a feedback; true: a loss event, at most one a smoothed round trip.
  bool OnFeedback(Timestamp now, const TransportFeedback& feedback, TimeDelta s_rtt);

  // "The estimated fraction of RTTs with lost packets detected": an average with weight 0.01 a round
  // trip, which the RFC leaves open.
  double loss_event_rate() const { return rate_; }
  TimeDelta reordering_window() const { return window_; }

 private:
  struct Missing {
    int64_t id = 0;
    Timestamp marked;  // when feedback first had a later packet but not this one
    bool found = false;
  };
  static constexpr TimeDelta kMaxWindow = TimeDelta::Millis(500);
  static constexpr TimeDelta kMemory = TimeDelta::Seconds(2);

  void Note(Timestamp now, const PacketResult& packet);
  void CountRoundTrips(Timestamp now, TimeDelta s_rtt);

  Ring<Missing> missing_;     // rising ids
  std::size_t declared_ = 0;  // how many of them, from the front, were declared lost or found
  TimeDelta window_;
  std::optional<Timestamp> last_event_;
  std::optional<Timestamp> round_start_;
  bool lost_in_round_ = false;
  double rate_ = 0;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_SCREAM_LOSSES_H_
