// One-way queueing delay against a base delay, with clocks that share a rate but no zero (RFC 6817
// sections 2.4.2 and 3.4.2, which RFC 8298 section 4.1.2 and RFC 8698 section 5.1.1 point to).
#ifndef RTCLAB_STACK_CONGESTION_QUEUE_DELAY_H_
#define RTCLAB_STACK_CONGESTION_QUEUE_DELAY_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "stack/base/units.h"

namespace rtclab::congestion {

// The base is the least delay of the last ten whole minutes (BASE_HISTORY of RFC 6817 section
// 2.5): long enough to see an empty queue, short enough to follow a new route.
class QueueDelay {
 public:
  // `sent` by our clock, `received` by the receiver's. The delay above the base, >= 0.
  TimeDelta Update(Timestamp sent, Timestamp received) {
    const TimeDelta delay = received - sent;
    const int64_t minute = sent.nanos() / TimeDelta::Seconds(60).nanos();
    if (minute != minute_) StartMinute(minute);
    auto& least = minima_[static_cast<std::size_t>(minute) % kMinutes];
    if (!least || delay < *least) least = delay;
    if (!base_ || delay < *base_) base_ = delay;
    return delay - *base_;
  }

 private:
  static constexpr std::size_t kMinutes = 10;

  // Forgets the minutes that are ten or more in the past.
  void StartMinute(int64_t minute) {
    for (int64_t m = std::max(minute_, minute - static_cast<int64_t>(kMinutes)) + 1; m <= minute;
         ++m) {
      minima_[static_cast<std::size_t>(m) % kMinutes].reset();
    }
    minute_ = minute;
    base_.reset();
    for (const auto& least : minima_) {
      if (least && (!base_ || *least < *base_)) base_ = least;
    }
  }

  std::array<std::optional<TimeDelta>, kMinutes> minima_;
  std::optional<TimeDelta> base_;  // the least of them
  int64_t minute_ = -1;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_QUEUE_DELAY_H_
