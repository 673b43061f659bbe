// RFC 8298 section 4.1.1.1. The bitrate limits come with the controller's configuration.
#ifndef RTCLAB_STACK_CONGESTION_SCREAM_CONSTANTS_H_
#define RTCLAB_STACK_CONGESTION_SCREAM_CONSTANTS_H_

#include "stack/base/units.h"

namespace rtclab::congestion::scream {

inline constexpr TimeDelta kQdelayTargetLo = TimeDelta::Millis(100);
inline constexpr TimeDelta kQdelayTargetHi = TimeDelta::Millis(400);
inline constexpr double kQdelayWeight = 0.1;
inline constexpr double kQdelayTrendTh = 0.2;
inline constexpr double kMinCwnd = 3000;  // bytes
inline constexpr double kMaxBytesInFlightHeadRoom = 1.1;
inline constexpr double kGain = 1.0;
inline constexpr double kBetaLoss = 0.8;
inline constexpr double kBetaEcn = 0.9;
inline constexpr double kBetaR = 0.9;
inline constexpr double kMss = 1000;  // bytes
inline constexpr TimeDelta kRateAdjustInterval = TimeDelta::Millis(200);
inline constexpr double kRampUpSpeed = 200'000;  // bps a second
inline constexpr double kPreCongestionGuard = 0.1;
inline constexpr double kTxQueueSizeFactor = 1.0;
inline constexpr TimeDelta kRtpQdelayTh = TimeDelta::Millis(20);
inline constexpr double kTargetRateScaleRtpQdelay = 0.95;
inline constexpr double kQdelayTrendLo = 0.2;
inline constexpr TimeDelta kResumeFastIncrease = TimeDelta::Seconds(5);
inline constexpr double kRatePaceMin = 50'000;  // bps
// Section 4.1.2: interval of qdelay_fraction_hist.
inline constexpr TimeDelta kSampleInterval = TimeDelta::Millis(50);
// Section 4.1.2.2: span of max_bytes_in_flight.
inline constexpr TimeDelta kFlightWindow = TimeDelta::Seconds(5);

}  // namespace rtclab::congestion::scream

#endif  // RTCLAB_STACK_CONGESTION_SCREAM_CONSTANTS_H_
