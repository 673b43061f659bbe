#include "stack/congestion/nada.h"

#include <algorithm>

#include "stack/congestion/nada_constants.h"
#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace nada {

double Gamma(TimeDelta rtt) {
  return std::min(kGammaMax, kQbound.seconds() / (rtt + kDelta + kDfilt).seconds());
}

double GradualUpdate(double r_ref, double r_max, double priority, TimeDelta x_curr,
                     TimeDelta x_prev, TimeDelta delta) {
  const double tau = kTau.seconds();
  const double x_offset = x_curr.seconds() - priority * kXref.seconds() * r_max / r_ref;
  const double x_diff = (x_curr - x_prev).seconds();
  return r_ref - kKappa * (delta.seconds() / tau) * (x_offset / tau) * r_ref -
         kKappa * kEta * (x_diff / tau) * r_ref;
}

double BufferAdjustment(double r_ref, DataSize buffer_len) {
  static_assert(kBetaV == kBetaS);
  return std::min(0.05 * r_ref, kBetaV * static_cast<double>(buffer_len.bits()) * kFps);
}

}  // namespace nada

namespace {

// Feedback that comes more often than DELTA is gathered; a message a little early still counts as on
// time.
constexpr TimeDelta kNadaEarly = TimeDelta::Millis(10);
// A pause in feedback must not make one step as long as the pause.
constexpr TimeDelta kNadaMaxDelta = TimeDelta::Millis(500);
constexpr TimeDelta kNadaFeedbackTimeout = TimeDelta::Millis(500);

}  // namespace

NadaController::NadaController(const ControllerConfig& config)
    : config_(config), r_ref_(Bps(config.limits.start)) {
  Publish(Timestamp::Zero(), "start rate");
}

void NadaController::OnPacketSent(const SentPacket& packet) {
  if (feedback_due_.IsInfinite()) {
    feedback_due_ = packet.sent + rtt_.smoothed() + kNadaFeedbackTimeout;
  }
}

void NadaController::HandleTimeout(Timestamp now) {
  if (now < feedback_due_) return;
  feedback_due_ = Timestamp::PlusInfinity();  // until the next packet leaves
  if (!started_) return;
  r_ref_ /= 2;
  Publish(now, "no feedback");
}

void NadaController::OnFeedback(Timestamp now, const TransportFeedback& feedback) {
  if (feedback.packets.empty()) return;
  started_ = true;
  feedback_due_ = Timestamp::PlusInfinity();
  rtt_.OnFeedback(now, feedback);
  for (const PacketResult& packet : feedback.packets) signal_.OnPacket(packet, rtt_.smoothed());
  if (!t_last_) t_last_ = now - nada::kDelta;
  if (now - *t_last_ < nada::kDelta - kNadaEarly) return;
  UpdateRate(now);
}

void NadaController::UpdateRate(Timestamp now) {
  signal_.Update();
  const TimeDelta delta = std::min(now - *t_last_, kNadaMaxDelta);
  const double before = r_ref_;
  if (signal_.ramp_up()) {
    // Equation (4).
    const double gamma = nada::Gamma(rtt_.smoothed());
    r_ref_ = std::max(r_ref_, (1 + gamma) * Bps(signal_.r_recv()));
    output_.state = "ramp-up";
  } else {
    r_ref_ = nada::GradualUpdate(r_ref_, Bps(config_.limits.max), config_.nada_priority,
                                 signal_.x_curr(), x_prev_, delta);
    output_.state = "gradual";
  }
  x_prev_ = signal_.x_curr();
  t_last_ = now;
  std::string_view reason = "accelerated ramp-up";
  if (!signal_.ramp_up()) {
    reason = r_ref_ > before ? "signal below reference" : "queueing delay";
    if (r_ref_ < before && signal_.p_loss() > nada::kPlrref) reason = "loss";
    if (r_ref_ < before && signal_.p_mark() > nada::kPmrref) reason = "ecn marks";
  }
  Publish(now, reason);
}

void NadaController::OnRemb(Timestamp now, DataRate limit) {
  remb_ = limit;
  Publish(now, "remb");
}

void NadaController::OnAllocation(Timestamp now, const RateLimits& limits) {
  config_.limits = limits;
  if (!started_) r_ref_ = Bps(limits.start);
  Publish(now, "limits");
}

void NadaController::OnQueue(Timestamp now, DataSize queued) {
  buffer_len_ = queued;
  Publish(now, output_.reason);
}

// Equations (8), (9), (13) and (14).
void NadaController::Publish(Timestamp now, std::string_view reason) {
  double r_max = Bps(config_.limits.max);
  if (remb_) r_max = std::min(r_max, Bps(*remb_));
  const double r_min = std::min(Bps(config_.limits.min), r_max);
  r_ref_ = std::clamp(r_ref_, r_min, r_max);
  const double adjust = nada::BufferAdjustment(r_ref_, buffer_len_);
  SetTarget(now, FromBps(std::max(r_min, r_ref_ - adjust)), reason);
  output_.pacing = FromBps(std::min(r_max, r_ref_ + adjust));
  output_.padding = std::min(config_.limits.padding, output_.target);
  output_.estimate = FromBps(r_ref_);
  output_.acknowledged = signal_.r_recv();
  output_.rtt = rtt_.smoothed();
  output_.loss = signal_.p_loss();
  output_.queue_delay = signal_.d_queue();
}

}  // namespace rtclab::congestion
