#include "results/report/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace rtclab::results {
namespace {

std::string ValueText(const Json& value) {
  return Printable(value.is_string() ? value.get<std::string>() : value.dump());
}

struct Axis {
  std::string name;
  std::vector<std::string> values;  // in order of appearance

  std::size_t IndexOf(const std::string& value) const {
    return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) -
                                    values.begin());
  }
};

struct Cell {
  std::string outcome;  // empty: no run; "mixed": several runs that differ
  std::vector<double> times;
  bool failed = false;  // an expectation does not hold
};

std::vector<Axis> VaryingParameters(std::span<const Digest> digests) {
  std::vector<Axis> axes;
  for (const Digest& d : digests) {
    for (const auto& item : d.parameters.items()) {
      const std::string& key = item.key();
      auto axis =
          std::find_if(axes.begin(), axes.end(), [&](const Axis& a) { return a.name == key; });
      if (axis == axes.end()) axis = axes.insert(axes.end(), Axis{key, {}});
      const std::string text = ValueText(item.value());
      if (axis->IndexOf(text) == axis->values.size()) axis->values.push_back(text);
    }
  }
  std::erase_if(axes, [&](const Axis& a) {
    return a.values.size() < 2 ||
           !std::all_of(digests.begin(), digests.end(),
                        [&](const Digest& d) { return d.parameters.contains(a.name); });
  });
  return axes;
}

class Matrix {
 public:
  Matrix(Axis rows, Axis columns, std::span<const Digest> digests, const Terminal& terminal)
      : rows_(std::move(rows)),
        columns_(std::move(columns)),
        cells_(rows_.values.size() * columns_.values.size()),
        terminal_(terminal) {
    for (const Digest& d : digests) Add(d);
  }

  std::string Render() const {
    // From the clearest to the narrowest.
    constexpr Layout kNarrowest{true, true, 1};
    for (const Layout layout :
         {Layout{false, false, 2}, Layout{true, false, 2}, Layout{true, true, 2}, kNarrowest}) {
      if (Width(layout) <= static_cast<std::size_t>(terminal_.width)) return Render(layout);
    }
    return List(Width(kNarrowest));
  }

 private:
  struct Layout {
    bool numbered;    // columns have numbers for names
    bool letters;     // types are one letter
    std::size_t gap;  // spaces between columns
  };

  void Add(const Digest& d) {
    const std::size_t row = rows_.IndexOf(ValueText(d.parameters.at(rows_.name)));
    const std::size_t column = columns_.IndexOf(ValueText(d.parameters.at(columns_.name)));
    Cell& cell = cells_[row * columns_.values.size() + column];
    cell.outcome = cell.outcome.empty() || cell.outcome == d.outcome ? d.outcome : "mixed";
    cell.failed |= d.verdict == Verdict::kFail;
    if (d.setup_ms) cell.times.push_back(*d.setup_ms);
    std::sort(cell.times.begin(), cell.times.end());
  }

  static std::string Letter(const std::string& outcome) {
    static const std::map<std::string, std::string> kLetters = {
        {"host", "h"},   {"srflx", "s"}, {"prflx", "p"}, {"relay", "r"},
        {"failed", "-"}, {"mixed", "*"}, {"error", "E"}};
    const auto found = kLetters.find(outcome);
    return found == kLetters.end() ? outcome : found->second;
  }

  static std::string Text(const Cell& cell, Layout layout) {
    std::string text = layout.letters ? Letter(cell.outcome) : Printable(cell.outcome);
    if (!cell.times.empty()) {
      const double ms = cell.times[(cell.times.size() - 1) / 2];
      text += ms < 99'999.5 ? fmt::format(" {:.0f}", ms) : fmt::format(" {:.0f}s", ms / 1000);
    }
    return cell.failed ? text + "!" : text;
  }

  static Color ColorOf(const Cell& cell) {
    if (cell.failed || cell.outcome == "error") return Color::kRed;
    if (cell.outcome == "host" || cell.outcome == "srflx") return Color::kGreen;
    if (cell.outcome == "prflx") return Color::kCyan;
    if (cell.outcome == "relay") return Color::kYellow;
    return cell.outcome == "failed" ? Color::kMagenta : Color::kNone;
  }

  bool SameAxes() const { return rows_.values == columns_.values; }
  std::string RowLabel(std::size_t row, Layout layout) const {
    const std::string& name = rows_.values[row];
    return layout.numbered && SameAxes() ? fmt::format("{:>2} {}", row + 1, name) : name;
  }
  std::string ColumnLabel(std::size_t column, Layout layout) const {
    return layout.numbered ? fmt::format("{}", column + 1) : columns_.values[column];
  }
  std::string Corner() const { return Printable(rows_.name) + " \\ " + Printable(columns_.name); }
  std::size_t LabelWidth(Layout layout) const {
    std::size_t width = Columns(Corner());
    for (std::size_t r = 0; r < rows_.values.size(); ++r) {
      width = std::max(width, Columns(RowLabel(r, layout)));
    }
    return width;
  }
  std::size_t ColumnWidth(std::size_t column, Layout layout) const {
    std::size_t width = Columns(ColumnLabel(column, layout));
    for (std::size_t r = 0; r < rows_.values.size(); ++r) {
      width = std::max(width, Columns(Text(cells_[r * columns_.values.size() + column], layout)));
    }
    return width + layout.gap;
  }
  std::size_t Width(Layout layout) const {
    std::size_t width = LabelWidth(layout);
    for (std::size_t c = 0; c < columns_.values.size(); ++c) width += ColumnWidth(c, layout);
    return width;
  }

  std::string Render(Layout layout) const {
    std::string head = PadRight(Corner(), LabelWidth(layout));
    for (std::size_t c = 0; c < columns_.values.size(); ++c) {
      head += PadLeft(ColumnLabel(c, layout), ColumnWidth(c, layout));
    }
    std::string out = Paint(terminal_, Color::kBold, head) + "\n";
    for (std::size_t r = 0; r < rows_.values.size(); ++r) {
      std::string line = PadRight(RowLabel(r, layout), LabelWidth(layout));
      for (std::size_t c = 0; c < columns_.values.size(); ++c) {
        const Cell& cell = cells_[r * columns_.values.size() + c];
        const std::string text = Text(cell, layout);
        line += std::string(ColumnWidth(c, layout) - Columns(text), ' ');
        line += Paint(terminal_, ColorOf(cell), text);
      }
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out + Legend(layout);
  }

  std::string List(std::size_t needed) const {
    std::string out;
    const auto width = static_cast<std::size_t>(terminal_.width);
    const auto add = [&](Color color, const std::string& text) {
      for (const std::string& line : Wrap(text, width)) out += Paint(terminal_, color, line) + "\n";
    };
    add(Color::kDim, fmt::format("as a list: the matrix needs {} columns, there are {}", needed,
                                 terminal_.width));
    add(Color::kBold, Corner());
    for (std::size_t r = 0; r < rows_.values.size(); ++r) {
      for (std::size_t c = 0; c < columns_.values.size(); ++c) {
        const Cell& cell = cells_[r * columns_.values.size() + c];
        if (cell.outcome.empty()) continue;
        add(ColorOf(cell), fmt::format("{} \\ {}: {}", rows_.values[r], columns_.values[c],
                                       Text(cell, {false, false, 1})));
      }
    }
    return out + Legend({false, false, 1});
  }

  std::string Legend(Layout layout) const {
    std::string text;
    if (layout.numbered && !SameAxes()) {
      text += "columns:";
      for (std::size_t c = 0; c < columns_.values.size(); ++c) {
        text += fmt::format("{} {} {}", c == 0 ? "" : ",", c + 1, columns_.values[c]);
      }
      text += ". ";
    }
    if (layout.letters) {
      static const std::vector<std::string> kOrder = {"host",   "srflx", "prflx", "relay",
                                                      "failed", "mixed", "error"};
      for (const std::string& outcome : kOrder) {
        if (Seen(outcome)) text += Letter(outcome) + " " + outcome + ", ";
      }
    }
    text += "numbers: set-up time in virtual ms";
    if (std::any_of(cells_.begin(), cells_.end(), [](const Cell& c) { return c.failed; })) {
      text += ", !: an expectation failed";
    }
    std::string out;
    for (const std::string& line : Wrap(text, static_cast<std::size_t>(terminal_.width))) {
      out += Paint(terminal_, Color::kDim, line) + "\n";
    }
    return out;
  }
  bool Seen(const std::string& outcome) const {
    return std::any_of(cells_.begin(), cells_.end(),
                       [&](const Cell& c) { return c.outcome == outcome; });
  }

  Axis rows_, columns_;
  std::vector<Cell> cells_;
  Terminal terminal_;
};

}  // namespace

std::string MatrixTable(std::span<const Digest> digests, const Terminal& terminal,
                        const std::function<bool(std::string_view)>& is_nat) {
  std::vector<Axis> axes = VaryingParameters(digests);
  if (axes.size() > 2 && is_nat) {
    std::erase_if(axes, [&](const Axis& a) {
      return !std::all_of(a.values.begin(), a.values.end(), is_nat);
    });
  }
  if (axes.size() != 2) return "";
  return Matrix(std::move(axes[0]), std::move(axes[1]), digests, terminal).Render();
}

}  // namespace rtclab::results
