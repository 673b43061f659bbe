// What flowed over time, as a line of small bars a quantity.
#ifndef RTCLAB_RESULTS_REPORT_SERIES_CHART_H_
#define RTCLAB_RESULTS_REPORT_SERIES_CHART_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "results/report/terminal.h"
#include "results/series.h"

namespace rtclab::results {

// A character a value from 0 to `max`, higher for more: U+2581 to U+2588, or "_.-:=+*#" without Terminal::unicode. A space
// where there is no value.
std::string Sparkline(std::span<const std::optional<double>> values, double max,
                      const Terminal& terminal);

// The points of `session`, direction by direction: rates sent, allowed and received, which share a scale, queueing delay and,
// where there was any, loss. As many points become one character, their mean, as the width asks for. Empty text without
// points.
std::string SeriesChart(std::span<const SeriesPoint> series, std::string_view session,
                        const Terminal& terminal);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_SERIES_CHART_H_
