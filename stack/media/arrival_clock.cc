#include "stack/media/arrival_clock.h"

#include <algorithm>

#include "stack/rtp/header_extensions.h"

namespace rtclab::media {

Timestamp ArrivalClock::OnPacket(Timestamp now, uint32_t abs_send_time) {
  last_sent_ = last_ ? last_sent_ + rtp::AbsSendTimeDelta(*last_, abs_send_time) : now;
  last_ = abs_send_time;
  const TimeDelta transit = now - last_sent_;
  if (!least_ || transit < *least_) least_ = transit;
  const TimeDelta delay = transit - *least_;
  sum_ += delay;
  max_ = std::max(max_, delay);
  ++count_;
  return last_sent_;
}

ArrivalClock::Delays ArrivalClock::Take() {
  const Delays delays{count_ > 0 ? sum_ / count_ : TimeDelta::Zero(), max_};
  sum_ = TimeDelta::Zero();
  max_ = TimeDelta::Zero();
  count_ = 0;
  return delays;
}

RembEstimator::RembEstimator(const congestion::RateLimits& limits) {
  congestion::ControllerConfig config;
  config.limits = limits;
  config.gcc_probing = false;  // the sender's to do
  controller_ = congestion::MakeController(congestion::ControllerKind::kGcc, config);
  controller_->OnNetworkAvailable(Timestamp::Zero(), true);
}

void RembEstimator::OnPacket(Timestamp now, Timestamp sent, DataSize size) {
  congestion::PacketResult result;
  result.sent.id = next_id_++;
  result.sent.sent = sent;
  result.sent.size = size;
  result.received = now;
  controller_->OnPacketSent(result.sent);
  batch_.packets.push_back(result);
  if (next_.IsInfinite()) {
    next_ = now + kBatch;
    next_message_ = now + kInterval;
  }
}

void RembEstimator::HandleTimeout(Timestamp now) {
  if (now < next_) return;
  next_ = now + kBatch;
  if (!batch_.packets.empty()) {
    std::sort(batch_.packets.begin(), batch_.packets.end(), [](const auto& a, const auto& b) {
      return a.sent.sent != b.sent.sent ? a.sent.sent < b.sent.sent : a.sent.id < b.sent.id;
    });
    batch_.now = now;
    controller_->OnFeedback(now, batch_);
    batch_.packets.clear();
  }
  if (controller_->NextTimeout() <= now) controller_->HandleTimeout(now);
  const DataRate estimate = controller_->output().target;
  const bool fell = last_sent_ && estimate.bps() * 100 < last_sent_->bps() * 97;
  due_ = fell || now >= next_message_;
  if (due_) next_message_ = now + kInterval;
}

std::optional<DataRate> RembEstimator::TakeRemb() {
  if (!due_) return std::nullopt;
  due_ = false;
  last_sent_ = controller_->output().target;
  return last_sent_;
}

}  // namespace rtclab::media
