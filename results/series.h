// series.jsonl: what flowed over time, one line a direction and interval; see series.schema.json.
#ifndef RTCLAB_RESULTS_SERIES_H_
#define RTCLAB_RESULTS_SERIES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rtclab::results {

struct SeriesPoint {
  std::string session;
  std::string from, to;  // hosts
  double time_ms = 0;    // end of the interval, since the session's start
  double interval_ms = 0;
  double send_bps = 0;
  double target_bps = 0;        // the sender's controller
  double receive_bps = 0;       // at the receiver: media and data
  double data_receive_bps = 0;  // of it, what data channels carried
  // Delay beyond the least of the path, of the packets that arrived.
  std::optional<double> queue_delay_ms, queue_delay_max_ms;
  double loss = 0;  // 0 to 1
  std::optional<double> rtt_ms;
  std::optional<double> capacity_bps;  // of the narrowest link on the way
  int frames = 0;
  double freeze_ms = 0;
  std::string state;  // of the controller
};

// One line, with its line break: times rounded as in results.json, rates to whole bits a second.
std::string ToLine(const std::string& run, const SeriesPoint& point);

// The published JSON Schema of a line, as text.
std::string_view SeriesSchema();

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_SERIES_H_
