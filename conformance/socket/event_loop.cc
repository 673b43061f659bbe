#include "conformance/socket/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

// Ready descriptors a round: protocols are drained and timers looked at in between.
constexpr std::size_t kReadyInARound = 128;
// Keys of the loop's own descriptors: generations, in the upper half of a key, do not come that far.
constexpr uint64_t kWakeKey = ~uint64_t{0};
constexpr uint64_t kInterruptKey = kWakeKey - 1;
// Interrupted() may be set without its descriptor.
constexpr int64_t kInterruptCheckMs = 50;

void ControlEpoll(int epoll, int operation, int descriptor, uint32_t events, uint64_t key) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  CHECK(epoll_ctl(epoll, operation, descriptor, &event) == 0);
}

// Milliseconds for epoll_wait, rounded up: a sleep that ends just before a timer would spin.
int MillisUntil(Timestamp now, Timestamp wanted) {
  if (wanted <= now) return 0;
  if (wanted.IsInfinite()) return static_cast<int>(kInterruptCheckMs);
  return static_cast<int>(
      std::min(((wanted - now).nanos() + 999'999) / 1'000'000, kInterruptCheckMs));
}

}  // namespace

EventLoop::EventLoop(AtInterrupt at_interrupt)
    : at_interrupt_(at_interrupt),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(epoll_ >= 0 && wake_ >= 0);
  ControlEpoll(epoll_, EPOLL_CTL_ADD, wake_, EPOLLIN, kWakeKey);
  if (at_interrupt == AtInterrupt::kStop) {
    ControlEpoll(epoll_, EPOLL_CTL_ADD, InterruptDescriptor(), EPOLLIN, kInterruptKey);
  }
}

EventLoop::~EventLoop() {
  close(epoll_);
  close(wake_);
}

void EventLoop::Add(int descriptor, Callback callback) {
  CHECK(descriptor >= 0);
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= watches_.size()) watches_.resize(index + 1);
  CHECK(watches_[index] == nullptr);
  auto watch = std::make_unique<Watch>();
  watch->callback = std::move(callback);
  watch->events = EPOLLIN;
  watch->generation = next_generation_++;
  ControlEpoll(epoll_, EPOLL_CTL_ADD, descriptor, EPOLLIN,
               uint64_t{watch->generation} << 32 | static_cast<uint32_t>(descriptor));
  watches_[index] = std::move(watch);
  ++size_;
}

void EventLoop::Change(int descriptor, uint32_t events) {
  Watch& watch = *watches_[static_cast<std::size_t>(descriptor)];
  if (watch.events == events) return;
  watch.events = events;
  ControlEpoll(epoll_, EPOLL_CTL_MOD, descriptor, events,
               uint64_t{watch.generation} << 32 | static_cast<uint32_t>(descriptor));
}

void EventLoop::WantWritable(int descriptor, bool wanted) {
  const uint32_t events = watches_[static_cast<std::size_t>(descriptor)]->events;
  Change(descriptor, wanted ? events | EPOLLOUT : events & ~uint32_t{EPOLLOUT});
}

void EventLoop::WantReadable(int descriptor, bool wanted) {
  const uint32_t events = watches_[static_cast<std::size_t>(descriptor)]->events;
  Change(descriptor, wanted ? events | EPOLLIN : events & ~uint32_t{EPOLLIN});
}

void EventLoop::Remove(int descriptor) {
  auto& watch = watches_[static_cast<std::size_t>(descriptor)];
  CHECK(watch != nullptr);
  ControlEpoll(epoll_, EPOLL_CTL_DEL, descriptor, 0, 0);
  retired_.push_back(std::move(watch));
  --size_;
}

void EventLoop::Dispatch(uint64_t key, uint32_t events) {
  const auto index = static_cast<std::size_t>(key & 0xFFFF'FFFF);
  Watch* const watch = watches_[index].get();
  if (watch == nullptr || watch->generation != key >> 32) return;  // removed in this round
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  watch->callback({broken || (events & EPOLLIN) != 0, broken || (events & EPOLLOUT) != 0, broken});
}

void EventLoop::Run(const AfterRound& after_round) {
  std::array<epoll_event, kReadyInARound> ready;
  Timestamp wanted = after_round(RealNow());
  while (!stopped_ && !(at_interrupt_ == AtInterrupt::kStop && Interrupted())) {
    const int count = epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()),
                                 MillisUntil(RealNow(), wanted));
    CHECK(count >= 0 || errno == EINTR);
    bool round = false;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = ready[static_cast<std::size_t>(i)];
      round = true;
      if (event.data.u64 == kWakeKey) {
        uint64_t wakes = 0;
        [[maybe_unused]] const ssize_t taken = read(wake_, &wakes, sizeof wakes);
      } else if (event.data.u64 != kInterruptKey) {
        Dispatch(event.data.u64, event.events);
      }
    }
    retired_.clear();
    const Timestamp now = RealNow();
    if (round || wanted <= now) wanted = after_round(now);
  }
  stopped_ = false;
}

void EventLoop::Stop() {
  stopped_ = true;
  Wake();
}

void EventLoop::Wake() {
  const int saved = errno;
  const uint64_t one = 1;
  // It fails only when it is readable already.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
  errno = saved;
}

}  // namespace rtclab::conformance
