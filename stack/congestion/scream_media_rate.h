// SCReAM's media rate control (RFC 8298 section 4.1.3).
#ifndef RTCLAB_STACK_CONGESTION_SCREAM_MEDIA_RATE_H_
#define RTCLAB_STACK_CONGESTION_SCREAM_MEDIA_RATE_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "stack/base/units.h"
#include "stack/congestion/controller.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

class ScreamMediaRate {
 public:
  explicit ScreamMediaRate(const RateLimits& limits);

  void OnSent(const SentPacket& packet);
  void OnAcknowledged(DataSize size) { acked_ = acked_ + size; }
  // The least queue told since the last adjustment counts.
  void OnQueue(DataSize queued);
  void SetLimits(const RateLimits& limits, bool restart);

  // The prompt reaction to a loss or ECN event.
  std::string_view OnLoss();
  std::string_view OnEcn();
  // Fast increase ended: congestion was detected at this rate.
  void OnFastIncreaseEnded() { last_max_ = target_; }
  // Each RATE_ADJUST_INTERVAL, `elapsed` after the last. Returns why the rate changed.
  std::string_view Adjust(TimeDelta elapsed, bool in_fast_increase, double qdelay_trend,
                          double qdelay_trend_mem);

  double target() const { return target_; }  // bps
  double rate_transmit() const { return rate_transmit_; }
  double rate_ack() const { return rate_ack_; }

 private:
  // 50 intervals of 200 ms: rate_media_median covers 10 s.
  static constexpr std::size_t kMediaRates = 50;

  void Measure(TimeDelta elapsed);
  double MediaMedian() const;
  void Clip();

  double min_;
  double max_;
  double target_;
  double last_max_ = 1;  // target_bitrate_last_max
  DataSize sent_;
  DataSize media_sent_;
  DataSize acked_;
  DataSize queue_;
  DataSize queue_at_last_;
  std::optional<DataSize> least_queue_;
  double rate_transmit_ = 0;
  double rate_ack_ = 0;
  double rate_media_ = 0;
  std::array<double, kMediaRates> media_rates_{};
  std::size_t media_count_ = 0;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_SCREAM_MEDIA_RATE_H_
