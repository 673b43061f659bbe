// Every reason for which the NAT drops a packet. The ids are stable: results, tests and scripts
// name them.
#ifndef RTCLAB_SIM_NAT_NAT_RULES_H_
#define RTCLAB_SIM_NAT_NAT_RULES_H_

#include <array>

#include "sim/trace/packet_info.h"

namespace rtclab::sim::nat_rule {

inline constexpr char kFilterAddressDependent[] = "nat.filter.address-dependent";
inline constexpr char kFilterAddressAndPortDependent[] = "nat.filter.address-and-port-dependent";
inline constexpr char kNoMapping[] = "nat.no-mapping";
inline constexpr char kMappingExpired[] = "nat.mapping-expired";
inline constexpr char kMappingLimit[] = "nat.mapping-limit";
inline constexpr char kHostMappingLimit[] = "nat.host-mapping-limit";
inline constexpr char kSessionLimit[] = "nat.session-limit";
inline constexpr char kPortExhausted[] = "nat.port-exhausted";
inline constexpr char kAddressExhausted[] = "nat.address-exhausted";
inline constexpr char kNoExternalAddress[] = "nat.no-external-address";
inline constexpr char kNotExternalAddress[] = "nat.not-external-address";
inline constexpr char kHairpinUnsupported[] = "nat.hairpin-unsupported";
inline constexpr char kTcpNoSession[] = "nat.tcp-no-session";
inline constexpr char kIcmpNoMatch[] = "nat.icmp-no-match";
inline constexpr char kIcmpErrorsOff[] = "nat.icmp-errors-off";
inline constexpr char kIpv6NoState[] = "nat.ipv6-no-state";

inline constexpr std::array<RuleInfo, 16> kTable = {{
    {kFilterAddressDependent,
     "The mapping exists, but the host behind it has not sent to the sender's address (RFC 4787 "
     "section 5)."},
    {kFilterAddressAndPortDependent,
     "The mapping exists, but the host behind it has not sent to the sender's address and port "
     "(RFC 4787 section 5)."},
    {kNoMapping, "Nothing inside uses the external endpoint that the packet is for."},
    {kMappingExpired,
     "The external endpoint was in use, and its mapping's timer ran out (RFC 4787 section 4.3)."},
    {kMappingLimit, "A new mapping is needed and the NAT already holds as many as it may."},
    {kHostMappingLimit,
     "A new mapping is needed and this host already has as many as it may (RFC 6888 REQ-4)."},
    {kSessionLimit,
     "The mapping already has as many remote endpoints as it may (RFC 6888 section 4)."},
    {kPortExhausted, "No external port that the port assignment allows is free."},
    {kAddressExhausted,
     "One-to-one translation, and every external address belongs to another host already."},
    {kNoExternalAddress, "The NAT has no external address of the packet's family."},
    {kNotExternalAddress, "A packet from outside is for an address that is not the NAT's."},
    {kHairpinUnsupported,
     "A packet from inside is for the NAT's own external address, and the NAT does not hairpin "
     "(RFC 4787 section 6)."},
    {kTcpNoSession,
     "A TCP segment other than a SYN belongs to no session of this NAT (RFC 7857 section 2)."},
    {kIcmpNoMatch,
     "An ICMP error quotes a packet that no mapping of this NAT could have carried (RFC 5508 "
     "section 4), or an echo reply answers no request."},
    {kIcmpErrorsOff, "The NAT does not translate ICMP errors."},
    {kIpv6NoState,
     "IPv6 is filtered statefully, and nothing inside has opened the way (RFC 6092 section 3.2)."},
}};

}  // namespace rtclab::sim::nat_rule

#endif  // RTCLAB_SIM_NAT_NAT_RULES_H_
