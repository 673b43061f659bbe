// What a run needs as a whole: time for its probes, addresses for its network, agents where they can work.
#ifndef RTCLAB_SCENARIOS_RUN_CHECKS_H_
#define RTCLAB_SCENARIOS_RUN_CHECKS_H_

#include "scenarios/document.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

inline constexpr TimeDelta kLongestRun = TimeDelta::Seconds(86'400);

// Of a run for which the file gives none: 60 s, or as long as its probes may need; at most kLongestRun.
// `scenario` has passed CheckStructure.
TimeDelta DefaultMaxDuration(const Node& scenario);

// The network's need of addresses must be within the address plan's. For a run without complaints so far.
void CheckAddresses(const Node& scenario, const sim::NetworkSpec& network, Report& report);

// RFC 8445 section 2.5 and appendix A: a lite agent is one with addresses of its own on the internet. One that has only
// translated addresses offers none that work.
void CheckLiteAgents(const Node& scenario, const RunSpec& run, Report& report);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUN_CHECKS_H_
