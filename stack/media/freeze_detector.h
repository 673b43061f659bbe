// Freezes and pauses of rendered video as W3C webrtc-stats defines them.
#ifndef RTCLAB_STACK_MEDIA_FREEZE_DETECTOR_H_
#define RTCLAB_STACK_MEDIA_FREEZE_DETECTOR_H_

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/units.h"

namespace rtclab::media {

// freezeCount: "a freeze if frame duration, the interval between two consecutively rendered frames,
// is equal or exceeds max(3 * avg, avg + 150 ms)", avg over the last 30 frames. Here the average is
// over the durations before the one in question, of which there must be five (as deployed).
// pauseCount: longer than 5 s since the last frame.
class FreezeDetector {
 public:
  static constexpr int kWindow = 30;
  static constexpr int kLeastFrames = 5;
  static constexpr TimeDelta kMargin = TimeDelta::Millis(150);
  static constexpr TimeDelta kPause = TimeDelta::Seconds(5);

  struct Counters {
    uint32_t freezes = 0;
    TimeDelta frozen;
    uint32_t pauses = 0;
    TimeDelta paused;
    double inter_frame_delay = 0;  // seconds, as are the squares
    double squared_inter_frame_delay = 0;
  };

  // A frame was rendered. Returns the length of the freeze that it ended, if it did.
  std::optional<TimeDelta> OnRendered(Timestamp rendered);
  // From when on the present frame counts as frozen; PlusInfinity() if that is not known yet, or if
  // it was said (MarkFrozen()).
  Timestamp FreezeTime() const;
  void MarkFrozen() { marked_ = true; }
  const Counters& counters() const { return counters_; }

 private:
  TimeDelta Threshold() const;

  std::array<TimeDelta, kWindow> durations_{};
  int64_t count_ = 0;
  TimeDelta sum_;
  std::optional<Timestamp> last_;
  bool marked_ = false;
  Counters counters_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_FREEZE_DETECTOR_H_
