#include "sim/topology/ns3_stack.h"

#include <algorithm>
#include <array>

#include "ns3/boolean.h"
#include "ns3/global-value.h"
#include "ns3/icmpv6-l4-protocol.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/ipv4.h"
#include "ns3/ipv6-static-routing-helper.h"
#include "ns3/ipv6.h"

namespace rtclab::sim {
namespace {

ns3::Ipv6Address ToNs3V6(const IpAddress& address) {
  std::array<uint8_t, 16> bytes;
  std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
  return ns3::Ipv6Address(bytes.data());
}

}  // namespace

void InstallNs3Stack(const ns3::Ptr<ns3::Node>& node) {
  ns3::GlobalValue::Bind("ChecksumEnabled", ns3::BooleanValue(true));
  ns3::InternetStackHelper().Install(node);
  // Nobody here answers neighbour solicitations; addresses are unique by plan.
  node->GetObject<ns3::Icmpv6L4Protocol>()->SetAttribute("DAD", ns3::BooleanValue(false));
}

void AddNs3Interface(const ns3::Ptr<ns3::Node>& node, const ns3::Ptr<LinkDevice>& device,
                     const std::vector<IpAddress>& addresses) {
  const auto ipv4 = node->GetObject<ns3::Ipv4>();
  const auto ipv6 = node->GetObject<ns3::Ipv6>();
  int32_t v4 = -1, v6 = -1;
  for (const IpAddress& address : addresses) {
    if (address.IsV4()) {
      if (v4 < 0) v4 = static_cast<int32_t>(ipv4->AddInterface(device));
      ipv4->AddAddress(v4, ns3::Ipv4InterfaceAddress(ns3::Ipv4Address(address.ToV4HostOrder()),
                                                     ns3::Ipv4Mask("255.255.255.255")));
    } else {
      if (v6 < 0) v6 = static_cast<int32_t>(ipv6->AddInterface(device));
      ipv6->AddAddress(v6, ns3::Ipv6InterfaceAddress(ToNs3V6(address), ns3::Ipv6Prefix(128)));
    }
  }
  if (v4 >= 0) {
    ipv4->SetUp(v4);
    ns3::Ipv4StaticRoutingHelper().GetStaticRouting(ipv4)->AddNetworkRouteTo(
        ns3::Ipv4Address::GetZero(), ns3::Ipv4Mask::GetZero(), v4);
  }
  if (v6 >= 0) {
    ipv6->SetUp(v6);
    ns3::Ipv6StaticRoutingHelper().GetStaticRouting(ipv6)->AddNetworkRouteTo(
        ns3::Ipv6Address::GetZero(), ns3::Ipv6Prefix::GetZero(), v6);
  }
}

}  // namespace rtclab::sim
