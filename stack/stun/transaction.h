// The clock of one client transaction: when a request is sent again and when it has failed (RFC 8489 section 6.2).
#ifndef RTCLAB_STACK_STUN_TRANSACTION_H_
#define RTCLAB_STACK_STUN_TRANSACTION_H_

#include "stack/base/units.h"

namespace rtclab::stun {

struct RetransmitPolicy {
  TimeDelta rto =
      TimeDelta::Millis(500);  // RFC 8489 section 6.2.1: initial timeout, SHOULD be 500 ms or more
  int rc = 7;                  // RFC 8489 section 6.2.1: requests sent in all, at least 1
  int rm = 16;                 // RFC 8489 section 6.2.1: the last wait, in multiples of rto
  bool reliable = false;       // over TCP or TLS: sent once, then ti
  TimeDelta ti = TimeDelta::Millis(
      39'500);  // RFC 8489 section 6.2.2: how long to wait over a reliable transport
};

// Made when the request is first sent. With the default policy a request goes out at 0, 500, 1500, 3500, 7500, 15500 and
// 31500 ms and has failed at 39500 ms.
class RetransmitTimer {
 public:
  enum class Action { kNone, kRetransmit, kTimedOut };

  RetransmitTimer(Timestamp first_sent, const RetransmitPolicy& policy);

  // When HandleTimeout() is next due; PlusInfinity() once timed out.
  Timestamp Next() const { return next_; }
  // At most one action a call: a driver that comes late gets the missed ones one by one, each rescheduled from when it was
  // due, not from `now`.
  Action HandleTimeout(Timestamp now);
  // How often the request has been sent, the first included.
  int transmissions() const { return transmissions_; }
  bool timed_out() const { return next_.IsInfinite(); }

 private:
  RetransmitPolicy policy_;
  TimeDelta interval_;  // between the last transmission and the next one
  Timestamp next_;
  int transmissions_ = 1;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_TRANSACTION_H_
