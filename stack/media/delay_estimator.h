// How much delay a jitter buffer needs: the time that nearly all frames take beyond the fastest.
#ifndef RTCLAB_STACK_MEDIA_DELAY_ESTIMATOR_H_
#define RTCLAB_STACK_MEDIA_DELAY_ESTIMATOR_H_

#include <array>
#include <cstdint>
#include <deque>

#include "stack/base/units.h"

namespace rtclab::media {

// A frame's transit is when it arrived less when its RTP timestamp says it was captured; its zero
// is arbitrary. The fastest of the last two seconds is the base; delays above the base go into a
// histogram that forgets, and its quantile is the target. (The method that NetEq is deployed with:
// quantile 0.95, forget factor 0.983, 2 s; there with buckets of 20 ms.)
class DelayEstimator {
 public:
  static constexpr TimeDelta kBaseWindow = TimeDelta::Seconds(2);
  static constexpr TimeDelta kBucket = TimeDelta::Millis(5);
  static constexpr int kBuckets = 400;  // 2 s
  static constexpr double kQuantile = 0.95;
  static constexpr double kForget = 0.983;

  // `media_time` is the RTP timestamp, unwrapped, as a time.
  void OnFrame(Timestamp arrived, TimeDelta media_time);
  // Forgets the base but not the histogram: the sender's clock jumped, or the path changed.
  void ResetBase() { transits_.clear(); }

  bool has_base() const { return !transits_.empty(); }
  // When a frame of this media time is expected to arrive on the fastest path; has_base().
  Timestamp FastestArrival(TimeDelta media_time) const {
    return Timestamp::Zero() + transits_.front().transit + media_time;
  }
  // What has to be added for nearly all frames; zero before the first.
  TimeDelta target() const { return target_; }

 private:
  struct Transit {
    Timestamp arrived;
    TimeDelta transit;
  };
  void UpdateTarget(TimeDelta delay);

  std::deque<Transit> transits_;  // rising transit: the least of the window is in front
  std::array<float, kBuckets> histogram_{};
  int frames_ = 0;
  TimeDelta target_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_DELAY_ESTIMATOR_H_
