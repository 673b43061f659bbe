// The CPU time that another process of this machine has used: what a relayed packet costs its server.
#ifndef RTCLAB_CONFORMANCE_LOAD_PROCESS_CPU_H_
#define RTCLAB_CONFORMANCE_LOAD_PROCESS_CPU_H_

#include <optional>

#include "stack/base/units.h"

namespace rtclab::conformance {

// User and system time of all its threads so far, from /proc/PID/stat (proc(5)), in ticks of 10 ms as a rule. nullopt: no such process, or
// no Linux.
std::optional<TimeDelta> ProcessCpu(int pid);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_LOAD_PROCESS_CPU_H_
