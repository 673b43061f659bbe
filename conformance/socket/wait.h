// Waiting for one descriptor with a deadline, short of an interrupt. For this folder only.
#ifndef RTCLAB_CONFORMANCE_SOCKET_WAIT_H_
#define RTCLAB_CONFORMANCE_SOCKET_WAIT_H_

#include <poll.h>

#include "conformance/socket/real_clock.h"

namespace rtclab::conformance {

// What poll(2) says of `descriptor` once any of `events`, an error or a hang-up is there; 0 at the deadline, or when the user wants to
// stop and `interruptible`.
short WaitFor(int descriptor, short events, Timestamp deadline, bool interruptible);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_WAIT_H_
