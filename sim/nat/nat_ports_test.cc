// RFC 4787 section 4.2: port assignment, parity, contiguity.
#include <gtest/gtest.h>
#include <set>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

NatBehaviour With(PortAssignment assignment, uint16_t low = 1024, uint16_t high = 65535) {
  NatBehaviour b;
  b.port_assignment = assignment;
  b.port_low = low;
  b.port_high = high;
  return b;
}

TEST(NatPortsTest, PreservationKeepsThePortAndFallsBackToTheNextFree) {
  Nat nat = MakeNat(With(PortAssignment::kPreservation));
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 40000), kPeer).port, 40000);
  EXPECT_EQ(Send(nat, Sec(0), Host(3, 40000), kPeer).port, 40001);
  EXPECT_EQ(Send(nat, Sec(0), Host(4, 40000), kPeer).port, 40002);
  EXPECT_EQ(Send(nat, Sec(0), Host(5, 40001), kPeer).port, 40003);
}

TEST(NatPortsTest, PreservationWrapsAroundTheRange) {
  Nat nat = MakeNat(With(PortAssignment::kPreservation, 2000, 2002));
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 2002), kPeer).port, 2002);
  EXPECT_EQ(Send(nat, Sec(0), Host(3, 2002), kPeer).port, 2000);
  EXPECT_EQ(Send(nat, Sec(0), Host(4, 2002), kPeer).port, 2001);
  EXPECT_STREQ(nat.Outbound(Sec(0), Udp(Host(5, 2002), kPeer)).rule, nat_rule::kPortExhausted);
}

TEST(NatPortsTest, PreservationOfAPortOutsideTheRangeTakesOneInside) {
  Nat nat = MakeNat(With(PortAssignment::kPreservation, 2000, 2002));
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 40000), kPeer).port, 2000);
}

TEST(NatPortsTest, FallbackToTheFirstFreePortOfTheRange) {
  NatBehaviour b = With(PortAssignment::kPreservation, 1);
  b.port_fallback = PortFallback::kFirstFree;
  Nat nat = MakeNat(b);
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 40000), kPeer).port, 40000);
  EXPECT_EQ(Send(nat, Sec(0), Host(3, 40000), kPeer).port, 1024);
  EXPECT_EQ(Send(nat, Sec(0), Host(4, 40000), kPeer).port, 1025);
}

TEST(NatPortsTest, FallbackByLot) {
  NatBehaviour b = With(PortAssignment::kPreservation);
  b.port_fallback = PortFallback::kRandom;
  std::set<uint16_t> second;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Nat nat = MakeNat(b, seed);
    EXPECT_EQ(Send(nat, Sec(0), Host(2, 40000), kPeer).port, 40000);
    second.insert(Send(nat, Sec(0), Host(3, 40000), kPeer).port);
  }
  EXPECT_GT(second.size(), 15u);
  EXPECT_FALSE(second.contains(40000));
}

// REQ-3a.
TEST(NatPortsTest, WellKnownPortsStayWellKnown) {
  for (const PortAssignment assignment :
       {PortAssignment::kPreservation, PortAssignment::kSequential, PortAssignment::kRandom}) {
    Nat nat = MakeNat(With(assignment, 1));
    for (uint8_t host = 2; host < 30; ++host) {
      EXPECT_LT(Send(nat, Sec(0), Host(host, 500), kPeer).port, 1024);
      EXPECT_GE(Send(nat, Sec(0), Host(host, 1024), kPeer).port, 1024);
    }
  }
}

TEST(NatPortsTest, SequentialTakesTheNextPortAndWraps) {
  Nat nat = MakeNat(With(PortAssignment::kSequential, 2000, 2002));
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 40000), kPeer).port, 2000);
  EXPECT_EQ(Send(nat, Sec(200), Host(3, 40000), kPeer).port, 2001);
  EXPECT_EQ(Send(nat, Sec(200), Host(4, 40000), kPeer).port, 2002);
  // The first has expired; the sequence goes on instead of back until it comes round.
  EXPECT_EQ(Send(nat, Sec(300), Host(5, 40000), kPeer).port, 2000);
  EXPECT_STREQ(nat.Outbound(Sec(300), Udp(Host(6, 40000), kPeer)).rule, nat_rule::kPortExhausted);
}

TEST(NatPortsTest, RandomSpreadsOverTheWholeRangeAndFillsIt) {
  Nat nat = MakeNat(With(PortAssignment::kRandom, 2000, 2999));
  std::set<uint16_t> ports;
  int ascending = 0;
  uint16_t previous = 0;
  for (uint16_t i = 0; i < 1000; ++i) {
    const uint16_t port = Send(nat, Sec(0), Host(2, 10000 + i), kPeer).port;
    EXPECT_GE(port, 2000);
    EXPECT_LE(port, 2999);
    EXPECT_TRUE(ports.insert(port).second);
    ascending += port > previous;
    previous = port;
  }
  EXPECT_NEAR(ascending, 500, 100);
  EXPECT_STREQ(nat.Outbound(Sec(0), Udp(Host(2, 20000), kPeer)).rule, nat_rule::kPortExhausted);
  EXPECT_EQ(nat.Outbound(Sec(0), Udp(Host(2, 20000), kPeer)).detail,
            "10.0.0.2:20000 needs a mapping and no UDP port is free on 198.51.100.2");
}

// REQ-3 forbids it; a NAT that does it all the same gives the packets to whoever sent last.
TEST(NatPortsTest, OverloadingGivesThePortToSeveralHosts) {
  NatBehaviour b = With(PortAssignment::kOverloading);
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), Host(2, 40000), kPeer);
  EXPECT_EQ(Send(nat, Sec(1), Host(3, 40000), kOther), mapped);
  EXPECT_EQ(mapped.port, 40000);
  // Different destinations: told apart.
  EXPECT_EQ(Receive(nat, Sec(2), kPeer, mapped, Host(2, 40000)), "");
  EXPECT_EQ(Receive(nat, Sec(2), kOther, mapped, Host(3, 40000)), "");
  // The same destination: the last one wins, and the first when it sends again.
  Send(nat, Sec(3), Host(3, 40000), kPeer);
  EXPECT_EQ(Receive(nat, Sec(4), kPeer, mapped, Host(3, 40000)), "");
  Send(nat, Sec(5), Host(2, 40000), kPeer);
  EXPECT_EQ(Receive(nat, Sec(6), kPeer, mapped, Host(2, 40000)), "");
}

TEST(NatPortsTest, OverloadedPortIsFreeOnlyWhenItsLastHostHasGone) {
  NatBehaviour b = With(PortAssignment::kOverloading);
  b.filtering = Filtering::kEndpointIndependent;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), Host(2, 40000), kPeer);
  Send(nat, Sec(100), Host(3, 40000), kPeer);
  EXPECT_EQ(Receive(nat, Sec(300), kOther, mapped, Host(3, 40000)), "");
  EXPECT_EQ(Receive(nat, Sec(400), kOther, mapped, Host(3, 40000)), "nat.mapping-expired");
}

// RFC 7857 section 3; this is what Linux does.
TEST(NatPortsTest, OverlappingKeepsThePortUntilTheDestinationClashes) {
  NatBehaviour b = With(PortAssignment::kPreservation);
  b.mapping = Mapping::kAddressAndPortDependent;
  b.filtering = Filtering::kAddressAndPortDependent;
  b.port_overlapping = true;
  Nat nat = MakeNat(b);
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 40000), kPeer).port, 40000);
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 40000), kOther).port, 40000);
  EXPECT_EQ(Send(nat, Sec(0), Host(3, 40000), kPeerOtherPort).port, 40000);
  // Bob's port is taken towards this destination, and only towards it.
  EXPECT_EQ(Send(nat, Sec(0), Host(3, 40000), kPeer).port, 40001);
  const TransportAddress shared = At("198.51.100.2:40000");
  EXPECT_EQ(Receive(nat, Sec(1), kPeer, shared, Host(2, 40000)), "");
  EXPECT_EQ(Receive(nat, Sec(1), kOther, shared, Host(2, 40000)), "");
  EXPECT_EQ(Receive(nat, Sec(1), kPeerOtherPort, shared, Host(3, 40000)), "");
  EXPECT_EQ(Receive(nat, Sec(1), kPeer, At("198.51.100.2:40001"), Host(3, 40000)), "");
  EXPECT_EQ(Receive(nat, Sec(1), At("203.0.113.7:1"), shared, Host(2, 40000)),
            "nat.filter.address-and-port-dependent");
}

// A cloud's gateway: ports of their own while there are any, then shared between destinations.
TEST(NatPortsTest, OverlappingByLotSharesPortsOnlyWhenAllAreTaken) {
  NatBehaviour b = With(PortAssignment::kRandom, 2000, 2003);
  b.mapping = Mapping::kAddressAndPortDependent;
  b.filtering = Filtering::kAddressAndPortDependent;
  b.port_overlapping = true;
  Nat nat = MakeNat(b);
  std::set<uint16_t> ports;
  for (uint16_t i = 0; i < 4; ++i) ports.insert(Send(nat, Sec(0), Host(2, 10000 + i), kPeer).port);
  EXPECT_EQ(ports.size(), 4u);
  EXPECT_STREQ(nat.Outbound(Sec(0), Udp(Host(2, 10004), kPeer)).rule, nat_rule::kPortExhausted);
  ports.clear();
  for (uint16_t i = 0; i < 4; ++i) ports.insert(Send(nat, Sec(0), Host(3, 10000 + i), kOther).port);
  EXPECT_EQ(ports.size(), 4u);
}

// REQ-4.
TEST(NatPortsTest, ParityIsKeptInEveryAssignment) {
  for (const PortAssignment assignment :
       {PortAssignment::kPreservation, PortAssignment::kSequential, PortAssignment::kRandom}) {
    NatBehaviour b = With(assignment, 2000, 2099);
    b.port_parity = true;
    Nat nat = MakeNat(b);
    for (uint8_t host = 2; host < 52; ++host) {
      EXPECT_EQ(Send(nat, Sec(0), Host(host, 2010), kPeer).port % 2, 0);
    }
    // 50 even ports are taken; only odd ones are left.
    EXPECT_STREQ(nat.Outbound(Sec(0), Udp(Host(2, 2012), kPeer)).rule, nat_rule::kPortExhausted);
    for (uint8_t host = 2; host < 52; ++host) {
      EXPECT_EQ(Send(nat, Sec(0), Host(host, 2011), kPeer).port % 2, 1);
    }
  }
}

TEST(NatPortsTest, ContiguityGivesRtcpThePortAboveRtp) {
  for (const PortAssignment assignment :
       {PortAssignment::kPreservation, PortAssignment::kSequential, PortAssignment::kRandom}) {
    NatBehaviour b = With(assignment, 2000, 2099);
    b.port_parity = true;
    b.port_contiguity = true;
    Nat nat = MakeNat(b);
    Send(nat, Sec(0), Host(9, 2011), kPeer);  // someone is on an odd port already
    for (uint8_t host = 2; host < 9; ++host) {
      const uint16_t rtp = Send(nat, Sec(0), Host(host, 2010), kPeer).port;
      const uint16_t rtcp = Send(nat, Sec(0), Host(host, 2011), kPeer).port;
      EXPECT_EQ(rtp % 2, 0);
      EXPECT_EQ(rtcp, rtp + 1) << static_cast<int>(assignment);
    }
  }
}

// RFC 6888 REQ-8.
TEST(NatPortsTest, AReleasedPortRestsBeforeAnotherHostGetsIt) {
  NatBehaviour b = With(PortAssignment::kPreservation, 2000, 2001);
  b.port_reuse_delay = TimeDelta::Seconds(120);
  Nat nat = MakeNat(b);
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 2000), kPeer).port, 2000);
  // It expires at 300 and rests until 420.
  EXPECT_EQ(Send(nat, Sec(300), Host(3, 2000), kPeer).port, 2001);
  EXPECT_STREQ(nat.Outbound(Sec(419), Udp(Host(4, 2000), kPeer)).rule, nat_rule::kPortExhausted);
  EXPECT_EQ(Send(nat, Sec(420), Host(4, 2000), kPeer).port, 2000);
}

TEST(NatPortsTest, TheSameHostGetsItsRestingPortBackAtOnce) {
  NatBehaviour b = With(PortAssignment::kPreservation, 2000, 2001);
  b.port_reuse_delay = TimeDelta::Seconds(120);
  Nat nat = MakeNat(b);
  EXPECT_EQ(Send(nat, Sec(0), Host(2, 2000), kPeer).port, 2000);
  EXPECT_EQ(Send(nat, Sec(310), Host(2, 2000), kPeer).port, 2000);
  // The old rest would have ended at 420; the port is in use now and rests again from 610 to 730.
  EXPECT_EQ(Send(nat, Sec(425), Host(3, 2000), kPeer).port, 2001);
  EXPECT_STREQ(nat.Outbound(Sec(724), Udp(Host(4, 2000), kPeer)).rule, nat_rule::kPortExhausted);
  EXPECT_EQ(Send(nat, Sec(730), Host(4, 2000), kPeer).port, 2000);
}

// The allocator's search skips full words of its bitmap; every port must still be found.
TEST(NatPortsTest, EveryPortOfTheFullRangeIsGivenOnce) {
  for (const bool parity : {false, true}) {
    NatBehaviour b = With(PortAssignment::kRandom, 1024, 65535);
    b.max_mappings_per_host = 100000;
    b.port_parity = parity;
    Nat nat = MakeNat(b);
    std::set<uint16_t> ports;
    for (uint32_t i = 0; i < 64512; ++i) {
      const TransportAddress host{IpAddress::V4(0x0a000000u + 1 + i / 50000),
                                  static_cast<uint16_t>(2000 + i % 50000)};
      const Verdict v = nat.Outbound(Sec(0), Udp(host, kPeer));
      ASSERT_FALSE(v.dropped()) << i << v.detail;
      ports.insert(v.tuple.source.port);
    }
    EXPECT_EQ(ports.size(), 64512u);
  }
}

}  // namespace
}  // namespace rtclab::sim
