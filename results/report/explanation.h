// One run in words: what came of each session, when, why, and every connectivity check.
#ifndef RTCLAB_RESULTS_REPORT_EXPLANATION_H_
#define RTCLAB_RESULTS_REPORT_EXPLANATION_H_

#include <string>

#include "results/model.h"
#include "results/report/terminal.h"

namespace rtclab::results {

std::string Explanation(const Run& run, const Terminal& terminal);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_EXPLANATION_H_
