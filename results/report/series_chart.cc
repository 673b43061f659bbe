#include "results/report/series_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

namespace rtclab::results {
namespace {

using Values = std::vector<std::optional<double>>;

constexpr std::array kBars = {"\u2581", "\u2582", "\u2583", "\u2584",
                              "\u2585", "\u2586", "\u2587", "\u2588"};
constexpr std::string_view kPlainBars = "_.-:=+*#";
constexpr std::size_t kLabel = 14;      // with its indent
constexpr std::size_t kFigures = 34;    // "  mean 1234.567, max 1234.567 Mbit/s"
constexpr std::size_t kLeastChart = 8;  // characters

double MeanOf(const Values& values) {
  double sum = 0;
  int count = 0;
  for (const auto& value : values) {
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

double MaxOf(const Values& values) {
  double max = 0;
  for (const auto& value : values) max = std::max(max, value.value_or(0));
  return max;
}

// At most `cells` values: the means of neighbours.
Values Squeezed(const Values& values, std::size_t cells) {
  if (values.size() <= cells) return values;
  Values out;
  for (std::size_t i = 0; i < cells; ++i) {
    const auto first = static_cast<std::ptrdiff_t>(i * values.size() / cells);
    const auto last = static_cast<std::ptrdiff_t>((i + 1) * values.size() / cells);
    const Values part(values.begin() + first, values.begin() + last);
    const bool any = std::any_of(part.begin(), part.end(), [](const auto& v) { return !!v; });
    out.push_back(any ? std::optional(MeanOf(part)) : std::nullopt);
  }
  return out;
}

class DirectionChart {
 public:
  DirectionChart(std::vector<const SeriesPoint*> points, const Terminal& terminal)
      : points_(std::move(points)), terminal_(terminal) {
    const auto width = static_cast<std::size_t>(terminal.width);
    if (width >= kLabel + kFigures + kLeastChart) cells_ = width - kLabel - kFigures;
  }

  std::string Draw() const {
    const SeriesPoint& first = *points_.front();
    std::string out =
        fmt::format("  {} -> {}, {:.1f} to {:.1f} s\n", Printable(first.from), Printable(first.to),
                    (first.time_ms - first.interval_ms) / 1000, points_.back()->time_ms / 1000);
    const Values sent = Pick([](const SeriesPoint& p) { return p.send_bps / 1e6; });
    const Values target = Pick([](const SeriesPoint& p) { return p.target_bps / 1e6; });
    const Values received = Pick([](const SeriesPoint& p) { return p.receive_bps / 1e6; });
    const Values delay = Pick([](const SeriesPoint& p) { return p.queue_delay_ms; });
    const Values loss = Pick([](const SeriesPoint& p) { return p.loss * 100; });
    const double rate_max = std::max({MaxOf(sent), MaxOf(target), MaxOf(received)});
    AddLine(out, "sent", sent, rate_max, 3, "Mbit/s");
    if (MaxOf(target) > 0) AddLine(out, "target", target, rate_max, 3, "Mbit/s");
    AddLine(out, "received", received, rate_max, 3, "Mbit/s");
    if (std::any_of(delay.begin(), delay.end(), [](const auto& v) { return !!v; })) {
      AddLine(out, "queue", delay, MaxOf(delay), 1, "ms");
    }
    if (MaxOf(loss) > 0) AddLine(out, "loss", loss, MaxOf(loss), 1, "%");
    return out;
  }

 private:
  Values Pick(const std::function<std::optional<double>(const SeriesPoint&)>& value) const {
    Values values;
    values.reserve(points_.size());
    for (const SeriesPoint* point : points_) values.push_back(value(*point));
    return values;
  }

  void AddLine(std::string& out, std::string_view label, const Values& values, double max,
               int decimals, std::string_view unit) const {
    out += fmt::format("    {:<8}  ", label);
    if (cells_ > 0) out += Sparkline(Squeezed(values, cells_), max, terminal_) + "  ";
    const std::string figures = fmt::format("mean {:.{}f}, max {:.{}f} {}", MeanOf(values),
                                            decimals, MaxOf(values), decimals, unit);
    const auto width = static_cast<std::size_t>(terminal_.width);
    if (cells_ > 0 || kLabel + figures.size() <= width) {
      out += figures + "\n";
      return;
    }
    std::size_t indent = 0;
    for (const std::string& line : Wrap(figures, std::max(width, kLabel + 12) - kLabel)) {
      out += std::string(indent, ' ') + line + "\n";
      indent = kLabel;
    }
  }

  std::vector<const SeriesPoint*> points_;
  Terminal terminal_;
  std::size_t cells_ = 0;
};

}  // namespace

std::string Sparkline(std::span<const std::optional<double>> values, double max,
                      const Terminal& terminal) {
  std::string out;
  for (const auto& value : values) {
    if (!value) {
      out += ' ';
      continue;
    }
    const double part = max > 0 ? std::clamp(*value / max, 0.0, 1.0) : 0;
    const std::size_t level =
        std::min(static_cast<std::size_t>(part * kBars.size()), kBars.size() - 1);
    terminal.unicode ? out += kBars[level] : out += kPlainBars[level];
  }
  return out;
}

std::string SeriesChart(std::span<const SeriesPoint> series, std::string_view session,
                        const Terminal& terminal) {
  std::vector<std::pair<std::string_view, std::string_view>> ways;
  for (const SeriesPoint& point : series) {
    const std::pair<std::string_view, std::string_view> way(point.from, point.to);
    if (point.session == session && std::find(ways.begin(), ways.end(), way) == ways.end()) {
      ways.push_back(way);
    }
  }
  std::string out;
  for (const auto& [from, to] : ways) {
    std::vector<const SeriesPoint*> points;
    bool any = false;
    for (const SeriesPoint& point : series) {
      if (point.session != session || point.from != from || point.to != to) continue;
      points.push_back(&point);
      any |= point.send_bps > 0;
    }
    if (any) out += DirectionChart(std::move(points), terminal).Draw();
  }
  return out;
}

}  // namespace rtclab::results
