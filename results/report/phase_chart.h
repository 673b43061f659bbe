// The phases of a connection's set-up as bars over virtual time, host by host.
#ifndef RTCLAB_RESULTS_REPORT_PHASE_CHART_H_
#define RTCLAB_RESULTS_REPORT_PHASE_CHART_H_

#include <string>

#include "results/model.h"
#include "results/report/terminal.h"

namespace rtclab::results {

// From the session's member `phases`; empty text when it has none. A bar that ends in '>' is a phase that never ended. A
// terminal that is too narrow for bars gets the numbers alone, as a list if it has to be.
std::string PhaseChart(const Session& session, const Terminal& terminal);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_PHASE_CHART_H_
