// Small arithmetic on rates that all controllers share. Plain IEEE operations only: exponentials are
// made here, because libm's differ between processors in the last bit and results must not.
#ifndef RTCLAB_STACK_CONGESTION_RATES_H_
#define RTCLAB_STACK_CONGESTION_RATES_H_

#include <algorithm>

#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

// `rate` times `factor`, rounded down to a bit per second; `rate` finite.
constexpr DataRate Scale(DataRate rate, double factor) {
  return DataRate::BitsPerSec(static_cast<int64_t>(static_cast<double>(rate.bps()) * factor));
}
constexpr DataRate FromBps(double bps) { return DataRate::BitsPerSec(static_cast<int64_t>(bps)); }
constexpr double Bps(DataRate rate) { return static_cast<double>(rate.bps()); }
// The rate of `size` in `time`; `time` > 0.
constexpr DataRate RateOver(DataSize size, TimeDelta time) {
  return FromBps(static_cast<double>(size.bits()) / time.seconds());
}
// What `rate` sends in `time`.
constexpr DataSize SizeOver(DataRate rate, TimeDelta time) {
  return DataSize::Bytes(static_cast<int64_t>(Bps(rate) * time.seconds() / 8.0));
}

// e^x to about 1e-14, the same on every machine; |x| < 700.
constexpr double Exp(double x) {
  int halvings = 0;
  while (x > 0.0625 || x < -0.0625) {
    x /= 2;
    ++halvings;
  }
  double term = 1;
  double sum = 1;
  for (int n = 1; n <= 9; ++n) {
    term *= x / n;
    sum += term;
  }
  for (; halvings > 0; --halvings) sum *= sum;
  return sum;
}

// Packets lost among those a feedback message reports, as a fraction; 0 for an empty one.
inline double LossFraction(const TransportFeedback& feedback) {
  if (feedback.packets.empty()) return 0;
  const auto lost = std::count_if(feedback.packets.begin(), feedback.packets.end(),
                                  [](const PacketResult& p) { return !p.received; });
  return static_cast<double>(lost) / static_cast<double>(feedback.packets.size());
}

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_RATES_H_
