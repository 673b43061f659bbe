// RFC 8698 table 2. RMIN, RMAX and PRIO come with the controller's configuration.
#ifndef RTCLAB_STACK_CONGESTION_NADA_CONSTANTS_H_
#define RTCLAB_STACK_CONGESTION_NADA_CONSTANTS_H_

#include "stack/base/units.h"

namespace rtclab::congestion::nada {

inline constexpr TimeDelta kXref = TimeDelta::Millis(10);
inline constexpr double kKappa = 0.5;
inline constexpr double kEta = 2.0;
inline constexpr TimeDelta kTau = TimeDelta::Millis(500);
inline constexpr TimeDelta kDelta = TimeDelta::Millis(100);
inline constexpr TimeDelta kLogwin = TimeDelta::Millis(500);
inline constexpr TimeDelta kQeps = TimeDelta::Millis(10);
inline constexpr TimeDelta kDfilt = TimeDelta::Millis(120);
inline constexpr double kGammaMax = 0.5;
inline constexpr TimeDelta kQbound = TimeDelta::Millis(50);
inline constexpr double kMultiloss = 7.0;
inline constexpr TimeDelta kQth = TimeDelta::Millis(50);
inline constexpr double kLambda = 0.5;
inline constexpr double kPlrref = 0.01;
inline constexpr double kPmrref = 0.01;
inline constexpr TimeDelta kDloss = TimeDelta::Millis(10);
inline constexpr TimeDelta kDmark = TimeDelta::Millis(2);
inline constexpr double kFps = 30;
inline constexpr double kBetaS = 0.1;
inline constexpr double kBetaV = 0.1;
inline constexpr double kAlpha = 0.1;

// Not in the table: the authors' ns-3 implementation, which section 7 names, bounds x_curr. Without
// it a few percent of loss make x_curr seconds, and its change swings the rate between its limits.
inline constexpr TimeDelta kXmax = TimeDelta::Millis(500);

}  // namespace rtclab::congestion::nada

#endif  // RTCLAB_STACK_CONGESTION_NADA_CONSTANTS_H_
