// The inside of sim::Nat: nat.cc has the packets, nat_icmp.cc the ICMP errors, nat_one_to_one.cc the static translation.
#ifndef RTCLAB_SIM_NAT_NAT_IMPL_H_
#define RTCLAB_SIM_NAT_NAT_IMPL_H_

#include <map>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "sim/nat/nat.h"
#include "sim/nat/nat_explain.h"
#include "sim/nat/nat_table.h"
#include "sim/nat/port_allocator.h"

namespace rtclab::sim {

class Nat::Impl {
 public:
  Impl(const NatBehaviour& behaviour, std::vector<IpAddress> external, Rng rng);

  Verdict Outbound(Timestamp now, const PacketInfo& packet);
  Verdict Inbound(Timestamp now, const PacketInfo& packet);
  void AssignOneToOne(const IpAddress& internal, const IpAddress& external);

  const NatBehaviour& behaviour() const { return behaviour_; }
  const std::vector<IpAddress>& external() const { return external_; }
  bool IsExternal(const IpAddress& address) const;
  std::vector<NatMapping> Mappings(Timestamp now) const;

 private:
  static constexpr uint32_t kNone = NatTable::kNone;
  // An index, or why there is none.
  using Found = tl::expected<uint32_t, Verdict>;

  void Advance(Timestamp now);
  // IPv6 that is not translated is only filtered: every mapping maps to itself.
  bool IsIdentity(const IpAddress& address) const {
    return address.IsV6() && !behaviour_.translate_ipv6;
  }
  TransportAddress ScopeOf(const TransportAddress& remote, bool identity) const;

  // The session for an outbound packet that has none yet.
  Found OpenSession(const PacketInfo& packet, const TransportAddress& remote);
  Found OpenMapping(const PacketInfo& packet, const TransportAddress& remote,
                    const TransportAddress& scope, bool identity);
  // The external endpoint of a new mapping.
  tl::expected<std::size_t, Verdict> ChooseEndpoint(const PacketInfo& packet,
                                                    const TransportAddress& remote,
                                                    const TransportAddress& scope,
                                                    TransportAddress& endpoint);
  std::optional<uint16_t> ChoosePort(std::size_t address, const PacketInfo& packet,
                                     const TransportAddress& remote, const TransportAddress& scope);
  std::vector<std::size_t> AddressesFor(const IpAddress& internal);
  // Takes a packet that has passed the outside (or was hairpinned) in. `source` is the sender as seen outside.
  Verdict Deliver(Timestamp now, const PacketInfo& packet, const TransportAddress& source);
  // The session for an inbound packet that none lets in by itself.
  Found Admit(const PacketInfo& packet, const TransportAddress& source);
  struct Match {
    bool accepted = false;
    uint32_t session =
        kNone;  // the mapping's session with that very endpoint, whether it opens the filter or not
  };
  Match Accepts(const NatTable::Mapping& mapping, const TransportAddress& remote) const;
  void Touch(Timestamp now, uint32_t session, const PacketInfo& packet, bool outbound);
  Timestamp UdpExpiry(Timestamp now, NatTable::Session& session, bool outbound) const;

  // Errors are not translated; untranslated IPv6 needs none.
  bool ErrorsOff(const IpAddress& inside) const;
  Verdict OutboundError(const PacketInfo& packet);
  Verdict InboundError(const PacketInfo& packet, const FlowTuple& quoted);

  Verdict OutboundOneToOne(const PacketInfo& packet);
  Verdict InboundOneToOne(const PacketInfo& packet, Verdict verdict);
  const IpAddress* ExternalOf(const IpAddress& internal);
  const IpAddress* InternalOf(const IpAddress& external) const;

  const NatBehaviour behaviour_;
  const std::vector<IpAddress> external_;
  Rng rng_;
  NatTable table_;
  PortAllocator ports_;
  ExpiredMappings expired_;
  FlowMap mappings_of_host_;  // internal address -> live mappings
  FlowMap paired_;            // internal address -> index into external_
  std::size_t hosts_paired_v4_ = 0, hosts_paired_v6_ = 0;
  std::map<IpAddress, IpAddress> external_of_, internal_of_;  // one-to-one
};

// ICMP carries one identifier in place of two ports: a remote endpoint is its address only.
inline bool IsIcmp(IpProtocol protocol) {
  return protocol == IpProtocol::kIcmp || protocol == IpProtocol::kIcmpv6;
}
inline TransportAddress RemoteKey(IpProtocol protocol, const TransportAddress& remote) {
  return IsIcmp(protocol) ? TransportAddress{remote.ip, 0} : remote;
}

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_NAT_NAT_IMPL_H_
