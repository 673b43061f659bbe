// What a run needs as a whole: time for its probes, addresses for its network, agents where they can work.
#ifndef RTCLAB_SCENARIOS_RUN_CHECKS_H_
#define RTCLAB_SCENARIOS_RUN_CHECKS_H_

#include "scenarios/document.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

inline constexpr TimeDelta kLongestRun = TimeDelta::Seconds(24 * 3600);

// Of a run for which the file gives none: 60 s, or as long as its probes may need; at most kLongestRun.
// `scenario` has passed CheckStructure.
TimeDelta DefaultMaxDuration(const Node& scenario);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUN_CHECKS_H_
