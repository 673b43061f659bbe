#include "conformance/socket/real_clock.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>

#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

const std::chrono::steady_clock::time_point process_start = std::chrono::steady_clock::now();

// Made before main(), so that a signal handler finds them.
const int interrupt_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

// A signal that comes twice is one wish (timeout(1) tells the process, and then its group); one that is repeated later is impatience.
constexpr int64_t kOneWishNs = 500'000'000;
std::atomic<int64_t> first_signal_ns{INT64_MIN};
static_assert(std::atomic<int64_t>::is_always_lock_free);

void HandleSignal(int signal) {
  const int64_t now = RealNow().nanos();
  int64_t first = INT64_MIN;
  if (first_signal_ns.compare_exchange_strong(first, now)) return Interrupt();
  if (now - first < kOneWishNs) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // delivered once this handler has returned
}

}  // namespace

Timestamp RealNow() {
  const auto elapsed = std::chrono::steady_clock::now() - process_start;
  return Timestamp::Nanos(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
}

TimeDelta UnixTimeAtZero() {
  const auto unix_time = std::chrono::system_clock::now().time_since_epoch();
  return TimeDelta::Nanos(std::chrono::duration_cast<std::chrono::nanoseconds>(unix_time).count()) -
         (RealNow() - Timestamp::Zero());
}

std::atomic<bool>& Interrupted() { return interrupted; }

void Interrupt() {
  const int saved = errno;
  interrupted = true;
  const uint64_t one = 1;
  // It fails only when it is readable already.
  [[maybe_unused]] const ssize_t written = write(interrupt_descriptor, &one, sizeof one);
  errno = saved;
}

void ClearInterrupt() {
  interrupted = false;
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = read(interrupt_descriptor, &count, sizeof count);
}

void InterruptOnSignals() {
  struct sigaction action {};
  action.sa_handler = HandleSignal;
  first_signal_ns = INT64_MIN;
  CHECK(sigaction(SIGINT, &action, nullptr) == 0 && sigaction(SIGTERM, &action, nullptr) == 0);
}

int InterruptDescriptor() { return interrupt_descriptor; }

}  // namespace rtclab::conformance
