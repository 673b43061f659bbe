#include "scenarios/language_builder.h"

namespace rtclab::scenarios {

const Type* LanguageBuilder::Nat() {
  const Type* port = Integer(1, 65535);
  const Type* count = Integer(1, 1'000'000'000);
  const Type* behaviours = Object(
      "NAT behaviours", "nat-behaviours",
      {{"preset", Enum("NAT preset", NatPresetNames(), "nat-preset"),
        "What the other keys change. Default: endpoint-independent mapping, address- and "
        "port-dependent filtering."},
       {"mapping", Enum("mapping behaviour", kMappingNames, "nat-dependence"),
        "RFC 4787 section 4.1."},
       {"filtering", Enum("filtering behaviour", kMappingNames, "nat-dependence"),
        "RFC 4787 section 5."},
       {"port_assignment", Enum("port assignment", kPortAssignmentNames),
        "RFC 4787 section 4.2.1."},
       {"port_fallback", Enum("port fallback", kPortFallbackNames),
        "Of preservation, when the port is taken."},
       {"port_overlapping", bool_,
        "One external port serves several destinations (RFC 7857 section 3); needs address- "
        "and port-dependent mapping and filtering."},
       {"port_reuse_delay", duration_, "How long a released port rests (RFC 6888 section 3)."},
       {"port_parity", bool_, "Even ports map to even ones (RFC 4787 section 4.2.2)."},
       {"port_contiguity", bool_, "RTCP's port follows RTP's (RFC 4787 section 4.2.3)."},
       {"port_low", port, "Lowest external port."},
       {"port_high", port, "Highest external port."},
       {"pooling", Enum("pooling behaviour", kPoolingNames), "RFC 4787 section 4.1."},
       {"hairpinning", Enum("hairpinning behaviour", kHairpinningNames), "RFC 4787 section 6."},
       {"refresh", Enum("refresh direction", kRefreshNames), "RFC 4787 section 4.3."},
       {"udp_unreplied_timeout", long_duration_, "Of a UDP session until a reply came."},
       {"udp_timeout", long_duration_, "Of a UDP session after a reply (RFC 4787 section 4.3)."},
       {"icmp_timeout", long_duration_, "Of an ICMP query session (RFC 5508 section 3.2)."},
       {"tcp_transitory_timeout", long_duration_, "RFC 5382 section 5."},
       {"tcp_established_timeout", long_duration_, "RFC 5382 section 5."},
       {"translate_icmp_errors", bool_, "RFC 5508 section 4."},
       {"max_mappings", count, "In all; a packet that needs one more is dropped."},
       {"max_mappings_per_host", count, "RFC 6888 section 3."},
       {"max_sessions_per_mapping", count, "Remote endpoints of one mapping."},
       {"one_to_one", bool_, "A cloud's static translation: ports kept, nothing filtered."},
       {"translate_ipv6", bool_,
        "Otherwise IPv6 is routed and only filtered statefully (RFC 6092)."}});
  return Choice("a NAT: a preset's name or an object of behaviours", "nat",
                {Enum("NAT preset", NatPresetNames(), "nat-preset"), behaviours});
}

const Type* LanguageBuilder::Firewall() {
  const Type* decision = Enum("decision", {"allow", "deny"});
  const Type* ports =
      Choice("a port or a range such as \"5000-5999\"", "ports", {Integer(1, 65535), text_});
  const Type* rule = Object(
      "a firewall rule", "firewall-rule",
      {{"name", name_, "Shows in the reason of a drop.", true},
       {"action", decision, "What happens to a packet that matches.", true},
       {"direction", Enum("direction", {"outbound", "inbound"}), "Seen from the network.", true},
       {"protocol", Enum("protocol", {"udp", "tcp", "icmp", "icmpv6"}), "Default: every protocol."},
       {"remote", text_,
        "Address or prefix on the other side, such as \"203.0.113.0/24\". Default: every address."},
       {"remote_ports", ports, "Default: every port."},
       {"local_ports", ports, "Default: every port."}});
  const Type* rules = Object(
      "firewall rules", "firewall-rules",
      {{"preset", Enum("firewall preset", FirewallPresetNames(), "firewall-preset"),
        "What the other keys change; its rules come after those given here."},
       {"outbound", decision, "Without a matching rule. Default: allow."},
       {"inbound", decision, "Without a matching rule or state. Default: deny."},
       {"stateful", bool_, "Replies to allowed outbound packets pass. Default: true."},
       {"rules", List(rule, 0, 1000, "a list of rules"), "The first one that matches decides."},
       {"udp_timeout", long_duration_, "Of a flow's state. Default: 120 s."},
       {"tcp_timeout", long_duration_, "Of a flow's state. Default: 7440 s."},
       {"icmp_timeout", long_duration_, "Of a flow's state. Default: 60 s."}});
  return Choice("a firewall: a preset's name or an object of rules", "firewall",
                {Enum("firewall preset", FirewallPresetNames(), "firewall-preset"), rules});
}

const Type* LanguageBuilder::Link() {
  const Type* burst =
      Object("burst loss", "burst-loss",
             {{"good_to_bad", share_, "Chance, a packet, to enter the bad state.", true},
              {"bad_to_good", share_, "Chance, a packet, to leave it.", true},
              {"loss_good", share_, "Loss in the good state. Default: 0 %."},
              {"loss_bad", share_, "Loss in the bad state. Default: 100 %."}});
  std::vector<Field> fields = {
      {"rate", rate_, "Default: no limit."},
      {"delay", duration_, "Propagation, one way. Default: 0 ms."},
      {"jitter", duration_,
       "Standard deviation of the extra delay |Normal(0, jitter)|. Default: 0 ms."},
      {"reorder", bool_, "Jitter may reorder packets. Default: false."},
      {"loss", share_, "Independent loss. Default: 0 %."},
      {"burst_loss", burst, "Two-state Markov loss (Gilbert-Elliott). Default: none."},
      {"duplication", share_, "Chance that a packet arrives twice. Default: 0 %."},
      {"corruption", share_, "Chance that a bit flips. Default: 0 %."},
      {"queue_packets", Integer(1, 1'000'000), "Drop-tail queue. Default: 1000."},
      {"queue_delay", long_duration_,
       "Limits the queue to what the link, at its first rate, sends in this time. Needs rate. "
       "Default: no such limit."},
      {"mtu", size_, "Of an IP packet, 576 B to 65535 B. Default: 1500 B."}};
  const Type* direction = Object("one direction of a link", "link-direction", fields);
  fields.insert(fields.begin(), {"preset", Enum("link preset", LinkPresetNames(), "link-preset"),
                                 "What the other keys change. Default: perfect."});
  fields.push_back({"up", direction, "Changes the direction towards the internet only."});
  fields.push_back({"down", direction, "Changes the direction from the internet only."});
  return Choice("a link: a preset's name or an object of figures", "link",
                {Enum("link preset", LinkPresetNames(), "link-preset"),
                 Object("link figures", "link-figures", fields)});
}

const Type* LanguageBuilder::Network() {
  return Object(
      "a network", "network",
      {{"description", text_, "For the reader."},
       {"parent", name_,
        "The network or \"internet\" that its gateway is connected to. Default: internet."},
       {"families", families_, "Default: those of its parent; on the internet, ipv4."},
       {"nat", Nat(), "Default: none."},
       {"external_addresses", Integer(1, 256), "IPv4 addresses in the NAT's pool. Default: 1."},
       {"firewall", Firewall(), "On the gateway, inside of the NAT. Default: none."},
       {"link", Link(), "From the gateway to the parent. Default: perfect."}});
}

const Type* LanguageBuilder::Host() {
  const Type* attachment =
      Choice("a network's name or an object with it", "attachment",
             {name_, Object("an attachment", "attachment-object",
                            {{"network", name_, "A network or \"internet\".", true},
                             {"link", Link(), "Of the host in this network. Default: perfect."}})});
  return Choice(
      "a host: its network's name or an object", "host",
      {name_,
       Object("a host", "host-object",
              {{"description", text_, "For the reader."},
               {"network", name_, "A network or \"internet\" (default)."},
               {"networks", List(attachment, 1, 16, "a list of networks"),
                "Instead of network: a host with several."},
               {"families", families_, "Default: those of its networks; on the internet, ipv4."},
               {"link", Link(), "Between the host and its networks. Default: perfect."}})});
}

const Type* LanguageBuilder::Server() {
  const Type* kind = Enum("kind of server", {"stun", "turn"});
  return Choice(
      "a server: \"stun\", \"turn\" or an object", "server",
      {kind,
       Object(
           "a server", "server-object",
           {{"type", kind, "A turn server answers STUN Binding requests too.", true},
            {"description", text_, "For the reader."},
            {"host", name_,
             "An existing host that it runs on. Default: an own one with the server's name."},
            {"network", name_, "Where its own host is. Default: internet."},
            {"families", families_,
             "Of its own host. Default: ipv4, and ipv6 when any host has it."},
            {"link", Link(), "Of its own host. Default: perfect."},
            {"port", Integer(1, 65534), "Default: 3478."},
            {"behaviour_discovery", bool_,
             "stun: RFC 5780, with two addresses and ports. Default: false, true "
             "when a probe names it."},
            {"username", text_, "turn. Default: rtclab."},
            {"password", text_, "turn. Default: rtclab."},
            {"client_password", text_, "turn: what clients use instead of the right one."},
            {"rest_secret", text_, "turn: time-limited credentials, made from this secret."},
            {"rest_ttl", duration_, "turn: their life from the start of the run. Default: 24 h."},
            {"max_lifetime", long_duration_, "turn: of an allocation. Default: 1 h."},
            {"user_quota", Integer(0, 1'000'000), "turn: allocations a user. Default: no limit."},
            {"allow_private_peers", bool_, "turn: relays to private addresses. Default: false."},
            {"relay_families", families_, "turn: of relayed addresses. Default: ipv4 and ipv6."},
            {"silent", bool_, "Receives and never answers. Default: false."}})});
}

}  // namespace rtclab::scenarios
