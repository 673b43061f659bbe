// What a NAT or a firewall sees of a packet, and what it says about it. Shared by both so that a
// node asks one after the other and applies the verdicts to real packets.
#ifndef RTCLAB_SIM_TRACE_PACKET_INFO_H_
#define RTCLAB_SIM_TRACE_PACKET_INFO_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/ip_address.h"

namespace rtclab::sim {

enum class IpProtocol : uint8_t { kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58 };

// "ICMP", "TCP", "UDP", "ICMPv6".
constexpr std::string_view ToString(IpProtocol protocol) {
  switch (protocol) {
    case IpProtocol::kIcmp:
      return "ICMP";
    case IpProtocol::kTcp:
      return "TCP";
    case IpProtocol::kUdp:
      return "UDP";
    case IpProtocol::kIcmpv6:
      return "ICMPv6";
  }
  return "?";
}

// The addresses of a packet as they are at one point of its way. For ICMP echo both ports are the
// identifier; for an ICMP error they are 0.
struct FlowTuple {
  IpProtocol protocol = IpProtocol::kUdp;
  TransportAddress source;
  TransportAddress destination;

  auto operator<=>(const FlowTuple&) const = default;
};

// The packet that an ICMP or ICMPv6 error quotes. `tuple` is as quoted: its source sent the packet
// that failed.
struct IcmpEmbedded {
  uint8_t type = 3;  // of the error itself
  uint8_t code = 3;
  FlowTuple tuple;

  bool operator==(const IcmpEmbedded&) const = default;
};

struct PacketInfo {
  FlowTuple tuple;
  std::optional<IcmpEmbedded>
      icmp_error;  // set for ICMP errors only; tuple.protocol is then kIcmp or kIcmpv6
  bool icmp_echo_reply = false;  // an ICMP query message is a request unless this is set
  bool tcp_syn = false;
  bool tcp_ack = false;
  bool tcp_fin = false;
  bool tcp_rst = false;
  std::size_t size = 0;  // bytes of IP packet
};

struct Verdict {
  enum class Action : uint8_t {
    kForward,  // on to the other side, as `tuple` (and `embedded`) say
    kDrop,     // ends here, by `rule`
    kHairpin,  // a packet from inside that goes back inside, as `tuple` says (NAT only)
  };

  Action action = Action::kForward;
  FlowTuple tuple;                    // rewritten; when dropped, as it came
  std::optional<FlowTuple> embedded;  // an ICMP error's quoted packet, rewritten
  // Set when dropped: a stable id, valid as long as the NAT or firewall that gave it, and one
  // sentence for a person.
  const char* rule = nullptr;
  std::string detail;

  bool dropped() const { return action == Action::kDrop; }
};

// One line of a table of rule ids.
struct RuleInfo {
  std::string_view id;
  std::string_view meaning;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TRACE_PACKET_INFO_H_
