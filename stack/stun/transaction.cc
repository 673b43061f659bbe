#include "stack/stun/transaction.h"

#include "stack/base/check.h"

namespace rtclab::stun {

RetransmitTimer::RetransmitTimer(Timestamp first_sent, const RetransmitPolicy& policy)
    : policy_(policy), interval_(policy.rto) {
  CHECK(policy.rc >= 1);
  if (policy.reliable) {
    next_ = first_sent + policy.ti;
  } else {
    next_ = first_sent + (policy.rc == 1 ? policy.rto * policy.rm : policy.rto);
  }
}

RetransmitTimer::Action RetransmitTimer::HandleTimeout(Timestamp now) {
  if (next_.IsInfinite() || now < next_) return Action::kNone;
  if (policy_.reliable || transmissions_ >= policy_.rc) {
    next_ = Timestamp::PlusInfinity();
    return Action::kTimedOut;
  }
  ++transmissions_;
  interval_ = interval_ * 2;
  // RFC 8489 section 6.2.1: the wait doubles each time, but after the last request it is rm times the initial RTO.
  next_ += transmissions_ == policy_.rc ? policy_.rto * policy_.rm : interval_;
  return Action::kRetransmit;
}

}  // namespace rtclab::stun
