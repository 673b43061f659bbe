// Limits (RFC 6888 REQ-4, REQ-5), and that they count only what is alive.
#include <gtest/gtest.h>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

TEST(NatLimitsTest, MappingsInAll) {
  NatBehaviour b;
  b.max_mappings = 2;
  Nat nat = MakeNat(b);
  const TransportAddress first = Send(nat, Sec(0), Host(2, 1), kPeer);
  Send(nat, Sec(10), Host(3, 1), kPeer);
  const Verdict v = nat.Outbound(Sec(11), Udp(Host(4, 1), kPeer));
  EXPECT_STREQ(v.rule, nat_rule::kMappingLimit);
  EXPECT_EQ(v.detail, "10.0.0.4:1 needs a mapping and the NAT holds 2 already");
  // Those that are there go on.
  EXPECT_EQ(Send(nat, Sec(11), Host(2, 1), kOther), first);
  EXPECT_EQ(Receive(nat, Sec(11), kPeer, first, Host(2, 1)), "");
  // One has expired at 310.
  EXPECT_FALSE(nat.Outbound(Sec(310), Udp(Host(4, 1), kPeer)).dropped());
}

TEST(NatLimitsTest, MappingsOfAHost) {
  NatBehaviour b;
  b.max_mappings_per_host = 2;
  Nat nat = MakeNat(b);
  Send(nat, Sec(0), Host(2, 1), kPeer);
  // REQ-4 counts every protocol's.
  EXPECT_FALSE(nat.Outbound(Sec(10), TcpSegment(Host(2, 1), kPeer, Tcp::kSyn)).dropped());
  const Verdict v = nat.Outbound(Sec(10), Udp(Host(2, 3), kPeer));
  EXPECT_STREQ(v.rule, nat_rule::kHostMappingLimit);
  EXPECT_EQ(v.detail, "10.0.0.2:3 needs a mapping and its host has 2 already");
  Send(nat, Sec(10), Host(3, 3), kPeer);
  // The TCP mapping's four minutes end at 250.
  EXPECT_TRUE(nat.Outbound(Sec(249), Udp(Host(2, 3), kPeer)).dropped());
  EXPECT_FALSE(nat.Outbound(Sec(250), Udp(Host(2, 3), kPeer)).dropped());
}

TEST(NatLimitsTest, SessionsOfAMapping) {
  NatBehaviour b;
  b.max_sessions_per_mapping = 2;
  b.filtering = Filtering::kEndpointIndependent;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(10), kOther, mapped, kAlice), "");
  Verdict v = nat.Outbound(Sec(11), Udp(kAlice, kPeerOtherPort));
  EXPECT_STREQ(v.rule, nat_rule::kSessionLimit);
  EXPECT_EQ(v.detail, "10.0.0.2:40000 already sends to 2 remote endpoints");
  v = nat.Inbound(Sec(11), Udp(kPeerOtherPort, mapped));
  EXPECT_STREQ(v.rule, nat_rule::kSessionLimit);
  EXPECT_EQ(v.detail, "mapping 198.51.100.2:40000 already has 2 remote endpoints");
  // Known ones pass.
  EXPECT_EQ(Receive(nat, Sec(12), kOther, mapped, kAlice), "");
  EXPECT_EQ(Send(nat, Sec(12), kAlice, kPeer), mapped);
}

TEST(NatLimitsTest, ADroppedPacketLeavesNothingBehind) {
  NatBehaviour b;
  b.max_sessions_per_mapping = 0;
  Nat nat = MakeNat(b);
  EXPECT_STREQ(nat.Outbound(Sec(0), Udp(kAlice, kPeer)).rule, nat_rule::kSessionLimit);
  EXPECT_TRUE(nat.Mappings(Sec(0)).empty());
}

TEST(NatLimitsTest, ContradictionsAreNamed) {
  EXPECT_EQ(FindContradiction({}), std::nullopt);
  EXPECT_EQ(FindContradiction({.port_low = 0}), "the lowest external port must be at least 1");
  EXPECT_EQ(FindContradiction({.port_low = 3000, .port_high = 2000}),
            "the lowest external port, 3000, lies above the highest, 2000");
  EXPECT_EQ(FindContradiction({.icmp_timeout = TimeDelta::Zero()}),
            "every timeout must be longer than zero");
  EXPECT_EQ(FindContradiction({.port_reuse_delay = TimeDelta::Nanos(-1)}),
            "the port reuse delay must not be negative");
  EXPECT_EQ(FindContradiction({.max_mappings_per_host = -1}), "no limit may be negative");
  EXPECT_EQ(FindContradiction({.port_overlapping = true}),
            "overlapping ports need address-and-port-dependent mapping and filtering");
}

}  // namespace
}  // namespace rtclab::sim
