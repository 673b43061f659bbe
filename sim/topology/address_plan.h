// Who gets which address: decided from the spec alone, in spec order, so that it can be read in a
// trace and never changes between runs.
//
//   private LAN number n (1, 2, ...)         192.168.n.0/24; then, or when larger, in 10.0.0.0/8
//   NATed LAN with a NATed LAN in it         a /16 of 100.64.0.0/10 (RFC 6598)
//   public LAN (no NAT up to the core)       a /24 or larger of 198.18.0.0/16 (RFC 2544)
//   hosts on the core                        198.51.100.2 on (RFC 5737), then 198.19.128.0/17
//   gateways on the core                     203.0.113.1 on (RFC 5737), then 198.19.0.0/17
//   IPv6 in LAN n                            2001:db8:n::/64 (RFC 3849)
//   IPv6 in LAN n behind NAT66               fd00:0:n::/64 (RFC 4193)
//   IPv6 on the core, hosts and gateways     2001:db8::/64 and 2001:db8:ffff::/64
#ifndef RTCLAB_SIM_TOPOLOGY_ADDRESS_PLAN_H_
#define RTCLAB_SIM_TOPOLOGY_ADDRESS_PLAN_H_

#include <optional>
#include <string>
#include <vector>

#include "sim/topology/network_spec.h"
#include "stack/base/error.h"
#include "stack/base/ip_address.h"

namespace rtclab::sim {

struct Prefix {
  IpAddress address;
  int length = 0;
};

struct LanPlan {
  std::optional<std::size_t> parent;  // none: the core
  std::optional<Prefix> v4, v6;       // inside
  std::vector<IpAddress> routers;     // the gateway's inner addresses, one a family
  std::vector<IpAddress> external;    // towards the parent, IPv4 before IPv6
  bool translates_v4 = false, translates_v6 = false;
};

struct HostPlan {
  struct Attachment {
    std::optional<std::size_t> lan;  // none: the core
    std::vector<IpAddress> addresses;
  };
  std::vector<Attachment> attachments;
};

struct AddressPlan {
  std::vector<LanPlan> lans;    // as in the spec
  std::vector<HostPlan> hosts;  // as in the spec
  std::vector<IpAddress> core_routers;
};

// A LAN or host for which the plan has no addresses left.
struct AddressShortage {
  std::string name;
  std::string
      reason;  // "the networks on the core need 76800 IPv4 addresses for their gateways; there are 33020"
};

// The first one of a spec that passes CheckSpec; nullopt: there is room for everything.
std::optional<AddressShortage> FindShortage(const NetworkSpec& spec);

// Checks the spec (see Network::Build) and plans it.
Result<AddressPlan> PlanAddresses(const NetworkSpec& spec);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TOPOLOGY_ADDRESS_PLAN_H_
