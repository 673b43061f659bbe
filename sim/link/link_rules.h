// Every reason for which a link drops a packet. The ids are stable: results, tests and scripts name
// them.
#ifndef RTCLAB_SIM_LINK_LINK_RULES_H_
#define RTCLAB_SIM_LINK_LINK_RULES_H_

#include <array>

#include "sim/trace/packet_info.h"

namespace rtclab::sim::link_rule {

inline constexpr char kLoss[] = "link.loss";
inline constexpr char kBurstLoss[] = "link.burst-loss";
inline constexpr char kQueueFull[] = "link.queue-full";
inline constexpr char kMtu[] = "link.mtu";
inline constexpr char kErrorModel[] = "link.error-model";
inline constexpr char kDown[] = "link.down";

inline constexpr std::array<RuleInfo, 6> kTable = {{
    {kLoss, "The link lost the packet by its independent loss."},
    {kBurstLoss, "The link lost the packet in the state its Gilbert-Elliott chain was in."},
    {kQueueFull, "As many packets as the link's queue holds were waiting already."},
    {kMtu, "The packet is larger than the link's MTU and must not or cannot be fragmented."},
    {kErrorModel, "The ns-3 error model on the receiving device took the packet."},
    {kDown, "The link is down, or the device is connected to nothing."},
}};

}  // namespace rtclab::sim::link_rule

#endif  // RTCLAB_SIM_LINK_LINK_RULES_H_
