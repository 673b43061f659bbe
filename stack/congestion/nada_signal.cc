#include "stack/congestion/nada_signal.h"

#include <algorithm>

#include "stack/congestion/nada_constants.h"
#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr std::array<double, 8> kTfrcWeights = {1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2};

// Further back than reordering reaches: the receiver's clock was set.
constexpr TimeDelta kNadaClockJump = TimeDelta::Seconds(1);

}  // namespace

void LossIntervals::OnLost(Timestamp sent, TimeDelta rtt) {
  ++since_event_;
  if (event_start_ && sent - *event_start_ <= rtt) {
    last_loss_offset_ = since_event_;
    return;
  }
  event_start_ = sent;
  std::copy_backward(closed_.begin(), closed_.end() - 1, closed_.end());
  closed_[0] = static_cast<double>(since_event_);
  count_ = std::min(count_ + 1, kIntervals);
  since_event_ = 0;
  last_loss_offset_ = 0;
}

// RFC 5348 section 5.4: the greater of the averages with and without the open interval I_0.
double LossIntervals::Average() const {
  double with_open = 0;
  double closed_only = 0;
  double weights = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    with_open += kTfrcWeights[i] * (i == 0 ? static_cast<double>(since_event_) : closed_[i - 1]);
    closed_only += kTfrcWeights[i] * closed_[i];
    weights += kTfrcWeights[i];
  }
  return weights > 0 ? std::max(with_open, closed_only) / weights : 0;
}

void NadaSignal::Expire(Timestamp arrived) {
  while (!window_.empty() && arrived - window_.front().arrived > nada::kLogwin) {
    const Observation old = window_.pop_front();
    window_bytes_ = window_bytes_ - old.size;
    window_lost_ -= old.lost;
    window_marked_ -= old.marked;
    window_delayed_ -= !old.lost && old.delay >= nada::kQeps;
  }
}

void NadaSignal::OnPacket(const PacketResult& packet, TimeDelta rtt) {
  Observation seen;
  if (packet.received) {
    if (!first_arrival_) {
      first_arrival_ = *packet.received;
      last_arrival_ = *packet.received;
    }
    if (last_arrival_ - *packet.received > kNadaClockJump) Restart(*packet.received);
    last_arrival_ = std::max(last_arrival_, *packet.received);
    samples_[sample_count_ % kMinFilter] = base_.Update(packet.sent.sent, *packet.received);
    ++sample_count_;
    const auto end =
        samples_.begin() + static_cast<std::ptrdiff_t>(std::min(sample_count_, kMinFilter));
    d_queue_ = *std::min_element(samples_.begin(), end);
    seen = {.arrived = last_arrival_,
            .size = packet.sent.size,
            .delay = d_queue_,
            .marked = packet.ecn == kEcnCongestionExperienced};
    losses_.OnReceived();
  } else {
    seen = {.arrived = last_arrival_, .lost = true};
    losses_.OnLost(packet.sent.sent, rtt);
  }
  Expire(seen.arrived);
  window_bytes_ = window_bytes_ + seen.size;
  window_lost_ += seen.lost;
  window_marked_ += seen.marked;
  window_delayed_ += !seen.lost && seen.delay >= nada::kQeps;
  window_.push_back(seen);
}

void NadaSignal::Restart(Timestamp arrived) {
  window_.clear();
  window_bytes_ = DataSize();
  window_lost_ = window_marked_ = window_delayed_ = 0;
  first_arrival_ = arrived;
  last_arrival_ = arrived;
}

DataRate NadaSignal::r_recv() const {
  if (!first_arrival_) return DataRate();
  // The window is not full before LOGWIN has passed.
  const TimeDelta span = std::clamp(last_arrival_ - *first_arrival_, nada::kDelta, nada::kLogwin);
  return RateOver(window_bytes_, span);
}

double NadaSignal::WarpShare() const {
  if (!losses_.any()) return 0;
  const double interval = losses_.Average();
  const double beyond =
      static_cast<double>(losses_.since_loss()) - nada::kMultiloss * interval;  // loss_exp
  if (beyond <= 0) return 1;
  // Section 4.2: for a further loss_int the warped and the plain delay are interpolated.
  return interval > 0 ? std::max(0.0, 1 - beyond / interval) : 0;
}

TimeDelta NadaSignal::Warp(TimeDelta d_queue) {
  if (d_queue < nada::kQth) return d_queue;
  const double beyond = (d_queue - nada::kQth).seconds() / nada::kQth.seconds();
  return TimeDelta::SecondsF(nada::kQth.seconds() * Exp(-nada::kLambda * beyond));
}

TimeDelta NadaSignal::Aggregate(TimeDelta d_tilde, double p_mark, double p_loss) {
  const double mark = p_mark / nada::kPmrref;
  const double loss = p_loss / nada::kPlrref;
  const double x = d_tilde.seconds() + nada::kDmark.seconds() * mark * mark +
                   nada::kDloss.seconds() * loss * loss;
  return TimeDelta::SecondsF(std::min(x, nada::kXmax.seconds()));
}

void NadaSignal::Update() {
  const double total = std::max(1.0, static_cast<double>(window_.size()));
  p_loss_ += nada::kAlpha * (window_lost_ / total - p_loss_);
  p_mark_ += nada::kAlpha * (window_marked_ / total - p_mark_);
  const double share = WarpShare();
  const double delay = d_queue_.seconds();
  const double d_tilde = share * Warp(d_queue_).seconds() + (1 - share) * delay;
  x_curr_ = Aggregate(TimeDelta::SecondsF(d_tilde), p_mark_, p_loss_);
  ramp_up_ = window_lost_ == 0 && window_delayed_ == 0;
}

}  // namespace rtclab::congestion
