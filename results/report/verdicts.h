// The table that a comparison of congestion controllers ends in: controller x test case, with verdicts and figures.
#ifndef RTCLAB_RESULTS_REPORT_VERDICTS_H_
#define RTCLAB_RESULTS_REPORT_VERDICTS_H_

#include <span>
#include <string>

#include "results/report/summary.h"
#include "results/report/terminal.h"

namespace rtclab::results {

// Rows are the values of the parameter "controller", columns the scenarios, both in order of appearance. A cell has the worst
// verdict of its runs (error, FAIL, miss, pass; miss: the scenario knows that the run stays behind what a standard expects)
// and, where media flowed, the mean share of the bottleneck that it used and the worst 95th percentile of its queueing delay in
// ms. Columns are headed by as few words of their scenarios' names as tell them apart, with a legend. Where the terminal is
// too narrow for the figures they are left out, and where it is too narrow for the verdicts it is a list.
//
// Empty text unless all runs have the parameter and it takes several values.
std::string VerdictTable(std::span<const Digest> digests, const Terminal& terminal);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_VERDICTS_H_
