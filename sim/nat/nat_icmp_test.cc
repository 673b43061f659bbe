// RFC 5508: ICMP queries and errors.
#include <gtest/gtest.h>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

NatBehaviour Sequential() {
  NatBehaviour b;
  b.port_assignment = PortAssignment::kSequential;
  return b;
}

// RFC 5508 REQ-1: the identifier is mapped and mapped back.
TEST(NatIcmpTest, EchoIdentifiersAreTranslated) {
  Nat nat = MakeNat(Sequential());
  const Verdict one = nat.Outbound(Sec(0), Echo("10.0.0.2", "203.0.113.9", 7));
  const Verdict two = nat.Outbound(Sec(0), Echo("10.0.0.3", "203.0.113.9", 7));
  EXPECT_EQ(one.tuple, (FlowTuple{IpProtocol::kIcmp, At("198.51.100.2:0"), At("203.0.113.9:0")}));
  EXPECT_EQ(two.tuple, (FlowTuple{IpProtocol::kIcmp, At("198.51.100.2:1"), At("203.0.113.9:1")}));
  const Verdict back = nat.Inbound(Sec(1), Echo("203.0.113.9", kPublic, 1, true));
  EXPECT_EQ(back.tuple, (FlowTuple{IpProtocol::kIcmp, At("203.0.113.9:7"), At("10.0.0.3:7")}));
}

// REQ-1a: whichever host is asked, the identifier stays.
TEST(NatIcmpTest, EchoMappingIsIndependentOfTheHostAsked) {
  Nat nat = MakeNat(Sequential());
  const Verdict one = nat.Outbound(Sec(0), Echo("10.0.0.2", "203.0.113.9", 7));
  const Verdict two = nat.Outbound(Sec(0), Echo("10.0.0.2", "203.0.113.7", 7));
  EXPECT_EQ(one.tuple.source, two.tuple.source);
}

TEST(NatIcmpTest, StrayEchoRepliesAreDropped) {
  Nat nat = MakeNat(Sequential());
  nat.Outbound(Sec(0), Echo("10.0.0.2", "203.0.113.9", 7));
  Verdict v = nat.Inbound(Sec(1), Echo("203.0.113.9", kPublic, 9, true));
  EXPECT_STREQ(v.rule, nat_rule::kNoMapping);
  EXPECT_EQ(v.detail,
            "203.0.113.9 (identifier 9) sent to 198.51.100.2 (identifier 9), which no ICMP mapping "
            "uses");
  v = nat.Inbound(Sec(1), Echo("203.0.113.7", kPublic, 0, true));
  EXPECT_STREQ(v.rule, nat_rule::kFilterAddressAndPortDependent);
  EXPECT_EQ(v.detail,
            "203.0.113.7 (identifier 0) may not send to mapping 198.51.100.2 (identifier 0): the "
            "mapping has only been used towards 203.0.113.9");
  v = nat.Outbound(Sec(1), Echo("10.0.0.3", "203.0.113.9", 7, true));
  EXPECT_STREQ(v.rule, nat_rule::kIcmpNoMatch);
  EXPECT_EQ(v.detail, "the echo reply from 10.0.0.3 to 203.0.113.9 answers no request");
}

// REQ-4: from outside, about a packet of ours.
TEST(NatIcmpTest, ErrorsFromOutsideAreTranslatedWithWhatTheyQuote) {
  Nat nat = MakeNat(Sequential());
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  const PacketInfo error =
      IcmpError("203.0.113.1", kPublic, {IpProtocol::kUdp, mapped, kPeer}, 3, 4);
  const Verdict v = nat.Inbound(Sec(1), error);
  EXPECT_EQ(v.action, Verdict::Action::kForward);
  EXPECT_EQ(v.tuple.source.ip, Ip("203.0.113.1"));  // RFC 4787 REQ-12a: whoever reports it
  EXPECT_EQ(v.tuple.destination.ip, kAlice.ip);
  EXPECT_EQ(v.embedded, (FlowTuple{IpProtocol::kUdp, kAlice, kPeer}));
}

TEST(NatIcmpTest, ErrorsAboutTcpAndEchoAreTranslated) {
  Nat nat = MakeNat(Sequential());
  const Verdict syn = nat.Outbound(Sec(0), TcpSegment(kAlice, kPeer, Tcp::kSyn));
  Verdict v = nat.Inbound(Sec(1), IcmpError("203.0.113.1", kPublic, syn.tuple));
  EXPECT_EQ(v.embedded, (FlowTuple{IpProtocol::kTcp, kAlice, kPeer}));
  nat.Outbound(Sec(0), Echo("10.0.0.3", "203.0.113.9", 7));
  const Verdict ping = nat.Outbound(Sec(0), Echo("10.0.0.2", "203.0.113.9", 7));
  v = nat.Inbound(Sec(1), IcmpError("203.0.113.1", kPublic, ping.tuple, 11, 0));
  EXPECT_EQ(v.embedded, Echo("10.0.0.2", "203.0.113.9", 7).tuple);
  EXPECT_EQ(v.tuple.destination.ip, Ip("10.0.0.2"));
}

// REQ-5: from inside, about a packet that came in.
TEST(NatIcmpTest, ErrorsFromInsideAreTranslatedWithWhatTheyQuote) {
  Nat nat = MakeNat(Sequential());
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  // A router inside reports it; outside, the NAT does (REQ-5c).
  const Verdict v = nat.Outbound(
      Sec(1), IcmpError("10.0.0.254", "203.0.113.9", {IpProtocol::kUdp, kPeer, kAlice}));
  EXPECT_EQ(v.action, Verdict::Action::kForward);
  EXPECT_EQ(v.tuple.source.ip, Ip(kPublic));
  EXPECT_EQ(v.tuple.destination.ip, kPeer.ip);
  EXPECT_EQ(v.embedded, (FlowTuple{IpProtocol::kUdp, kPeer, mapped}));
}

TEST(NatIcmpTest, ErrorsFromInsideAboutEchoReplies) {
  Nat nat = MakeNat(Sequential());
  nat.Outbound(Sec(0), Echo("10.0.0.3", "203.0.113.9", 7));
  nat.Outbound(Sec(0), Echo("10.0.0.2", "203.0.113.9", 7));
  const Verdict v = nat.Outbound(
      Sec(1), IcmpError("10.0.0.2", "203.0.113.9", Echo("203.0.113.9", "10.0.0.2", 7, true).tuple));
  EXPECT_EQ(v.embedded, Echo("203.0.113.9", kPublic, 1, true).tuple);
}

TEST(NatIcmpTest, ErrorsAboutUnknownPacketsAreDropped) {
  Nat nat = MakeNat(Sequential());
  Verdict v = nat.Inbound(
      Sec(0), IcmpError("203.0.113.1", kPublic, {IpProtocol::kUdp, At("198.51.100.2:9"), kPeer}));
  EXPECT_STREQ(v.rule, nat_rule::kIcmpNoMatch);
  EXPECT_EQ(v.detail,
            "the ICMP error from 203.0.113.1 (type 3, code 3) quotes a UDP packet from "
            "198.51.100.2:9 to 203.0.113.9:3478, which no mapping carried out");
  EXPECT_EQ(v.embedded, (FlowTuple{IpProtocol::kUdp, At("198.51.100.2:9"), kPeer}));
  v = nat.Outbound(Sec(0), IcmpError("10.0.0.2", "203.0.113.9", {IpProtocol::kUdp, kPeer, kAlice}));
  EXPECT_STREQ(v.rule, nat_rule::kIcmpNoMatch);
}

// The mapping decides, not the session: the error may concern a destination whose permission has ended.
TEST(NatIcmpTest, AnEndpointIndependentMappingMatchesAnyDestination) {
  Nat nat = MakeNat(Sequential());
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_FALSE(
      nat.Inbound(Sec(1), IcmpError("203.0.113.1", kPublic, {IpProtocol::kUdp, mapped, kOther}))
          .dropped());
  NatBehaviour b = Sequential();
  b.mapping = Mapping::kAddressAndPortDependent;
  Nat symmetric = MakeNat(b);
  const TransportAddress to_peer = Send(symmetric, Sec(0), kAlice, kPeer);
  EXPECT_TRUE(
      symmetric
          .Inbound(Sec(1), IcmpError("203.0.113.1", kPublic, {IpProtocol::kUdp, to_peer, kOther}))
          .dropped());
}

// With overlapping ports the quoted destination tells whose packet it was.
TEST(NatIcmpTest, OverlappingMappingsAreToldApart) {
  NatBehaviour b;
  b.mapping = Mapping::kAddressAndPortDependent;
  b.filtering = Filtering::kAddressAndPortDependent;
  b.port_overlapping = true;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Send(nat, Sec(0), kBob, kOther), mapped);
  const auto inner = [&](const TransportAddress& destination) {
    return nat
        .Inbound(Sec(1), IcmpError("203.0.113.1", kPublic, {IpProtocol::kUdp, mapped, destination}))
        .tuple.destination.ip;
  };
  EXPECT_EQ(inner(kPeer), kAlice.ip);
  EXPECT_EQ(inner(kOther), kBob.ip);
}

// RFC 4787 REQ-12, RFC 5382 REQ-10, RFC 5508 REQ-6: an error ends nothing and prolongs nothing.
TEST(NatIcmpTest, ErrorsLeaveTheMappingAsItIs) {
  NatBehaviour b = Sequential();
  b.refresh = Refresh::kBoth;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  const auto before = nat.Mappings(Sec(100));
  for (uint8_t type = 0; type < 20; ++type) {
    EXPECT_FALSE(nat.Inbound(Sec(100), IcmpError("203.0.113.1", kPublic,
                                                 {IpProtocol::kUdp, mapped, kPeer}, type, 1))
                     .dropped());
    EXPECT_FALSE(nat.Outbound(Sec(100), IcmpError("10.0.0.2", "203.0.113.9",
                                                  {IpProtocol::kUdp, kPeer, kAlice}, type, 1))
                     .dropped());
  }
  EXPECT_EQ(nat.Mappings(Sec(100)), before);
  EXPECT_EQ(Receive(nat, Sec(299), kPeer, mapped, kAlice), "");
}

TEST(NatIcmpTest, ErrorsCanBeSwitchedOff) {
  NatBehaviour b = Sequential();
  b.translate_icmp_errors = false;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  const Verdict v =
      nat.Inbound(Sec(1), IcmpError("203.0.113.1", kPublic, {IpProtocol::kUdp, mapped, kPeer}));
  EXPECT_STREQ(v.rule, nat_rule::kIcmpErrorsOff);
  EXPECT_EQ(v.detail, "an ICMP error from 203.0.113.1 to 198.51.100.2 (type 3, code 3)");
  EXPECT_STREQ(
      nat.Outbound(Sec(1), IcmpError("10.0.0.2", "203.0.113.9", {IpProtocol::kUdp, kPeer, kAlice}))
          .rule,
      nat_rule::kIcmpErrorsOff);
}

}  // namespace
}  // namespace rtclab::sim
