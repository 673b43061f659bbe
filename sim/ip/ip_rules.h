// Every reason for which a node drops a packet, NAT and firewall aside. The ids are stable:
// results, tests and scripts name them.
#ifndef RTCLAB_SIM_IP_IP_RULES_H_
#define RTCLAB_SIM_IP_IP_RULES_H_

#include <array>

#include "sim/trace/packet_info.h"

namespace rtclab::sim::ip_rule {

inline constexpr char kMalformed[] = "ip.malformed";
inline constexpr char kChecksum[] = "ip.checksum";
inline constexpr char kTtl[] = "ip.ttl";
inline constexpr char kNoRoute[] = "ip.no-route";
inline constexpr char kNotForUs[] = "ip.not-for-us";
inline constexpr char kMulticast[] = "ip.multicast";
inline constexpr char kProtocol[] = "ip.protocol";
inline constexpr char kUdpChecksum[] = "udp.checksum";
inline constexpr char kUdpNoSocket[] = "udp.no-socket";
inline constexpr char kUdpBufferFull[] = "udp.buffer-full";
inline constexpr char kIcmpChecksum[] = "icmp.checksum";

inline constexpr std::array<RuleInfo, 11> kTable = {{
    {kMalformed, "The bytes are no IP packet: a header that is cut short or contradicts itself."},
    {kChecksum, "The IPv4 header's checksum is wrong: the header was damaged on the way."},
    {kTtl, "The packet has crossed as many routers as it may (TTL or hop limit)."},
    {kNoRoute, "The node has no route to the destination."},
    {kNotForUs, "The packet is for another host, and this one does not forward."},
    {kMulticast, "The destination is a group or everybody; there is no multicast here."},
    {kProtocol, "The host has nothing that takes this protocol."},
    {kUdpChecksum, "The UDP checksum is wrong: the datagram was damaged on the way."},
    {kUdpNoSocket, "The host has no socket at the destination's address and port."},
    {kUdpBufferFull, "The socket's receive buffer is full."},
    {kIcmpChecksum, "The ICMP checksum is wrong: the message was damaged on the way."},
}};

}  // namespace rtclab::sim::ip_rule

#endif  // RTCLAB_SIM_IP_IP_RULES_H_
