#include "conformance/socket/wait.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace rtclab::conformance {
namespace {

// Interrupted() may be set without its descriptor.
constexpr TimeDelta kInterruptCheck = TimeDelta::Millis(50);

}  // namespace

short WaitFor(int descriptor, short events, Timestamp deadline, bool interruptible) {
  std::array<pollfd, 2> waiting{{{descriptor, events, 0}, {InterruptDescriptor(), POLLIN, 0}}};
  for (;;) {
    if (interruptible && Interrupted()) return 0;
    const Timestamp now = RealNow();
    const TimeDelta nap = std::clamp(deadline - now, TimeDelta::Zero(), kInterruptCheck);
    const timespec limit{nap.nanos() / 1'000'000'000, nap.nanos() % 1'000'000'000};
    if (ppoll(waiting.data(), interruptible ? 2 : 1, &limit, nullptr) > 0 &&
        waiting[0].revents != 0) {
      return waiting[0].revents;
    }
    if (now >= deadline) return 0;
  }
}

}  // namespace rtclab::conformance
