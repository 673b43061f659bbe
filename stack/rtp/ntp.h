// NTP timestamps (RFC 3550 section 4) and round-trip times from their middle 32 bits (section 6.4.1).
#ifndef RTCLAB_STACK_RTP_NTP_H_
#define RTCLAB_STACK_RTP_NTP_H_

#include <compare>
#include <cstdint>
#include <optional>

#include "stack/base/units.h"

namespace rtclab::rtp {

// What the driver's time zero is called on the wire when nobody says otherwise: 2020-01-01 00:00 UTC,
// in seconds since 1900.
inline constexpr uint32_t kNtpSecondsAtZero = 3'786'825'600;

struct NtpTime {
  uint32_t seconds = 0;   // since 1900, modulo 2^32
  uint32_t fraction = 0;  // in 2^-32 s

  // `time` from the driver's zero on; rounds down to 2^-32 s.
  static NtpTime From(Timestamp time, uint32_t seconds_at_zero = kNtpSecondsAtZero);
  uint32_t Middle() const { return seconds << 16 | fraction >> 16; }
  uint64_t ToU64() const { return uint64_t{seconds} << 32 | fraction; }
  static NtpTime FromU64(uint64_t v) {
    return {static_cast<uint32_t>(v >> 32), static_cast<uint32_t>(v)};
  }

  auto operator<=>(const NtpTime&) const = default;
};

// A span in 1/65536 s, as DLSR and the middle 32 bits count. Rounds to the nearest; what is negative
// gives 0, what is longer than 18 hours the largest value.
uint32_t ToCompactNtp(TimeDelta span);
TimeDelta FromCompactNtp(uint32_t span);

// The round-trip time that a report block (or a DLRR item) gives at `now_middle`, RFC 3550 section
// 6.4.1: now - LSR - DLSR. nullopt when LSR is 0 (no SR has been received). A result below zero, which
// clocks of unequal speed make on short paths, is zero.
std::optional<TimeDelta> RttFromReport(uint32_t now_middle, uint32_t last_report, uint32_t delay);

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_NTP_H_
