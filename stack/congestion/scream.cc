#include "stack/congestion/scream.h"

#include <algorithm>

#include "stack/congestion/rates.h"
#include "stack/congestion/scream_constants.h"

namespace rtclab::congestion {

ScreamController::ScreamController(const ControllerConfig& config)
    : config_(config),
      delay_(config.scream_competing_flows),
      media_(config.limits),
      cwnd_(scream::kMinCwnd),
      why_("start rate") {
  Publish(Timestamp::Zero(), why_);
}

void ScreamController::OnPacketSent(const SentPacket& packet) {
  bytes_in_flight_ = packet.in_flight_before + packet.size;
  media_.OnSent(packet);
  if (!last_rate_adjust_) last_rate_adjust_ = packet.sent;
  while (!flight_marks_.empty() && flight_marks_.back().bytes <= bytes_in_flight_) {
    flight_marks_.pop_back();
  }
  flight_marks_.push_back({packet.sent, bytes_in_flight_});
}

double ScreamController::MaxBytesInFlight(Timestamp now) {
  while (!flight_marks_.empty() && now - flight_marks_.front().time > scream::kFlightWindow) {
    flight_marks_.pop_front();
  }
  return flight_marks_.empty() ? 0 : static_cast<double>(flight_marks_.front().bytes.bytes());
}

void ScreamController::OnFeedback(Timestamp now, const TransportFeedback& feedback) {
  const PacketResult* highest = nullptr;
  bool marked = false;
  DataSize acked;
  for (const PacketResult& packet : feedback.packets) {
    if (!packet.received) continue;
    highest = &packet;
    acked = acked + packet.sent.size;
    marked |= packet.ecn == kEcnCongestionExperienced;
  }
  if (!highest) return;
  media_.OnAcknowledged(acked);
  // Section 4.1.2: also bytes of lost packets below the highest acknowledged one.
  bytes_newly_acked_ =
      static_cast<double>(std::max(bytes_in_flight_ - feedback.in_flight, DataSize()).bytes());
  bytes_in_flight_ = feedback.in_flight;
  qdelay_ = base_.Update(highest->sent.sent, *highest->received);
  rtt_.AddSample(now - highest->sent.sent);
  const bool loss = losses_.OnFeedback(now, feedback, rtt_.smoothed());
  delay_.Update(now, qdelay_, losses_.loss_event_rate());
  const bool ecn = marked && (!last_ecn_event_ || now - *last_ecn_event_ >= rtt_.smoothed());
  if (ecn) last_ecn_event_ = now;
  if (loss || ecn) {
    OnCongestion(now, loss);
  } else {
    UpdateWindow(now);
    CheckToResumeFastIncrease(now);
  }
  output_.loss = LossFraction(feedback);
  Publish(now, why_);
}

// Section 4.1.2.2, "on congestion event".
void ScreamController::OnCongestion(Timestamp, bool loss) {
  in_fast_increase_ = false;
  trend_low_since_.reset();
  cwnd_ = std::max(scream::kMinCwnd, cwnd_ * (loss ? scream::kBetaLoss : scream::kBetaEcn));
  why_ = loss ? media_.OnLoss() : media_.OnEcn();
}

// Section 4.1.2.2, update_cwnd().
void ScreamController::UpdateWindow(Timestamp now) {
  const double in_flight = static_cast<double>(bytes_in_flight_.bytes());
  if (in_fast_increase_) {
    if (delay_.trend() < scream::kQdelayTrendTh) {
      if (in_flight * 1.5 + bytes_newly_acked_ > cwnd_) cwnd_ += bytes_newly_acked_;
      return;
    }
    in_fast_increase_ = false;
    trend_low_since_.reset();
    media_.OnFastIncreaseEnded();
  }
  const double target = delay_.target().seconds();
  const double off_target = (target - qdelay_.seconds()) / target;
  double delta = scream::kGain * off_target * bytes_newly_acked_ * scream::kMss / cwnd_;
  if (off_target > 0 && in_flight * 1.25 + bytes_newly_acked_ <= cwnd_) delta = 0;
  cwnd_ += delta;
  cwnd_ = std::min(cwnd_, MaxBytesInFlight(now) * scream::kMaxBytesInFlightHeadRoom);
  cwnd_ = std::max(cwnd_, scream::kMinCwnd);
}

// Section 4.1.2.7.
void ScreamController::CheckToResumeFastIncrease(Timestamp now) {
  if (in_fast_increase_) return;
  if (delay_.trend() >= scream::kQdelayTrendLo) {
    trend_low_since_.reset();
    return;
  }
  if (!trend_low_since_) trend_low_since_ = now;
  if (now - *trend_low_since_ >= scream::kResumeFastIncrease) in_fast_increase_ = true;
}

void ScreamController::OnRemb(Timestamp now, DataRate limit) {
  remb_ = limit;
  Publish(now, "remb");
}

void ScreamController::OnAllocation(Timestamp now, const RateLimits& limits) {
  config_.limits = limits;
  media_.SetLimits(limits, !rtt_.known());
  Publish(now, "limits");
}

void ScreamController::OnQueue(Timestamp, DataSize queued) { media_.OnQueue(queued); }

void ScreamController::HandleTimeout(Timestamp now) {
  if (!last_rate_adjust_) return;
  const TimeDelta elapsed = now - *last_rate_adjust_;
  if (elapsed < scream::kRateAdjustInterval) return;
  last_rate_adjust_ = now;
  why_ = media_.Adjust(elapsed, in_fast_increase_, delay_.trend(), delay_.trend_mem());
  Publish(now, why_);
}

Timestamp ScreamController::NextTimeout() const {
  if (!last_rate_adjust_) return Timestamp::PlusInfinity();
  return *last_rate_adjust_ + scream::kRateAdjustInterval;
}

void ScreamController::Publish(Timestamp now, std::string_view reason) {
  DataRate target = FromBps(media_.target());
  if (remb_) target = std::min(target, *remb_);
  SetTarget(now, target, reason);
  // Section 4.1.2.6; before the first round trip is known, the start rate.
  const double pace = rtt_.known() && rtt_.smoothed() > TimeDelta::Zero()
                          ? cwnd_ * 8 / rtt_.smoothed().seconds()
                          : media_.target();
  output_.pacing = FromBps(std::max(scream::kRatePaceMin, pace));
  output_.padding = std::min(config_.limits.padding, target);
  // Section 4.1.2.5: a packet more while the queue is below its target.
  const double slack = qdelay_ <= delay_.target() ? scream::kMss : 0;
  output_.window = DataSize::Bytes(static_cast<int64_t>(cwnd_ + slack));
  output_.estimate = output_.pacing;
  output_.acknowledged = FromBps(media_.rate_ack());
  output_.rtt = rtt_.smoothed();
  output_.queue_delay = qdelay_;
  output_.state = in_fast_increase_ ? "fast-increase" : "steady";
}

}  // namespace rtclab::congestion
