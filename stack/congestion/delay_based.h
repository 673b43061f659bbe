// GCC's delay-based half: pre-filter, arrival-time filter, detector and rate controller in a row.
#ifndef RTCLAB_STACK_CONGESTION_DELAY_BASED_H_
#define RTCLAB_STACK_CONGESTION_DELAY_BASED_H_

#include <optional>
#include <span>
#include <variant>

#include "stack/base/units.h"
#include "stack/congestion/aimd_rate.h"
#include "stack/congestion/arrival_filter.h"
#include "stack/congestion/arrival_groups.h"
#include "stack/congestion/controller.h"
#include "stack/congestion/overuse_detector.h"

namespace rtclab::congestion {

class DelayBasedRate {
 public:
  DelayBasedRate(GccFilter filter, const RateLimits& limits);

  struct Result {
    DataRate rate;
    bool backed_off = false;  // this feedback reduced the rate
    bool recovered = false;   // over-use has just ended
    bool probed = false;      // the rate is what the probe measured
  };
  // `received`: the packets that arrived, in order of arrival.
  Result OnFeedback(Timestamp now, std::span<const PacketResult> received,
                    std::optional<DataRate> acknowledged, std::optional<DataRate> probe);

  PathUse use() const { return detector_.state(); }
  AimdRate& aimd() { return aimd_; }
  const AimdRate& aimd() const { return aimd_; }
  double signal_ms() const { return signal_ms_; }
  double threshold_ms() const { return detector_.threshold_ms(); }

 private:
  void OnPacket(Timestamp now, const PacketResult& packet);
  void ResetFilter();

  GccFilter filter_kind_;
  ArrivalGroups groups_;
  std::variant<TrendlineFilter, KalmanFilter> filter_;
  OveruseDetector detector_;
  AimdRate aimd_;
  std::optional<Timestamp> last_packet_;
  double signal_ms_ = 0;
  bool was_overusing_ = false;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_DELAY_BASED_H_
