#include "results/report/table.h"

#include <algorithm>

namespace rtclab::results {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kGap = 2;

std::string TableLine(const std::vector<TableColumn>& columns,
                      const std::vector<std::size_t>& widths, const TableRow& row) {
  std::string line(kIndent, ' ');
  for (std::size_t i = 0; i < columns.size(); ++i) {
    line += columns[i].number ? PadLeft(row[i], widths[i]) : PadRight(row[i], widths[i]);
    line += std::string(kGap, ' ');
  }
  line.resize(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::optional<std::string> FittingTable(const std::vector<TableColumn>& columns,
                                        const std::vector<TableRow>& rows,
                                        const Terminal& terminal) {
  std::vector<std::size_t> widths;
  TableRow head;
  std::size_t needed = kIndent;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t width = Columns(columns[i].title);
    for (const TableRow& row : rows) width = std::max(width, Columns(row[i]));
    widths.push_back(width);
    head.push_back(columns[i].title);
    needed += width + (i == 0 ? 0 : kGap);
  }
  if (needed > static_cast<std::size_t>(terminal.width)) return std::nullopt;
  std::string out = Paint(terminal, Color::kDim, TableLine(columns, widths, head)) + "\n";
  for (const TableRow& row : rows) out += TableLine(columns, widths, row) + "\n";
  return out;
}

std::string Table(const std::vector<TableColumn>& columns, const std::vector<TableRow>& rows,
                  const Terminal& terminal) {
  if (auto table = FittingTable(columns, rows, terminal)) return *table;
  std::string out;
  const std::size_t width = std::max<std::size_t>(static_cast<std::size_t>(terminal.width), 20);
  for (const TableRow& row : rows) {
    std::string text = row.front();
    for (std::size_t i = 1; i < columns.size(); ++i) {
      if (row[i] != "-") text += (i == 1 ? ": " : ", ") + columns[i].title + " " + row[i];
    }
    std::size_t indent = kIndent;
    for (const std::string& line : Wrap(text, width - 2 * kIndent)) {
      out += std::string(indent, ' ') + line + "\n";
      indent = 2 * kIndent;
    }
  }
  return out;
}

}  // namespace rtclab::results
