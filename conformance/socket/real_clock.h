// The real clock, and the wish to stop. Only this folder reads a clock; everything above is told the time.
#ifndef RTCLAB_CONFORMANCE_SOCKET_REAL_CLOCK_H_
#define RTCLAB_CONFORMANCE_SOCKET_REAL_CLOCK_H_

#include <atomic>

#include "stack/base/units.h"

namespace rtclab::conformance {

// Monotonic time since the process started.
Timestamp RealNow();
// UNIX time at RealNow()'s zero, in whole nanoseconds: what credentials with an absolute expiry need.
TimeDelta UnixTimeAtZero();

// Whether the user wants the process to stop. Whoever waits in this folder looks at it at least every 50 ms, and then waits no longer.
std::atomic<bool>& Interrupted();
// Sets Interrupted() and wakes everything that waits, at once. May be called in a signal handler.
void Interrupt();
// Takes it back: for tests, and for a program that goes on.
void ClearInterrupt();
// From now on SIGINT and SIGTERM call Interrupt(); another one, half a second later or more, ends the process as it would without a handler.
void InterruptOnSignals();
// A descriptor that is readable while an interrupt stands; for poll(2) and epoll(7), never to be read or closed.
int InterruptDescriptor();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_REAL_CLOCK_H_
