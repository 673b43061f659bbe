// What a stateful firewall lets through.
#ifndef RTCLAB_SIM_FIREWALL_RULES_H_
#define RTCLAB_SIM_FIREWALL_RULES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/trace/packet_info.h"
#include "stack/base/ip_address.h"
#include "stack/base/units.h"

namespace rtclab::sim {

enum class Direction : uint8_t { kOutbound, kInbound };  // seen from the protected network

// One line of an allow or deny list; an absent part matches everything.
struct FirewallRule {
  std::string name;  // shows in the reason of a drop, e.g. "deny-udp"
  bool allow = false;
  Direction direction = Direction::kInbound;
  std::optional<IpProtocol> protocol = std::nullopt;
  std::optional<IpAddress> remote = std::nullopt;  // a network: `remote`/`remote_prefix_length`
  int remote_prefix_length = 0;
  // Both ends included; a low end alone means that one port. ICMP has no ports and matches no rule that names some.
  std::optional<uint16_t> remote_port_low = std::nullopt, remote_port_high = std::nullopt;
  std::optional<uint16_t> local_port_low = std::nullopt, local_port_high = std::nullopt;

  bool operator==(const FirewallRule&) const = default;
};

// The first matching rule decides; without one, the direction's default does. An inbound packet of
// a flow that was allowed outbound passes while the flow's state lives.
struct FirewallBehaviour {
  bool default_allow_outbound = true;
  bool default_allow_inbound = false;
  bool stateful = true;
  std::vector<FirewallRule> rules = {};
  TimeDelta udp_timeout =
      TimeDelta::Seconds(120);  // RFC 6092 section 3.2.3 REC-14: at least 2 minutes
  TimeDelta tcp_timeout = TimeDelta::Seconds(7440);  // established: RFC 5382 section 5 REQ-5
  TimeDelta tcp_transitory_timeout = TimeDelta::Seconds(240);  // opening or closing: the same
  TimeDelta icmp_timeout = TimeDelta::Seconds(60);

  bool operator==(const FirewallBehaviour&) const = default;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_FIREWALL_RULES_H_
