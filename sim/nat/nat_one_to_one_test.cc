// Static one-to-one translation: RFC 3022 section 2.1.
#include <gtest/gtest.h>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

Nat Make(Hairpinning hairpinning = Hairpinning::kExternalSource) {
  NatBehaviour b;
  b.one_to_one = true;
  b.hairpinning = hairpinning;
  return Nat(b, {Ip("198.51.100.2"), Ip("198.51.100.3")}, Rng(1));
}

TEST(NatOneToOneTest, PortsStayAndAnyoneMaySendIn) {
  Nat nat = Make();
  EXPECT_EQ(Send(nat, Sec(0), kAlice, kPeer), At("198.51.100.2:40000"));
  EXPECT_EQ(Send(nat, Sec(0), kBob, kPeer), At("198.51.100.3:40000"));
  EXPECT_EQ(Send(nat, Sec(0), At("10.0.0.2:80"), kOther), At("198.51.100.2:80"));
  EXPECT_EQ(Receive(nat, Sec(100'000), kOther, At("198.51.100.3:22"), At("10.0.0.3:22")), "");
}

TEST(NatOneToOneTest, AssignedHostsAreReachableBeforeTheyHaveSent) {
  Nat nat = Make();
  nat.AssignOneToOne(kBob.ip, Ip("198.51.100.2"));
  EXPECT_EQ(Receive(nat, Sec(0), kPeer, At("198.51.100.2:1"), At("10.0.0.3:1")), "");
  EXPECT_EQ(Send(nat, Sec(0), kAlice, kPeer), At("198.51.100.3:40000"));
  EXPECT_FALSE(nat.Inbound(Sec(0), TcpSegment(kPeer, At("198.51.100.2:1"), Tcp::kAck)).dropped());
}

TEST(NatOneToOneTest, AddressesRunOut) {
  Nat nat = Make();
  Send(nat, Sec(0), kAlice, kPeer);
  const Verdict nobody = nat.Inbound(Sec(0), Udp(kPeer, At("198.51.100.3:1")));
  EXPECT_STREQ(nobody.rule, nat_rule::kNoMapping);
  EXPECT_EQ(nobody.detail, "203.0.113.9:3478 sent to 198.51.100.3, which no host inside has");
  Send(nat, Sec(0), kBob, kPeer);
  const Verdict v = nat.Outbound(Sec(0), Udp(At("10.0.0.4:1"), kPeer));
  EXPECT_STREQ(v.rule, nat_rule::kAddressExhausted);
  EXPECT_EQ(v.detail, "10.0.0.4 needs an external address and all 2 belong to other hosts");
}

TEST(NatOneToOneTest, Hairpinning) {
  for (const Hairpinning kind :
       {Hairpinning::kNone, Hairpinning::kInternalSource, Hairpinning::kExternalSource}) {
    Nat nat = Make(kind);
    Send(nat, Sec(0), kAlice, kPeer);
    Send(nat, Sec(0), kBob, kPeer);
    const Verdict v = nat.Outbound(Sec(1), Udp(kAlice, At("198.51.100.3:7")));
    if (kind == Hairpinning::kNone) {
      EXPECT_STREQ(v.rule, nat_rule::kHairpinUnsupported);
      continue;
    }
    EXPECT_EQ(v.action, Verdict::Action::kHairpin);
    EXPECT_EQ(v.tuple.destination, At("10.0.0.3:7"));
    EXPECT_EQ(v.tuple.source,
              kind == Hairpinning::kInternalSource ? kAlice : At("198.51.100.2:40000"));
  }
}

// RFC 5508 REQ-7: queries hairpin too.
TEST(NatOneToOneTest, PingsHairpin) {
  Nat nat = Make();
  Send(nat, Sec(0), kAlice, kPeer);
  Send(nat, Sec(0), kBob, kPeer);
  const Verdict v = nat.Outbound(Sec(1), Echo("10.0.0.2", "198.51.100.3", 7));
  EXPECT_EQ(v.action, Verdict::Action::kHairpin);
  EXPECT_EQ(v.tuple, Echo("198.51.100.2", "10.0.0.3", 7).tuple);
}

TEST(NatOneToOneTest, IcmpErrorsAreTranslatedWithWhatTheyQuote) {
  Nat nat = Make();
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  Verdict v =
      nat.Inbound(Sec(1), IcmpError("203.0.113.1", kPublic, {IpProtocol::kUdp, mapped, kPeer}));
  EXPECT_EQ(v.tuple.destination.ip, kAlice.ip);
  EXPECT_EQ(v.embedded, (FlowTuple{IpProtocol::kUdp, kAlice, kPeer}));
  v = nat.Outbound(Sec(1), IcmpError("10.0.0.2", "203.0.113.9", {IpProtocol::kUdp, kPeer, kAlice}));
  EXPECT_EQ(v.tuple.source.ip, mapped.ip);
  EXPECT_EQ(v.embedded, (FlowTuple{IpProtocol::kUdp, kPeer, mapped}));
  // Hairpinned: Bob refuses what Alice sent to his external address.
  const TransportAddress bob = Send(nat, Sec(0), kBob, kPeer);
  const Verdict data = nat.Outbound(Sec(1), Udp(kAlice, bob));
  v = nat.Outbound(Sec(1), IcmpError("10.0.0.3", kPublic, data.tuple));
  EXPECT_EQ(v.action, Verdict::Action::kHairpin);
  EXPECT_EQ(v.tuple.source.ip, bob.ip);
  EXPECT_EQ(v.tuple.destination.ip, kAlice.ip);
  EXPECT_EQ(v.embedded, (FlowTuple{IpProtocol::kUdp, kAlice, bob}));
}

}  // namespace
}  // namespace rtclab::sim
