// The retransmission timeout: RFC 9260 section 6.3.1.
#ifndef RTCLAB_STACK_SCTP_RTO_H_
#define RTCLAB_STACK_SCTP_RTO_H_

#include <optional>

#include "stack/base/units.h"

namespace rtclab::sctp {

class RtoEstimator {
 public:
  RtoEstimator(TimeDelta initial, TimeDelta min, TimeDelta max)
      : initial_(initial), min_(min), max_(max), rto_(initial) {}

  TimeDelta rto() const { return rto_; }
  std::optional<TimeDelta> srtt() const { return srtt_; }

  // A round trip of something that was sent once (Karn's rule is the caller's).
  void Measure(TimeDelta rtt);
  // Section 6.3.3 rule E2: a timer ran out.
  void BackOff();
  void Reset();

 private:
  TimeDelta initial_, min_, max_;
  TimeDelta rto_;
  std::optional<TimeDelta> srtt_;
  TimeDelta rttvar_;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_RTO_H_
