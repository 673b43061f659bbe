// Waits on many descriptors with epoll(7), one thread, one timer: what a server runs on.
#ifndef RTCLAB_CONFORMANCE_SOCKET_EVENT_LOOP_H_
#define RTCLAB_CONFORMANCE_SOCKET_EVENT_LOOP_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "conformance/socket/real_clock.h"
#include "stack/base/error.h"
#include "stack/base/units.h"

namespace rtclab::conformance {

class EventLoop {
 public:
  // What a descriptor is ready for. An error or hang-up shows as both: the next read or write says what it is.
  struct Ready {
    bool readable = false;
    bool writable = false;
    // An error or hang-up, of a UDP socket an ICMP error in its queue. Told again and again until it is read or the descriptor removed, also
    // when neither reading nor writing is wanted (epoll_ctl(2)): who does not want to read must look at it.
    bool broken = false;
  };
  using Callback = std::function<void(Ready)>;
  // Called once when Run() starts, after every round of ready descriptors, and when the time that it returned last has come: the place to
  // drain protocols, flush what is to be sent and fire timers. Returns when it wants to be called again at the latest.
  using AfterRound = std::function<Timestamp(Timestamp now)>;

  // Whether Run() ends at an interrupt (real_clock.h) as at Stop(): a program's loop does; that of a server which a test runs in its own
  // process does not.
  enum class AtInterrupt : uint8_t { kStop, kGoOn };

  explicit EventLoop(AtInterrupt at_interrupt = AtInterrupt::kStop);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `callback` while `descriptor` is readable (level-triggered: what is left unread is told again). One callback a descriptor.
  // Callbacks may add and remove any descriptor, their own too. Remove() before closing it.
  void Add(int descriptor, Callback callback);
  // Whether writability is told as well, and readability at all. Both are cheap when nothing changes.
  void WantWritable(int descriptor, bool wanted);
  void WantReadable(int descriptor, bool wanted);
  void Remove(int descriptor);

  // Runs until Stop() or an interrupt.
  void Run(const AfterRound& after_round);
  // From any thread, or a signal handler.
  void Stop();
  // Ends the present wait, so that `after_round` is called: from any thread or signal handler.
  void Wake();

  // Descriptors under watch.
  std::size_t size() const { return size_; }

 private:
  struct Watch {
    Callback callback;
    uint32_t events = 0;
    uint32_t generation =
        0;  // so that an event of a descriptor closed in the same round is not told to its successor
  };

  void Change(int descriptor, uint32_t events);
  void Dispatch(uint64_t key, uint32_t events);

  AtInterrupt at_interrupt_;
  int epoll_ = -1;
  int wake_ = -1;
  std::atomic<bool> stopped_{false};
  std::vector<std::unique_ptr<Watch>> watches_;  // by descriptor
  std::vector<std::unique_ptr<Watch>>
      retired_;  // removed in this round; one of them may be running
  uint32_t next_generation_ = 1;
  std::size_t size_ = 0;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_EVENT_LOOP_H_
