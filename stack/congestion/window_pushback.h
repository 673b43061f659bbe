// Lowers the target while more is in flight than rate and round trip account for, as deployed behind
// a switch in libwebrtc: the answer to feedback that does not come.
#ifndef RTCLAB_STACK_CONGESTION_WINDOW_PUSHBACK_H_
#define RTCLAB_STACK_CONGESTION_WINDOW_PUSHBACK_H_

#include <algorithm>

#include "stack/base/units.h"
#include "stack/congestion/rates.h"

namespace rtclab::congestion {

// The window is the target times the least round trip and 350 ms of queue. Each update above 150 %
// of it takes 10 %, above 100 % 5 %; below 10 % restores all, below 100 % gives 5 % back.
class WindowPushback {
 public:
  // `rtt`: the least known.
  void SetWindow(DataRate target, TimeDelta rtt) {
    window_ = std::max(SizeOver(target, rtt + kQueue), kMinWindow);
  }
  void Update(DataSize in_flight) {
    const double fill =
        static_cast<double>(in_flight.bytes()) / static_cast<double>(window_.bytes());
    if (fill > 1.5) {
      ratio_ *= 0.9;
    } else if (fill > 1) {
      ratio_ *= 0.95;
    } else if (fill < 0.1) {
      ratio_ = 1;
    } else {
      ratio_ = std::min(ratio_ * 1.05, 1.0);
    }
  }
  // What is left of `target`; not below `min` unless `target` is.
  DataRate Apply(DataRate target, DataRate min) const {
    return std::max(Scale(target, ratio_), std::min(target, min));
  }
  double ratio() const { return ratio_; }
  DataSize window() const { return window_; }

 private:
  static constexpr TimeDelta kQueue = TimeDelta::Millis(350);
  static constexpr DataSize kMinWindow = DataSize::Bytes(3000);
  DataSize window_ = kMinWindow;
  double ratio_ = 1;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_WINDOW_PUSHBACK_H_
