// A virtual internet as data: what sim::Network builds. Independent of the scenario language.
//
//            host --access link-- LAN --[firewall]--[NAT]--uplink-- parent LAN or the internet core
//
// The core is one router. A network is a LAN with a gateway; its parent is another network (so a
// NAT behind a carrier-grade NAT) or the core. A host sits in one or more networks, or straight on
// the core.
#ifndef RTCLAB_SIM_TOPOLOGY_NETWORK_SPEC_H_
#define RTCLAB_SIM_TOPOLOGY_NETWORK_SPEC_H_

#include <optional>
#include <string>
#include <vector>

#include "sim/firewall/rules.h"
#include "sim/link/link_behaviour.h"
#include "sim/nat/behaviour.h"

namespace rtclab::sim {

struct LanSpec {
  std::string name;
  std::string parent;  // empty: the core
  bool ipv4 = true;
  bool ipv6 = false;
  std::optional<NatBehaviour> nat;            // absent: routed (a public LAN)
  int external_addresses = 1;                 // IPv4 addresses in the NAT's pool
  std::optional<FirewallBehaviour> firewall;  // on the gateway, inside of the NAT
  LinkSpec uplink;
};

struct AttachmentSpec {
  std::string lan;  // empty: the core
  LinkSpec access;  // default: no delay, no limit
};

struct HostSpec {
  std::string name;
  bool ipv4 = true;  // used where the LAN has it too
  bool ipv6 = false;
  int addresses = 1;  // a family; an RFC 5780 server has 2
  std::vector<AttachmentSpec> attachments;
  bool ns3_stack = false;  // ns-3's own Internet stack instead of ours: for its TCP and models
};

struct NetworkSpec {
  uint64_t seed = 1;  // root of every random stream
  std::vector<LanSpec> lans;
  std::vector<HostSpec> hosts;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TOPOLOGY_NETWORK_SPEC_H_
