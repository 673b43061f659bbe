// Media, data channels and background traffic of a scenario, resolved.
#ifndef RTCLAB_SCENARIOS_RESOLVE_MEDIA_H_
#define RTCLAB_SCENARIOS_RESOLVE_MEDIA_H_

#include <vector>

#include "scenarios/document.h"
#include "scenarios/resolve_network.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

// Fills session.peer from the session's "media", "data", "controller" and "dtls"; leaves it absent where the session has
// neither media nor data. Both nodes have passed CheckStructure.
void ResolvePeer(const Node& session_node, SessionSpec& session, Report& report);
// Gives the hosts of TCP flows ns-3's own stack. `run_end` is the run's max_duration.
std::vector<FlowSpec> ResolveFlows(const Node& flows, NetworkResolver& network, TimeDelta run_end,
                                   Report& report);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RESOLVE_MEDIA_H_
