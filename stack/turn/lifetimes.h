// The fixed lifetimes of RFC 8656, which client and server share.
#ifndef RTCLAB_STACK_TURN_LIFETIMES_H_
#define RTCLAB_STACK_TURN_LIFETIMES_H_

#include "stack/base/units.h"

namespace rtclab::turn {

inline constexpr TimeDelta kPermissionLifetime = TimeDelta::Seconds(300);  // RFC 8656 section 9
inline constexpr TimeDelta kChannelLifetime = TimeDelta::Seconds(600);     // RFC 8656 section 12

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_LIFETIMES_H_
