// Time, rate and size as types, so that a millisecond is never a byte. There is one time type in
// this code base.
#ifndef RTCLAB_STACK_BASE_UNITS_H_
#define RTCLAB_STACK_BASE_UNITS_H_

#include <compare>
#include <cstdint>
#include <limits>

namespace rtclab {

// A span of time in whole nanoseconds, +-292 years. PlusInfinity() stands for "never".
class TimeDelta {
 public:
  constexpr TimeDelta() = default;
  static constexpr TimeDelta Nanos(int64_t v) { return TimeDelta(v); }
  static constexpr TimeDelta Micros(int64_t v) { return TimeDelta(v * 1'000); }
  static constexpr TimeDelta Millis(int64_t v) { return TimeDelta(v * 1'000'000); }
  static constexpr TimeDelta Seconds(int64_t v) { return TimeDelta(v * 1'000'000'000); }
  // Rounds to the nearest nanosecond. `v` in seconds, |v| < 9e9.
  static constexpr TimeDelta SecondsF(double v) {
    return TimeDelta(static_cast<int64_t>(v * 1e9 + (v < 0 ? -0.5 : 0.5)));
  }
  static constexpr TimeDelta Zero() { return TimeDelta(0); }
  static constexpr TimeDelta PlusInfinity() {
    return TimeDelta(std::numeric_limits<int64_t>::max());
  }

  constexpr int64_t nanos() const { return nanos_; }
  constexpr int64_t micros() const { return nanos_ / 1'000; }
  constexpr int64_t millis() const { return nanos_ / 1'000'000; }
  constexpr double seconds() const { return static_cast<double>(nanos_) / 1e9; }
  constexpr double millis_f() const { return static_cast<double>(nanos_) / 1e6; }
  constexpr bool IsInfinite() const { return nanos_ == std::numeric_limits<int64_t>::max(); }

  constexpr auto operator<=>(const TimeDelta&) const = default;
  constexpr TimeDelta operator+(TimeDelta o) const {
    return IsInfinite() || o.IsInfinite() ? PlusInfinity() : TimeDelta(nanos_ + o.nanos_);
  }
  constexpr TimeDelta operator-(TimeDelta o) const {
    return IsInfinite() ? *this : TimeDelta(nanos_ - o.nanos_);
  }
  constexpr TimeDelta operator*(int64_t f) const {
    return IsInfinite() ? *this : TimeDelta(nanos_ * f);
  }
  constexpr TimeDelta operator/(int64_t d) const {
    return IsInfinite() ? *this : TimeDelta(nanos_ / d);
  }
  constexpr TimeDelta& operator+=(TimeDelta o) { return *this = *this + o; }
  constexpr TimeDelta& operator-=(TimeDelta o) { return *this = *this - o; }

 private:
  constexpr explicit TimeDelta(int64_t nanos) : nanos_(nanos) {}
  int64_t nanos_ = 0;
};

// A moment on the driver's clock: nanoseconds since the run began. Always pushed in, never read
// from a system clock. PlusInfinity() is how NextTimeout() says "none".
class Timestamp {
 public:
  constexpr Timestamp() = default;
  static constexpr Timestamp Nanos(int64_t v) { return Timestamp(TimeDelta::Nanos(v)); }
  static constexpr Timestamp Millis(int64_t v) { return Timestamp(TimeDelta::Millis(v)); }
  static constexpr Timestamp Seconds(int64_t v) { return Timestamp(TimeDelta::Seconds(v)); }
  static constexpr Timestamp Zero() { return Timestamp(); }
  static constexpr Timestamp PlusInfinity() { return Timestamp(TimeDelta::PlusInfinity()); }

  constexpr int64_t nanos() const { return since_start_.nanos(); }
  constexpr int64_t micros() const { return since_start_.micros(); }
  constexpr int64_t millis() const { return since_start_.millis(); }
  constexpr double seconds() const { return since_start_.seconds(); }
  constexpr double millis_f() const { return since_start_.millis_f(); }
  constexpr bool IsInfinite() const { return since_start_.IsInfinite(); }

  constexpr auto operator<=>(const Timestamp&) const = default;
  constexpr Timestamp operator+(TimeDelta d) const { return Timestamp(since_start_ + d); }
  constexpr Timestamp operator-(TimeDelta d) const { return Timestamp(since_start_ - d); }
  constexpr TimeDelta operator-(Timestamp o) const { return since_start_ - o.since_start_; }
  constexpr Timestamp& operator+=(TimeDelta d) { return *this = *this + d; }

 private:
  constexpr explicit Timestamp(TimeDelta d) : since_start_(d) {}
  TimeDelta since_start_;
};

// An amount of data in bytes.
class DataSize {
 public:
  constexpr DataSize() = default;
  static constexpr DataSize Bytes(int64_t v) { return DataSize(v); }
  constexpr int64_t bytes() const { return bytes_; }
  constexpr int64_t bits() const { return bytes_ * 8; }
  constexpr auto operator<=>(const DataSize&) const = default;
  constexpr DataSize operator+(DataSize o) const { return DataSize(bytes_ + o.bytes_); }
  constexpr DataSize operator-(DataSize o) const { return DataSize(bytes_ - o.bytes_); }

 private:
  constexpr explicit DataSize(int64_t v) : bytes_(v) {}
  int64_t bytes_ = 0;
};

// A rate in bits a second. PlusInfinity() stands for "no limit": sending takes no time.
class DataRate {
 public:
  constexpr DataRate() = default;
  static constexpr DataRate BitsPerSec(int64_t v) { return DataRate(v); }
  static constexpr DataRate KilobitsPerSec(int64_t v) { return DataRate(v * 1'000); }
  static constexpr DataRate MegabitsPerSec(int64_t v) { return DataRate(v * 1'000'000); }
  static constexpr DataRate PlusInfinity() { return DataRate(std::numeric_limits<int64_t>::max()); }
  constexpr int64_t bps() const { return bps_; }
  constexpr bool IsInfinite() const { return bps_ == std::numeric_limits<int64_t>::max(); }
  constexpr auto operator<=>(const DataRate&) const = default;
  // How long `size` takes at this rate, rounded down to a nanosecond; the rate must not be zero.
  constexpr TimeDelta TransmissionTime(DataSize size) const {
    if (IsInfinite()) return TimeDelta::Zero();
    const int64_t whole = size.bits() / bps_;
    const int64_t rest = size.bits() % bps_;
    return TimeDelta::Seconds(whole) + TimeDelta::Nanos(static_cast<int64_t>(
                                           static_cast<__int128>(rest) * 1'000'000'000 / bps_));
  }

 private:
  constexpr explicit DataRate(int64_t v) : bps_(v) {}
  int64_t bps_ = 0;
};

}  // namespace rtclab

#endif  // RTCLAB_STACK_BASE_UNITS_H_
