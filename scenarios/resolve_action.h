// Something that happens during a session, resolved: its figures and what it happens to.
#ifndef RTCLAB_SCENARIOS_RESOLVE_ACTION_H_
#define RTCLAB_SCENARIOS_RESOLVE_ACTION_H_

#include "scenarios/document.h"
#include "scenarios/resolve_network.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

// `node` has passed CheckStructure; `session` has its hosts, start and peer; `run_end` is the run's max_duration.
ActionSpec ResolveAction(const Node& node, const SessionSpec& session, NetworkResolver& network,
                         TimeDelta run_end, Report& report);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RESOLVE_ACTION_H_
