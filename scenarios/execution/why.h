// Why a session ended as it did: the checks of its agents held against what the network did to their packets.
#ifndef RTCLAB_SCENARIOS_EXECUTION_WHY_H_
#define RTCLAB_SCENARIOS_EXECUTION_WHY_H_

#include <vector>

#include "results/model.h"
#include "scenarios/execution/server_program.h"
#include "scenarios/execution/session_driver.h"
#include "sim/trace/tracer.h"

namespace rtclab::scenarios {

// `session` is the driver's result. Causes come from dropped packets, tied to checks by their STUN transaction ids, and
// from servers that refused or did not answer; the ones that say most come first.
results::Why Explain(const SessionDriver& driver, const results::Session& session,
                     const sim::Network& network, const std::vector<ServerAccess>& servers);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_WHY_H_
