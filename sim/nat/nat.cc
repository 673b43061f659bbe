#include "sim/nat/nat.h"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>

#include "sim/nat/nat_impl.h"
#include "sim/nat/nat_rules.h"
#include "stack/base/check.h"

namespace rtclab::sim {

std::optional<std::string> FindContradiction(const NatBehaviour& b) {
  if (b.port_low == 0) return "the lowest external port must be at least 1";
  if (b.port_low > b.port_high) {
    return fmt::format("the lowest external port, {}, lies above the highest, {}", b.port_low,
                       b.port_high);
  }
  const TimeDelta timeouts[] = {b.udp_unreplied_timeout, b.udp_timeout, b.icmp_timeout,
                                b.tcp_transitory_timeout, b.tcp_established_timeout};
  for (const TimeDelta timeout : timeouts) {
    if (timeout <= TimeDelta::Zero()) return "every timeout must be longer than zero";
  }
  if (b.port_reuse_delay < TimeDelta::Zero()) return "the port reuse delay must not be negative";
  if (b.max_mappings < 0 || b.max_mappings_per_host < 0 || b.max_sessions_per_mapping < 0) {
    return "no limit may be negative";
  }
  // Overlapping mappings are told apart by their destinations alone.
  if (b.port_overlapping && (b.mapping != Mapping::kAddressAndPortDependent ||
                             b.filtering != Filtering::kAddressAndPortDependent)) {
    return "overlapping ports need address-and-port-dependent mapping and filtering";
  }
  return std::nullopt;
}

Nat::Nat(const NatBehaviour& behaviour, std::vector<IpAddress> external, Rng rng)
    : impl_(std::make_unique<Impl>(behaviour, std::move(external), rng)) {}
Nat::~Nat() = default;
Nat::Nat(Nat&&) noexcept = default;
Nat& Nat::operator=(Nat&&) noexcept = default;

Verdict Nat::Outbound(Timestamp now, const PacketInfo& packet) {
  return impl_->Outbound(now, packet);
}
Verdict Nat::Inbound(Timestamp now, const PacketInfo& packet) {
  return impl_->Inbound(now, packet);
}
void Nat::AssignOneToOne(const IpAddress& internal, const IpAddress& external) {
  impl_->AssignOneToOne(internal, external);
}
const NatBehaviour& Nat::behaviour() const { return impl_->behaviour(); }
const std::vector<IpAddress>& Nat::external_addresses() const { return impl_->external(); }
bool Nat::IsExternal(const IpAddress& address) const { return impl_->IsExternal(address); }
std::vector<NatMapping> Nat::Mappings(Timestamp now) const { return impl_->Mappings(now); }

Nat::Impl::Impl(const NatBehaviour& behaviour, std::vector<IpAddress> external, Rng rng)
    : behaviour_(behaviour),
      external_(std::move(external)),
      rng_(rng),
      ports_(behaviour, external_.size()) {
  CHECK(!FindContradiction(behaviour));
}

bool Nat::Impl::IsExternal(const IpAddress& address) const {
  return std::ranges::find(external_, address) != external_.end();
}

void Nat::Impl::Advance(Timestamp now) {
  if (table_.Advance(now)) {
    for (const NatTable::Expired& expired : table_.Released()) {
      const NatTable::Mapping& m = expired.mapping;
      if (!m.identity) {
        ports_.Release(m.protocol, m.address_index, m.external.port, m.internal.ip, expired.at);
      }
      const FlowKey host(m.internal.ip);
      const uint32_t left = mappings_of_host_.Find(host) - 1;
      left == 0 ? mappings_of_host_.Erase(host) : mappings_of_host_.Set(host, left);
      expired_.Add(expired);
    }
  }
  ports_.Advance(now);
}

Verdict Nat::Impl::Outbound(Timestamp now, const PacketInfo& packet) {
  Advance(now);
  const FlowTuple& tuple = packet.tuple;
  if (behaviour_.one_to_one && !IsIdentity(tuple.source.ip)) return OutboundOneToOne(packet);
  if (packet.icmp_error) return OutboundError(packet);
  const TransportAddress remote = RemoteKey(tuple.protocol, tuple.destination);
  uint32_t index = table_.FindOutbound(tuple.protocol, tuple.source, remote);
  if (index == kNone) {
    auto opened = OpenSession(packet, remote);
    if (!opened) return std::move(opened.error());
    index = *opened;
  }
  Touch(now, index, packet, true);
  if (behaviour_.port_assignment == PortAssignment::kOverloading) table_.Claim(index);

  const NatTable::Session& session = table_.session(index);
  const TransportAddress external = table_.mapping(session.mapping).external;
  if (session.hairpin) {
    Verdict verdict = Deliver(now, packet, external);
    if (verdict.dropped()) return verdict;
    verdict.action = Verdict::Action::kHairpin;
    const bool keep = behaviour_.hairpinning == Hairpinning::kInternalSource;
    verdict.tuple.source = keep ? tuple.source : external;
    return verdict;
  }
  Verdict verdict;
  verdict.tuple = tuple;
  verdict.tuple.source = external;
  if (IsIcmp(tuple.protocol)) verdict.tuple.destination.port = external.port;
  return verdict;
}

Verdict Nat::Impl::Inbound(Timestamp now, const PacketInfo& packet) {
  Advance(now);
  const IpAddress& destination = packet.tuple.destination.ip;
  if (!IsIdentity(destination)) {
    if (!IsExternal(destination)) {
      return Drop(packet, nat_rule::kNotExternalAddress,
                  fmt::format("{} is not one of the NAT's addresses", destination.ToString()));
    }
    if (behaviour_.one_to_one) {
      Verdict verdict;
      verdict.tuple = packet.tuple;
      if (packet.icmp_error) verdict.embedded = packet.icmp_error->tuple;
      return InboundOneToOne(packet, std::move(verdict));
    }
  }
  if (packet.icmp_error) return InboundError(packet, packet.icmp_error->tuple);
  return Deliver(now, packet, packet.tuple.source);
}

Verdict Nat::Impl::Deliver(Timestamp now, const PacketInfo& packet,
                           const TransportAddress& source) {
  const FlowTuple& tuple = packet.tuple;
  uint32_t index =
      table_.FindInbound(tuple.protocol, tuple.destination, RemoteKey(tuple.protocol, source));
  if (index == kNone ||
      !(table_.session(index).permits || behaviour_.filtering == Filtering::kEndpointIndependent)) {
    auto admitted = Admit(packet, source);
    if (!admitted) return std::move(admitted.error());
    index = *admitted;
  }
  Touch(now, index, packet, false);
  const TransportAddress& internal = table_.mapping(table_.session(index).mapping).internal;
  Verdict verdict;
  verdict.tuple = tuple;
  verdict.tuple.destination = internal;
  if (IsIcmp(tuple.protocol)) verdict.tuple.source.port = internal.port;
  return verdict;
}

// RFC 4787 section 4.1.
TransportAddress Nat::Impl::ScopeOf(const TransportAddress& remote, bool identity) const {
  if (identity) return {};
  switch (behaviour_.mapping) {
    case Mapping::kEndpointIndependent:
      return {};
    case Mapping::kAddressDependent:
      return {remote.ip, 0};
    case Mapping::kAddressAndPortDependent:
      return remote;
  }
  return {};
}

Nat::Impl::Found Nat::Impl::OpenSession(const PacketInfo& packet, const TransportAddress& remote) {
  const FlowTuple& tuple = packet.tuple;
  const bool identity = IsIdentity(tuple.source.ip);
  const bool hairpin = !identity && IsExternal(tuple.destination.ip);
  // RFC 5508 REQ-7 asks hairpinned queries of one-to-one NATs only; a NAT with ports answers them itself.
  if (hairpin && (behaviour_.hairpinning == Hairpinning::kNone || IsIcmp(tuple.protocol))) {
    return tl::unexpected(Drop(packet, nat_rule::kHairpinUnsupported,
                               fmt::format("{} sent to {}, an external address of its own NAT",
                                           Endpoint(tuple.protocol, tuple.source),
                                           Endpoint(tuple.protocol, tuple.destination))));
  }
  if (IsIcmp(tuple.protocol) && packet.icmp_echo_reply) {
    return tl::unexpected(
        Drop(packet, nat_rule::kIcmpNoMatch,
             fmt::format("the echo reply from {} to {} answers no request",
                         tuple.source.ip.ToString(), tuple.destination.ip.ToString())));
  }
  if (tuple.protocol == IpProtocol::kTcp && !packet.tcp_syn) {
    return tl::unexpected(Drop(packet, nat_rule::kTcpNoSession,
                               fmt::format("{} sent a TCP segment that is no SYN to {} without a "
                                           "connection",
                                           tuple.source.ToString(), tuple.destination.ToString())));
  }
  const TransportAddress scope = ScopeOf(remote, identity);
  uint32_t mapping = table_.FindMapping(tuple.protocol, tuple.source, scope);
  const int sessions = mapping == kNone ? 0 : table_.mapping(mapping).sessions;
  if (sessions >= behaviour_.max_sessions_per_mapping) {
    return tl::unexpected(Drop(packet, nat_rule::kSessionLimit,
                               fmt::format("{} already sends to {} remote endpoints",
                                           Endpoint(tuple.protocol, tuple.source), sessions)));
  }
  if (mapping == kNone) {
    auto opened = OpenMapping(packet, remote, scope, identity);
    if (!opened) return opened;
    mapping = *opened;
  }
  const uint32_t session = table_.AddSession(mapping, remote, true);
  table_.session(session).hairpin = hairpin;
  return session;
}

Nat::Impl::Found Nat::Impl::OpenMapping(const PacketInfo& packet, const TransportAddress& remote,
                                        const TransportAddress& scope, bool identity) {
  const TransportAddress& internal = packet.tuple.source;
  if (table_.mapping_count() >= behaviour_.max_mappings) {
    return tl::unexpected(
        Drop(packet, nat_rule::kMappingLimit,
             fmt::format("{} needs a mapping and the NAT holds {} already",
                         Endpoint(packet.tuple.protocol, internal), table_.mapping_count())));
  }
  const FlowKey host(internal.ip);
  const uint32_t found = mappings_of_host_.Find(host);
  const uint32_t of_host = found == kNone ? 0 : found;
  if (static_cast<int>(of_host) >= behaviour_.max_mappings_per_host) {
    return tl::unexpected(Drop(packet, nat_rule::kHostMappingLimit,
                               fmt::format("{} needs a mapping and its host has {} already",
                                           Endpoint(packet.tuple.protocol, internal), of_host)));
  }
  NatTable::Mapping mapping;
  mapping.protocol = packet.tuple.protocol;
  mapping.internal = internal;
  mapping.scope = scope;
  mapping.identity = identity;
  if (identity) {
    mapping.external = internal;
  } else {
    const auto address = ChooseEndpoint(packet, remote, scope, mapping.external);
    if (!address) return tl::unexpected(address.error());
    mapping.address_index = *address;
    ports_.Take(mapping.protocol, *address, mapping.external.port);
  }
  mappings_of_host_.Set(host, of_host + 1);
  return table_.AddMapping(mapping);
}

tl::expected<std::size_t, Verdict> Nat::Impl::ChooseEndpoint(const PacketInfo& packet,
                                                             const TransportAddress& remote,
                                                             const TransportAddress& scope,
                                                             TransportAddress& endpoint) {
  const std::vector<std::size_t> addresses = AddressesFor(packet.tuple.source.ip);
  if (addresses.empty()) {
    return tl::unexpected(Drop(packet, nat_rule::kNoExternalAddress,
                               fmt::format("{} needs a mapping and the NAT has no external {} "
                                           "address",
                                           Endpoint(packet.tuple.protocol, packet.tuple.source),
                                           packet.tuple.source.ip.IsV6() ? "IPv6" : "IPv4")));
  }
  for (const std::size_t address : addresses) {
    if (const auto port = ChoosePort(address, packet, remote, scope)) {
      endpoint = {external_[address], *port};
      return address;
    }
  }
  return tl::unexpected(
      Drop(packet, nat_rule::kPortExhausted,
           fmt::format("{} needs a mapping and no {} port is free on {}{}",
                       Endpoint(packet.tuple.protocol, packet.tuple.source),
                       ToString(packet.tuple.protocol), external_[addresses.front()].ToString(),
                       addresses.size() > 1 ? " or any other external address" : "")));
}

std::optional<uint16_t> Nat::Impl::ChoosePort(std::size_t address, const PacketInfo& packet,
                                              const TransportAddress& remote,
                                              const TransportAddress& scope) {
  const FlowTuple& tuple = packet.tuple;
  PortAllocator::Request request;
  request.protocol = tuple.protocol;
  request.internal = tuple.source;
  request.free_towards_destination = [&](uint16_t port) {
    return table_.FindInbound(tuple.protocol, {external_[address], port}, remote) == kNone;
  };
  // RFC 4787 section 4.2.3: RTCP's port follows RTP's.
  if (behaviour_.port_contiguity && tuple.protocol == IpProtocol::kUdp && tuple.source.port % 2) {
    const TransportAddress below{tuple.source.ip, static_cast<uint16_t>(tuple.source.port - 1)};
    const uint32_t rtp = table_.FindMapping(tuple.protocol, below, scope);
    if (rtp != kNone && table_.mapping(rtp).address_index == address &&
        table_.mapping(rtp).external.port < behaviour_.port_high) {
      request.contiguous = static_cast<uint16_t>(table_.mapping(rtp).external.port + 1);
    }
  }
  return ports_.Choose(address, request, rng_);
}

// RFC 4787 section 4.1, "IP address pooling": the addresses to try, best first.
std::vector<std::size_t> Nat::Impl::AddressesFor(const IpAddress& internal) {
  std::vector<std::size_t> pool;
  for (std::size_t i = 0; i < external_.size(); ++i) {
    if (external_[i].family() == internal.family()) pool.push_back(i);
  }
  if (pool.size() < 2) return pool;
  if (behaviour_.pooling == Pooling::kArbitrary) {
    std::rotate(pool.begin(), pool.begin() + static_cast<int64_t>(rng_.Uniform(0, pool.size() - 1)),
                pool.end());
    return pool;
  }
  // Paired: a host keeps its address, and gets no other when that one has no port left (RFC 7857 section 4). Hosts take
  // turns in the order in which they first needed one.
  const FlowKey host(internal);
  uint32_t chosen = paired_.Find(host);
  if (chosen == kNone) {
    std::size_t& turn = internal.IsV6() ? hosts_paired_v6_ : hosts_paired_v4_;
    chosen = static_cast<uint32_t>(pool[turn++ % pool.size()]);
    paired_.Set(host, chosen);
  }
  return {chosen};
}

// RFC 4787 section 5.
Nat::Impl::Match Nat::Impl::Accepts(const NatTable::Mapping& mapping,
                                    const TransportAddress& remote) const {
  Match match;
  match.accepted = behaviour_.filtering == Filtering::kEndpointIndependent;
  for (uint32_t i = mapping.first; i != kNone; i = table_.session(i).next) {
    const NatTable::Session& session = table_.session(i);
    if (session.remote == remote) match.session = i;
    if (!session.permits || session.remote.ip != remote.ip) continue;
    match.accepted |=
        behaviour_.filtering == Filtering::kAddressDependent || session.remote == remote;
  }
  return match;
}

Nat::Impl::Found Nat::Impl::Admit(const PacketInfo& packet, const TransportAddress& source) {
  const FlowTuple& tuple = packet.tuple;
  const TransportAddress remote = RemoteKey(tuple.protocol, source);
  const uint32_t newest = table_.FindExternal(tuple.protocol, tuple.destination);
  if (newest == kNone) {
    return tl::unexpected(DropNoMapping(expired_, packet, IsIdentity(tuple.destination.ip)));
  }
  // Where several mappings share the endpoint, the one whose host sent last gets the packet.
  uint32_t chosen = kNone;
  uint32_t known = kNone;  // its session with the sender
  for (uint32_t i = newest; i != kNone; i = table_.mapping(i).next_sharing) {
    const Match match = Accepts(table_.mapping(i), remote);
    if (!match.accepted) continue;
    if (chosen == kNone || table_.mapping(i).last_outbound > table_.mapping(chosen).last_outbound) {
      chosen = i;
      known = match.session;
    }
  }
  if (chosen == kNone) {
    const bool by_address = behaviour_.filtering == Filtering::kAddressDependent;
    return tl::unexpected(DropFiltered(
        table_, newest, packet, source,
        by_address ? nat_rule::kFilterAddressDependent : nat_rule::kFilterAddressAndPortDependent));
  }
  if (known != kNone) {
    table_.Claim(known);
    return known;
  }
  if (tuple.protocol == IpProtocol::kTcp && !packet.tcp_syn) {
    return tl::unexpected(Drop(packet, nat_rule::kTcpNoSession,
                               fmt::format("{} sent a TCP segment that is no SYN to {} without a "
                                           "connection",
                                           source.ToString(), tuple.destination.ToString())));
  }
  const NatTable::Mapping& mapping = table_.mapping(chosen);
  if (mapping.sessions >= behaviour_.max_sessions_per_mapping) {
    return tl::unexpected(
        Drop(packet, nat_rule::kSessionLimit,
             fmt::format("mapping {} already has {} remote endpoints",
                         Endpoint(tuple.protocol, mapping.external), mapping.sessions)));
  }
  const Timestamp ends = table_.MappingExpiry(chosen);
  const uint32_t session = table_.AddSession(chosen, remote, false);
  // Without inbound refresh, what came in does not outlive what let it in.
  table_.SetExpiry(session, ends);
  // Our own address outside means a host inside: what it gets in answer turns round as well.
  table_.session(session).hairpin = IsExternal(source.ip);
  return session;
}

void Nat::Impl::Touch(Timestamp now, uint32_t index, const PacketInfo& packet, bool outbound) {
  NatTable::Session& session = table_.session(index);
  if (outbound) table_.mapping(session.mapping).last_outbound = now;
  Timestamp expires;
  switch (packet.tuple.protocol) {
    case IpProtocol::kUdp:
      expires = UdpExpiry(now, session, outbound);
      break;
    case IpProtocol::kTcp: {
      session.permits = true;
      session.tcp.HandlePacket(outbound, packet);
      const TimeDelta timeout = session.tcp.transitory() ? behaviour_.tcp_transitory_timeout
                                                         : behaviour_.tcp_established_timeout;
      // RFC 7857 section 2.2: after a RST the session lasts 4 minutes more; a RST never lengthens it (section 7.1).
      expires = packet.tcp_rst ? std::min(session.expires, now + timeout) : now + timeout;
      break;
    }
    default:
      session.permits = true;
      expires = now + behaviour_.icmp_timeout;
  }
  table_.SetExpiry(index, expires);
}

// RFC 4787 section 4.3: the refresh direction is a property of UDP mappings.
Timestamp Nat::Impl::UdpExpiry(Timestamp now, NatTable::Session& session, bool outbound) const {
  const bool first = !session.seen_outbound && !session.seen_inbound;
  (outbound ? session.seen_outbound : session.seen_inbound) = true;
  const bool refreshes = outbound ? behaviour_.refresh != Refresh::kInbound || first
                                  : behaviour_.refresh != Refresh::kOutbound;
  if (outbound || refreshes) session.permits = true;
  const bool replied = session.seen_outbound && session.seen_inbound;
  const TimeDelta timeout = replied ? behaviour_.udp_timeout : behaviour_.udp_unreplied_timeout;
  if (refreshes) {
    session.refreshed = now;
    return now + timeout;
  }
  // Let in without refresh and never answered: its end was set when it was let in.
  if (!session.seen_outbound) return session.expires;
  return std::max(session.expires, session.refreshed + timeout);
}

std::vector<NatMapping> Nat::Impl::Mappings(Timestamp now) const {
  std::vector<NatMapping> mappings;
  for (const uint32_t index : table_.MappingsByAge()) {
    const NatTable::Mapping& m = table_.mapping(index);
    NatMapping out;
    out.expires = table_.MappingExpiry(index);
    if (out.expires <= now) continue;
    out.protocol = m.protocol;
    out.internal = m.internal;
    out.external = m.external;
    if (!m.scope.IsNone()) out.remote = m.scope;
    for (uint32_t i = m.first; i != kNone; i = table_.session(i).next) {
      if (table_.session(i).expires > now) ++out.sessions;
    }
    mappings.push_back(out);
  }
  return mappings;
}

}  // namespace rtclab::sim
