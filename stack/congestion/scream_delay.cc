#include "stack/congestion/scream_delay.h"

#include <algorithm>
#include <cmath>

namespace rtclab::congestion {
namespace {

constexpr double kCompetingLossRate = 0.002;
constexpr double kSafeVariance = 0.2;
constexpr std::size_t kAverageNorms = 50;
constexpr double kNoVariance = 1e-12;

}  // namespace

void ScreamDelay::Update(Timestamp now, TimeDelta qdelay, double loss_event_rate) {
  if (!last_sample_) last_sample_ = now - scream::kSampleInterval;
  // Sparse feedback repeats its sample, at most as long as the history is.
  if (now - *last_sample_ > scream::kSampleInterval * static_cast<int64_t>(kFractions)) {
    last_sample_ = now - scream::kSampleInterval * static_cast<int64_t>(kFractions);
  }
  while (now - *last_sample_ >= scream::kSampleInterval) {
    last_sample_ = *last_sample_ + scream::kSampleInterval;
    SampleTrend(qdelay.seconds());
    if (compensate_) AdjustTarget(qdelay.seconds(), loss_event_rate);
  }
}

void ScreamDelay::SampleTrend(double qdelay_s) {
  const double fraction = qdelay_s / target_s_;
  fraction_avg_ = (1 - scream::kQdelayWeight) * fraction_avg_ + scream::kQdelayWeight * fraction;
  fractions_[fraction_next_] = fraction;
  fraction_next_ = (fraction_next_ + 1) % kFractions;
  double average = 0;
  for (const double f : fractions_) average += f / kFractions;
  // R(x, 1) / R(x, 0): the prediction coefficient of a first-order process.
  double lag0 = 0;
  double lag1 = 0;
  for (std::size_t i = 0; i < kFractions; ++i) {
    const double x = fractions_[(fraction_next_ + i) % kFractions] - average;
    lag0 += x * x;
    if (i + 1 < kFractions) {
      lag1 += x * (fractions_[(fraction_next_ + i + 1) % kFractions] - average);
    }
  }
  // A steady queue leaves rounding errors only, whose quotient would be any number.
  const double a = lag0 > kNoVariance ? lag1 / lag0 : 0;
  trend_ = std::clamp(a * fraction_avg_, 0.0, 1.0);
  trend_mem_ = std::max(0.99 * trend_mem_, trend_);
}

void ScreamDelay::AdjustTarget(double qdelay_s, double loss_event_rate) {
  const double lo = scream::kQdelayTargetLo.seconds();
  norms_[norm_next_] = qdelay_s / lo;
  norm_next_ = (norm_next_ + 1) % kNorms;
  double mean = 0;
  for (const double n : norms_) mean += n / kNorms;
  double variance = 0;
  for (const double n : norms_) variance += (n - mean) * (n - mean) / kNorms;
  double recent = 0;
  for (std::size_t i = 0; i < kAverageNorms; ++i) {
    recent += norms_[(norm_next_ + kNorms - 1 - i) % kNorms] / kAverageNorms;
  }
  const double new_target = (recent + std::sqrt(variance)) * lo;
  if (loss_event_rate > kCompetingLossRate) {
    target_s_ = 1.5 * new_target;
  } else if (variance < kSafeVariance) {
    target_s_ = new_target;
  } else if (new_target < lo) {
    target_s_ = std::max(target_s_ * 0.5, new_target);
  } else {
    target_s_ *= 0.9;
  }
  target_s_ = std::clamp(target_s_, lo, scream::kQdelayTargetHi.seconds());
}

}  // namespace rtclab::congestion
