// Each preset does what its source says, seen from outside as a discovery (RFC 5780) would see it.
#include "sim/nat/presets.h"

#include <gtest/gtest.h>
#include <set>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

const NatBehaviour& Preset(std::string_view name) { return FindNatPreset(name)->behaviour; }

// RFC 5780 section 4.3, on the model: does the mapped address change with the server's address and port?
Mapping Discover(const NatBehaviour& b) {
  Nat nat = MakeNat(b);
  const TransportAddress one = Send(nat, Sec(0), kAlice, kPeer);
  const TransportAddress two = Send(nat, Sec(0), kAlice, {kOther.ip, kPeer.port});
  if (one == two) return Mapping::kEndpointIndependent;
  const TransportAddress three = Send(nat, Sec(0), kAlice, kOther);
  return two == three ? Mapping::kAddressDependent : Mapping::kAddressAndPortDependent;
}

// RFC 5780 section 4.4: who may answer?
Filtering DiscoverFiltering(const NatBehaviour& b) {
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  if (Receive(nat, Sec(0), kOther, mapped, kAlice).empty()) return Filtering::kEndpointIndependent;
  if (Receive(nat, Sec(0), kPeerOtherPort, mapped, kAlice).empty()) {
    return Filtering::kAddressDependent;
  }
  EXPECT_EQ(Receive(nat, Sec(0), kPeer, mapped, kAlice), "");
  return Filtering::kAddressAndPortDependent;
}

TEST(NatPresetsTest, FifteenWithNamesAndSources) {
  std::set<std::string_view> names;
  for (const NatPreset& preset : NatPresets()) {
    EXPECT_TRUE(names.insert(preset.name).second) << preset.name;
    EXPECT_TRUE(preset.source.find("RFC") != preset.source.npos || preset.source.size() > 20)
        << preset.name;
    EXPECT_TRUE(preset.description.ends_with(".")) << preset.name;
    EXPECT_EQ(FindNatPreset(preset.name), &preset);
    EXPECT_EQ(FindContradiction(preset.behaviour), std::nullopt) << preset.name;
  }
  EXPECT_EQ(names.size(), 15u);
  EXPECT_EQ(FindNatPreset("full-coan"), nullptr);
  EXPECT_EQ(FindNatPreset("none"), nullptr);
}

TEST(NatPresetsTest, DiscoveryFindsEachPresetsClass) {
  using M = Mapping;
  using F = Filtering;
  const struct {
    std::string_view name;
    M mapping;  // as seen from outside
    F filtering;
  } expected[] = {
      {"full-cone", M::kEndpointIndependent, F::kEndpointIndependent},
      {"restricted-cone", M::kEndpointIndependent, F::kAddressDependent},
      {"port-restricted-cone", M::kEndpointIndependent, F::kAddressAndPortDependent},
      {"symmetric", M::kAddressAndPortDependent, F::kAddressAndPortDependent},
      {"address-dependent", M::kAddressDependent, F::kAddressAndPortDependent},
      {"rfc4787", M::kEndpointIndependent, F::kEndpointIndependent},
      {"rfc7857", M::kEndpointIndependent, F::kAddressDependent},
      // The port stays while nobody else has it, so Linux looks endpoint-independent.
      {"linux-masquerade", M::kEndpointIndependent, F::kAddressAndPortDependent},
      {"freebsd-pf", M::kAddressAndPortDependent, F::kAddressAndPortDependent},
      {"cisco-ios", M::kAddressAndPortDependent, F::kAddressAndPortDependent},
      {"carrier-grade", M::kEndpointIndependent, F::kEndpointIndependent},
      {"aws-nat-gateway", M::kAddressAndPortDependent, F::kAddressAndPortDependent},
      {"gcp-cloud-nat", M::kAddressAndPortDependent, F::kAddressAndPortDependent},
      {"azure-nat-gateway", M::kAddressAndPortDependent, F::kAddressAndPortDependent},
      {"cloud-one-to-one", M::kEndpointIndependent, F::kEndpointIndependent},
  };
  ASSERT_EQ(std::size(expected), NatPresets().size());
  for (const auto& e : expected) {
    SCOPED_TRACE(e.name);
    ASSERT_NE(FindNatPreset(e.name), nullptr);
    EXPECT_EQ(Discover(Preset(e.name)), e.mapping);
    EXPECT_EQ(DiscoverFiltering(Preset(e.name)), e.filtering);
  }
}

// The requirements that a conforming preset can be held to by its settings: RFC 4787 REQ-1, 3, 5, 6, 8, 9; RFC 5382
// REQ-5, 8; RFC 5508 REQ-2.
TEST(NatPresetsTest, ConformingPresetsConform) {
  for (const std::string_view name : {"rfc4787", "rfc7857", "carrier-grade"}) {
    SCOPED_TRACE(name);
    const NatBehaviour& b = Preset(name);
    EXPECT_NE(b.port_assignment, PortAssignment::kOverloading);
    EXPECT_FALSE(b.port_overlapping);
    EXPECT_GE(b.udp_unreplied_timeout, TimeDelta::Seconds(300));
    EXPECT_GE(b.udp_timeout, TimeDelta::Seconds(300));
    EXPECT_NE(b.refresh, Refresh::kInbound);
    EXPECT_NE(b.filtering, Filtering::kAddressAndPortDependent);
    EXPECT_EQ(b.hairpinning, Hairpinning::kExternalSource);
    EXPECT_EQ(b.pooling, Pooling::kPaired);
    EXPECT_GE(b.icmp_timeout, TimeDelta::Seconds(60));
    EXPECT_GE(b.tcp_established_timeout, TimeDelta::Seconds(7440));
    EXPECT_GE(b.tcp_transitory_timeout, TimeDelta::Seconds(240));
    EXPECT_TRUE(b.translate_icmp_errors);
  }
}

TEST(NatPresetsTest, LinuxChangesThePortOnlyWhereItClashes) {
  Nat nat = MakeNat(Preset("linux-masquerade"));
  EXPECT_EQ(Send(nat, Sec(0), kAlice, kPeer).port, 40000);
  EXPECT_EQ(Send(nat, Sec(0), kBob, kOther).port, 40000);
  const uint16_t clash = Send(nat, Sec(0), kBob, kPeer).port;
  EXPECT_NE(clash, 40000);
  EXPECT_GE(clash, 1024);
  // Unreplied 30 s, replied 120 s, refreshed from either side.
  EXPECT_EQ(Receive(nat, Sec(29), kPeer, At("198.51.100.2:40000"), kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(30), kOther, At("198.51.100.2:40000"), kBob),
            "nat.filter.address-and-port-dependent");
  EXPECT_EQ(Receive(nat, Sec(148), kPeer, At("198.51.100.2:40000"), kAlice), "");
}

TEST(NatPresetsTest, CiscoTakesTheFirstFreePortForTheSecondSession) {
  Nat nat = MakeNat(Preset("cisco-ios"));
  EXPECT_EQ(Send(nat, Sec(0), kAlice, kPeer).port, 40000);
  EXPECT_EQ(Send(nat, Sec(0), kAlice, kOther).port, 1024);
}

TEST(NatPresetsTest, PfTakesPortsFrom50001) {
  Nat nat = MakeNat(Preset("freebsd-pf"));
  for (uint16_t port = 1; port < 200; ++port) {
    EXPECT_GE(Send(nat, Sec(0), kAlice, {kPeer.ip, port}).port, 50001);
  }
}

TEST(NatPresetsTest, CarrierGradeLimitsASubscriber) {
  Nat nat = MakeNat(Preset("carrier-grade"));
  for (uint16_t i = 0; i < 1000; ++i) {
    Send(nat, Sec(0), {kAlice.ip, static_cast<uint16_t>(2000 + i)}, kPeer);
  }
  EXPECT_STREQ(nat.Outbound(Sec(0), Udp(kAlice, kPeer)).rule, nat_rule::kHostMappingLimit);
  EXPECT_FALSE(nat.Outbound(Sec(0), Udp(kBob, kPeer)).dropped());
}

TEST(NatPresetsTest, CloudGatewaysEndIdleFlows) {
  for (const auto& [name, idle] :
       {std::pair{"aws-nat-gateway", 350}, {"gcp-cloud-nat", 30}, {"azure-nat-gateway", 240}}) {
    Nat nat = MakeNat(Preset(name));
    const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
    EXPECT_EQ(Receive(nat, Sec(idle) - TimeDelta::Nanos(1), kPeer, mapped, kAlice), "") << name;
    EXPECT_EQ(Receive(nat, Sec(2 * idle), kPeer, mapped, kAlice), "nat.mapping-expired") << name;
  }
}

TEST(NatRulesTest, EveryIdIsInTheTableOnceWithASentence) {
  std::set<std::string_view> ids;
  for (const RuleInfo& rule : nat_rule::kTable) {
    EXPECT_TRUE(rule.id.starts_with("nat.")) << rule.id;
    EXPECT_TRUE(rule.meaning.ends_with(".")) << rule.id;
    EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
  }
}

}  // namespace
}  // namespace rtclab::sim
