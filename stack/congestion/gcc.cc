#include "stack/congestion/gcc.h"

#include <algorithm>

#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr TimeDelta kPushbackInterval = TimeDelta::Millis(25);  // as deployed

std::string_view GccState(PathUse use, AimdRate::State state) {
  if (use == PathUse::kOverusing) return "overusing";
  if (use == PathUse::kUnderusing) return "underusing";
  return state == AimdRate::State::kIncrease ? "increase" : "hold";
}

}  // namespace

GccController::GccController(const ControllerConfig& config)
    : config_(config),
      delay_(config.gcc_filter, config.limits),
      loss_(config.limits.start),
      probes_(config.limits.start, config.limits.max),
      combined_(config.limits.start) {
  Publish(Timestamp::Zero(), config.limits.start, "start rate");
}

void GccController::OnNetworkAvailable(Timestamp now, bool available) {
  if (available && config_.gcc_probing) probes_.Start(now);
}

std::optional<ProbeCluster> GccController::PollProbe() {
  auto cluster = probes_.Poll();
  if (cluster) probe_results_.AddCluster(now_, *cluster);
  return cluster;
}

void GccController::OnPacketSent(const SentPacket& packet) {
  in_flight_ = packet.in_flight_before + packet.size;
  alr_.OnBytesSent(packet.sent, packet.size);
  probes_.SetAlr(alr_.started(), alr_.ended());
  if (had_alr_ && !alr_.started()) acknowledged_.ExpectFastChange();
  had_alr_ = alr_.started().has_value();
}

std::optional<DataRate> GccController::TakeProbes(const std::vector<PacketResult>& received) {
  std::optional<DataRate> probe;
  for (const PacketResult& packet : received) {
    if (packet.sent.probe_cluster < 0) continue;
    if (const auto rate = probe_results_.OnPacket(packet)) probe = rate;
  }
  return probe;
}

void GccController::OnFeedback(Timestamp now, const TransportFeedback& feedback) {
  had_feedback_ = true;
  in_flight_ = feedback.in_flight;
  received_.clear();
  for (const PacketResult& packet : feedback.packets) {
    if (packet.received) received_.push_back(packet);
  }
  const auto earlier = [](const PacketResult& a, const PacketResult& b) {
    return *a.received < *b.received;
  };
  if (!std::is_sorted(received_.begin(), received_.end(), earlier)) {
    std::stable_sort(received_.begin(), received_.end(), earlier);
  }
  for (const PacketResult& packet : received_) {
    acknowledged_.OnPacket(*packet.received, packet.sent.size);
    output_.queue_delay = queue_delay_.Update(packet.sent.sent, *packet.received);
  }
  rtt_.OnFeedback(now, feedback);
  if (rtt_.known()) delay_.aimd().SetRtt(rtt_.smoothed());
  const auto probe = TakeProbes(received_);
  const auto result = delay_.OnFeedback(now, received_, acknowledged_.rate(), probe);
  const DataRate before = loss_.rate();
  loss_.OnFeedback(now, feedback, rtt_.smoothed());
  const bool lost = loss_.rate() < before;
  if (result.probed) {
    loss_.Restart(now, delay_.aimd().rate());
    probes_.OnProbeResult(now, delay_.aimd().rate());
  }
  std::string_view reason =
      delay_.aimd().near_capacity() ? "additive increase" : "multiplicative increase";
  if (result.probed) reason = "probe result";
  if (lost) reason = "loss";
  if (result.backed_off) reason = "delay over-use";
  Combine(now, reason);
  if (result.recovered) probes_.OnRecovered(now);
}

void GccController::OnReceiverReport(Timestamp now, TimeDelta rtt, double fraction_lost) {
  if (had_feedback_) return;
  if (rtt > TimeDelta::Zero()) rtt_.AddSample(rtt);
  const DataRate before = loss_.rate();
  loss_.OnLoss(now, fraction_lost, rtt_.smoothed());
  Combine(now, loss_.rate() < before ? "loss" : "increase");
}

void GccController::OnRemb(Timestamp now, DataRate limit) {
  remb_ = limit;
  Combine(now, "remb");
}

void GccController::OnAllocation(Timestamp now, const RateLimits& limits) {
  config_.limits = limits;
  delay_.aimd().SetLimits(limits.min, limits.max);
  probes_.SetMax(now, limits.max);
  if (!had_feedback_) {
    delay_.aimd().SetEstimate(now, limits.start);
    loss_.Restart(now, limits.start);
    probes_.SetStart(limits.start);
  }
  Combine(now, "limits");
}

// Section 6: the lesser of both halves. The loss-based one goes on from what was chosen, so that it
// does not drift away while delay limits the rate.
void GccController::Combine(Timestamp now, std::string_view reason) {
  DataRate rate = loss_.rate();
  if (had_feedback_) rate = std::min(rate, delay_.aimd().rate());
  if (loss_.UpperBound() < rate) {
    rate = loss_.UpperBound();
    reason = "loss bound";
  }
  if (remb_ && *remb_ < rate) {
    rate = *remb_;
    reason = "remb";
  }
  rate = std::clamp(rate, config_.limits.min, config_.limits.max);
  loss_.SetRate(now, rate);
  combined_ = rate;
  alr_.SetEstimate(rate);
  probes_.SetEstimate(now, rate);
  if (config_.gcc_window_pushback) {
    pushback_.SetWindow(rate, rtt_.min());
    if (pushback_.ratio() < 1) reason = "window pushback";
    rate = pushback_.Apply(rate, config_.limits.min);
  }
  Publish(now, rate, reason);
}

void GccController::Publish(Timestamp now, DataRate target, std::string_view reason) {
  SetTarget(now, target, reason);
  output_.pacing = Scale(target, config_.pacing_factor);
  output_.padding = std::min(config_.limits.padding, target);
  output_.estimate = combined_;
  output_.acknowledged = acknowledged_.rate().value_or(DataRate());
  output_.rtt = rtt_.smoothed();
  output_.loss = loss_.loss();
  if (had_feedback_) output_.state = GccState(delay_.use(), delay_.aimd().state());
  now_ = now;
}

void GccController::HandleTimeout(Timestamp now) {
  now_ = now;
  if (config_.gcc_probing) probes_.HandleTimeout(now);
  if (!config_.gcc_window_pushback) return;
  if (last_pushback_ && now - *last_pushback_ < kPushbackInterval) return;
  last_pushback_ = now;
  pushback_.Update(in_flight_);
  Combine(now, "window pushback");
}

Timestamp GccController::NextTimeout() const {
  Timestamp next = Timestamp::PlusInfinity();
  if (config_.gcc_probing) next = probes_.NextTimeout();
  // An empty enough flight under a full ratio has nothing to change.
  if (config_.gcc_window_pushback && (pushback_.ratio() < 1 || in_flight_ > pushback_.window())) {
    next = std::min(next, last_pushback_.value_or(now_) + kPushbackInterval);
  }
  return next;
}

}  // namespace rtclab::congestion
