// One combination of a scenario, resolved into a RunSpec: defaults, presets and references, and what cannot be.
#ifndef RTCLAB_SCENARIOS_RESOLVE_H_
#define RTCLAB_SCENARIOS_RESOLVE_H_

#include "scenarios/document.h"
#include "scenarios/matrix.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

// `scenario` has passed CheckStructure, without "matrix" and "seeds", and its parameters are substituted. The result's
// id, scenario and seed stay empty. What is impossible is reported; the result is then of no use.
RunSpec Resolve(const Node& scenario, const Matrix& matrix, const Combination& combination,
                const Origins& origins, Report& report);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RESOLVE_H_
