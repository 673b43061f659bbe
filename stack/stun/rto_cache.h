// What a client has learned of the round-trip times to its servers (RFC 8489 section 6.2.1, RFC 6298).
#ifndef RTCLAB_STACK_STUN_RTO_CACHE_H_
#define RTCLAB_STACK_STUN_RTO_CACHE_H_

#include <map>

#include "stack/base/ip_address.h"
#include "stack/base/units.h"

namespace rtclab::stun {

// Estimates by server IP address. `initial` is the RTO for an unknown server and the least there is: RFC 8489 section 6.2.1 wants
// 500 ms or more.
class RtoCache {
 public:
  explicit RtoCache(TimeDelta initial = TimeDelta::Millis(500)) : initial_(initial) {}

  // The RTO a new transaction to `server` starts with, in whole milliseconds, rounded up.
  TimeDelta Rto(Timestamp now, const IpAddress& server) const;
  // A transaction has been answered `rtt` after its only transmission; with more than one transmission it is not known which was
  // answered, and nothing is learned (Karn's algorithm).
  void Answered(Timestamp now, const IpAddress& server, TimeDelta rtt, int transmissions);

 private:
  struct Estimate {
    TimeDelta smoothed;
    TimeDelta variation;
    Timestamp last_used;
  };

  TimeDelta initial_;
  std::map<IpAddress, Estimate> estimates_;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_RTO_CACHE_H_
