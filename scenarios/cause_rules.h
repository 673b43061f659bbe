// The rule ids that an expected "cause" may name: those of the tables in sim/, those of the servers, and the run's own
// firewall rules.
#ifndef RTCLAB_SCENARIOS_CAUSE_RULES_H_
#define RTCLAB_SCENARIOS_CAUSE_RULES_H_

#include "scenarios/document.h"
#include "sim/topology/network_spec.h"

namespace rtclab::scenarios {

// Reports ids that nothing can have. `cause` is a text or a list of texts. `applies`: the expectation is one of this run;
// otherwise its "firewall.rule:<name>" may be a rule that only other runs of the matrix have, and is let pass.
void CheckCause(const Node& cause, const sim::NetworkSpec& network, bool applies, Report& report);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_CAUSE_RULES_H_
