// GCC's delay-based rate controller (draft-ietf-rmcat-gcc-02 section 5.5), run at the sender: three
// states, multiplicative increase far from and additive increase near the known capacity.
#ifndef RTCLAB_STACK_CONGESTION_AIMD_RATE_H_
#define RTCLAB_STACK_CONGESTION_AIMD_RATE_H_

#include <optional>

#include "stack/base/units.h"
#include "stack/congestion/overuse_detector.h"

namespace rtclab::congestion {

// Average and deviation of the throughput seen at over-use: what the path seems to carry.
// Exponential with smoothing 0.95 (section 5.5); the variance is kept relative to the average and
// within bounds, as deployed.
class LinkCapacity {
 public:
  void OnOveruse(DataRate throughput);
  void Reset() { estimate_kbps_.reset(); }
  bool known() const { return estimate_kbps_.has_value(); }
  DataRate estimate() const;  // known() only
  // Three standard deviations around the average; without limits while unknown.
  DataRate lower() const;
  DataRate upper() const;

 private:
  double DeviationKbps() const;
  std::optional<double> estimate_kbps_;
  double relative_variance_ = 0.4;  // kbps^2 per kbps
};

class AimdRate {
 public:
  enum class State { kHold, kIncrease, kDecrease };

  AimdRate(DataRate start, DataRate min, DataRate max) : rate_(start), min_(min), max_(max) {}

  // What the detector says and what the receiver is measured to get, if known. Returns the rate.
  DataRate Update(Timestamp now, PathUse use, std::optional<DataRate> throughput);
  // A probe measured this.
  void SetEstimate(Timestamp now, DataRate rate);
  void SetLimits(DataRate min, DataRate max);
  void SetRtt(TimeDelta rtt) { rtt_ = rtt; }
  // Whether enough time has passed since the last decrease for its effect to have shown: a round
  // trip, within [10, 200] ms as deployed; or the throughput is less than half the rate.
  bool TimeToReduceFurther(Timestamp now, std::optional<DataRate> throughput) const;

  DataRate rate() const { return rate_; }
  State state() const { return state_; }
  // Near convergence: additive increase.
  bool near_capacity() const { return capacity_.known(); }
  const LinkCapacity& capacity() const { return capacity_; }

  // Additive increase in bits per second each second: half a packet a response time (section 5.5).
  double AdditiveBpsPerSecond() const;

 private:
  void ChangeState(Timestamp now, PathUse use);
  void Increase(Timestamp now, std::optional<DataRate> throughput);
  void Decrease(Timestamp now, std::optional<DataRate> throughput);

  DataRate rate_;
  DataRate min_;
  DataRate max_;
  TimeDelta rtt_ = TimeDelta::Millis(200);  // until known, as deployed
  State state_ = State::kIncrease;
  LinkCapacity capacity_;
  std::optional<Timestamp> last_change_;
  std::optional<Timestamp> last_decrease_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_AIMD_RATE_H_
