#include "stack/congestion/overuse_detector.h"

#include <algorithm>
#include <cmath>

namespace rtclab::congestion {
namespace {

// Section 5.4.
constexpr double kOveruseTimeMs = 10;
constexpr double kMaxAdaptOffsetMs = 15;
constexpr double kMinThresholdMs = 6;
constexpr double kMaxThresholdMs = 600;
// As deployed: a gap between groups counts as no more than this.
constexpr double kMaxAdaptStepMs = 100;

}  // namespace

PathUse OveruseDetector::Update(double signal_ms, TimeDelta group_departure, Timestamp arrived) {
  if (signal_ms > threshold_ms_) {
    // As deployed, the first group above counts half, and one group alone is never enough.
    over_ms_ = over_ms_ ? *over_ms_ + group_departure.millis_f() : group_departure.millis_f() / 2;
    ++over_count_;
    if (*over_ms_ > kOveruseTimeMs && over_count_ > 1 && signal_ms >= last_signal_ms_) {
      over_ms_ = 0;
      over_count_ = 0;
      state_ = PathUse::kOverusing;
    }
  } else {
    over_ms_.reset();
    over_count_ = 0;
    state_ = signal_ms < -threshold_ms_ ? PathUse::kUnderusing : PathUse::kNormal;
  }
  last_signal_ms_ = signal_ms;
  AdaptThreshold(signal_ms, arrived);
  return state_;
}

void OveruseDetector::AdaptThreshold(double signal_ms, Timestamp arrived) {
  const double magnitude = std::abs(signal_ms);
  const double elapsed_ms =
      last_adapted_ ? std::min((arrived - *last_adapted_).millis_f(), kMaxAdaptStepMs) : 0;
  last_adapted_ = arrived;
  if (magnitude - threshold_ms_ > kMaxAdaptOffsetMs) return;
  const double k = magnitude < threshold_ms_ ? parameters_.k_down : parameters_.k_up;
  threshold_ms_ += std::max(0.0, elapsed_ms) * k * (magnitude - threshold_ms_);
  threshold_ms_ = std::clamp(threshold_ms_, kMinThresholdMs, kMaxThresholdMs);
}

}  // namespace rtclab::congestion
