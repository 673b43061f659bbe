// Puts ns-3's own Internet stack on a node that is attached to our links.
#ifndef RTCLAB_SIM_TOPOLOGY_NS3_STACK_H_
#define RTCLAB_SIM_TOPOLOGY_NS3_STACK_H_

#include <vector>

#include "ns3/node.h"
#include "ns3/ptr.h"
#include "sim/link/link_device.h"
#include "stack/base/ip_address.h"

namespace rtclab::sim {

// Also switches ns-3's checksums on for this process: other nodes here look at them.
void InstallNs3Stack(const ns3::Ptr<ns3::Node>& node);

// Gives `device` those addresses and, where it is the first with one of a family, the default
// route.
void AddNs3Interface(const ns3::Ptr<ns3::Node>& node, const ns3::Ptr<LinkDevice>& device,
                     const std::vector<IpAddress>& addresses);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TOPOLOGY_NS3_STACK_H_
