// The "expect" member of a scenario, resolved for one combination of its matrix.
#ifndef RTCLAB_SCENARIOS_RESOLVE_EXPECT_H_
#define RTCLAB_SCENARIOS_RESOLVE_EXPECT_H_

#include "scenarios/document.h"
#include "scenarios/matrix.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

// Appends to run.expectations what the combination has to fulfil; run.sessions and run.probes are the subjects.
void ResolveExpectations(const Node& expect, const Matrix& matrix, const Combination& combination,
                         const Origins& origins, Report& report, RunSpec& run);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RESOLVE_EXPECT_H_
