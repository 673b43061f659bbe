// Between the driver's time and RTP timestamps, and what happened in the last second.
#ifndef RTCLAB_STACK_MEDIA_MEDIA_CLOCK_H_
#define RTCLAB_STACK_MEDIA_MEDIA_CLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "stack/base/units.h"

namespace rtclab::media {

// `time` in ticks of `rate` Hz, rounded down.
constexpr int64_t ToTicks(TimeDelta time, int64_t rate) {
  const int64_t nanos = time.nanos();
  return nanos / 1'000'000'000 * rate + nanos % 1'000'000'000 * rate / 1'000'000'000;
}
constexpr TimeDelta FromTicks(int64_t ticks, int64_t rate) {
  return TimeDelta::Nanos(ticks / rate * 1'000'000'000 + ticks % rate * 1'000'000'000 / rate);
}

// How many things happened in the second before; up to 128.
class LastSecond {
 public:
  void Add(Timestamp now) {
    times_[count_ % times_.size()] = now;
    ++count_;
  }
  int Count(Timestamp now) const {
    int count = 0;
    for (std::size_t i = 0; i < times_.size() && i < count_; ++i) {
      const Timestamp time = times_[(count_ - 1 - i) % times_.size()];
      if (time + TimeDelta::Seconds(1) <= now) break;
      ++count;
    }
    return count;
  }

 private:
  std::array<Timestamp, 128> times_{};
  std::size_t count_ = 0;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_MEDIA_CLOCK_H_
