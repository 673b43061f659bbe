#include "stack/congestion/probe_control.h"

#include <algorithm>

#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr double kFirstProbe = 3;
constexpr double kSecondProbe = 6;
constexpr double kFurtherProbe = 2;
constexpr double kFurtherThreshold = 0.7;
constexpr double kAlrProbe = 2;
constexpr double kDropThreshold = 0.66;
constexpr double kRecoveryProbe = 0.85;
constexpr double kProbeUncertainty = 0.05;
constexpr TimeDelta kMaxWait = TimeDelta::Seconds(1);
constexpr TimeDelta kAlrInterval = TimeDelta::Seconds(5);
constexpr TimeDelta kDropMemory = TimeDelta::Seconds(5);
constexpr TimeDelta kRecoveryInterval = TimeDelta::Seconds(5);
constexpr TimeDelta kAlrMemory = TimeDelta::Seconds(3);

}  // namespace

void ProbeControl::Probe(Timestamp now, DataRate rate, bool further) {
  if (rate >= max_) {
    rate = max_;
    further = false;
  }
  clusters_.push_back({.id = next_id_++, .rate = rate});
  last_probe_ = now;
  state_ = further ? State::kWaiting : State::kComplete;
  further_threshold_.reset();
  if (further) further_threshold_ = Scale(rate, kFurtherThreshold);
}

void ProbeControl::Start(Timestamp now) {
  if (state_ != State::kInit) return;
  Probe(now, Scale(start_, kFirstProbe), true);
  if (state_ == State::kWaiting) Probe(now, Scale(start_, kSecondProbe), true);
}

void ProbeControl::SetMax(Timestamp now, DataRate max) {
  const bool held_back = state_ == State::kComplete && estimate_ > DataRate() && max > max_ &&
                         Bps(estimate_) >= 0.95 * Bps(max_);
  max_ = max;
  if (held_back) Probe(now, max, false);
}

void ProbeControl::OnProbeResult(Timestamp now, DataRate rate) {
  if (state_ != State::kWaiting || !further_threshold_ || rate < *further_threshold_) return;
  Probe(now, Scale(rate, kFurtherProbe), true);
}

void ProbeControl::SetEstimate(Timestamp now, DataRate estimate) {
  if (Bps(estimate) < kDropThreshold * Bps(estimate_)) {
    last_drop_ = now;
    before_drop_ = estimate_;
  }
  estimate_ = estimate;
}

void ProbeControl::OnRecovered(Timestamp now) {
  const bool limited = alr_started_ || (alr_ended_ && now - *alr_ended_ < kAlrMemory);
  if (state_ != State::kComplete || !limited || !last_drop_) return;
  const DataRate wanted = Scale(before_drop_, kRecoveryProbe);
  if (Scale(wanted, 1 - kProbeUncertainty) <= estimate_ || now - *last_drop_ >= kDropMemory ||
      (last_recovery_probe_ && now - *last_recovery_probe_ < kRecoveryInterval)) {
    return;
  }
  Probe(now, wanted, false);
  last_recovery_probe_ = now;
}

std::optional<Timestamp> ProbeControl::NextAlrProbe() const {
  if (state_ != State::kComplete || !alr_started_ || estimate_ == DataRate() || estimate_ >= max_) {
    return std::nullopt;
  }
  return std::max(*alr_started_, last_probe_.value_or(Timestamp::Zero())) + kAlrInterval;
}

void ProbeControl::HandleTimeout(Timestamp now) {
  if (state_ == State::kWaiting && now - *last_probe_ >= kMaxWait) {
    state_ = State::kComplete;
    further_threshold_.reset();
  }
  if (const auto next = NextAlrProbe(); next && now >= *next) {
    Probe(now, Scale(estimate_, kAlrProbe), true);
  }
}

Timestamp ProbeControl::NextTimeout() const {
  if (state_ == State::kWaiting) return *last_probe_ + kMaxWait;
  return NextAlrProbe().value_or(Timestamp::PlusInfinity());
}

std::optional<ProbeCluster> ProbeControl::Poll() {
  if (clusters_.empty()) return std::nullopt;
  return clusters_.pop_front();
}

}  // namespace rtclab::congestion
