// One run in words, tables and bars: what came of each session, when, why, what it carried, and every connectivity check.
#ifndef RTCLAB_RESULTS_REPORT_EXPLANATION_H_
#define RTCLAB_RESULTS_REPORT_EXPLANATION_H_

#include <span>
#include <string>

#include "results/model.h"
#include "results/report/terminal.h"
#include "results/series.h"

namespace rtclab::results {

// `series`: of the run, where there is one.
std::string Explanation(const Run& run, const Terminal& terminal,
                        std::span<const SeriesPoint> series = {});

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_EXPLANATION_H_
