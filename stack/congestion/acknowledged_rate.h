// What the receiver gets, from the arrival times of acknowledged packets: R_hat of
// draft-ietf-rmcat-gcc-02 section 5.5 in its deployed form.
#ifndef RTCLAB_STACK_CONGESTION_ACKNOWLEDGED_RATE_H_
#define RTCLAB_STACK_CONGESTION_ACKNOWLEDGED_RATE_H_

#include <optional>

#include "stack/base/units.h"

namespace rtclab::congestion {

// The deployed estimator: throughput over windows of 150 ms (the first: 500 ms), joined by a Bayesian
// update in which a sample counts the less the further it is from the estimate. Follows a change of
// capacity within half a second and does not follow single gaps.
class AcknowledgedRate {
 public:
  // A received packet, in order of arrival.
  void OnPacket(Timestamp received, DataSize size);
  // The application-limited region ended: the rate is about to rise, so the estimate loses weight.
  void ExpectFastChange() { variance_ += 200; }

  std::optional<DataRate> rate() const;
  double variance() const { return variance_; }  // kbps^2

 private:
  std::optional<double> CompleteWindow(Timestamp received, TimeDelta window);

  std::optional<Timestamp> last_;
  TimeDelta in_window_;
  DataSize sum_;
  std::optional<double> estimate_kbps_;
  double variance_ = 50;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_ACKNOWLEDGED_RATE_H_
