#include "sim/firewall/firewall.h"

#include <fmt/format.h>
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "sim/firewall/firewall_rules.h"
#include "sim/trace/flow_map.h"
#include "sim/trace/tcp_session.h"

namespace rtclab::sim {
namespace {

bool IsIcmp(IpProtocol protocol) {
  return protocol == IpProtocol::kIcmp || protocol == IpProtocol::kIcmpv6;
}

// A flow seen from the protected network.
struct Ends {
  IpProtocol protocol = IpProtocol::kUdp;
  TransportAddress local, remote;
};

Ends EndsOf(const FlowTuple& tuple, Direction direction) {
  return direction == Direction::kOutbound ? Ends{tuple.protocol, tuple.source, tuple.destination}
                                           : Ends{tuple.protocol, tuple.destination, tuple.source};
}

bool InRange(uint16_t port, const std::optional<uint16_t>& low,
             const std::optional<uint16_t>& high) {
  if (!low && !high) return true;
  return port >= low.value_or(0) && port <= (high ? *high : *low);
}

bool Matches(const FirewallRule& rule, Direction direction, const Ends& ends) {
  if (rule.direction != direction) return false;
  if (rule.protocol && *rule.protocol != ends.protocol) return false;
  if (rule.remote && !ends.remote.ip.InPrefix(*rule.remote, rule.remote_prefix_length))
    return false;
  const bool names_ports =
      rule.remote_port_low || rule.remote_port_high || rule.local_port_low || rule.local_port_high;
  if (IsIcmp(ends.protocol)) return !names_ports;
  return InRange(ends.remote.port, rule.remote_port_low, rule.remote_port_high) &&
         InRange(ends.local.port, rule.local_port_low, rule.local_port_high);
}

// Whether the packet may be the first of a flow.
bool CanStart(const PacketInfo& packet) {
  if (packet.tuple.protocol == IpProtocol::kTcp) return packet.tcp_syn && !packet.tcp_ack;
  return !IsIcmp(packet.tuple.protocol) || !packet.icmp_echo_reply;
}

// "UDP from 203.0.113.9:3478 to 192.0.2.10:40000"
std::string Describe(const FlowTuple& tuple) {
  if (IsIcmp(tuple.protocol)) {
    return fmt::format("{} from {} to {}", ToString(tuple.protocol), tuple.source.ip.ToString(),
                       tuple.destination.ip.ToString());
  }
  return fmt::format("{} from {} to {}", ToString(tuple.protocol), tuple.source.ToString(),
                     tuple.destination.ToString());
}

}  // namespace

class Firewall::Impl {
 public:
  explicit Impl(const FirewallBehaviour& behaviour) : behaviour_(behaviour) {
    for (const FirewallRule& rule : behaviour_.rules) {
      rule_ids_.push_back(firewall_rule::kNamedRulePrefix + rule.name);
    }
  }

  Verdict Judge(Timestamp now, const PacketInfo& packet, Direction direction) {
    if (packet.icmp_error) return JudgeError(now, packet, direction);
    const Ends ends = EndsOf(packet.tuple, direction);
    if (behaviour_.stateful) {
      const uint32_t flow = Find(now, ends);
      if (flow != FlowMap::kNone) {
        Touch(now, flow, packet, direction);
        return Pass(packet);
      }
    }
    const std::size_t rule = FirstMatch(direction, ends);
    const bool matched = rule < behaviour_.rules.size();
    if (matched && !behaviour_.rules[rule].allow) return DropByRule(packet, rule);
    if (behaviour_.stateful && !CanStart(packet)) {
      return Drop(packet, firewall_rule::kNoState,
                  fmt::format("{} belongs to no flow", Describe(packet.tuple)));
    }
    if (!matched && !DefaultAllows(direction)) return DropByDefault(packet, direction);
    if (behaviour_.stateful) Touch(now, Add(now, ends), packet, direction);
    return Pass(packet);
  }

  const FirewallBehaviour& behaviour() const { return behaviour_; }

 private:
  struct Flow {
    FlowKey key;
    Timestamp expires;
    TcpSession tcp;
    bool used = false;
  };

  static FlowKey KeyOf(const Ends& ends) {
    return {ends.protocol, ends.local,
            IsIcmp(ends.protocol) ? TransportAddress{ends.remote.ip, 0} : ends.remote};
  }

  // What expired at `now` is not found, whether or not it was swept yet.
  uint32_t Find(Timestamp now, const Ends& ends) const {
    const uint32_t flow = by_key_.Find(KeyOf(ends));
    return flow == FlowMap::kNone || flows_[flow].expires <= now ? FlowMap::kNone : flow;
  }

  uint32_t Add(Timestamp now, const Ends& ends) {
    const FlowKey key = KeyOf(ends);
    uint32_t flow = by_key_.Find(key);  // one that has expired
    if (flow == FlowMap::kNone) {
      if (by_key_.size() >= sweep_at_) Sweep(now);
      if (free_.empty()) {
        flow = static_cast<uint32_t>(flows_.size());
        flows_.emplace_back();
      } else {
        flow = free_.back();
        free_.pop_back();
      }
      by_key_.Set(key, flow);
    }
    flows_[flow] = {key, Timestamp::PlusInfinity(), {}, true};
    return flow;
  }

  // Keeps the table within twice the live flows, at a constant cost a new flow.
  void Sweep(Timestamp now) {
    for (uint32_t i = 0; i < flows_.size(); ++i) {
      if (!flows_[i].used || flows_[i].expires > now) continue;
      by_key_.Erase(flows_[i].key);
      flows_[i].used = false;
      free_.push_back(i);
    }
    sweep_at_ = std::max<std::size_t>(kSmallTable, by_key_.size() * 2);
  }

  void Touch(Timestamp now, uint32_t index, const PacketInfo& packet, Direction direction) {
    Flow& flow = flows_[index];
    TimeDelta timeout = behaviour_.icmp_timeout;
    if (packet.tuple.protocol == IpProtocol::kUdp) timeout = behaviour_.udp_timeout;
    if (packet.tuple.protocol == IpProtocol::kTcp) {
      flow.tcp.HandlePacket(direction == Direction::kOutbound, packet);
      timeout = flow.tcp.transitory() ? behaviour_.tcp_transitory_timeout : behaviour_.tcp_timeout;
    }
    // RFC 7857 section 2.2: a RST shortens a session's life and never lengthens it.
    flow.expires = packet.tcp_rst ? std::min(flow.expires, now + timeout) : now + timeout;
  }

  // An error passes when the packet that it quotes belongs to a flow: RFC 6092 section 3.2.1 REC-10.
  Verdict JudgeError(Timestamp now, const PacketInfo& packet, Direction direction) {
    const Direction of_quoted =
        direction == Direction::kOutbound ? Direction::kInbound : Direction::kOutbound;
    const FlowTuple& quoted = packet.icmp_error->tuple;
    if (behaviour_.stateful && Find(now, EndsOf(quoted, of_quoted)) != FlowMap::kNone) {
      return Pass(packet);
    }
    const std::size_t rule = FirstMatch(direction, EndsOf(packet.tuple, direction));
    if (rule < behaviour_.rules.size()) {
      return behaviour_.rules[rule].allow ? Pass(packet) : DropByRule(packet, rule);
    }
    if (behaviour_.stateful) {
      return Drop(packet, firewall_rule::kIcmpNoMatch,
                  fmt::format("{} (type {}, code {}) quotes {}, which belongs to no flow",
                              Describe(packet.tuple), packet.icmp_error->type,
                              packet.icmp_error->code, Describe(quoted)));
    }
    return DefaultAllows(direction) ? Pass(packet) : DropByDefault(packet, direction);
  }

  // Its number, or the number of rules.
  std::size_t FirstMatch(Direction direction, const Ends& ends) const {
    const auto it = std::ranges::find_if(
        behaviour_.rules, [&](const FirewallRule& rule) { return Matches(rule, direction, ends); });
    return static_cast<std::size_t>(it - behaviour_.rules.begin());
  }

  bool DefaultAllows(Direction direction) const {
    return direction == Direction::kOutbound ? behaviour_.default_allow_outbound
                                             : behaviour_.default_allow_inbound;
  }

  static Verdict Pass(const PacketInfo& packet) {
    Verdict verdict;
    verdict.tuple = packet.tuple;
    if (packet.icmp_error) verdict.embedded = packet.icmp_error->tuple;
    return verdict;
  }

  static Verdict Drop(const PacketInfo& packet, const char* rule, std::string detail) {
    Verdict verdict = Pass(packet);
    verdict.action = Verdict::Action::kDrop;
    verdict.rule = rule;
    verdict.detail = std::move(detail);
    return verdict;
  }

  Verdict DropByRule(const PacketInfo& packet, std::size_t rule) const {
    return Drop(packet, rule_ids_[rule].c_str(),
                fmt::format("{} is denied by the rule \"{}\"", Describe(packet.tuple),
                            behaviour_.rules[rule].name));
  }

  Verdict DropByDefault(const PacketInfo& packet, Direction direction) const {
    const bool out = direction == Direction::kOutbound;
    const char* reason = "";
    if (behaviour_.stateful) reason = out ? " and it answers no flow" : " and no flow waits for it";
    return Drop(packet, out ? firewall_rule::kDefaultDenyOut : firewall_rule::kDefaultDenyIn,
                fmt::format("{}: no rule allows it {}{}", Describe(packet.tuple),
                            out ? "out" : "in", reason));
  }

  static constexpr std::size_t kSmallTable = 64;

  const FirewallBehaviour behaviour_;
  std::vector<std::string> rule_ids_;  // of behaviour_.rules, one each
  FlowMap by_key_;
  std::vector<Flow> flows_;
  std::vector<uint32_t> free_;
  std::size_t sweep_at_ = kSmallTable;
};

Firewall::Firewall(const FirewallBehaviour& behaviour) : impl_(std::make_unique<Impl>(behaviour)) {}
Firewall::~Firewall() = default;
Firewall::Firewall(Firewall&&) noexcept = default;
Firewall& Firewall::operator=(Firewall&&) noexcept = default;

Verdict Firewall::Outbound(Timestamp now, const PacketInfo& packet) {
  return impl_->Judge(now, packet, Direction::kOutbound);
}
Verdict Firewall::Inbound(Timestamp now, const PacketInfo& packet) {
  return impl_->Judge(now, packet, Direction::kInbound);
}
const FirewallBehaviour& Firewall::behaviour() const { return impl_->behaviour(); }

}  // namespace rtclab::sim
