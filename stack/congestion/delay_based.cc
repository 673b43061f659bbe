#include "stack/congestion/delay_based.h"

namespace rtclab::congestion {
namespace {

// As deployed: after a silence the path may be another one.
constexpr TimeDelta kStreamTimeout = TimeDelta::Seconds(2);

}  // namespace

DelayBasedRate::DelayBasedRate(GccFilter filter, const RateLimits& limits)
    : filter_kind_(filter),
      detector_(filter == GccFilter::kTrendline ? kDeployedOveruse : kDraftOveruse),
      aimd_(limits.start, limits.min, limits.max) {
  ResetFilter();
}

void DelayBasedRate::ResetFilter() {
  groups_.Reset();
  if (filter_kind_ == GccFilter::kTrendline) {
    filter_ = TrendlineFilter();
  } else {
    filter_ = KalmanFilter();
  }
}

void DelayBasedRate::OnPacket(Timestamp now, const PacketResult& packet) {
  if (last_packet_ && now - *last_packet_ > kStreamTimeout) ResetFilter();
  last_packet_ = now;
  const auto delta = groups_.OnPacket(packet.sent.sent, *packet.received);
  if (!delta) return;
  signal_ms_ = std::visit([&](auto& filter) { return filter.Update(*delta); }, filter_);
  detector_.Update(signal_ms_, delta->departure, delta->arrived);
}

DelayBasedRate::Result DelayBasedRate::OnFeedback(Timestamp now,
                                                  std::span<const PacketResult> received,
                                                  std::optional<DataRate> acknowledged,
                                                  std::optional<DataRate> probe) {
  Result result;
  for (const PacketResult& packet : received) OnPacket(now, packet);
  // As deployed: what counts is the state after the last packet of the feedback.
  const bool overusing = detector_.state() == PathUse::kOverusing;
  if (overusing) {
    if (aimd_.TimeToReduceFurther(now, acknowledged)) {
      const DataRate before = aimd_.rate();
      aimd_.Update(now, PathUse::kOverusing, acknowledged);
      result.backed_off = aimd_.rate() < before;
    }
  } else if (probe) {
    aimd_.SetEstimate(now, *probe);
    result.probed = true;
  } else if (!received.empty()) {
    aimd_.Update(now, detector_.state(), acknowledged);
  }
  result.recovered = was_overusing_ && !overusing;
  was_overusing_ = overusing;
  result.rate = aimd_.rate();
  return result;
}

}  // namespace rtclab::congestion
