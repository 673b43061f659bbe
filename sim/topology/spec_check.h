// Says what is wrong with a NetworkSpec before anything is built from it.
#ifndef RTCLAB_SIM_TOPOLOGY_SPEC_CHECK_H_
#define RTCLAB_SIM_TOPOLOGY_SPEC_CHECK_H_

#include "sim/topology/network_spec.h"
#include "stack/base/error.h"

namespace rtclab::sim {

// See Network::Build for the list.
Result<void> CheckSpec(const NetworkSpec& spec);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TOPOLOGY_SPEC_CHECK_H_
