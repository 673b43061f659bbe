// ICMP errors through a NAT: RFC 5508 section 4. An error is translated by the mapping of the packet that it quotes, and
// leaves that mapping as it is (RFC 4787 REQ-12, RFC 5508 REQ-6).
#include <fmt/format.h>

#include "sim/nat/nat_impl.h"
#include "sim/nat/nat_rules.h"

namespace rtclab::sim {
namespace {

Verdict DropErrors(const PacketInfo& packet) {
  return Drop(
      packet, nat_rule::kIcmpErrorsOff,
      fmt::format("an {} error from {} to {} (type {}, code {})", ToString(packet.tuple.protocol),
                  packet.tuple.source.ip.ToString(), packet.tuple.destination.ip.ToString(),
                  packet.icmp_error->type, packet.icmp_error->code));
}

}  // namespace

bool Nat::Impl::ErrorsOff(const IpAddress& inside) const {
  return !behaviour_.translate_icmp_errors && !IsIdentity(inside);
}

// RFC 5508 REQ-5: a host inside refuses a packet that came in through the NAT. The quoted packet's destination is the
// inside's.
Verdict Nat::Impl::OutboundError(const PacketInfo& packet) {
  FlowTuple quoted = packet.icmp_error->tuple;
  if (ErrorsOff(quoted.destination.ip)) return DropErrors(packet);
  const TransportAddress remote = RemoteKey(quoted.protocol, quoted.source);
  uint32_t mapping = kNone;
  const uint32_t session = table_.FindOutbound(quoted.protocol, quoted.destination, remote);
  if (session != kNone) {
    mapping = table_.session(session).mapping;
  } else {
    mapping = table_.FindMapping(quoted.protocol, quoted.destination,
                                 ScopeOf(remote, IsIdentity(quoted.destination.ip)));
  }
  if (mapping == kNone) return DropIcmpError(packet, true);
  const NatTable::Mapping& m = table_.mapping(mapping);
  quoted.destination = m.external;
  if (IsIcmp(quoted.protocol)) quoted.source.port = m.external.port;

  PacketInfo translated = packet;
  // Whoever inside sends the error, outside it comes from the NAT (REQ-5c). A router on the way keeps its IPv6 address.
  if (!m.identity) translated.tuple.source.ip = m.external.ip;
  translated.icmp_error->tuple = quoted;
  if (!m.identity && IsExternal(packet.tuple.destination.ip)) {
    if (behaviour_.hairpinning == Hairpinning::kNone) {
      return Drop(
          packet, nat_rule::kHairpinUnsupported,
          fmt::format("an ICMP error from {} to {}, an external address of its own NAT",
                      packet.tuple.source.ip.ToString(), packet.tuple.destination.ip.ToString()));
    }
    // RFC 5508 REQ-7.
    Verdict verdict = InboundError(translated, quoted);
    if (!verdict.dropped()) verdict.action = Verdict::Action::kHairpin;
    return verdict;
  }
  Verdict verdict;
  verdict.tuple = translated.tuple;
  verdict.embedded = quoted;
  return verdict;
}

// RFC 5508 REQ-4: something outside refuses a packet that went out through the NAT. The quoted packet's source is ours.
Verdict Nat::Impl::InboundError(const PacketInfo& packet, const FlowTuple& as_quoted) {
  if (ErrorsOff(as_quoted.source.ip)) return DropErrors(packet);
  FlowTuple quoted = as_quoted;
  const TransportAddress remote = RemoteKey(quoted.protocol, quoted.destination);
  uint32_t mapping = kNone;
  const uint32_t session = table_.FindInbound(quoted.protocol, quoted.source, remote);
  if (session != kNone) {
    mapping = table_.session(session).mapping;
  } else {
    const TransportAddress scope = ScopeOf(remote, IsIdentity(quoted.source.ip));
    mapping = table_.FindExternal(quoted.protocol, quoted.source);
    while (mapping != kNone && table_.mapping(mapping).scope != scope) {
      mapping = table_.mapping(mapping).next_sharing;
    }
  }
  if (mapping == kNone) return DropIcmpError(packet, false);
  const NatTable::Mapping& m = table_.mapping(mapping);
  quoted.source = m.internal;
  if (IsIcmp(quoted.protocol)) quoted.destination.port = m.internal.port;
  Verdict verdict;
  verdict.tuple = packet.tuple;
  verdict.tuple.destination.ip = m.internal.ip;
  verdict.embedded = quoted;
  return verdict;
}

}  // namespace rtclab::sim
