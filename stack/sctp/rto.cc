#include "stack/sctp/rto.h"

#include <algorithm>

namespace rtclab::sctp {

void RtoEstimator::Measure(TimeDelta rtt) {
  // Rule G1: the clock's granularity is the least that RTTVAR may be; a millisecond, so that a path
  // without any jitter does not end with RTO = SRTT.
  constexpr TimeDelta kGranularity = TimeDelta::Millis(1);
  rtt = std::max(rtt, TimeDelta::Zero());
  if (!srtt_) {  // rule C2
    srtt_ = rtt;
    rttvar_ = rtt / 2;
  } else {  // rule C3, with RTO.Alpha 1/8 and RTO.Beta 1/4
    const TimeDelta difference = *srtt_ > rtt ? *srtt_ - rtt : rtt - *srtt_;
    rttvar_ = (rttvar_ * 3 + difference) / 4;
    srtt_ = (*srtt_ * 7 + rtt) / 8;
  }
  rttvar_ = std::max(rttvar_, kGranularity);
  rto_ = std::clamp(*srtt_ + rttvar_ * 4, min_, max_);
}

void RtoEstimator::BackOff() { rto_ = std::min(rto_ * 2, max_); }

void RtoEstimator::Reset() {
  srtt_.reset();
  rto_ = initial_;
}

}  // namespace rtclab::sctp
