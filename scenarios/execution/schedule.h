// Calls on the simulator's clock.
#ifndef RTCLAB_SCENARIOS_EXECUTION_SCHEDULE_H_
#define RTCLAB_SCENARIOS_EXECUTION_SCHEDULE_H_

#include <functional>
#include <utility>

#include "ns3/simulator.h"
#include "stack/base/units.h"

namespace rtclab::scenarios {

// Runs `f` when `delay` of virtual time has passed; a zero delay runs it after the event under way.
inline void After(TimeDelta delay, std::function<void()> f) {
  ns3::Simulator::Schedule(ns3::NanoSeconds(delay.nanos()), std::move(f));
}

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_SCHEDULE_H_
