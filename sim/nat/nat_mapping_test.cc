// RFC 4787 section 4.1: mapping behaviour and address pooling.
#include <gtest/gtest.h>
#include <set>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

NatBehaviour With(Mapping mapping) {
  NatBehaviour b;
  b.mapping = mapping;
  b.port_assignment = PortAssignment::kSequential;
  return b;
}

// REQ-1.
TEST(NatMappingTest, EndpointIndependentMappingServesEveryDestination) {
  Nat nat = MakeNat(With(Mapping::kEndpointIndependent));
  const TransportAddress first = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Send(nat, Sec(1), kAlice, kPeerOtherPort), first);
  EXPECT_EQ(Send(nat, Sec(2), kAlice, kOther), first);
  EXPECT_EQ(nat.Mappings(Sec(3)).size(), 1u);
  EXPECT_EQ(nat.Mappings(Sec(3))[0].sessions, 3);
  EXPECT_EQ(nat.Mappings(Sec(3))[0].remote, std::nullopt);
}

TEST(NatMappingTest, AddressDependentMappingChangesPortPerAddress) {
  Nat nat = MakeNat(With(Mapping::kAddressDependent));
  const TransportAddress first = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Send(nat, Sec(1), kAlice, kPeerOtherPort), first);
  EXPECT_NE(Send(nat, Sec(2), kAlice, kOther), first);
  EXPECT_EQ(nat.Mappings(Sec(3))[0].remote, At("203.0.113.9:0"));
}

TEST(NatMappingTest, SymmetricMappingChangesPortPerPeer) {
  Nat nat = MakeNat(With(Mapping::kAddressAndPortDependent));
  const TransportAddress first = Send(nat, Sec(0), kAlice, kPeer);
  const TransportAddress second = Send(nat, Sec(1), kAlice, kPeerOtherPort);
  const TransportAddress third = Send(nat, Sec(2), kAlice, kOther);
  EXPECT_EQ((std::set<TransportAddress>{first, second, third}.size()), 3u);
  // The same destination again: the same mapping.
  EXPECT_EQ(Send(nat, Sec(3), kAlice, kPeer), first);
  EXPECT_EQ(nat.Mappings(Sec(3))[1].remote, kPeerOtherPort);
}

// RFC 7857 section 5: mappings are protocol dependent.
TEST(NatMappingTest, UdpAndTcpDoNotShareMappings) {
  Nat nat = MakeNat(With(Mapping::kEndpointIndependent));
  Send(nat, Sec(0), kAlice, kPeer);
  Send(nat, Sec(0), kBob, kPeer);
  const Verdict v = nat.Outbound(Sec(0), TcpSegment(kBob, kPeer, Tcp::kSyn));
  // TCP's sequence of ports starts on its own.
  EXPECT_EQ(v.tuple.source, At("198.51.100.2:1024"));
  EXPECT_EQ(nat.Mappings(Sec(0)).size(), 3u);
}

// REQ-11: the same behaviour at any time and under any condition, from the same seed.
TEST(NatMappingTest, SameSeedSameTranslations) {
  for (const Mapping mapping : {Mapping::kEndpointIndependent, Mapping::kAddressAndPortDependent}) {
    NatBehaviour b = With(mapping);
    b.port_assignment = PortAssignment::kRandom;
    Nat one = MakeNat(b, 7);
    Nat two = MakeNat(b, 7);
    Nat other = MakeNat(b, 8);
    int differences = 0;
    for (uint16_t i = 0; i < 50; ++i) {
      const TransportAddress host{Ip("10.0.0.2"), static_cast<uint16_t>(5000 + i)};
      const TransportAddress chosen = Send(one, Sec(i), host, kPeer);
      EXPECT_EQ(Send(two, Sec(i), host, kPeer), chosen);
      differences += Send(other, Sec(i), host, kPeer) != chosen;
    }
    EXPECT_GT(differences, 40);
  }
}

class PoolingTest : public testing::Test {
 protected:
  Nat Make(Pooling pooling, NatBehaviour b = {}) {
    b.pooling = pooling;
    return Nat(b, {Ip("198.51.100.2"), Ip("198.51.100.3"), Ip("198.51.100.4")}, Rng(3));
  }
};

// REQ-2.
TEST_F(PoolingTest, PairedKeepsOneAddressForAHost) {
  Nat nat = Make(Pooling::kPaired);
  std::set<IpAddress> of_alice, all;
  for (uint16_t port = 5000; port < 5020; ++port) {
    of_alice.insert(Send(nat, Sec(0), {kAlice.ip, port}, kPeer).ip);
    // RFC 6888 REQ-2: for every protocol the same.
    of_alice.insert(
        nat.Outbound(Sec(0), TcpSegment({kAlice.ip, port}, kPeer, Tcp::kSyn)).tuple.source.ip);
  }
  EXPECT_EQ(of_alice.size(), 1u);
  for (uint8_t host = 2; host < 8; ++host) {
    all.insert(Send(nat, Sec(0), {IpAddress::V4(10, 0, 0, host), 6000}, kPeer).ip);
  }
  EXPECT_EQ(all.size(), 3u);  // hosts take turns
}

// RFC 7857 section 4: a paired host whose address has no port left gets no other.
TEST_F(PoolingTest, PairedDropsWhenTheAddressIsFull) {
  NatBehaviour b;
  b.port_low = 2000;
  b.port_high = 2001;
  Nat nat = Make(Pooling::kPaired, b);
  Send(nat, Sec(0), {kAlice.ip, 5000}, kPeer);
  Send(nat, Sec(0), {kAlice.ip, 5001}, kPeer);
  const Verdict v = nat.Outbound(Sec(0), Udp({kAlice.ip, 5002}, kPeer));
  EXPECT_STREQ(v.rule, nat_rule::kPortExhausted);
  EXPECT_EQ(v.detail, "10.0.0.2:5002 needs a mapping and no UDP port is free on 198.51.100.2");
}

TEST_F(PoolingTest, ArbitrarySpreadsAHostOverAddressesAndUsesThemAll) {
  NatBehaviour b;
  b.port_low = 2000;
  b.port_high = 2001;
  Nat nat = Make(Pooling::kArbitrary, b);
  std::set<IpAddress> addresses;
  for (uint16_t port = 5000; port < 5006; ++port) {
    addresses.insert(Send(nat, Sec(0), {kAlice.ip, port}, kPeer).ip);
  }
  EXPECT_EQ(addresses.size(), 3u);
  const Verdict v = nat.Outbound(Sec(0), Udp({kAlice.ip, 5006}, kPeer));
  EXPECT_STREQ(v.rule, nat_rule::kPortExhausted);
}

TEST(NatMappingTest, NoExternalAddressOfTheFamily) {
  NatBehaviour b;
  b.translate_ipv6 = true;
  Nat nat = MakeNat(b);
  const Verdict v = nat.Outbound(Sec(0), Udp(At("[fd00::2]:5000"), At("[2001:db8::9]:3478")));
  EXPECT_STREQ(v.rule, nat_rule::kNoExternalAddress);
}

}  // namespace
}  // namespace rtclab::sim
