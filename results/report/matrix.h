// The table that a suite over two parameters is about: who against whom came to what, and how long it took.
#ifndef RTCLAB_RESULTS_REPORT_MATRIX_H_
#define RTCLAB_RESULTS_REPORT_MATRIX_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "results/report/summary.h"
#include "results/report/terminal.h"

namespace rtclab::results {

// A matrix over two parameters: the first one's values are the rows, the second one's the columns. A cell says the
// outcome and the set-up time in virtual milliseconds (the median, where several runs share a cell). Columns are
// numbered and types abbreviated, with a legend, as far as the width of the terminal asks for it; where even that is
// too wide, it is a list.
//
// The two parameters are those that take more than one value; with more than two such, those of which `is_nat` holds for
// every value (it may be empty). Empty text when that does not leave exactly two.
std::string MatrixTable(std::span<const Digest> digests, const Terminal& terminal,
                        const std::function<bool(std::string_view)>& is_nat = {});

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_MATRIX_H_
