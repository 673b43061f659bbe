#include "stack/media/freeze_detector.h"

#include <algorithm>

namespace rtclab::media {

TimeDelta FreezeDetector::Threshold() const {
  const TimeDelta average = sum_ / std::min<int64_t>(count_, kWindow);
  return std::max(average * 3, average + kMargin);
}

Timestamp FreezeDetector::FreezeTime() const {
  if (!last_ || marked_ || count_ < kLeastFrames) return Timestamp::PlusInfinity();
  return *last_ + Threshold();
}

std::optional<TimeDelta> FreezeDetector::OnRendered(Timestamp rendered) {
  std::optional<TimeDelta> freeze;
  if (last_) {
    const TimeDelta duration = rendered - *last_;
    if (count_ >= kLeastFrames && duration >= Threshold()) {
      freeze = duration;
      ++counters_.freezes;
      counters_.frozen += duration;
    }
    if (duration > kPause) {
      ++counters_.pauses;
      counters_.paused += duration;
    }
    counters_.inter_frame_delay += duration.seconds();
    counters_.squared_inter_frame_delay += duration.seconds() * duration.seconds();
    TimeDelta& oldest = durations_[static_cast<std::size_t>(count_ % kWindow)];
    sum_ += duration - oldest;
    oldest = duration;
    ++count_;
  }
  last_ = rendered;
  marked_ = false;
  return freeze;
}

}  // namespace rtclab::media
