#include "stack/rtp/ntp.h"

namespace rtclab::rtp {

NtpTime NtpTime::From(Timestamp time, uint32_t seconds_at_zero) {
  constexpr int64_t kNanosPerSecond = 1'000'000'000;
  int64_t seconds = time.nanos() / kNanosPerSecond;
  int64_t nanos = time.nanos() % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  const uint64_t fraction = (static_cast<uint64_t>(nanos) << 32) / kNanosPerSecond;
  return {static_cast<uint32_t>(seconds_at_zero + static_cast<uint64_t>(seconds)),
          static_cast<uint32_t>(fraction)};
}

uint32_t ToCompactNtp(TimeDelta span) {
  if (span <= TimeDelta::Zero()) return 0;
  if (span >= TimeDelta::Seconds(65536)) return 0xFFFFFFFF;
  const uint64_t nanos = static_cast<uint64_t>(span.nanos());
  const uint64_t compact = ((nanos << 16) + 500'000'000) / 1'000'000'000;
  return compact > 0xFFFFFFFF ? 0xFFFFFFFF : static_cast<uint32_t>(compact);
}

TimeDelta FromCompactNtp(uint32_t span) {
  const uint64_t nanos = (uint64_t{span} * 1'000'000'000 + (1u << 15)) >> 16;
  return TimeDelta::Nanos(static_cast<int64_t>(nanos));
}

std::optional<TimeDelta> RttFromReport(uint32_t now_middle, uint32_t last_report, uint32_t delay) {
  if (last_report == 0) return std::nullopt;
  const uint32_t rtt = now_middle - last_report - delay;
  if (rtt >= 0x80000000) return TimeDelta::Zero();
  return FromCompactNtp(rtt);
}

}  // namespace rtclab::rtp
