// One timer on the simulator's clock.
#ifndef RTCLAB_SIM_HOST_TIMER_H_
#define RTCLAB_SIM_HOST_TIMER_H_

#include <functional>

#include "ns3/event-id.h"
#include "stack/base/units.h"

namespace rtclab::sim {

// Protocols move their next timeout with nearly every packet, mostly later. So a later deadline
// leaves the scheduled event alone, and the event goes back to sleep when it finds itself early.
class Timer {
 public:
  // `on_timeout(now)` runs at the deadline, once a Set().
  explicit Timer(std::function<void(Timestamp)> on_timeout);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Moves the deadline. Timestamp::PlusInfinity() stops the timer; one that is past fires as soon
  // as the caller has returned to the simulator.
  void Set(Timestamp deadline);

 private:
  void Arm(Timestamp at);
  void Fire();

  std::function<void(Timestamp)> on_timeout_;
  Timestamp deadline_ = Timestamp::PlusInfinity();
  Timestamp armed_ = Timestamp::PlusInfinity();
  ns3::EventId event_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_HOST_TIMER_H_
