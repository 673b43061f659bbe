#include "scenarios/run_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/structure.h"

namespace rtclab::scenarios {
namespace {

constexpr TimeDelta kSessionTime = TimeDelta::Seconds(60);
// Without the lifetime a discovery takes up to some 120 s: three transactions that nobody answers, 39.5 s each (RFC 8489
// section 6.2.1).
constexpr TimeDelta kProbeTime = TimeDelta::Seconds(600);
// The lifetime is searched by halving 0 s to 600 s down to 1 s: ten trials, each a wait of up to 600 s and up to two
// transactions that nobody answers (at most 6,790 s), then two waits of less than 600 s for the refresh test.
constexpr TimeDelta kLifetimeProbeTime = TimeDelta::Seconds(3 * 3600);

}  // namespace

TimeDelta DefaultMaxDuration(const Node& scenario) {
  TimeDelta longest = kSessionTime;
  With(scenario, "probes", [&](const Node& probes) {
    for (const Member& probe : probes.members) {
      TimeDelta start;
      bool lifetime = false;
      if (probe.value.IsObject()) {
        Read(probe.value, "start", start);
        Read(probe.value, "lifetime", lifetime);
      }
      longest = std::max(longest, start + (lifetime ? kLifetimeProbeTime : kProbeTime));
    }
  });
  return std::min(longest, kLongestRun);
}

}  // namespace rtclab::scenarios
