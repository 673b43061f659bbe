// RFC 4787 section 4.3: how long mappings and permissions last, to the nanosecond.
#include <gtest/gtest.h>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

constexpr TimeDelta kTick = TimeDelta::Nanos(1);

NatBehaviour With(Refresh refresh, int64_t unreplied = 100, int64_t replied = 100) {
  NatBehaviour b;
  b.refresh = refresh;
  b.udp_unreplied_timeout = TimeDelta::Seconds(unreplied);
  b.udp_timeout = TimeDelta::Seconds(replied);
  return b;
}

// REQ-5.
TEST(NatTimeoutTest, AMappingEndsExactlyAtItsTimeout) {
  for (const TimeDelta early : {kTick, TimeDelta::Zero()}) {
    Nat nat = MakeNat(With(Refresh::kOutbound));
    const TransportAddress mapped = Send(nat, Sec(10), kAlice, kPeer);
    EXPECT_EQ(nat.Mappings(Sec(110) - kTick).size(), 1u);
    EXPECT_EQ(nat.Mappings(Sec(110)).size(), 0u);
    EXPECT_EQ(nat.Mappings(Sec(10))[0].expires, Sec(110));
    EXPECT_EQ(Receive(nat, Sec(110) - early, kPeer, mapped, kAlice),
              early == kTick ? "" : "nat.mapping-expired");
  }
}

TEST(NatTimeoutTest, TheSentenceSaysWhenTheMappingExpired) {
  Nat nat = MakeNat(With(Refresh::kOutbound));
  const TransportAddress mapped = Send(nat, Sec(10), kAlice, kPeer);
  EXPECT_EQ(
      nat.Inbound(Sec(150), Udp(kPeer, mapped)).detail,
      "203.0.113.9:3478 sent to 198.51.100.2:40000, whose mapping to 10.0.0.2:40000 expired at "
      "110.000 s");
}

// REQ-6.
TEST(NatTimeoutTest, OutboundPacketsRefresh) {
  Nat nat = MakeNat(With(Refresh::kOutbound));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  for (int64_t t = 90; t <= 900; t += 90) EXPECT_EQ(Send(nat, Sec(t), kAlice, kPeer), mapped);
  EXPECT_EQ(Receive(nat, Sec(1000) - kTick, kPeer, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(1000), kPeer, mapped, kAlice), "nat.mapping-expired");
}

TEST(NatTimeoutTest, InboundPacketsDoNotRefreshWithOutboundRefresh) {
  Nat nat = MakeNat(With(Refresh::kOutbound));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(90), kPeer, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(100), kPeer, mapped, kAlice), "nat.mapping-expired");
}

// REQ-6a.
TEST(NatTimeoutTest, BothDirectionsRefresh) {
  Nat nat = MakeNat(With(Refresh::kBoth));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(90), kPeer, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(180), kPeer, mapped, kAlice), "");
  EXPECT_EQ(Send(nat, Sec(270), kAlice, kPeer), mapped);
  EXPECT_EQ(Receive(nat, Sec(370), kPeer, mapped, kAlice), "nat.mapping-expired");
}

TEST(NatTimeoutTest, OnlyInboundRefreshes) {
  Nat nat = MakeNat(With(Refresh::kInbound));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Send(nat, Sec(50), kAlice, kPeer), mapped);
  EXPECT_EQ(Receive(nat, Sec(60), kPeer, mapped, kAlice), "");
  EXPECT_EQ(Send(nat, Sec(150), kAlice, kPeer), mapped);
  EXPECT_EQ(Receive(nat, Sec(160), kPeer, mapped, kAlice), "nat.mapping-expired");
}

// A dropped packet refreshes nothing (RFC 7857 section 7).
TEST(NatTimeoutTest, DroppedPacketsDoNotRefresh) {
  NatBehaviour b = With(Refresh::kBoth);
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(90), kOther, mapped, kAlice), "nat.filter.address-and-port-dependent");
  EXPECT_EQ(Receive(nat, Sec(100), kPeer, mapped, kAlice), "nat.mapping-expired");
}

// Any destination keeps an endpoint-independent mapping; each permission lasts by itself.
TEST(NatTimeoutTest, APermissionEndsWhileItsMappingLives) {
  Nat nat = MakeNat(With(Refresh::kOutbound));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Send(nat, Sec(60), kAlice, kOther), mapped);
  EXPECT_EQ(Receive(nat, Sec(99), kPeer, mapped, kAlice), "");
  const Verdict v = nat.Inbound(Sec(100), Udp(kPeer, mapped));
  EXPECT_STREQ(v.rule, nat_rule::kFilterAddressAndPortDependent);
  EXPECT_EQ(
      v.detail,
      "203.0.113.9:3478 may not send to mapping 198.51.100.2:40000: the mapping has only been "
      "used towards 203.0.113.7:4242");
  EXPECT_EQ(Receive(nat, Sec(159), kOther, mapped, kAlice), "");
  EXPECT_EQ(Send(nat, Sec(159), kAlice, kPeer), mapped);
}

// Linux: 30 s until a reply, 120 s after.
TEST(NatTimeoutTest, AReplyLengthensTheTimeout) {
  Nat nat = MakeNat(With(Refresh::kBoth, 30, 120));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  Send(nat, Sec(20), kAlice, kPeer);
  EXPECT_EQ(nat.Mappings(Sec(20))[0].expires, Sec(50));  // two packets out are no stream
  EXPECT_EQ(Receive(nat, Sec(40), kPeer, mapped, kAlice), "");
  EXPECT_EQ(nat.Mappings(Sec(40))[0].expires, Sec(160));
  EXPECT_EQ(Receive(nat, Sec(160) - kTick, kPeer, mapped, kAlice), "");
}

TEST(NatTimeoutTest, AReplyLengthensButDoesNotRefreshWithOutboundRefresh) {
  Nat nat = MakeNat(With(Refresh::kOutbound, 30, 120));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(20), kPeer, mapped, kAlice), "");
  EXPECT_EQ(nat.Mappings(Sec(20))[0].expires, Sec(120));
  EXPECT_EQ(Receive(nat, Sec(120), kPeer, mapped, kAlice), "nat.mapping-expired");
}

// REQ-6a's danger: with inbound refresh a stranger can hold a full cone's mapping.
TEST(NatTimeoutTest, StrangersRefreshAnOpenFilterOnlyWithInboundRefresh) {
  for (const Refresh refresh : {Refresh::kOutbound, Refresh::kBoth}) {
    NatBehaviour b = With(refresh);
    b.filtering = Filtering::kEndpointIndependent;
    Nat nat = MakeNat(b);
    const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
    EXPECT_EQ(Receive(nat, Sec(90), kOther, mapped, kAlice), "");
    EXPECT_EQ(Receive(nat, Sec(150), kOther, mapped, kAlice),
              refresh == Refresh::kBoth ? "" : "nat.mapping-expired");
  }
}

TEST(NatTimeoutTest, AnsweringAStrangerKeepsTheMapping) {
  NatBehaviour b = With(Refresh::kOutbound);
  b.filtering = Filtering::kEndpointIndependent;
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(90), kOther, mapped, kAlice), "");
  EXPECT_EQ(Send(nat, Sec(95), kAlice, kOther), mapped);
  EXPECT_EQ(nat.Mappings(Sec(95))[0].expires, Sec(195));
  EXPECT_EQ(Receive(nat, Sec(195) - kTick, kOther, mapped, kAlice), "");
  EXPECT_EQ(Receive(nat, Sec(195), kOther, mapped, kAlice), "nat.mapping-expired");
}

// After its end an endpoint is nobody's: the next mapping may be another's, and an old one is not remembered for it.
TEST(NatTimeoutTest, AnExpiredPortServesTheNextHost) {
  Nat nat = MakeNat(With(Refresh::kOutbound));
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Send(nat, Sec(100), kBob, kPeer), mapped);
  EXPECT_EQ(Receive(nat, Sec(101), kPeer, mapped, kBob), "");
  EXPECT_EQ(Send(nat, Sec(102), kAlice, kPeer), At("198.51.100.2:40001"));
}

TEST(NatTimeoutTest, NeverIsATimeout) {
  NatBehaviour b = With(Refresh::kOutbound);
  b.udp_unreplied_timeout = b.udp_timeout = TimeDelta::PlusInfinity();
  Nat nat = MakeNat(b);
  const TransportAddress mapped = Send(nat, Sec(0), kAlice, kPeer);
  EXPECT_EQ(Receive(nat, Sec(1'000'000), kPeer, mapped, kAlice), "");
}

TEST(NatTimeoutTest, IcmpQueriesLastAsLongAsTheySay) {
  NatBehaviour b;
  Nat nat = MakeNat(b);
  const Verdict out = nat.Outbound(Sec(0), Echo("10.0.0.2", "203.0.113.9", 7));
  ASSERT_FALSE(out.dropped());
  PacketInfo reply = Echo("203.0.113.9", kPublic, out.tuple.source.port, true);
  EXPECT_FALSE(nat.Inbound(Sec(60) - kTick, reply).dropped());
  EXPECT_STREQ(nat.Inbound(Sec(120), reply).rule, nat_rule::kMappingExpired);
}

}  // namespace
}  // namespace rtclab::sim
