#include "sim/firewall/firewall.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <string>

#include "sim/firewall/firewall_rules.h"
#include "sim/firewall/firewall_test_util.h"

namespace rtclab::sim {
namespace {

TEST(FirewallTest, DeniesInboundByDefaultAndSaysWhy) {
  Firewall firewall{FirewallBehaviour{}};
  const Verdict v = firewall.Inbound(Sec(0), Udp(kServer, kHost));
  EXPECT_EQ(v.action, Verdict::Action::kDrop);
  EXPECT_STREQ(v.rule, firewall_rule::kDefaultDenyIn);
  EXPECT_EQ(v.detail,
            "UDP from 203.0.113.9:3478 to 192.0.2.10:40000: no rule allows it in and no flow waits "
            "for it");
  EXPECT_EQ(v.tuple, Udp(kServer, kHost).tuple);
}

TEST(FirewallTest, AnswersComeBackFromTheSameEndpointOnly) {
  Firewall firewall{FirewallBehaviour{}};
  const Verdict out = firewall.Outbound(Sec(0), Udp(kHost, kServer));
  EXPECT_EQ(out.action, Verdict::Action::kForward);
  EXPECT_EQ(out.tuple, Udp(kHost, kServer).tuple);
  EXPECT_TRUE(out.detail.empty());
  EXPECT_EQ(In(firewall, Sec(1), Udp(kServer, kHost)), "");
  EXPECT_EQ(In(firewall, Sec(1), Udp(At("203.0.113.9:3479"), kHost)), "firewall.default-deny-in");
  EXPECT_EQ(In(firewall, Sec(1), Udp(kServer, At("192.0.2.10:40001"))), "firewall.default-deny-in");
}

TEST(FirewallTest, UdpStateEndsExactlyAfterItsTimeout) {
  Firewall firewall{FirewallBehaviour{}};
  EXPECT_EQ(Out(firewall, Sec(0), Udp(kHost, kServer)), "");
  const Timestamp just_before = Sec(120) - TimeDelta::Nanos(1);
  EXPECT_EQ(In(firewall, just_before, Udp(kServer, kHost)), "");  // and refreshes
  EXPECT_EQ(In(firewall, just_before + TimeDelta::Seconds(120), Udp(kServer, kHost)),
            "firewall.default-deny-in");
}

TEST(FirewallTest, IcmpEchoRepliesMatchTheirRequest) {
  Firewall firewall{FirewallBehaviour{}};
  EXPECT_EQ(In(firewall, Sec(0), Echo(kServer.ip, kHost.ip, 7, true)), "firewall.no-state");
  EXPECT_EQ(In(firewall, Sec(0), Echo(kServer.ip, kHost.ip, 7, false)), "firewall.default-deny-in");
  EXPECT_EQ(Out(firewall, Sec(0), Echo(kHost.ip, kServer.ip, 7, false)), "");
  EXPECT_EQ(In(firewall, Sec(1), Echo(kServer.ip, kHost.ip, 7, true)), "");
  EXPECT_EQ(In(firewall, Sec(1), Echo(kServer.ip, kHost.ip, 8, true)), "firewall.no-state");
  EXPECT_EQ(In(firewall, Sec(61), Echo(kServer.ip, kHost.ip, 7, true)), "firewall.no-state");
}

TEST(FirewallTest, TcpNeedsAHandshakeFromInside) {
  Firewall firewall{FirewallBehaviour{}};
  EXPECT_EQ(In(firewall, Sec(0), TcpSegment(kServer, kHost, true, false)),
            "firewall.default-deny-in");
  EXPECT_EQ(In(firewall, Sec(0), TcpSegment(kServer, kHost, false, true)), "firewall.no-state");
  EXPECT_EQ(Out(firewall, Sec(0), TcpSegment(kHost, kServer, false, true)), "firewall.no-state");
  EXPECT_EQ(Out(firewall, Sec(0), TcpSegment(kHost, kServer, true, false)), "");
  EXPECT_EQ(In(firewall, Sec(1), TcpSegment(kServer, kHost, true, true)), "");
  EXPECT_EQ(Out(firewall, Sec(1), TcpSegment(kHost, kServer, false, true)), "");
  // Established now: two hours and four minutes.
  EXPECT_EQ(In(firewall, Sec(7440), TcpSegment(kServer, kHost, false, true)), "");
  EXPECT_EQ(In(firewall, Sec(7440 + 7440), TcpSegment(kServer, kHost, false, true)),
            "firewall.no-state");
}

TEST(FirewallTest, HalfOpenTcpEndsEarly) {
  Firewall firewall{FirewallBehaviour{}};
  EXPECT_EQ(Out(firewall, Sec(0), TcpSegment(kHost, kServer, true, false)), "");
  EXPECT_EQ(In(firewall, Sec(240), TcpSegment(kServer, kHost, true, true)), "firewall.no-state");
}

TEST(FirewallTest, ResetShortensTcpState) {
  Firewall firewall{FirewallBehaviour{}};
  EXPECT_EQ(Out(firewall, Sec(0), TcpSegment(kHost, kServer, true, false)), "");
  EXPECT_EQ(In(firewall, Sec(0), TcpSegment(kServer, kHost, true, true)), "");
  PacketInfo reset = TcpSegment(kServer, kHost, false, false);
  reset.tcp_rst = true;
  EXPECT_EQ(In(firewall, Sec(10), reset), "");
  EXPECT_EQ(In(firewall, Sec(250), TcpSegment(kServer, kHost, false, true)), "firewall.no-state");
}

TEST(FirewallTest, IcmpErrorsOfKnownFlowsPassBothWays) {
  Firewall firewall{FirewallBehaviour{}};
  const PacketInfo about_ours = IcmpError("203.0.113.1", "192.0.2.10", Udp(kHost, kServer).tuple);
  Verdict v = firewall.Inbound(Sec(0), about_ours);
  EXPECT_STREQ(v.rule, firewall_rule::kIcmpNoMatch);
  EXPECT_EQ(v.detail,
            "ICMP from 203.0.113.1 to 192.0.2.10 (type 3, code 3) quotes UDP from 192.0.2.10:40000 "
            "to 203.0.113.9:3478, which belongs to no flow");
  EXPECT_EQ(Out(firewall, Sec(1), Udp(kHost, kServer)), "");
  v = firewall.Inbound(Sec(2), about_ours);
  EXPECT_EQ(v.action, Verdict::Action::kForward);
  EXPECT_EQ(v.embedded, Udp(kHost, kServer).tuple);
  const PacketInfo about_theirs = IcmpError("192.0.2.10", "203.0.113.9", Udp(kServer, kHost).tuple);
  EXPECT_EQ(Out(firewall, Sec(3), about_theirs), "");
  // It quotes a flow of the other direction only by name: addresses swapped don't match.
  EXPECT_EQ(In(firewall, Sec(3), IcmpError("203.0.113.1", "192.0.2.10", Udp(kServer, kHost).tuple)),
            "firewall.icmp-no-match");
  // Errors don't keep a flow alive.
  EXPECT_EQ(In(firewall, Sec(121), about_ours), "firewall.icmp-no-match");
}

TEST(FirewallTest, FirstMatchingRuleDecides) {
  FirewallBehaviour b;
  b.rules = {
      {.name = "friend", .allow = true, .remote = Ip("203.0.113.8"), .remote_prefix_length = 32},
      {.name = "their-net", .remote = Ip("203.0.113.0"), .remote_prefix_length = 24},
      {.name = "rest", .allow = true}};
  Firewall firewall{b};
  EXPECT_EQ(In(firewall, Sec(0), Udp(At("203.0.113.8:1"), kHost)), "");
  EXPECT_EQ(In(firewall, Sec(0), Udp(At("203.0.113.9:1"), kHost)), "firewall.rule:their-net");
  EXPECT_EQ(In(firewall, Sec(0), Udp(At("203.0.112.9:1"), kHost)), "");
  EXPECT_EQ(In(firewall, Sec(0), Udp(At("[2001:db8::1]:1"), At("[2001:db8::2]:1"))), "");
  const Verdict v = firewall.Inbound(Sec(0), Udp(At("203.0.113.9:1"), kHost));
  EXPECT_EQ(v.detail,
            "UDP from 203.0.113.9:1 to 192.0.2.10:40000 is denied by the rule \"their-net\"");
}

TEST(FirewallTest, PortAndProtocolRules) {
  FirewallBehaviour b;
  b.rules = {{.name = "media",
              .allow = true,
              .protocol = IpProtocol::kUdp,
              .local_port_low = 40000,
              .local_port_high = 40009},
             {.name = "one", .allow = true, .protocol = IpProtocol::kUdp, .remote_port_low = 5060}};
  Firewall firewall{b};
  const auto host = [](uint16_t port) { return TransportAddress{kHost.ip, port}; };
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, host(39999))), "firewall.default-deny-in");
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, host(40000))), "");
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, host(40009))), "");
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, host(40010))), "firewall.default-deny-in");
  EXPECT_EQ(In(firewall, Sec(0), Udp(At("203.0.113.9:5060"), host(1))), "");
  EXPECT_EQ(In(firewall, Sec(0), Udp(At("203.0.113.9:5061"), host(1))), "firewall.default-deny-in");
  EXPECT_EQ(In(firewall, Sec(0), TcpSegment(kServer, host(40000), true, false)),
            "firewall.default-deny-in");
  EXPECT_EQ(In(firewall, Sec(0), Echo(kServer.ip, kHost.ip, 40000, false)),
            "firewall.default-deny-in");
}

TEST(FirewallTest, AnswersToWhatWasLetInGoOut) {
  FirewallBehaviour b;
  b.default_allow_outbound = false;
  b.rules = {{.name = "server", .allow = true, .local_port_low = 40000}};
  Firewall firewall{b};
  EXPECT_EQ(Out(firewall, Sec(0), Udp(kHost, kServer)), "firewall.default-deny-out");
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, kHost)), "");
  EXPECT_EQ(Out(firewall, Sec(1), Udp(kHost, kServer)), "");
  EXPECT_EQ(Out(firewall, Sec(1), Udp(kHost, At("203.0.113.7:1"))), "firewall.default-deny-out");
}

TEST(FirewallTest, StatelessJudgesEveryPacketByTheRules) {
  FirewallBehaviour b;
  b.stateful = false;
  b.rules = {{.name = "from-servers", .allow = true, .remote_port_low = 3478}};
  Firewall firewall{b};
  EXPECT_EQ(In(firewall, Sec(0), Udp(kServer, kHost)), "");
  EXPECT_EQ(Out(firewall, Sec(0), Udp(kHost, At("203.0.113.7:1"))), "");
  EXPECT_EQ(In(firewall, Sec(1), Udp(At("203.0.113.7:1"), kHost)), "firewall.default-deny-in");
  EXPECT_EQ(In(firewall, Sec(1), TcpSegment(At("203.0.113.7:3478"), kHost, false, true)), "");
  EXPECT_EQ(In(firewall, Sec(1), IcmpError("203.0.113.1", "192.0.2.10", Udp(kHost, kServer).tuple)),
            "firewall.default-deny-in");
}

TEST(FirewallTest, RuleNamesOutliveAMove) {
  FirewallBehaviour b;
  b.rules = {{.name = "no", .protocol = IpProtocol::kUdp}};
  Firewall first{b};
  const Verdict v = first.Inbound(Sec(0), Udp(kServer, kHost));
  const Firewall second = std::move(first);
  EXPECT_STREQ(v.rule, "firewall.rule:no");
}

// Many short flows: each is judged on its own time, swept or not.
TEST(FirewallTest, ExpiredFlowsDoNotPileUpOrComeBack) {
  Firewall firewall{FirewallBehaviour{}};
  for (uint16_t i = 0; i < 5000; ++i) {
    const Timestamp now = Sec(i);
    const TransportAddress host{kHost.ip, static_cast<uint16_t>(1000 + i)};
    EXPECT_EQ(Out(firewall, now, Udp(host, kServer)), "");
    if (i < 121) continue;
    const TransportAddress expired{kHost.ip, static_cast<uint16_t>(1000 + i - 121)};
    // Refreshed once, a second after it began, so it ends 121 s after it began.
    const TransportAddress live{kHost.ip, static_cast<uint16_t>(1000 + i - 1)};
    ASSERT_EQ(In(firewall, now, Udp(kServer, expired)), "firewall.default-deny-in") << i;
    ASSERT_EQ(In(firewall, now, Udp(kServer, live)), "") << i;
  }
}

TEST(FirewallTest, EveryRuleIdIsInTheTableOnce) {
  for (const RuleInfo& rule : firewall_rule::kTable) {
    EXPECT_TRUE(rule.id.starts_with("firewall.")) << rule.id;
    EXPECT_TRUE(rule.meaning.ends_with(".")) << rule.id;
    EXPECT_EQ(std::ranges::count(firewall_rule::kTable, rule.id, &RuleInfo::id), 1);
  }
}

}  // namespace
}  // namespace rtclab::sim
