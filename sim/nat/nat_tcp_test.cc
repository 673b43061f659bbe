// RFC 5382 and RFC 7857 section 2: TCP through a NAT.
#include <gtest/gtest.h>

#include "sim/nat/nat_test_util.h"

namespace rtclab::sim {
namespace {

class NatTcpTest : public testing::Test {
 protected:
  explicit NatTcpTest(NatBehaviour b = {}) : nat_(MakeNat(b)) {}

  // "" or the rule.
  std::string Out(int64_t t, Tcp kind, const TransportAddress& to = kPeer) {
    const Verdict v = nat_.Outbound(Sec(t), TcpSegment(kAlice, to, kind));
    return v.dropped() ? v.rule : "";
  }
  std::string In(int64_t t, Tcp kind, const TransportAddress& from = kPeer) {
    const Verdict v = nat_.Inbound(Sec(t), TcpSegment(from, At("198.51.100.2:40000"), kind));
    if (!v.dropped()) {
      EXPECT_EQ(v.tuple.destination, kAlice);
    }
    return v.dropped() ? v.rule : "";
  }
  void Connect(int64_t t) {
    EXPECT_EQ(Out(t, Tcp::kSyn), "");
    EXPECT_EQ(In(t, Tcp::kSynAck), "");
    EXPECT_EQ(Out(t, Tcp::kAck), "");
  }
  Timestamp Expires(int64_t t) {
    const auto mappings = nat_.Mappings(Sec(t));
    return mappings.empty() ? Timestamp() : mappings[0].expires;
  }

  Nat nat_;
};

// RFC 5382 REQ-5.
TEST_F(NatTcpTest, AnEstablishedConnectionMayRestForTwoHours) {
  Connect(0);
  EXPECT_EQ(Expires(0), Sec(7440));
  EXPECT_EQ(In(7439, Tcp::kAck), "");
  EXPECT_EQ(Out(14878, Tcp::kAck), "");
  EXPECT_EQ(Out(22318, Tcp::kAck), "nat.tcp-no-session");
}

TEST_F(NatTcpTest, AHalfOpenConnectionEndsAfterFourMinutes) {
  EXPECT_EQ(Out(0, Tcp::kSyn), "");
  EXPECT_EQ(Expires(0), Sec(240));
  EXPECT_EQ(In(240, Tcp::kSynAck), "nat.mapping-expired");
}

// REQ-2a.
TEST_F(NatTcpTest, SimultaneousOpen) {
  EXPECT_EQ(In(0, Tcp::kSyn), "nat.no-mapping");  // REQ-4: dropped silently
  EXPECT_EQ(Out(1, Tcp::kSyn), "");
  EXPECT_EQ(In(2, Tcp::kSyn), "");
  EXPECT_EQ(Expires(2), Sec(2 + 7440));
}

TEST_F(NatTcpTest, OnlyASynStartsAConnection) {
  for (const Tcp kind : {Tcp::kAck, Tcp::kFin, Tcp::kRst}) {
    EXPECT_EQ(Out(0, kind), "nat.tcp-no-session");
  }
  EXPECT_EQ(nat_.Outbound(Sec(0), TcpSegment(kAlice, kPeer, Tcp::kAck)).detail,
            "10.0.0.2:40000 sent a TCP segment that is no SYN to 203.0.113.9:3478 without a "
            "connection");
  EXPECT_TRUE(nat_.Mappings(Sec(0)).empty());
}

TEST_F(NatTcpTest, ClosingTakesFinsFromBothSides) {
  Connect(0);
  EXPECT_EQ(Out(10, Tcp::kFin), "");
  EXPECT_EQ(Out(11, Tcp::kFin), "");       // sent again
  EXPECT_EQ(Expires(11), Sec(11 + 7440));  // half-closed lives on
  EXPECT_EQ(In(20, Tcp::kFin), "");
  EXPECT_EQ(Expires(20), Sec(260));
  EXPECT_EQ(Out(21, Tcp::kAck), "");
  EXPECT_EQ(In(261, Tcp::kAck), "nat.mapping-expired");
}

// RFC 7857 section 2.2.
TEST_F(NatTcpTest, AResetLeavesFourMinutesAndNoMore) {
  Connect(0);
  EXPECT_EQ(In(100, Tcp::kRst), "");
  EXPECT_EQ(Expires(100), Sec(340));
  EXPECT_EQ(Out(200, Tcp::kRst), "");  // section 7.1: a RST refreshes nothing
  EXPECT_EQ(Expires(200), Sec(340));
  EXPECT_EQ(Out(340, Tcp::kAck), "nat.tcp-no-session");
}

// RFC 7857 figure 1: data after a RST brings the connection back, because a forged RST must not end it.
TEST_F(NatTcpTest, DataAfterAResetBringsTheConnectionBack) {
  Connect(0);
  EXPECT_EQ(In(100, Tcp::kRst), "");
  EXPECT_EQ(Out(150, Tcp::kAck), "");
  EXPECT_EQ(Expires(150), Sec(150 + 7440));
}

TEST_F(NatTcpTest, TheSamePortsServeANewConnection) {
  Connect(0);
  EXPECT_EQ(Out(10, Tcp::kFin), "");
  EXPECT_EQ(In(10, Tcp::kFin), "");
  Connect(20);
  EXPECT_EQ(Expires(20), Sec(20 + 7440));
}

TEST_F(NatTcpTest, ConnectionsOfOneMappingEndEachForItself) {
  Connect(0);
  EXPECT_EQ(Out(0, Tcp::kSyn, kOther), "");
  EXPECT_EQ(In(1, Tcp::kRst), "");
  EXPECT_EQ(Expires(1),
            Sec(241));  // of the session with the RST; the other one is half open until 240
  EXPECT_EQ(In(239, Tcp::kSynAck, kOther), "");
  EXPECT_EQ(In(242, Tcp::kAck), "nat.filter.address-and-port-dependent");
  EXPECT_EQ(In(242, Tcp::kAck, kOther), "");
}

TEST_F(NatTcpTest, FilteringAppliesToTcp) {
  EXPECT_EQ(Out(0, Tcp::kSyn), "");
  EXPECT_EQ(In(1, Tcp::kSyn, kOther), "nat.filter.address-and-port-dependent");
}

class NatTcpOpenTest : public NatTcpTest {
 protected:
  NatTcpOpenTest() : NatTcpTest({.filtering = Filtering::kEndpointIndependent}) {}
};

// REQ-2, REQ-3: connections from outside where the filter permits them.
TEST_F(NatTcpOpenTest, ConnectionsFromOutside) {
  Connect(0);
  EXPECT_EQ(In(1, Tcp::kAck, kOther), "nat.tcp-no-session");
  EXPECT_EQ(In(1, Tcp::kSyn, kOther), "");
  EXPECT_EQ(Out(1, Tcp::kSynAck, kOther), "");
  EXPECT_EQ(In(2, Tcp::kAck, kOther), "");
  EXPECT_EQ(nat_.Mappings(Sec(2)).size(), 1u);
  EXPECT_EQ(nat_.Mappings(Sec(2))[0].sessions, 2);
}

}  // namespace
}  // namespace rtclab::sim
