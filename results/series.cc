#include "results/series.h"

#include <cmath>

#include "results/json.h"

namespace rtclab::results {
namespace {

Json OptionalMillis(const std::optional<double>& v) { return v ? Millis(*v) : Json(nullptr); }
int64_t Bps(double v) { return std::llround(v); }

}  // namespace

std::string ToLine(const std::string& run, const SeriesPoint& point) {
  const Json json{
      {"run", run},
      {"session", point.session},
      {"from", point.from},
      {"to", point.to},
      {"time_ms", Millis(point.time_ms)},
      {"interval_ms", Millis(point.interval_ms)},
      {"send_bps", Bps(point.send_bps)},
      {"target_bps", Bps(point.target_bps)},
      {"receive_bps", Bps(point.receive_bps)},
      {"data_receive_bps", Bps(point.data_receive_bps)},
      {"queue_delay_ms", OptionalMillis(point.queue_delay_ms)},
      {"queue_delay_max_ms", OptionalMillis(point.queue_delay_max_ms)},
      {"loss", std::round(point.loss * 1e6) / 1e6},
      {"rtt_ms", OptionalMillis(point.rtt_ms)},
      {"capacity_bps", point.capacity_bps ? Json(Bps(*point.capacity_bps)) : Json(nullptr)},
      {"frames", point.frames},
      {"freeze_ms", Millis(point.freeze_ms)},
      {"state", point.state}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rtclab::results
