#include "stack/congestion/acknowledged_rate.h"

#include <algorithm>
#include <cmath>

#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr TimeDelta kFirstWindow = TimeDelta::Millis(500);
constexpr TimeDelta kNextWindow = TimeDelta::Millis(150);
// Further back than reordering reaches: the receiver's clock was set.
constexpr TimeDelta kClockJump = TimeDelta::Seconds(1);
constexpr double kSampleUncertainty = 10;
constexpr double kPredictionVariance = 5;

}  // namespace

std::optional<double> AcknowledgedRate::CompleteWindow(Timestamp received, TimeDelta window) {
  if (last_ && *last_ - received > kClockJump) {
    last_.reset();
    in_window_ = TimeDelta::Zero();
    sum_ = DataSize();
  }
  if (last_ && received > *last_) {
    in_window_ += received - *last_;
    // A silence longer than the window says nothing of the path.
    if (received - *last_ > window) {
      sum_ = DataSize();
      in_window_ = TimeDelta::Nanos(in_window_.nanos() % window.nanos());
    }
  }
  if (!last_ || received > *last_) last_ = received;
  if (in_window_ < window) return std::nullopt;
  const double kbps = static_cast<double>(sum_.bits()) / window.millis_f();
  in_window_ -= window;
  sum_ = DataSize();
  return kbps;
}

void AcknowledgedRate::OnPacket(Timestamp received, DataSize size) {
  const auto sample = CompleteWindow(received, estimate_kbps_ ? kNextWindow : kFirstWindow);
  sum_ = sum_ + size;
  if (!sample) return;
  if (!estimate_kbps_) {
    estimate_kbps_ = *sample;
    return;
  }
  const double uncertainty =
      kSampleUncertainty * std::abs(*estimate_kbps_ - *sample) / std::max(*estimate_kbps_, 1.0);
  const double sample_variance = uncertainty * uncertainty;
  const double predicted = variance_ + kPredictionVariance;
  estimate_kbps_ =
      (sample_variance * *estimate_kbps_ + predicted * *sample) / (sample_variance + predicted);
  variance_ = sample_variance * predicted / (sample_variance + predicted);
}

std::optional<DataRate> AcknowledgedRate::rate() const {
  if (!estimate_kbps_) return std::nullopt;
  return FromBps(*estimate_kbps_ * 1000);
}

}  // namespace rtclab::congestion
