#include "stack/congestion/alr_detector.h"

#include <algorithm>

#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr double kAlrUsage = 0.65;
constexpr double kAlrStart = 0.80;
constexpr double kAlrStop = 0.50;
constexpr double kAlrBudgetSeconds = 0.5;

}  // namespace

void AlrDetector::SetEstimate(DataRate estimate) {
  budget_rate_ = Scale(estimate, kAlrUsage);
  max_bits_ = Bps(budget_rate_) * kAlrBudgetSeconds;
  left_bits_ = std::clamp(left_bits_, -max_bits_, max_bits_);
}

void AlrDetector::OnBytesSent(Timestamp now, DataSize size) {
  if (max_bits_ <= 0) return;
  if (last_) {
    left_bits_ = std::min(left_bits_ + (now - *last_).seconds() * Bps(budget_rate_), max_bits_);
  }
  last_ = now;
  left_bits_ = std::max(left_bits_ - static_cast<double>(size.bits()), -max_bits_);
  const double unused = left_bits_ / max_bits_;
  if (!started_ && unused > kAlrStart) {
    started_ = now;
  } else if (started_ && unused < kAlrStop) {
    started_.reset();
    ended_ = now;
  }
}

}  // namespace rtclab::congestion
