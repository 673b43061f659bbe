// A NAT as a pure model: a packet's addresses in, a verdict out, time pushed in. It knows nothing
// of networks, devices or packets' bytes; the node that owns it rewrites real packets as the
// verdict says.
//
// State is dropped lazily and exactly: what expires at T is there just before T and gone for a
// packet at T. No timer has to be armed.
#ifndef RTCLAB_SIM_NAT_NAT_H_
#define RTCLAB_SIM_NAT_NAT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/nat/behaviour.h"
#include "sim/trace/packet_info.h"
#include "stack/base/ip_address.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"

namespace rtclab::sim {

// A live mapping, for tests, traces and explanations.
struct NatMapping {
  IpProtocol protocol = IpProtocol::kUdp;
  TransportAddress internal;
  TransportAddress external;
  // The destination it is for: none with endpoint-independent mapping, an address with port 0 with
  // address-dependent mapping, else an address and port.
  std::optional<TransportAddress> remote;
  Timestamp expires;
  int sessions = 0;  // remote endpoints in use

  bool operator==(const NatMapping&) const = default;
};

// Why no NAT can behave so, in one sentence; nullopt when one can. For whoever reads a NatBehaviour from a user.
std::optional<std::string> FindContradiction(const NatBehaviour& behaviour);

class Nat {
 public:
  // `external`: the NAT's own addresses, of one or both families; order matters (it is the order of
  // assignment). `rng`: the stream that chooses random ports and addresses; nothing else is random.
  // Requires a behaviour without contradiction.
  Nat(const NatBehaviour& behaviour, std::vector<IpAddress> external, Rng rng);
  ~Nat();
  Nat(Nat&&) noexcept;
  Nat& operator=(Nat&&) noexcept;

  // A packet from the inside, addressed to anything beyond the NAT or to the NAT's external
  // addresses. kForward: send it out. kHairpin: route it inside.  `now` never goes back between
  // calls.
  Verdict Outbound(Timestamp now, const PacketInfo& packet);
  // A packet that arrived outside.
  Verdict Inbound(Timestamp now, const PacketInfo& packet);

  // With NatBehaviour::one_to_one: ties `internal` to `external` (one of the NAT's addresses).
  // Hosts that were not tied get the first free address with their first outbound packet.
  void AssignOneToOne(const IpAddress& internal, const IpAddress& external);

  const NatBehaviour& behaviour() const;
  const std::vector<IpAddress>& external_addresses() const;
  bool IsExternal(const IpAddress& address) const;
  // Live mappings at `now`, in the order they were made.
  std::vector<NatMapping> Mappings(Timestamp now) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_NAT_NAT_H_
