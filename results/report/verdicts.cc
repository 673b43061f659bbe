#include "results/report/verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace rtclab::results {
namespace {

constexpr const char* kParameter = "controller";
constexpr std::size_t kColumnGap = 2;

enum class CellVerdict { kNone, kPass, kMiss, kFail, kError };

struct VerdictCell {
  CellVerdict verdict = CellVerdict::kNone;
  double utilisation_sum = 0;
  int utilisations = 0;
  std::optional<double> queue_p95_ms;  // the worst

  void Add(const Digest& d) {
    const CellVerdict here = d.verdict == Verdict::kError  ? CellVerdict::kError
                             : d.verdict == Verdict::kFail ? CellVerdict::kFail
                             : d.missed                    ? CellVerdict::kMiss
                                                           : CellVerdict::kPass;
    verdict = std::max(verdict, here);
    if (d.utilisation) {
      utilisation_sum += *d.utilisation;
      ++utilisations;
    }
    if (d.queue_p95_ms) queue_p95_ms = std::max(queue_p95_ms.value_or(0), *d.queue_p95_ms);
  }

  std::string Word() const {
    static constexpr const char* kWords[] = {"-", "pass", "miss", "FAIL", "error"};
    return kWords[static_cast<std::size_t>(verdict)];
  }
  Color WordColor() const {
    switch (verdict) {
      case CellVerdict::kPass:
        return Color::kGreen;
      case CellVerdict::kMiss:
        return Color::kYellow;
      case CellVerdict::kFail:
      case CellVerdict::kError:
        return Color::kRed;
      case CellVerdict::kNone:
        break;
    }
    return Color::kDim;
  }
  std::string Figures() const {
    std::string text;
    if (utilisations > 0) text = fmt::format("{:.0f}%", utilisation_sum / utilisations * 100);
    if (queue_p95_ms) text += fmt::format("{}{:.0f}", text.empty() ? "" : " ", *queue_p95_ms);
    return text;
  }
};

std::size_t IndexIn(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

// The first `words` words of a name, which '-' separates.
std::string Words(const std::string& name, std::size_t words) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < words && end != std::string::npos; ++i) {
    end = name.find('-', i == 0 ? 0 : end + 1);
  }
  return name.substr(0, end);
}

// As few words as tell the names apart.
std::vector<std::string> ShortNames(const std::vector<std::string>& names) {
  for (std::size_t words = 1;; ++words) {
    std::vector<std::string> shortened;
    shortened.reserve(names.size());
    for (const std::string& name : names) shortened.push_back(Words(name, words));
    std::vector<std::string> sorted = shortened;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()) return shortened;
  }
}

class Verdicts {
 public:
  Verdicts(std::span<const Digest> digests, const Terminal& terminal) : terminal_(terminal) {
    for (const Digest& d : digests) {
      IndexIn(rows_, RowOf(d));
      IndexIn(columns_, Printable(d.scenario));
    }
    cells_.resize(rows_.size() * columns_.size());
    for (const Digest& d : digests) {
      const std::size_t row = IndexIn(rows_, RowOf(d));
      cells_[row * columns_.size() + IndexIn(columns_, Printable(d.scenario))].Add(d);
    }
    heads_ = ShortNames(columns_);
  }

  static std::string RowOf(const Digest& d) {
    const Json& value = d.parameters.at(kParameter);
    return Printable(value.is_string() ? value.get<std::string>() : value.dump());
  }
  std::size_t rows() const { return rows_.size(); }

  std::string Render() const {
    const auto width = static_cast<std::size_t>(terminal_.width);
    for (const bool figures : {true, false}) {
      if (Width(figures) <= width) return Table(figures);
    }
    return List();
  }

 private:
  const VerdictCell& At(std::size_t row, std::size_t column) const {
    return cells_[row * columns_.size() + column];
  }
  std::size_t LabelWidth() const {
    std::size_t width = Columns(kParameter);
    for (const std::string& row : rows_) width = std::max(width, Columns(row));
    return width;
  }
  std::size_t ColumnWidth(std::size_t column, bool figures) const {
    std::size_t width = Columns(heads_[column]);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      width = std::max(width, At(r, column).Word().size());
      if (figures) width = std::max(width, At(r, column).Figures().size());
    }
    return width + kColumnGap;
  }
  std::size_t Width(bool figures) const {
    std::size_t width = LabelWidth();
    for (std::size_t c = 0; c < columns_.size(); ++c) width += ColumnWidth(c, figures);
    return width;
  }

  std::string Line(const std::string& label, bool figures,
                   const std::function<std::pair<std::string, Color>(std::size_t)>& cell) const {
    std::string line = PadRight(label, LabelWidth());
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const auto& [text, color] = cell(c);
      line += std::string(ColumnWidth(c, figures) - Columns(text), ' ');
      line += text.empty() ? text : Paint(terminal_, color, text);
    }
    return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }

  std::string Table(bool figures) const {
    std::string out = Line(kParameter, figures,
                           [&](std::size_t c) { return std::pair(heads_[c], Color::kBold); });
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      out += Line(rows_[r], figures,
                  [&](std::size_t c) { return std::pair(At(r, c).Word(), At(r, c).WordColor()); });
      if (!figures) continue;
      const std::string second = Line(
          "", figures, [&](std::size_t c) { return std::pair(At(r, c).Figures(), Color::kDim); });
      if (second.size() > 1) out += second;
    }
    return out + Legend(figures);
  }

  std::string List() const {
    std::string out;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        const VerdictCell& cell = At(r, c);
        if (cell.verdict == CellVerdict::kNone) continue;
        const std::string text =
            fmt::format("{} {}: {} {}", rows_[r], columns_[c], cell.Word(), cell.Figures());
        for (const std::string& line : Wrap(text, static_cast<std::size_t>(terminal_.width))) {
          out += Paint(terminal_, cell.WordColor(), line) + "\n";
        }
      }
    }
    return out + Legend(true);
  }

  std::string Legend(bool figures) const {
    std::string text;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (heads_[c] == columns_[c]) continue;
      const std::string rest = columns_[c].substr(heads_[c].size() + 1);
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", heads_[c], rest);
    }
    if (!text.empty()) text += ". ";
    const auto any = [&](CellVerdict verdict) {
      return std::any_of(cells_.begin(), cells_.end(),
                         [&](const VerdictCell& c) { return c.verdict == verdict; });
    };
    if (any(CellVerdict::kMiss)) text += "miss: stays behind the standard, as the scenario says. ";
    if (any(CellVerdict::kFail)) text += "FAIL: an expectation does not hold. ";
    if (figures) {
      text += "Figures: share of the bottleneck used, 95th percentile of queueing delay in ms. ";
    }
    std::string out;
    for (const std::string& line : Wrap(text, static_cast<std::size_t>(terminal_.width))) {
      out += Paint(terminal_, Color::kDim, line.substr(0, line.find_last_not_of(' ') + 1)) + "\n";
    }
    return out;
  }

  Terminal terminal_;
  std::vector<std::string> rows_, columns_, heads_;
  std::vector<VerdictCell> cells_;
};

}  // namespace

std::string VerdictTable(std::span<const Digest> digests, const Terminal& terminal) {
  const auto has = [](const Digest& d) { return d.parameters.contains(kParameter); };
  if (digests.empty() || !std::all_of(digests.begin(), digests.end(), has)) return "";
  const Verdicts table(digests, terminal);
  return table.rows() < 2 ? "" : table.Render();
}

}  // namespace rtclab::results
