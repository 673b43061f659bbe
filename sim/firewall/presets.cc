#include "sim/firewall/presets.h"

#include <algorithm>
#include <array>

namespace rtclab::sim {
namespace {

FirewallRule Allow(std::string name, IpProtocol protocol, uint16_t low, uint16_t high) {
  return {.name = std::move(name),
          .allow = true,
          .direction = Direction::kOutbound,
          .protocol = protocol,
          .remote_port_low = low,
          .remote_port_high = high};
}

FirewallRule DenyAll(std::string name, IpProtocol protocol, Direction direction) {
  return {.name = std::move(name), .direction = direction, .protocol = protocol};
}

FirewallBehaviour UdpBlocked() {
  return {.rules = {DenyAll("udp-out", IpProtocol::kUdp, Direction::kOutbound),
                    DenyAll("udp-in", IpProtocol::kUdp, Direction::kInbound)}};
}

FirewallBehaviour WebOnly() {
  return {.default_allow_outbound = false,
          .rules = {Allow("http", IpProtocol::kTcp, 80, 80),
                    Allow("https", IpProtocol::kTcp, 443, 443)}};
}

FirewallBehaviour Enterprise() {
  FirewallBehaviour b = WebOnly();
  b.rules.push_back(Allow("media-relays", IpProtocol::kUdp, 3478, 3481));
  return b;
}

const std::array<FirewallPreset, 4>& Presets() {
  static const std::array<FirewallPreset, 4> presets = {{
      {"deny-inbound",
       {},
       "RFC 6092 section 3 (simple security)",
       "Everything out, answers back in, nothing else in."},
      {"udp-blocked", UdpBlocked(), "RFC 7478 section 2.3.2",
       "As deny-inbound, and no UDP in either direction."},
      {"web-only", WebOnly(),
       "RFC 8835 section 3.4 (networks that leave TURN over TCP or TLS as the only way)",
       "Only TCP to ports 80 and 443 out, and its answers."},
      {"enterprise", Enterprise(),
       "Microsoft Learn, \"Configure network ports and protocols for Microsoft Teams\" (TCP 80 and "
       "443, UDP 3478 to 3481 to the transport relays)",
       "Only TCP to ports 80 and 443 and UDP to relays on ports 3478 to 3481 out, and their "
       "answers."},
  }};
  return presets;
}

}  // namespace

std::span<const FirewallPreset> FirewallPresets() { return Presets(); }

const FirewallPreset* FindFirewallPreset(std::string_view name) {
  const auto it = std::ranges::find(Presets(), name, &FirewallPreset::name);
  return it == Presets().end() ? nullptr : &*it;
}

}  // namespace rtclab::sim
