#include "stack/congestion/scream_media_rate.h"

#include <algorithm>

#include "stack/congestion/rates.h"
#include "stack/congestion/scream_constants.h"

namespace rtclab::congestion {

ScreamMediaRate::ScreamMediaRate(const RateLimits& limits)
    : min_(Bps(limits.min)), max_(Bps(limits.max)), target_(Bps(limits.start)) {}

void ScreamMediaRate::SetLimits(const RateLimits& limits, bool restart) {
  min_ = Bps(limits.min);
  max_ = Bps(limits.max);
  if (restart) target_ = Bps(limits.start);
  Clip();
}

void ScreamMediaRate::OnSent(const SentPacket& packet) {
  sent_ = sent_ + packet.size;
  if (packet.packet_class != PacketClass::kPadding) media_sent_ = media_sent_ + packet.size;
}

void ScreamMediaRate::OnQueue(DataSize queued) {
  queue_ = queued;
  least_queue_ = least_queue_ ? std::min(*least_queue_, queued) : queued;
}

void ScreamMediaRate::Clip() { target_ = std::min(max_, std::max(min_, target_)); }

std::string_view ScreamMediaRate::OnLoss() {
  last_max_ = target_;
  target_ = std::max(scream::kBetaR * target_, min_);
  return "loss";
}

std::string_view ScreamMediaRate::OnEcn() {
  last_max_ = target_;
  target_ = std::max(scream::kBetaEcn * target_, min_);
  return "ecn marks";
}

void ScreamMediaRate::Measure(TimeDelta elapsed) {
  const double seconds = elapsed.seconds();
  rate_transmit_ = static_cast<double>(sent_.bits()) / seconds;
  rate_ack_ = static_cast<double>(acked_.bits()) / seconds;
  // What the encoder made is what left and what the queue grew by.
  const DataSize made = media_sent_ + queue_ - queue_at_last_;
  rate_media_ = std::max(0.0, static_cast<double>(made.bits()) / seconds);
  media_rates_[media_count_ % kMediaRates] = rate_media_;
  ++media_count_;
  sent_ = media_sent_ = acked_ = DataSize();
  queue_at_last_ = queue_;
}

double ScreamMediaRate::MediaMedian() const {
  auto sorted = media_rates_;
  const std::size_t count = std::min(media_count_, kMediaRates);
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle;
}

std::string_view ScreamMediaRate::Adjust(TimeDelta elapsed, bool in_fast_increase,
                                         double qdelay_trend, double qdelay_trend_mem) {
  Measure(elapsed);
  const double queue_bits = static_cast<double>(least_queue_.value_or(queue_).bits());
  least_queue_.reset();
  const double interval = scream::kRateAdjustInterval.seconds();
  const double current = std::max(rate_transmit_, rate_ack_);
  const double ramp_up = std::min(scream::kRampUpSpeed, target_ / 2);
  const double from_last_max = (target_ - last_max_) / last_max_ * 4;
  const double scale = std::max(0.2, std::min(1.0, from_last_max * from_last_max));
  std::string_view reason = "increase";
  if (in_fast_increase) {
    target_ += ramp_up * interval * scale;
    reason = "fast increase";
  } else {
    double delta = current * (1 - scream::kPreCongestionGuard * qdelay_trend) -
                   scream::kTxQueueSizeFactor * queue_bits;
    if (delta > 0) delta = std::min(delta * scale, ramp_up * interval);
    target_ += delta;
    if (current > 0 && queue_bits / current > scream::kRtpQdelayTh.seconds()) {
      target_ *= scream::kTargetRateScaleRtpQdelay;
      reason = "send queue";
    }
  }
  const double limit =
      std::max(current, std::max(rate_media_, MediaMedian())) * (2 - qdelay_trend_mem);
  if (target_ > limit) {
    target_ = limit;
    reason = "media rate limit";
  }
  Clip();
  return reason;
}

}  // namespace rtclab::congestion
