// Every reason for which the firewall drops a packet. The ids are stable: results, tests and
// scripts name them. A rule of the user's own shows as "firewall.rule:<name>".
#ifndef RTCLAB_SIM_FIREWALL_FIREWALL_RULES_H_
#define RTCLAB_SIM_FIREWALL_FIREWALL_RULES_H_

#include <array>

#include "sim/trace/packet_info.h"

namespace rtclab::sim::firewall_rule {

inline constexpr char kDefaultDenyIn[] = "firewall.default-deny-in";
inline constexpr char kDefaultDenyOut[] = "firewall.default-deny-out";
inline constexpr char kNoState[] = "firewall.no-state";
inline constexpr char kIcmpNoMatch[] = "firewall.icmp-no-match";
inline constexpr char kNamedRulePrefix[] = "firewall.rule:";

inline constexpr std::array<RuleInfo, 5> kTable = {{
    {kDefaultDenyIn,
     "Nothing allows the packet in: no rule matches and no flow of the inside is waiting for it."},
    {kDefaultDenyOut,
     "Nothing allows the packet out: no rule matches and it answers no flow that was let in."},
    {kNoState,
     "The packet can only belong to a flow (a TCP segment other than a SYN, an echo reply), and "
     "there is none."},
    {kIcmpNoMatch, "An ICMP error quotes a packet of no flow that the firewall knows."},
    {kNamedRulePrefix, "The rule of that name denies the packet."},
}};

}  // namespace rtclab::sim::firewall_rule

#endif  // RTCLAB_SIM_FIREWALL_FIREWALL_RULES_H_
