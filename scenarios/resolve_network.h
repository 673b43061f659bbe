// The part of a scenario that describes the virtual internet, resolved: presets, overrides, families, references.
#ifndef RTCLAB_SCENARIOS_RESOLVE_NETWORK_H_
#define RTCLAB_SCENARIOS_RESOLVE_NETWORK_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/document.h"
#include "sim/topology/network_spec.h"

namespace rtclab::scenarios {

struct Families {
  bool ipv4 = false;
  bool ipv6 = false;

  bool operator==(const Families&) const = default;
};

// Each value is a node that has passed CheckStructure.
sim::LinkSpec ResolveLink(const Node& node, Report& report);
std::optional<sim::NatBehaviour> ResolveNat(const Node& node, Report& report);  // nullopt: none
std::optional<sim::FirewallBehaviour> ResolveFirewall(const Node& node, Report& report);
Families ReadFamilies(const Node& list, Report& report);

// Networks and hosts. Names of networks and hosts share one name space.
class NetworkResolver {
 public:
  explicit NetworkResolver(Report& report) : report_(report) {}

  void AddNetworks(const Node& networks);
  void AddHost(const std::string& name, const Node& host);
  // A server's own host. `fallback`: its families on the internet when the file gives none.
  void AddServerHost(const std::string& name, const Node& server, Families fallback);

  // nullptr when unknown; the pointer is good until the next Add.
  sim::HostSpec* FindHost(const std::string& name);
  const sim::LanSpec* FindLan(const std::string& name) const;
  bool has_ipv6_host() const;
  std::vector<std::string> HostNames() const;
  std::vector<std::string> LanNames() const;

  sim::NetworkSpec&& Take() { return std::move(spec_); }

 private:
  void LinkParents(const Node& networks);
  void BreakCycle(const Node& networks, std::size_t first);
  void InheritFamilies(const Node& networks);
  bool Attach(sim::HostSpec& host, const Node& network_name, const sim::LinkSpec& link);
  void SetFamilies(sim::HostSpec& host, const Node& node, Families on_internet);
  bool NameIsFree(const std::string& name, OriginId origin);

  Report& report_;
  sim::NetworkSpec spec_;
  std::map<std::string, std::size_t> lans_, hosts_;  // indices into spec_
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RESOLVE_NETWORK_H_
