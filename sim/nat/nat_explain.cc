#include "sim/nat/nat_explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/nat/nat_impl.h"
#include "sim/nat/nat_rules.h"

namespace rtclab::sim {
namespace {

constexpr std::size_t kRemembered = 1024;
constexpr std::size_t kNamedRemotes = 3;

// The remote endpoints that the inside has sent to by way of an external endpoint, for whichever of the mappings that share
// it, in the order in which they came: "203.0.113.9:3478 and 2 more".
std::string UsedTowards(const NatTable& table, IpProtocol protocol,
                        const TransportAddress& external) {
  std::vector<std::pair<uint64_t, TransportAddress>> used;  // by age
  for (uint32_t m = table.FindExternal(protocol, external); m != NatTable::kNone;
       m = table.mapping(m).next_sharing) {
    for (uint32_t i = table.mapping(m).first; i != NatTable::kNone; i = table.session(i).next) {
      const NatTable::Session& session = table.session(i);
      if (session.permits) used.emplace_back(session.serial, session.remote);
    }
  }
  // Two hosts may have sent to the same one: the first time counts.
  std::ranges::sort(used, {}, [](const auto& u) { return std::pair(u.second, u.first); });
  used.erase(std::unique(used.begin(), used.end(),
                         [](const auto& x, const auto& y) { return x.second == y.second; }),
             used.end());
  std::ranges::sort(used);
  std::string text;
  const std::size_t named = std::min(used.size(), kNamedRemotes);
  for (std::size_t i = 0; i < named; ++i) {
    const TransportAddress& remote = used[i].second;
    if (i > 0) text += ", ";
    text += IsIcmp(protocol) ? remote.ip.ToString() : remote.ToString();
  }
  if (used.size() > named) text += fmt::format(" and {} more", used.size() - named);
  return text;
}

}  // namespace

void ExpiredMappings::Add(const NatTable::Expired& expired) {
  last_.push_back(expired);
  if (last_.size() > kRemembered) last_.pop_front();
}

const NatTable::Expired* ExpiredMappings::Find(IpProtocol protocol,
                                               const TransportAddress& external) const {
  for (auto it = last_.rbegin(); it != last_.rend(); ++it) {
    if (it->mapping.protocol == protocol && it->mapping.external == external) return &*it;
  }
  return nullptr;
}

Verdict Drop(const PacketInfo& packet, const char* rule, std::string detail) {
  Verdict verdict;
  verdict.action = Verdict::Action::kDrop;
  verdict.tuple = packet.tuple;
  if (packet.icmp_error) verdict.embedded = packet.icmp_error->tuple;
  verdict.rule = rule;
  verdict.detail = std::move(detail);
  return verdict;
}

std::string Endpoint(IpProtocol protocol, const TransportAddress& address) {
  if (IsIcmp(protocol)) {
    return fmt::format("{} (identifier {})", address.ip.ToString(), address.port);
  }
  return address.ToString();
}

Verdict DropFiltered(const NatTable& table, uint32_t index, const PacketInfo& packet,
                     const TransportAddress& source, const char* rule) {
  const NatTable::Mapping& mapping = table.mapping(index);
  const std::string used = UsedTowards(table, mapping.protocol, mapping.external);
  return Drop(
      packet, rule,
      fmt::format(
          "{} may not send to mapping {}: the mapping has {}", Endpoint(mapping.protocol, source),
          Endpoint(mapping.protocol, mapping.external),
          used.empty() ? "not been used towards anyone lately" : "only been used towards " + used));
}

Verdict DropNoMapping(const ExpiredMappings& expired, const PacketInfo& packet, bool identity) {
  const FlowTuple& tuple = packet.tuple;
  if (const NatTable::Expired* last = expired.Find(tuple.protocol, tuple.destination)) {
    return Drop(packet, nat_rule::kMappingExpired,
                fmt::format("{} sent to {}, whose mapping to {} expired at {:.3f} s",
                            Endpoint(tuple.protocol, tuple.source),
                            Endpoint(tuple.protocol, tuple.destination),
                            Endpoint(tuple.protocol, last->mapping.internal), last->at.seconds()));
  }
  if (identity) {
    return Drop(packet, nat_rule::kIpv6NoState,
                fmt::format("{} sent to {}, which has sent nothing out by {}",
                            Endpoint(tuple.protocol, tuple.source),
                            Endpoint(tuple.protocol, tuple.destination), ToString(tuple.protocol)));
  }
  return Drop(
      packet, nat_rule::kNoMapping,
      fmt::format("{} sent to {}, which no {} mapping uses", Endpoint(tuple.protocol, tuple.source),
                  Endpoint(tuple.protocol, tuple.destination), ToString(tuple.protocol)));
}

Verdict DropIcmpError(const PacketInfo& packet, bool outbound) {
  const FlowTuple& quoted = packet.icmp_error->tuple;
  return Drop(
      packet, nat_rule::kIcmpNoMatch,
      fmt::format("the {} error from {} (type {}, code {}) quotes a {} packet from {} to {}, "
                  "which no mapping carried {}",
                  ToString(packet.tuple.protocol), packet.tuple.source.ip.ToString(),
                  packet.icmp_error->type, packet.icmp_error->code, ToString(quoted.protocol),
                  Endpoint(quoted.protocol, quoted.source),
                  Endpoint(quoted.protocol, quoted.destination), outbound ? "in" : "out"));
}

}  // namespace rtclab::sim
