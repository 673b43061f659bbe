#include "stack/congestion/arrival_filter.h"

#include <algorithm>
#include <cmath>

#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr int kMaxDeltas = 60;
constexpr double kTrendlineSmoothing = 0.9;
constexpr double kTrendlineGain = 4;
constexpr double kStateNoise = 1e-3;  // q, section 5.3
constexpr double kMinNoise = 1;       // floor of var_v_hat, section 5.3
// ln(1 - chi) for chi = 0.01, the middle of the draft's [0.1, 0.001].
constexpr double kLogNoiseMemory = -0.01005033585350145;

}  // namespace

double TrendlineFilter::Update(const GroupDelta& delta) {
  if (!first_arrival_) first_arrival_ = delta.arrived;
  deltas_ = std::min(deltas_ + 1, kMaxDeltas);
  accumulated_ms_ += delta.delay_variation_ms();
  smoothed_ms_ = kTrendlineSmoothing * smoothed_ms_ + (1 - kTrendlineSmoothing) * accumulated_ms_;
  points_[count_ % kWindow] = {(delta.arrived - *first_arrival_).millis_f(), smoothed_ms_};
  ++count_;
  if (count_ >= kWindow) slope_ = FitSlope();
  return deltas_ * slope_ * kTrendlineGain;
}

// Least squares; the order of summation does not matter to the result's meaning but to its last
// bit, so it is the array's.
double TrendlineFilter::FitSlope() const {
  double mean_x = 0;
  double mean_y = 0;
  for (const Point& p : points_) {
    mean_x += p.arrival_ms / kWindow;
    mean_y += p.delay_ms / kWindow;
  }
  double numerator = 0;
  double denominator = 0;
  for (const Point& p : points_) {
    numerator += (p.arrival_ms - mean_x) * (p.delay_ms - mean_y);
    denominator += (p.arrival_ms - mean_x) * (p.arrival_ms - mean_x);
  }
  return denominator > 0 ? numerator / denominator : slope_;
}

double KalmanFilter::NoiseMemory(const GroupDelta& delta) {
  gaps_ms_[static_cast<std::size_t>(deltas_) % kRateWindow] =
      std::max(0.1, delta.departure.millis_f());
  double shortest_ms = 1e3;
  for (const double gap : gaps_ms_) {
    if (gap > 0) shortest_ms = std::min(shortest_ms, gap);
  }
  // alpha = (1 - chi)^(30 / (1000 * f_max)), f_max in groups per millisecond.
  return Exp(kLogNoiseMemory * 30.0 * shortest_ms / 1000.0);
}

double KalmanFilter::Update(const GroupDelta& delta) {
  const double alpha = NoiseMemory(delta);
  ++deltas_;
  const double z = delta.delay_variation_ms() - mean_ms_;
  // Outliers move the noise by no more than three deviations.
  const double limit = 3 * std::sqrt(noise_);
  const double bounded = std::clamp(z, -limit, limit);
  noise_ = std::max(alpha * noise_ + (1 - alpha) * bounded * bounded, kMinNoise);
  const double gain = (error_ + kStateNoise) / (noise_ + error_ + kStateNoise);
  mean_ms_ += z * gain;
  error_ = (1 - gain) * (error_ + kStateNoise);
  return std::min(deltas_, kMaxDeltas) * mean_ms_;
}

}  // namespace rtclab::congestion
