#include "scenarios/resolve_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "scenarios/language.h"
#include "scenarios/link_presets.h"
#include "scenarios/structure.h"
#include "sim/firewall/presets.h"
#include "sim/nat/presets.h"

namespace rtclab::scenarios {
namespace {

void ApplyShare(const Node& object, std::string_view key, double& out) {
  With(object, key, [&](const Node& v) { out = QuantityOf(v, QuantityKind::kShare); });
}

void ApplyLinkFigures(const Node& object, sim::LinkBehaviour& link, Report& report) {
  Read(object, "rate", link.rate);
  Read(object, "delay", link.delay);
  Read(object, "jitter", link.jitter);
  Read(object, "reorder", link.reorder);
  ApplyShare(object, "loss", link.loss);
  With(object, "burst_loss", [&](const Node& v) {
    sim::GilbertElliott burst;
    ApplyShare(v, "good_to_bad", burst.p_good_to_bad);
    ApplyShare(v, "bad_to_good", burst.p_bad_to_good);
    ApplyShare(v, "loss_good", burst.loss_good);
    ApplyShare(v, "loss_bad", burst.loss_bad);
    link.burst_loss = burst;
  });
  ApplyShare(object, "duplication", link.duplication);
  ApplyShare(object, "corruption", link.corruption);
  Read(object, "queue_packets", link.queue_packets);
  With(object, "mtu", [&](const Node& v) {
    const double bytes = QuantityOf(v, QuantityKind::kSize);
    if (bytes < 576 || bytes > 65535) {
      report.Add(v.origin,
                 fmt::format("{} is out of range; expected 576 B to 65535 B", Quoted(v.text)));
    }
    link.mtu = static_cast<int>(std::min(bytes, 65535.0));
  });
  for (const auto& [key, value, limit] :
       {std::tuple("delay", link.delay, 60), std::tuple("jitter", link.jitter, 60)}) {
    if (value > TimeDelta::Seconds(limit)) {
      report.Add(object.Find(key)->origin,
                 fmt::format("is more than the {} s that a link may take", limit));
    }
  }
}

// A queue is limited in bytes by what its direction's rate sends in a time: `own`, the direction's object, goes before
// `both`, the link's.
void LimitQueue(const Node& both, const Node* own, sim::LinkBehaviour& link, Report& report) {
  const auto find = [&](const char* key) {
    const Node* value = own == nullptr ? nullptr : own->Find(key);
    return value == nullptr ? both.Find(key) : value;
  };
  const Node* delay = find("queue_delay");
  if (delay == nullptr) return;
  if (link.rate.IsInfinite()) {
    report.Add(delay->origin, "\"queue_delay\" needs a \"rate\"");
    return;
  }
  const double bytes = DurationOf(*delay).millis_f() / 8000 * static_cast<double>(link.rate.bps());
  // At least a packet, or none would wait; at most what a counter of ns-3's queue holds.
  link.queue_bytes = std::llround(std::clamp(bytes, 1500.0, 4e9));
  if (find("queue_packets") == nullptr) link.queue_packets = 1'000'000;
}

// "5000", 5000 or "5000-5999".
std::optional<std::pair<uint16_t, uint16_t>> ReadPorts(const Node& node, Report& report) {
  if (node.IsNumber())
    return std::pair(static_cast<uint16_t>(node.integer), static_cast<uint16_t>(node.integer));
  unsigned low = 0, high = 0;
  const char* const end = node.text.data() + node.text.size();
  auto [at, error] = std::from_chars(node.text.data(), end, low);
  high = low;
  bool good = error == std::errc();
  if (good && at != end) {
    good = *at == '-';
    if (good) {
      const auto second = std::from_chars(at + 1, end, high);
      good = second.ec == std::errc() && second.ptr == end;
    }
  }
  if (!good || low < 1 || high > 65535 || low > high) {
    report.Add(
        node.origin,
        fmt::format("{} is no port or range of ports; expected such as 3478 or \"5000-5999\"",
                    Quoted(node.text)));
    return std::nullopt;
  }
  return std::pair(static_cast<uint16_t>(low), static_cast<uint16_t>(high));
}

void ReadPrefix(const Node& node, sim::FirewallRule& rule, Report& report) {
  const std::string_view text = node.text;
  const auto slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  int length = 0;
  bool good = address.has_value();
  if (good) {
    const int longest = address->IsV4() ? 32 : 128;
    length = longest;
    if (slash != std::string_view::npos) {
      const auto digits = text.substr(slash + 1);
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), length);
      good = error == std::errc() && end == digits.data() + digits.size() && length >= 0 &&
             length <= longest;
    }
  }
  if (!good) {
    report.Add(node.origin,
               fmt::format("{} is no address or prefix; expected such as \"203.0.113.0/24\"",
                           Quoted(text)));
    return;
  }
  rule.remote = *address;
  rule.remote_prefix_length = length;
}

sim::FirewallRule ReadRule(const Node& node, Report& report) {
  sim::FirewallRule rule;
  Read(node, "name", rule.name);
  With(node, "action", [&](const Node& v) { rule.allow = v.text == "allow"; });
  With(node, "direction", [&](const Node& v) {
    rule.direction = v.text == "inbound" ? sim::Direction::kInbound : sim::Direction::kOutbound;
  });
  With(node, "protocol", [&](const Node& v) {
    rule.protocol = v.text == "udp"    ? sim::IpProtocol::kUdp
                    : v.text == "tcp"  ? sim::IpProtocol::kTcp
                    : v.text == "icmp" ? sim::IpProtocol::kIcmp
                                       : sim::IpProtocol::kIcmpv6;
  });
  With(node, "remote", [&](const Node& v) { ReadPrefix(v, rule, report); });
  With(node, "remote_ports", [&](const Node& v) {
    if (const auto ports = ReadPorts(v, report)) {
      rule.remote_port_low = ports->first;
      rule.remote_port_high = ports->second;
    }
  });
  With(node, "local_ports", [&](const Node& v) {
    if (const auto ports = ReadPorts(v, report)) {
      rule.local_port_low = ports->first;
      rule.local_port_high = ports->second;
    }
  });
  return rule;
}

void ApplyNatBehaviours(const Node& node, sim::NatBehaviour& nat) {
  ReadEnum(node, "mapping", kMappingNames, nat.mapping);
  ReadEnum(node, "filtering", kMappingNames, nat.filtering);
  ReadEnum(node, "port_assignment", kPortAssignmentNames, nat.port_assignment);
  ReadEnum(node, "port_fallback", kPortFallbackNames, nat.port_fallback);
  Read(node, "port_overlapping", nat.port_overlapping);
  Read(node, "port_reuse_delay", nat.port_reuse_delay);
  Read(node, "port_parity", nat.port_parity);
  Read(node, "port_contiguity", nat.port_contiguity);
  Read(node, "port_low", nat.port_low);
  Read(node, "port_high", nat.port_high);
  ReadEnum(node, "pooling", kPoolingNames, nat.pooling);
  ReadEnum(node, "hairpinning", kHairpinningNames, nat.hairpinning);
  ReadEnum(node, "refresh", kRefreshNames, nat.refresh);
  Read(node, "udp_unreplied_timeout", nat.udp_unreplied_timeout);
  Read(node, "udp_timeout", nat.udp_timeout);
  Read(node, "icmp_timeout", nat.icmp_timeout);
  Read(node, "tcp_transitory_timeout", nat.tcp_transitory_timeout);
  Read(node, "tcp_established_timeout", nat.tcp_established_timeout);
  Read(node, "translate_icmp_errors", nat.translate_icmp_errors);
  Read(node, "max_mappings", nat.max_mappings);
  Read(node, "max_mappings_per_host", nat.max_mappings_per_host);
  Read(node, "max_sessions_per_mapping", nat.max_sessions_per_mapping);
  Read(node, "one_to_one", nat.one_to_one);
  Read(node, "translate_ipv6", nat.translate_ipv6);
}

}  // namespace

sim::LinkSpec ResolveLink(const Node& node, Report& report) {
  const auto preset = [](const std::string& name) {
    const LinkPreset* found = FindLinkPreset(name);
    return found == nullptr ? sim::LinkSpec{} : found->link;
  };
  if (node.IsString()) return preset(node.text);
  sim::LinkSpec link;
  With(node, "preset", [&](const Node& v) { link = preset(v.text); });
  for (const auto& [key, direction] : {std::pair("up", &link.up), std::pair("down", &link.down)}) {
    ApplyLinkFigures(node, *direction, report);
    const Node* own = node.Find(key);
    if (own != nullptr) ApplyLinkFigures(*own, *direction, report);
    LimitQueue(node, own, *direction, report);
  }
  return link;
}

std::optional<sim::NatBehaviour> ResolveNat(const Node& node, Report& report) {
  std::optional<sim::NatBehaviour> nat;
  const auto preset = [&](const std::string& name) {
    if (const sim::NatPreset* found = sim::FindNatPreset(name)) nat = found->behaviour;
  };
  if (node.IsString()) {
    preset(node.text);
    return nat;
  }
  With(node, "preset", [&](const Node& v) { preset(v.text); });
  if (!nat) nat.emplace();
  ApplyNatBehaviours(node, *nat);
  const bool dependent = nat->mapping == sim::Mapping::kAddressAndPortDependent &&
                         nat->filtering == sim::Filtering::kAddressAndPortDependent;
  if (nat->port_overlapping && !dependent) {
    const Node* at = node.Find("port_overlapping");
    report.Add(at == nullptr ? node.origin : at->origin,
               "port_overlapping needs address-and-port-dependent mapping and filtering");
  }
  if (nat->port_low > nat->port_high) {
    const Node* at =
        node.Find("port_low") != nullptr ? node.Find("port_low") : node.Find("port_high");
    report.Add(at == nullptr ? node.origin : at->origin,
               fmt::format("the lowest external port {} is above the highest, {}", nat->port_low,
                           nat->port_high));
  }
  return nat;
}

std::optional<sim::FirewallBehaviour> ResolveFirewall(const Node& node, Report& report) {
  std::optional<sim::FirewallBehaviour> firewall;
  const auto preset = [&](const std::string& name) {
    if (const sim::FirewallPreset* found = sim::FindFirewallPreset(name))
      firewall = found->behaviour;
  };
  if (node.IsString()) {
    preset(node.text);
    return firewall;
  }
  With(node, "preset", [&](const Node& v) { preset(v.text); });
  if (!firewall) firewall.emplace();
  With(node, "outbound",
       [&](const Node& v) { firewall->default_allow_outbound = v.text == "allow"; });
  With(node, "inbound",
       [&](const Node& v) { firewall->default_allow_inbound = v.text == "allow"; });
  Read(node, "stateful", firewall->stateful);
  With(node, "rules", [&](const Node& list) {
    std::vector<sim::FirewallRule> rules;
    for (const Node& item : list.items) {
      sim::FirewallRule rule = ReadRule(item, report);
      for (const sim::FirewallRule& other : rules) {
        if (other.name == rule.name) {
          report.Add(item.Find("name")->origin,
                     fmt::format("a rule named {} is already there", Quoted(rule.name)));
        }
      }
      rules.push_back(std::move(rule));
    }
    firewall->rules.insert(firewall->rules.begin(), rules.begin(), rules.end());
  });
  Read(node, "udp_timeout", firewall->udp_timeout);
  Read(node, "tcp_timeout", firewall->tcp_timeout);
  Read(node, "icmp_timeout", firewall->icmp_timeout);
  return firewall;
}

Families ReadFamilies(const Node& list, Report& report) {
  Families out;
  for (const Node& item : list.items) {
    bool& family = item.text == "ipv4" ? out.ipv4 : out.ipv6;
    if (family)
      report.Add(item.origin, fmt::format("the family {} is given twice", Quoted(item.text)));
    family = true;
  }
  return out;
}

bool NetworkResolver::NameIsFree(const std::string& name, OriginId origin) {
  if (name == kInternet) {
    report_.Add(origin, "the name \"internet\" belongs to the core; choose another", true);
    return false;
  }
  const bool lan = lans_.contains(name), host = hosts_.contains(name);
  if (!lan && !host) return true;
  report_.Add(
      origin,
      fmt::format(
          "the name {} already belongs to a {}; networks, hosts and the hosts of servers need "
          "different names",
          Quoted(name), lan ? "network" : "host"),
      true);
  return false;
}

void NetworkResolver::AddNetworks(const Node& networks) {
  for (const Member& member : networks.members) {
    if (!NameIsFree(member.key, member.value.origin)) continue;
    sim::LanSpec lan;
    lan.name = member.key;
    With(member.value, "nat", [&](const Node& v) { lan.nat = ResolveNat(v, report_); });
    With(member.value, "external_addresses", [&](const Node& v) {
      lan.external_addresses = static_cast<int>(v.integer);
      if (!lan.nat && lan.external_addresses > 1)
        report_.Add(v.origin, "needs a NAT in this network");
    });
    With(member.value, "firewall",
         [&](const Node& v) { lan.firewall = ResolveFirewall(v, report_); });
    With(member.value, "link", [&](const Node& v) { lan.uplink = ResolveLink(v, report_); });
    lans_.emplace(lan.name, spec_.lans.size());
    spec_.lans.push_back(std::move(lan));
  }
  LinkParents(networks);
  InheritFamilies(networks);
}

void NetworkResolver::LinkParents(const Node& networks) {
  for (sim::LanSpec& lan : spec_.lans) {
    With(*networks.Find(lan.name), "parent", [&](const Node& v) {
      if (v.text == kInternet) return;
      if (lans_.contains(v.text)) {
        lan.parent = v.text;
        return;
      }
      std::vector<std::string> names = LanNames();
      names.emplace_back(kInternet);
      report_.Add(v.origin,
                  fmt::format("unknown network {}{}", Quoted(v.text), Suggestion(v.text, names)));
    });
  }
  for (std::size_t i = 0; i < spec_.lans.size(); ++i) BreakCycle(networks, i);
}

// Reports the cycle that the network is on, if any, and cuts it there.
void NetworkResolver::BreakCycle(const Node& networks, std::size_t first) {
  sim::LanSpec& lan = spec_.lans[first];
  std::string path = lan.name;
  std::size_t at = first;
  for (std::size_t steps = 0; steps <= spec_.lans.size() && !spec_.lans[at].parent.empty();
       ++steps) {
    at = lans_.at(spec_.lans[at].parent);
    if (path.size() < 200) path += " -> " + spec_.lans[at].name;
    if (at != first) continue;
    report_.Add(networks.Find(lan.name)->Find("parent")->origin,
                fmt::format("the network \"{}\" is its own ancestor ({})", lan.name, path));
    lan.parent.clear();
    return;
  }
}

void NetworkResolver::InheritFamilies(const Node& networks) {
  std::vector<bool> done(spec_.lans.size(), false);
  for (std::size_t i = 0; i < spec_.lans.size(); ++i) {
    std::vector<std::size_t> path = {i};  // from the network up to one that is done, or to the top
    while (!done[path.back()] && !spec_.lans[path.back()].parent.empty()) {
      path.push_back(lans_.at(spec_.lans[path.back()].parent));
    }
    for (; !path.empty(); path.pop_back()) {
      sim::LanSpec& lan = spec_.lans[path.back()];
      if (done[path.back()]) continue;
      done[path.back()] = true;
      const sim::LanSpec* parent = lan.parent.empty() ? nullptr : &spec_.lans[lans_.at(lan.parent)];
      const Node* given = networks.Find(lan.name)->Find("families");
      Families families = parent == nullptr ? Families{.ipv4 = true, .ipv6 = false}
                                            : Families{.ipv4 = parent->ipv4, .ipv6 = parent->ipv6};
      if (given != nullptr) {
        const Families wanted = ReadFamilies(*given, report_);
        if (parent != nullptr &&
            ((wanted.ipv4 && !parent->ipv4) || (wanted.ipv6 && !parent->ipv6))) {
          report_.Add(given->origin, fmt::format("the parent network \"{}\" has only {}",
                                                 parent->name, parent->ipv4 ? "ipv4" : "ipv6"));
        }
        families = wanted;
      }
      lan.ipv4 = families.ipv4;
      lan.ipv6 = families.ipv6;
    }
  }
}

bool NetworkResolver::Attach(sim::HostSpec& host, const Node& network_name,
                             const sim::LinkSpec& link) {
  sim::AttachmentSpec attachment{.lan = network_name.text == kInternet ? "" : network_name.text,
                                 .access = link};
  if (!attachment.lan.empty() && !lans_.contains(attachment.lan)) {
    std::vector<std::string> names = LanNames();
    names.emplace_back(kInternet);
    report_.Add(network_name.origin, fmt::format("unknown network {}{}", Quoted(network_name.text),
                                                 Suggestion(network_name.text, names)));
    return false;
  }
  for (const sim::AttachmentSpec& other : host.attachments) {
    if (other.lan != attachment.lan) continue;
    report_.Add(network_name.origin,
                fmt::format("the host is in the network {} already", Quoted(network_name.text)));
    return false;
  }
  host.attachments.push_back(std::move(attachment));
  return true;
}

void NetworkResolver::SetFamilies(sim::HostSpec& host, const Node& node, Families on_internet) {
  Families available;
  bool internet = false;
  for (const sim::AttachmentSpec& attachment : host.attachments) {
    const sim::LanSpec* lan = FindLan(attachment.lan);
    internet |= lan == nullptr;
    available.ipv4 |= lan == nullptr ? on_internet.ipv4 : lan->ipv4;
    available.ipv6 |= lan == nullptr ? on_internet.ipv6 : lan->ipv6;
  }
  Families families = available;
  if (const Node* given = node.IsObject() ? node.Find("families") : nullptr) {
    families = ReadFamilies(*given, report_);
    if (!internet && ((families.ipv4 && !available.ipv4) || (families.ipv6 && !available.ipv6))) {
      report_.Add(given->origin,
                  fmt::format("no network of the host has {}; they have only {}",
                              available.ipv4 ? "ipv6" : "ipv4", available.ipv4 ? "ipv4" : "ipv6"));
    }
  }
  host.ipv4 = families.ipv4;
  host.ipv6 = families.ipv6;
}

void NetworkResolver::AddHost(const std::string& name, const Node& node) {
  NameIsFree(name, node.origin);  // if not, the host is still there for whatever refers to it
  sim::HostSpec host;
  host.name = name;
  if (node.IsString()) {
    Attach(host, node, {});
  } else {
    const Node* one = node.Find("network");
    const Node* several = node.Find("networks");
    sim::LinkSpec link;
    With(node, "link", [&](const Node& v) { link = ResolveLink(v, report_); });
    if (one != nullptr && several != nullptr) {
      report_.Add(several->origin, "a host has either \"network\" or \"networks\"", true);
    } else if (one != nullptr) {
      Attach(host, *one, link);
    } else if (several != nullptr) {
      for (const Node& item : several->items) {
        const Node* own = item.IsObject() ? item.Find("link") : nullptr;
        Attach(host, item.IsObject() ? *item.Find("network") : item,
               own == nullptr ? link : ResolveLink(*own, report_));
      }
    } else {
      host.attachments.push_back({.lan = "", .access = link});
    }
  }
  // After an unknown network there is nothing to hold families against.
  if (!host.attachments.empty()) SetFamilies(host, node, {.ipv4 = true, .ipv6 = false});
  hosts_.emplace(name, spec_.hosts.size());
  spec_.hosts.push_back(std::move(host));
}

void NetworkResolver::AddServerHost(const std::string& name, const Node& node, Families fallback) {
  NameIsFree(name, node.origin);
  if (hosts_.contains(name)) return;
  sim::HostSpec host;
  host.name = name;
  sim::LinkSpec link;
  if (node.IsObject()) With(node, "link", [&](const Node& v) { link = ResolveLink(v, report_); });
  if (const Node* network = node.IsObject() ? node.Find("network") : nullptr) {
    Attach(host, *network, link);
  } else {
    host.attachments.push_back({.lan = "", .access = link});
  }
  if (!host.attachments.empty()) SetFamilies(host, node, fallback);
  hosts_.emplace(name, spec_.hosts.size());
  spec_.hosts.push_back(std::move(host));
}

sim::HostSpec* NetworkResolver::FindHost(const std::string& name) {
  const auto found = hosts_.find(name);
  return found == hosts_.end() ? nullptr : &spec_.hosts[found->second];
}

const sim::LanSpec* NetworkResolver::FindLan(const std::string& name) const {
  const auto found = lans_.find(name);
  return found == lans_.end() ? nullptr : &spec_.lans[found->second];
}

bool NetworkResolver::has_ipv6_host() const {
  return std::any_of(spec_.hosts.begin(), spec_.hosts.end(),
                     [](const sim::HostSpec& h) { return h.ipv6; });
}

std::vector<std::string> NetworkResolver::HostNames() const {
  std::vector<std::string> names;
  for (const sim::HostSpec& host : spec_.hosts) names.push_back(host.name);
  return names;
}

std::vector<std::string> NetworkResolver::LanNames() const {
  std::vector<std::string> names;
  for (const sim::LanSpec& lan : spec_.lans) names.push_back(lan.name);
  return names;
}

}  // namespace rtclab::scenarios
