#include "sim/host/timer.h"

#include <algorithm>
#include <utility>

#include "ns3/simulator.h"

namespace rtclab::sim {
namespace {

Timestamp Now() { return Timestamp::Nanos(ns3::Simulator::Now().GetTimeStep()); }

}  // namespace

Timer::Timer(std::function<void(Timestamp)> on_timeout) : on_timeout_(std::move(on_timeout)) {}

Timer::~Timer() { event_.Cancel(); }

void Timer::Set(Timestamp deadline) {
  deadline_ = deadline;
  if (deadline.IsInfinite()) {
    event_.Cancel();
    armed_ = Timestamp::PlusInfinity();
  } else if (deadline < armed_) {
    event_.Cancel();
    Arm(deadline);
  }
}

void Timer::Arm(Timestamp at) {
  armed_ = at;
  const TimeDelta delay = std::max(at - Now(), TimeDelta::Zero());
  event_ = ns3::Simulator::Schedule(ns3::TimeStep(delay.nanos()), &Timer::Fire, this);
}

void Timer::Fire() {
  armed_ = Timestamp::PlusInfinity();
  const Timestamp now = Now();
  if (deadline_ > now) {
    Arm(deadline_);
    return;
  }
  deadline_ = Timestamp::PlusInfinity();
  on_timeout_(now);
}

}  // namespace rtclab::sim
