#include "stack/stun/rto_cache.h"

#include <algorithm>

namespace rtclab::stun {
namespace {

constexpr TimeDelta kStaleAfter = TimeDelta::Seconds(600);  // RFC 8489 section 6.2.1: 10 minutes
constexpr TimeDelta kGranularity = TimeDelta::Millis(1);    // RFC 8489 section 6.2.1: 1 ms accuracy

}  // namespace

TimeDelta RtoCache::Rto(Timestamp now, const IpAddress& server) const {
  const auto it = estimates_.find(server);
  if (it == estimates_.end() || now - it->second.last_used >= kStaleAfter) return initial_;
  const Estimate& e = it->second;
  // RFC 6298 section 2.3: SRTT + max(G, 4 * RTTVAR).
  const TimeDelta rto = e.smoothed + std::max(kGranularity, e.variation * 4);
  const TimeDelta rounded = TimeDelta::Millis((rto.nanos() + 999'999) / 1'000'000);
  return std::max(initial_, rounded);
}

void RtoCache::Answered(Timestamp now, const IpAddress& server, TimeDelta rtt, int transmissions) {
  std::erase_if(estimates_,
                [&](const auto& entry) { return now - entry.second.last_used >= kStaleAfter; });
  const auto it = estimates_.find(server);
  if (transmissions != 1) {
    if (it != estimates_.end()) it->second.last_used = now;
    return;
  }
  if (it == estimates_.end()) {
    estimates_[server] = {rtt, rtt / 2, now};  // RFC 6298 section 2.2
    return;
  }
  // RFC 6298 section 2.3: beta 1/4 and alpha 1/8, the variation first.
  Estimate& e = it->second;
  const TimeDelta error = e.smoothed > rtt ? e.smoothed - rtt : rtt - e.smoothed;
  e.variation = (e.variation * 3 + error) / 4;
  e.smoothed = (e.smoothed * 7 + rtt) / 8;
  e.last_used = now;
}

}  // namespace rtclab::stun
