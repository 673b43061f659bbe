// RFC 4787 section 5: who may send in through a mapping.
#include <gtest/gtest.h>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

NatBehaviour With(Filtering filtering, Mapping mapping = Mapping::kEndpointIndependent) {
  NatBehaviour b;
  b.filtering = filtering;
  b.mapping = mapping;
  return b;
}

// REQ-8 (transparency).
TEST(NatFilteringTest, EndpointIndependentFilteringLetsAnyoneIn) {
  Nat nat = MakeNat(With(Filtering::kEndpointIndependent));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(1), kPeer, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(1), kPeerOtherPort, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(1), kOther, mapped, kAlice), "");
}

// REQ-8 (stringency).
TEST(NatFilteringTest, AddressDependentFilteringGoesByAddress) {
  Nat nat = MakeNat(With(Filtering::kAddressDependent));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(1), kPeer, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(1), kPeerOtherPort, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(1), kOther, mapped, kAlice), "nat.filter.address-dependent");
  Send(nat, Sec(2), kAlice, kOther);
  EXPECT_EQ(Receive(nat, Sec(3), At("203.0.113.7:1"), mapped, kAlice), "");
}

TEST(NatFilteringTest, AddressAndPortDependentFilteringGoesByBoth) {
  Nat nat = MakeNat(With(Filtering::kAddressAndPortDependent));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(1), kPeer, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(1), kPeerOtherPort, mapped, kAlice),
            "nat.filter.address-and-port-dependent");
  EXPECT_EQ(Receive(nat, Sec(1), kOther, mapped, kAlice), "nat.filter.address-and-port-dependent");
  Send(nat, Sec(2), kAlice, kPeerOtherPort);
  EXPECT_EQ(Receive(nat, Sec(3), kPeerOtherPort, mapped, kAlice), "");
}

TEST(NatFilteringTest, TheSentenceSaysWhomTheMappingWasUsedTowards) {
  Nat nat = MakeNat(With(Filtering::kAddressAndPortDependent));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(
      nat.Inbound(Sec(1), Udp(kOther, mapped)).detail,
      "203.0.113.7:4242 may not send to mapping 198.51.100.2:40000: the mapping has only been "
      "used towards 203.0.113.9:3478");
  for (uint16_t port = 1; port <= 5; ++port) Send(nat, Sec(0), kAlice, {kPeer.ip, port});
  EXPECT_EQ(
      nat.Inbound(Sec(1), Udp(kOther, mapped)).detail,
      "203.0.113.7:4242 may not send to mapping 198.51.100.2:40000: the mapping has only been "
      "used towards 203.0.113.9:3478, 203.0.113.9:1, 203.0.113.9:2 and 3 more");
}

// Linux reuses a port towards another destination, and the peer sees one endpoint whoever holds it.
TEST(NatFilteringTest, TheSentenceCountsEveryMappingOfASharedEndpoint) {
  NatBehaviour b = With(Filtering::kAddressAndPortDependent, Mapping::kAddressAndPortDependent);
  b.port_assignment = PortAssignment::kPreservation;
  b.port_overlapping = true;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  ASSERT_EQ(Send(nat, Sec(1), kAlice, kPeerOtherPort), mapped);
  ASSERT_EQ(Send(nat, Sec(2), kBob, {kPeer.ip, 9}), mapped);
  EXPECT_EQ(
      nat.Inbound(Sec(3), Udp(kOther, mapped)).detail,
      "203.0.113.7:4242 may not send to mapping 198.51.100.2:40000: the mapping has only been "
      "used towards 203.0.113.9:3478, 203.0.113.9:3479, 203.0.113.9:9");
}

TEST(NatFilteringTest, TheSentenceNamesADestinationOfTwoHostsOnce) {
  NatBehaviour b = With(Filtering::kAddressAndPortDependent);
  b.port_assignment = PortAssignment::kOverloading;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  ASSERT_EQ(Send(nat, Sec(1), kBob, kPeer), mapped);
  EXPECT_EQ(
      nat.Inbound(Sec(2), Udp(kOther, mapped)).detail,
      "203.0.113.7:4242 may not send to mapping 198.51.100.2:40000: the mapping has only been "
      "used towards 203.0.113.9:3478");
}

// The mapping of one destination does not open another's.
TEST(NatFilteringTest, EachSymmetricMappingFiltersForItself) {
  NatBehaviour b = With(Filtering::kAddressDependent, Mapping::kAddressAndPortDependent);
  b.port_assignment = PortAssignment::kSequential;
  Nat nat = MakeNat(b);
  const TransportAddress to_peer = Send(nat, Sec(0), kAlice, kPeer);
  const TransportAddress to_other = Send(nat, Sec(0), kAlice, kOther);
  EXPECT_EQ(Receive(nat, Sec(1), kPeer, to_peer, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(1), kOther, to_peer, kAlice), "nat.filter.address-dependent");
  EXPECT_EQ(Receive(nat, Sec(1), kOther, to_other, kAlice), "");
}

TEST(NatFilteringTest, OneHostsMappingDoesNotOpenAnothers) {
  Nat nat = MakeNat(With(Filtering::kAddressAndPortDependent));
  const TransportAddress of_alice = Send(nat, Sec(0), kAlice, kPeer);
  const TransportAddress of_bob = Send(nat, Sec(0), kBob, kOther);
  EXPECT_EQ(Receive(nat, Sec(1), kPeer, of_bob, kBob), "nat.filter.address-and-port-dependent");
  EXPECT_EQ(Receive(nat, Sec(1), kOther, of_bob, kBob), "");
  EXPECT_EQ(Receive(nat, Sec(1), kPeer, of_alice, kAlice), "");
}

TEST(NatFilteringTest, WithoutAMappingNothingComesIn) {
  Nat nat = MakeNat(With(Filtering::kEndpointIndependent));
  Verdict v = nat.Inbound(Sec(0), Udp(kPeer, At("198.51.100.2:40000")));
  EXPECT_STREQ(v.rule, nat_rule::kNoMapping);
  EXPECT_EQ(v.detail, "203.0.113.9:3478 sent to 198.51.100.2:40000, which no UDP mapping uses");
  // RFC 7857 section 6: filtering is protocol dependent.
  Send(nat, Sec(0), kAlice, kPeer);
  v = nat.Inbound(Sec(0), TcpSegment(kPeer, At("198.51.100.2:40000"), Tcp::kSyn));
  EXPECT_STREQ(v.rule, nat_rule::kNoMapping);
}

TEST(NatFilteringTest, PacketsForOtherAddressesAreNotTaken) {
  Nat nat = MakeNat(With(Filtering::kEndpointIndependent));
  Send(nat, Sec(0), kAlice, kPeer);
  const Verdict v = nat.Inbound(Sec(0), Udp(kPeer, kAlice));
  EXPECT_STREQ(v.rule, nat_rule::kNotExternalAddress);
  EXPECT_EQ(v.detail, "10.0.0.2 is not one of the NAT's addresses");
}

// A flow keeps its endpoints: the answer to what an open filter let in leaves by the mapping that it came to.
TEST(NatFilteringTest, AnswersLeaveByTheMappingThatTheQuestionCameTo) {
  NatBehaviour b = With(Filtering::kEndpointIndependent, Mapping::kAddressAndPortDependent);
  b.port_assignment = PortAssignment::kSequential;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(1), kOther, mapped, kAlice), "");
  EXPECT_EQ(Send(nat, Sec(1), kAlice, kOther), mapped);
  // What the inside opened itself keeps its own way, whatever comes in elsewhere.
  const TransportAddress own = Send(nat, Sec(2), kAlice, kPeerOtherPort);
  EXPECT_NE(own, mapped);
  EXPECT_EQ(Receive(nat, Sec(3), kPeerOtherPort, mapped, kAlice), "");
  EXPECT_EQ(Send(nat, Sec(3), kAlice, kPeerOtherPort), own);
}

// What came in because of its address does not open the filter for others of that address when the outside can't refresh.
TEST(NatFilteringTest, WhatWasLetInDoesNotOpenTheFilterItself) {
  NatBehaviour b = With(Filtering::kAddressDependent);
  b.refresh = Refresh::kOutbound;
  b.udp_unreplied_timeout = b.udp_timeout = TimeDelta::Seconds(100);
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  Send(nat, Sec(50), kAlice, kOther);  // keeps the mapping, not the permission of kPeer
  EXPECT_EQ(Receive(nat, Sec(99), kPeerOtherPort, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(100), kPeerOtherPort, mapped, kAlice), "nat.filter.address-dependent");
  EXPECT_EQ(Receive(nat, Sec(100), kOther, mapped, kAlice), "");
}

}  // namespace
}  // namespace rtclab::sim
