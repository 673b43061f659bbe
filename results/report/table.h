// Small tables of text, as the reports have them: a head, then a line a row.
#ifndef RTCLAB_RESULTS_REPORT_TABLE_H_
#define RTCLAB_RESULTS_REPORT_TABLE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "results/report/terminal.h"

namespace rtclab::results {

struct TableColumn {
  std::string title;
  bool number = false;  // to the right
};
using TableRow = std::vector<std::string>;  // a cell a column

// The table, indented by two, two spaces between columns; nullopt where the terminal is too narrow for it. Cells come as
// they are: the caller makes text from files Printable() first.
std::optional<std::string> FittingTable(const std::vector<TableColumn>& columns,
                                        const std::vector<TableRow>& rows,
                                        const Terminal& terminal);
// FittingTable(), or the rows as a list: the first cell, then "title cell" of each other one that is not "-".
std::string Table(const std::vector<TableColumn>& columns, const std::vector<TableRow>& rows,
                  const Terminal& terminal);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_TABLE_H_
