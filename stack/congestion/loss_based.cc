#include "stack/congestion/loss_based.h"

#include <algorithm>

#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

// Section 6.
constexpr double kLowLoss = 0.02;
constexpr double kHighLoss = 0.10;
// As deployed.
constexpr int kReportPackets = 20;
constexpr double kLossIncrease = 1.08;
constexpr double kLossIncreaseBps = 1000;
constexpr TimeDelta kLossIncreaseWindow = TimeDelta::Seconds(1);
constexpr TimeDelta kLossDecreaseInterval = TimeDelta::Millis(300);
constexpr double kBoundBalanceBps = 75'000;
constexpr double kBoundLossOffset = 0.05;

}  // namespace

bool LossBasedRate::OnFeedback(Timestamp now, const TransportFeedback& feedback, TimeDelta rtt) {
  for (const PacketResult& packet : feedback.packets) {
    ++expected_;
    if (!packet.received) ++lost_;
  }
  if (expected_ < kReportPackets) return false;
  const double loss = static_cast<double>(lost_) / expected_;
  expected_ = 0;
  lost_ = 0;
  OnLoss(now, loss, rtt);
  return true;
}

void LossBasedRate::OnLoss(Timestamp now, double loss, TimeDelta rtt) {
  const double weight = last_report_ ? std::clamp((now - *last_report_).seconds(), 0.0, 1.0) : 1.0;
  average_loss_ += weight * (loss - average_loss_);
  last_report_ = now;
  loss_ = loss;
  Remember(now);
  if (loss < kLowLoss) {
    const double raised = Bps(least_.front().rate) * kLossIncrease + kLossIncreaseBps;
    rate_ = std::max(rate_, FromBps(raised));
  } else if (loss > kHighLoss &&
             (!last_decrease_ || now - *last_decrease_ >= kLossDecreaseInterval + rtt)) {
    rate_ = Scale(rate_, 1 - 0.5 * loss);
    last_decrease_ = now;
  }
}

// Keeps the least rate of the window at the front.
void LossBasedRate::Remember(Timestamp now) {
  while (!least_.empty() && now - least_.front().time > kLossIncreaseWindow) least_.pop_front();
  while (!least_.empty() && least_.back().rate >= rate_) least_.pop_back();
  least_.push_back({now, rate_});
}

void LossBasedRate::SetRate(Timestamp now, DataRate rate) {
  if (rate == rate_) return;
  rate_ = rate;
  Remember(now);
}

void LossBasedRate::Restart(Timestamp now, DataRate rate) {
  least_.clear();
  rate_ = rate;
  Remember(now);
}

DataRate LossBasedRate::UpperBound() const {
  if (average_loss_ <= kBoundLossOffset) return DataRate::PlusInfinity();
  return FromBps(kBoundBalanceBps / (average_loss_ - kBoundLossOffset));
}

}  // namespace rtclab::congestion
