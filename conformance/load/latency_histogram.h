// Latencies counted in buckets that are at most 1.6 % wide: percentiles of any number of samples in 30 KB.
#ifndef RTCLAB_CONFORMANCE_LOAD_LATENCY_HISTOGRAM_H_
#define RTCLAB_CONFORMANCE_LOAD_LATENCY_HISTOGRAM_H_

#include <array>
#include <bit>
#include <cstdint>

#include "stack/base/units.h"

namespace rtclab::conformance {

class LatencyHistogram {
 public:
  // Negative values count as zero.
  void Add(TimeDelta latency) {
    const auto nanos = static_cast<uint64_t>(latency.nanos() < 0 ? 0 : latency.nanos());
    ++buckets_[Index(nanos)];
    ++count_;
    if (nanos > max_) max_ = nanos;
  }
  uint64_t count() const { return count_; }
  TimeDelta max() const { return TimeDelta::Nanos(static_cast<int64_t>(max_)); }
  // The value that `fraction` (0..1) of the samples do not exceed, to the upper edge of its bucket; zero without samples.
  TimeDelta Percentile(double fraction) const {
    if (count_ == 0) return TimeDelta::Zero();
    const auto wanted = static_cast<uint64_t>(fraction * static_cast<double>(count_ - 1)) + 1;
    uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen < wanted) continue;
      const uint64_t edge = UpperEdge(i);
      return TimeDelta::Nanos(static_cast<int64_t>(edge < max_ ? edge : max_));
    }
    return max();
  }

 private:
  static constexpr int kSubBits = 6;  // 64 buckets for each power of two
  static constexpr uint64_t kSub = uint64_t{1} << kSubBits;

  static std::size_t Index(uint64_t nanos) {
    if (nanos < kSub) return static_cast<std::size_t>(nanos);
    const auto shift = static_cast<int>(std::bit_width(nanos)) - 1 - kSubBits;
    return static_cast<std::size_t>((static_cast<uint64_t>(shift) + 1) * kSub +
                                    ((nanos >> shift) - kSub));
  }
  static uint64_t UpperEdge(std::size_t index) {
    if (index < kSub) return index;
    const uint64_t shift = index / kSub - 1;
    return ((index % kSub + kSub + 1) << shift) - 1;
  }

  std::array<uint32_t, (64 - kSubBits + 1) * kSub> buckets_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_LOAD_LATENCY_HISTOGRAM_H_
