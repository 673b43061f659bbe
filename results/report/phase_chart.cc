#include "results/report/phase_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "results/report/extra.h"

namespace rtclab::results {
namespace {

constexpr std::size_t kLeastBars = 12;  // columns; with fewer there are none
constexpr std::size_t kTickRoom = 8;    // columns from one tick to the next, at least
constexpr std::size_t kNumberWidth = 9;

struct Phase {
  std::string host, title;
  Color color = Color::kNone;
  double start_ms = 0;
  std::optional<double> end_ms;
};

struct PhaseStyle {
  std::string_view name, title;
  Color color;
};
constexpr PhaseStyle kStyles[] = {
    {"gathering", "gathering", Color::kCyan},
    {"checks", "checks", Color::kYellow},
    {"dtls", "DTLS", Color::kMagenta},
    {"sctp", "SCTP", Color::kBlue},
    {"data_channels", "data channels", Color::kBlue},
    {"first_frame", "first frame", Color::kGreen},
};

std::vector<Phase> PhasesOf(const Session& session) {
  std::vector<Phase> phases;
  for (const Json& json : ElementsOf(session.extra, "phases")) {
    const std::optional<double> start = NumberOf(json, "start_ms");
    if (!start) continue;
    Phase& phase = phases.emplace_back();
    phase.host = Printable(TextOf(json, "host"));
    phase.title = Printable(TextOf(json, "name"));
    phase.start_ms = *start;
    phase.end_ms = NumberOf(json, "end_ms");
    for (const PhaseStyle& style : kStyles) {
      if (style.name != phase.title) continue;
      phase.color = style.color;
      phase.title = style.title;
      break;
    }
  }
  return phases;
}

// 1, 2 or 5 times a power of ten.
double RoundStep(double at_least) {
  double step = 0.001;
  for (int i = 0; step < at_least; ++i) step *= i % 3 == 1 ? 2.5 : 2;
  return step;
}

class PhaseDrawing {
 public:
  PhaseDrawing(std::vector<Phase> phases, const Terminal& terminal)
      : phases_(std::move(phases)), terminal_(terminal) {
    for (const Phase& phase : phases_) {
      host_width_ = std::max(host_width_, Columns(phase.host));
      title_width_ = std::max(title_width_, Columns(phase.title));
      end_ms_ = std::max({end_ms_, phase.start_ms, phase.end_ms.value_or(0)});
    }
    // Room for the arrow of what never ended.
    const bool endless = std::any_of(phases_.begin(), phases_.end(),
                                     [](const Phase& phase) { return !phase.end_ms; });
    if (endless) end_ms_ *= 1.125;
    if (end_ms_ <= 0) end_ms_ = 1;
    const std::size_t taken = 2 + host_width_ + 2 + title_width_ + 2 + 3 * kNumberWidth;
    const auto width = static_cast<std::size_t>(terminal.width);
    is_list_ = width < taken;
    if (width >= taken + kLeastBars) bar_width_ = width - taken;
  }

  std::string Draw() const {
    if (is_list_) return List();
    std::string out = Head();
    std::string last_host;
    for (const Phase& phase : phases_) {
      out += "  " + PadRight(phase.host == last_host ? "" : phase.host, host_width_) + "  " +
             PadRight(phase.title, title_width_) + "  " + Bar(phase);
      out += fmt::format("{:>9.1f}", phase.start_ms);
      out += phase.end_ms
                 ? fmt::format("{:>9.1f}{:>9.1f}", *phase.end_ms, *phase.end_ms - phase.start_ms)
                 : Paint(terminal_, Color::kRed, "    never");
      out += "\n";
      last_host = phase.host;
    }
    return out;
  }

 private:
  std::string List() const {
    std::string out;
    for (const Phase& phase : phases_) {
      const std::string text =
          fmt::format("{} {}: {:.1f} to {}", phase.host, phase.title, phase.start_ms,
                      phase.end_ms ? fmt::format("{:.1f} ms", *phase.end_ms) : "never");
      std::size_t indent = 2;
      for (const std::string& line :
           Wrap(text, std::max<std::size_t>(static_cast<std::size_t>(terminal_.width), 20) - 4)) {
        out += std::string(indent, ' ') + line + "\n";
        indent = 4;
      }
    }
    return out;
  }

  std::size_t At(double ms) const {
    const auto column = static_cast<std::size_t>(ms * static_cast<double>(bar_width_) / end_ms_);
    return std::min(column, bar_width_);
  }

  std::string Head() const {
    std::string axis(bar_width_, ' ');
    if (bar_width_ > 0) {
      const double step =
          RoundStep(end_ms_ * static_cast<double>(kTickRoom) / static_cast<double>(bar_width_));
      std::size_t free = 0;
      for (int i = 0; step * i <= end_ms_; ++i) {
        const std::string label = fmt::format("|{:g}", step * i);
        const std::size_t at = At(step * i);
        if (at < free || at + label.size() > bar_width_) continue;
        axis.replace(at, label.size(), label);
        free = at + label.size() + 1;
      }
    }
    const std::string left(2 + host_width_ + 2 + title_width_ + 2, ' ');
    return Paint(terminal_, Color::kDim, left + axis + "    start      end  took ms") + "\n";
  }

  std::string Bar(const Phase& phase) const {
    if (bar_width_ == 0) return "";
    const std::size_t start = std::min(At(phase.start_ms), bar_width_ - 1);
    const std::size_t end = phase.end_ms ? std::max(At(*phase.end_ms), start + 1) : bar_width_;
    std::string bar;
    for (std::size_t i = start; i < end; ++i) bar += terminal_.unicode ? "\u2588" : "#";
    if (!phase.end_ms) bar = std::string(end - start - 1, '-') + ">";
    return std::string(start, ' ') +
           Paint(terminal_, phase.end_ms ? phase.color : Color::kRed, bar) +
           std::string(bar_width_ - end, ' ');
  }

  std::vector<Phase> phases_;
  Terminal terminal_;
  std::size_t host_width_ = 0, title_width_ = 0, bar_width_ = 0;
  double end_ms_ = 0;
  bool is_list_ = false;
};

}  // namespace

std::string PhaseChart(const Session& session, const Terminal& terminal) {
  std::vector<Phase> phases = PhasesOf(session);
  return phases.empty() ? "" : PhaseDrawing(std::move(phases), terminal).Draw();
}

}  // namespace rtclab::results
