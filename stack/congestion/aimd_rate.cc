#include "stack/congestion/aimd_rate.h"

#include <algorithm>
#include <cmath>

#include "stack/congestion/rates.h"

namespace rtclab::congestion {
namespace {

constexpr double kBackoff = 0.85;                    // beta, section 5.6
constexpr double kLogIncrease = 0.0769610411361284;  // ln 1.08, section 5.5
constexpr double kMinMultiplicativeBps = 1000;       // an update, as deployed
// As deployed instead of the draft's 1000 bits an update, which would depend on how often feedback
// comes.
constexpr double kMinAdditiveBpsPerSecond = 4000;
constexpr double kThroughputFactor = 1.5;     // section 5.5: A_hat < 1.5 R_hat
constexpr double kThroughputOffset = 10'000;  // bps, as deployed: lets a silent sender begin
constexpr double kCapacitySmoothing = 0.05;   // section 5.5: 0.95
constexpr double kMinRelativeVariance = 0.4;  // as deployed
constexpr double kMaxRelativeVariance = 2.5;
constexpr double kPacketBits = 1200 * 8;
constexpr double kFrameRate = 30;

}  // namespace

void LinkCapacity::OnOveruse(DataRate throughput) {
  const double sample = Bps(throughput) / 1000;
  if (!estimate_kbps_) {
    estimate_kbps_ = sample;
  } else {
    estimate_kbps_ = (1 - kCapacitySmoothing) * *estimate_kbps_ + kCapacitySmoothing * sample;
  }
  const double error = *estimate_kbps_ - sample;
  relative_variance_ = (1 - kCapacitySmoothing) * relative_variance_ +
                       kCapacitySmoothing * error * error / std::max(*estimate_kbps_, 1.0);
  relative_variance_ = std::clamp(relative_variance_, kMinRelativeVariance, kMaxRelativeVariance);
}

double LinkCapacity::DeviationKbps() const {
  return std::sqrt(relative_variance_ * *estimate_kbps_);
}

DataRate LinkCapacity::estimate() const { return FromBps(*estimate_kbps_ * 1000); }

DataRate LinkCapacity::lower() const {
  if (!known()) return DataRate();
  return FromBps(std::max(0.0, *estimate_kbps_ - 3 * DeviationKbps()) * 1000);
}

DataRate LinkCapacity::upper() const {
  if (!known()) return DataRate::PlusInfinity();
  return FromBps((*estimate_kbps_ + 3 * DeviationKbps()) * 1000);
}

void AimdRate::SetLimits(DataRate min, DataRate max) {
  min_ = min;
  max_ = max;
  rate_ = std::clamp(rate_, min_, max_);
}

void AimdRate::SetEstimate(Timestamp now, DataRate rate) {
  rate_ = std::clamp(rate, min_, max_);
  last_change_ = now;
}

bool AimdRate::TimeToReduceFurther(Timestamp now, std::optional<DataRate> throughput) const {
  const TimeDelta interval = std::clamp(rtt_, TimeDelta::Millis(10), TimeDelta::Millis(200));
  if (!last_decrease_ || now - *last_decrease_ >= interval) return true;
  return throughput && *throughput < Scale(rate_, 0.5);
}

void AimdRate::ChangeState(Timestamp now, PathUse use) {
  switch (use) {
    case PathUse::kNormal:
      // The draft leaves Decrease for Hold and Hold for Increase; Decrease() does the former.
      if (state_ == State::kHold) {
        state_ = State::kIncrease;
        last_change_ = now;
      }
      break;
    case PathUse::kOverusing:
      state_ = State::kDecrease;
      break;
    case PathUse::kUnderusing:
      state_ = State::kHold;
      break;
  }
}

DataRate AimdRate::Update(Timestamp now, PathUse use, std::optional<DataRate> throughput) {
  ChangeState(now, use);
  if (state_ == State::kIncrease) Increase(now, throughput);
  if (state_ == State::kDecrease) Decrease(now, throughput);
  rate_ = std::clamp(rate_, min_, max_);
  return rate_;
}

double AimdRate::AdditiveBpsPerSecond() const {
  const double frame_bits = Bps(rate_) / kFrameRate;
  const double packet_bits = frame_bits / std::ceil(frame_bits / kPacketBits);
  const double response_s = 0.1 + rtt_.seconds();
  return std::max(kMinAdditiveBpsPerSecond, 0.5 * packet_bits / response_s);
}

void AimdRate::Increase(Timestamp now, std::optional<DataRate> throughput) {
  if (throughput && *throughput > capacity_.upper()) capacity_.Reset();
  const double elapsed = last_change_ ? std::clamp((now - *last_change_).seconds(), 0.0, 1.0) : 0.0;
  last_change_ = now;
  double rate = Bps(rate_);
  if (near_capacity()) {
    rate += AdditiveBpsPerSecond() * elapsed;
  } else {
    rate += std::max(rate * (Exp(kLogIncrease * elapsed) - 1), kMinMultiplicativeBps);
  }
  if (throughput) {
    const double limit = kThroughputFactor * Bps(*throughput) + kThroughputOffset;
    rate = std::max(Bps(rate_), std::min(rate, limit));
  }
  rate_ = FromBps(rate);
}

void AimdRate::Decrease(Timestamp now, std::optional<DataRate> throughput) {
  if (throughput) {
    DataRate reduced = Scale(*throughput, kBackoff);
    // As deployed: a measure above the rate itself is taken from the known capacity instead.
    if (reduced > rate_ && capacity_.known()) reduced = Scale(capacity_.estimate(), kBackoff);
    if (*throughput < capacity_.lower()) capacity_.Reset();
    capacity_.OnOveruse(*throughput);
    rate_ = std::min(rate_, reduced);
  } else {
    rate_ = Scale(rate_, 0.5);  // as deployed before anything was measured
  }
  state_ = State::kHold;
  last_change_ = now;
  last_decrease_ = now;
}

}  // namespace rtclab::congestion
