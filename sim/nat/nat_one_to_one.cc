// Static one-to-one translation ("basic NAT", RFC 3022 section 2.1): each host inside has an external address of its own.
// Ports stay, nothing is filtered and there is no state to expire.
#include <fmt/format.h>
#include <algorithm>

#include "sim/nat/nat_impl.h"
#include "sim/nat/nat_rules.h"
#include "stack/base/check.h"

namespace rtclab::sim {

void Nat::Impl::AssignOneToOne(const IpAddress& internal, const IpAddress& external) {
  CHECK(behaviour_.one_to_one && IsExternal(external));
  CHECK(!external_of_.contains(internal) && !internal_of_.contains(external));
  external_of_[internal] = external;
  internal_of_[external] = internal;
}

const IpAddress* Nat::Impl::ExternalOf(const IpAddress& internal) {
  const auto known = external_of_.find(internal);
  if (known != external_of_.end()) return &known->second;
  const auto free = std::ranges::find_if(external_, [&](const IpAddress& candidate) {
    return candidate.family() == internal.family() && !internal_of_.contains(candidate);
  });
  if (free == external_.end()) return nullptr;
  AssignOneToOne(internal, *free);
  return &*free;
}

const IpAddress* Nat::Impl::InternalOf(const IpAddress& external) const {
  const auto known = internal_of_.find(external);
  return known == internal_of_.end() ? nullptr : &known->second;
}

Verdict Nat::Impl::OutboundOneToOne(const PacketInfo& packet) {
  const FlowTuple& tuple = packet.tuple;
  const IpAddress* external = ExternalOf(tuple.source.ip);
  if (external == nullptr) {
    return Drop(packet, nat_rule::kAddressExhausted,
                fmt::format("{} needs an external address and all {} belong to other hosts",
                            tuple.source.ip.ToString(), external_.size()));
  }
  Verdict verdict;
  verdict.tuple = tuple;
  verdict.tuple.source.ip = *external;
  if (packet.icmp_error) {
    verdict.embedded = packet.icmp_error->tuple;
    if (const auto it = external_of_.find(verdict.embedded->destination.ip);
        it != external_of_.end()) {
      verdict.embedded->destination.ip = it->second;
    }
  }
  if (!IsExternal(tuple.destination.ip)) return verdict;
  if (behaviour_.hairpinning == Hairpinning::kNone) {
    return Drop(packet, nat_rule::kHairpinUnsupported,
                fmt::format("{} sent to {}, an external address of its own NAT",
                            Endpoint(tuple.protocol, tuple.source),
                            Endpoint(tuple.protocol, tuple.destination)));
  }
  verdict = InboundOneToOne(packet, std::move(verdict));
  if (verdict.dropped()) return verdict;
  verdict.action = Verdict::Action::kHairpin;
  if (behaviour_.hairpinning == Hairpinning::kInternalSource) verdict.tuple.source = tuple.source;
  return verdict;
}

// `verdict` holds the packet as far as it is translated already.
Verdict Nat::Impl::InboundOneToOne(const PacketInfo& packet, Verdict verdict) {
  const IpAddress* internal = InternalOf(packet.tuple.destination.ip);
  if (internal == nullptr) {
    return Drop(packet, nat_rule::kNoMapping,
                fmt::format("{} sent to {}, which no host inside has",
                            Endpoint(packet.tuple.protocol, packet.tuple.source),
                            packet.tuple.destination.ip.ToString()));
  }
  verdict.tuple.destination.ip = *internal;
  if (verdict.embedded) {
    if (const IpAddress* sender = InternalOf(verdict.embedded->source.ip)) {
      verdict.embedded->source.ip = *sender;
    }
  }
  return verdict;
}

}  // namespace rtclab::sim
