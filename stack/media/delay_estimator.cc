#include "stack/media/delay_estimator.h"

#include <algorithm>

namespace rtclab::media {
namespace {

// A jump of the transit by more than this is another clock, not another delay.
constexpr TimeDelta kClockJump = TimeDelta::Seconds(10);

}  // namespace

void DelayEstimator::OnFrame(Timestamp arrived, TimeDelta media_time) {
  const TimeDelta transit = arrived - Timestamp::Zero() - media_time;
  if (!transits_.empty()) {
    const TimeDelta jump = transit - transits_.front().transit;
    if (jump > kClockJump || jump < TimeDelta::Zero() - kClockJump) transits_.clear();
  }
  while (!transits_.empty() && transits_.front().arrived + kBaseWindow < arrived) {
    transits_.pop_front();
  }
  while (!transits_.empty() && transits_.back().transit >= transit) transits_.pop_back();
  transits_.push_back({arrived, transit});
  UpdateTarget(transit - transits_.front().transit);
}

void DelayEstimator::UpdateTarget(TimeDelta delay) {
  // The first frames weigh as in a plain average, so that the start does not last for ever.
  ++frames_;
  const double forget = std::min(kForget, 1.0 - 1.0 / frames_);
  const auto bucket = std::min<int64_t>(delay.nanos() / kBucket.nanos(), kBuckets - 1);
  const auto keep = static_cast<float>(forget);
  int used = 0;
  float sum = 0;
  for (auto& part : histogram_) {
    part *= keep;
    if (used++ == bucket) part += 1.0f - keep;
    sum += part;
  }
  const float wanted = sum * static_cast<float>(kQuantile);
  float reached = 0;
  int index = 0;
  while (index < kBuckets - 1) {
    reached += histogram_[static_cast<std::size_t>(index)];
    if (reached >= wanted) break;
    ++index;
  }
  // The upper end of the bucket, so that its frames are in time.
  target_ = kBucket * (index + 1);
}

}  // namespace rtclab::media
