// RFC 4787 section 6: two hosts inside that meet at the NAT's external address.
#include <gtest/gtest.h>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

class NatHairpinTest : public testing::Test {
 protected:
  // Alice and Bob have each sent to a server.
  void Open(Hairpinning hairpinning, Filtering filtering = Filtering::kEndpointIndependent) {
    NatBehaviour b;
    b.hairpinning = hairpinning;
    b.filtering = filtering;
    b.port_assignment = PortAssignment::kSequential;
    nat_.emplace(MakeNat(b));
    alice_ = Send(*nat_, Sec(0), kAlice, kPeer);
    bob_ = Send(*nat_, Sec(0), kBob, kPeer);
  }

  std::optional<Nat> nat_;
  TransportAddress alice_, bob_;  // outside
};

// REQ-9a.
TEST_F(NatHairpinTest, ExternalSource) {
  Open(Hairpinning::kExternalSource);
  const Verdict v = nat_->Outbound(Sec(1), Udp(kAlice, bob_));
  EXPECT_EQ(v.action, Verdict::Action::kHairpin);
  EXPECT_EQ(v.tuple, (FlowTuple{IpProtocol::kUdp, alice_, kBob}));
  // And the answer finds its way back.
  const Verdict back = nat_->Outbound(Sec(2), Udp(kBob, alice_));
  EXPECT_EQ(back.action, Verdict::Action::kHairpin);
  EXPECT_EQ(back.tuple, (FlowTuple{IpProtocol::kUdp, bob_, kAlice}));
}

TEST_F(NatHairpinTest, InternalSource) {
  Open(Hairpinning::kInternalSource);
  const Verdict v = nat_->Outbound(Sec(1), Udp(kAlice, bob_));
  EXPECT_EQ(v.action, Verdict::Action::kHairpin);
  EXPECT_EQ(v.tuple, (FlowTuple{IpProtocol::kUdp, kAlice, kBob}));
}

TEST_F(NatHairpinTest, Unsupported) {
  Open(Hairpinning::kNone);
  const Verdict v = nat_->Outbound(Sec(1), Udp(kAlice, bob_));
  EXPECT_STREQ(v.rule, nat_rule::kHairpinUnsupported);
  EXPECT_EQ(v.detail,
            "10.0.0.2:40000 sent to 198.51.100.2:1025, an external address of its own NAT");
  EXPECT_EQ(nat_->Mappings(Sec(1)).size(), 2u);
}

TEST_F(NatHairpinTest, FiltersAsIfItCameFromOutside) {
  Open(Hairpinning::kExternalSource, Filtering::kAddressAndPortDependent);
  Verdict v = nat_->Outbound(Sec(1), Udp(kAlice, bob_));
  EXPECT_STREQ(v.rule, nat_rule::kFilterAddressAndPortDependent);
  EXPECT_EQ(
      v.detail,
      "198.51.100.2:1024 may not send to mapping 198.51.100.2:1025: the mapping has only been "
      "used towards 203.0.113.9:3478");
  // Alice has opened her side all the same, so Bob gets through, and then Alice does.
  EXPECT_EQ(nat_->Outbound(Sec(2), Udp(kBob, alice_)).action, Verdict::Action::kHairpin);
  EXPECT_EQ(nat_->Outbound(Sec(3), Udp(kAlice, bob_)).action, Verdict::Action::kHairpin);
}

TEST_F(NatHairpinTest, AnEndpointThatNobodyUses) {
  Open(Hairpinning::kExternalSource);
  EXPECT_STREQ(nat_->Outbound(Sec(1), Udp(kAlice, At("198.51.100.2:5555"))).rule,
               nat_rule::kNoMapping);
}

TEST_F(NatHairpinTest, AHostReachesItself) {
  Open(Hairpinning::kExternalSource);
  const Verdict v = nat_->Outbound(Sec(1), Udp(kAlice, alice_));
  EXPECT_EQ(v.action, Verdict::Action::kHairpin);
  EXPECT_EQ(v.tuple, (FlowTuple{IpProtocol::kUdp, alice_, kAlice}));
}

TEST_F(NatHairpinTest, RefreshesBothMappings) {
  Open(Hairpinning::kExternalSource);
  nat_->Outbound(Sec(200), Udp(kAlice, bob_));
  nat_->Outbound(Sec(200), Udp(kBob, alice_));
  EXPECT_EQ(nat_->Outbound(Sec(450), Udp(kAlice, bob_)).action, Verdict::Action::kHairpin);
}

// RFC 5382 REQ-8: TCP too.
TEST_F(NatHairpinTest, Tcp) {
  Open(Hairpinning::kExternalSource);
  nat_->Outbound(Sec(0), TcpSegment(kBob, kPeer, Tcp::kSyn));
  const Verdict v = nat_->Outbound(Sec(1), TcpSegment(kAlice, At("198.51.100.2:1024"), Tcp::kSyn));
  EXPECT_EQ(v.action, Verdict::Action::kHairpin);
  EXPECT_EQ(v.tuple.destination, kBob);
}

// A NAT with ports answers a ping of its own address itself.
TEST_F(NatHairpinTest, NoPings) {
  Open(Hairpinning::kExternalSource);
  EXPECT_STREQ(nat_->Outbound(Sec(0), Echo("10.0.0.2", kPublic, 1)).rule,
               nat_rule::kHairpinUnsupported);
}

// RFC 5508 REQ-7: Bob's host refuses Alice's packet, and Alice learns of it.
TEST_F(NatHairpinTest, IcmpErrors) {
  Open(Hairpinning::kExternalSource);
  const Verdict data = nat_->Outbound(Sec(1), Udp(kAlice, bob_));
  const Verdict v = nat_->Outbound(Sec(1), IcmpError("10.0.0.3", kPublic, data.tuple));
  EXPECT_EQ(v.action, Verdict::Action::kHairpin);
  EXPECT_EQ(v.tuple.source.ip, Ip(kPublic));
  EXPECT_EQ(v.tuple.destination.ip, kAlice.ip);
  EXPECT_EQ(v.embedded, (FlowTuple{IpProtocol::kUdp, kAlice, bob_}));
}

TEST_F(NatHairpinTest, IcmpErrorsNeedHairpinning) {
  Open(Hairpinning::kNone);
  const Verdict v =
      nat_->Outbound(Sec(1), IcmpError("10.0.0.3", kPublic, {IpProtocol::kUdp, kPeer, kBob}));
  EXPECT_STREQ(v.rule, nat_rule::kHairpinUnsupported);
}

}  // namespace
}  // namespace rtclab::sim
