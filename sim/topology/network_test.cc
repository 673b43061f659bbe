#include "sim/topology/network.h"

#include <gtest/gtest.h>

#include "sim/ip/ip_rules.h"
#include "sim/link/link_rules.h"
#include "sim/nat/nat_rules.h"
#include "sim/topology/network_test_util.h"

namespace rtclab::sim {
namespace {

class NetworkTest : public NetworkTestBase {};

TEST_F(NetworkTest, DatagramGoesThroughNatAndBack) {
  Build({.lans = {Lan("home")}, .hosts = {Host("alice", "home"), Host("server", "")}});
  EXPECT_EQ(network_->addresses("alice").at(0).ToString(), "192.168.1.2");
  EXPECT_EQ(network_->addresses("server").at(0).ToString(), "198.51.100.2");
  EXPECT_EQ(network_->external_addresses("home").at(0).ToString(), "203.0.113.1");
  PacketEventRecorder recorder;
  network_->SetEventSink(&recorder);
  Echo echo;
  EchoHost server(network_->host("server"), echo, {});
  const auto target = server.Bind({network_->addresses("server")[0], 3478});
  ASSERT_TRUE(target);
  Inbox inbox;
  const TransportAddress local = Bind("alice", 5000, inbox);
  EXPECT_TRUE(Send("alice", local, *target, "hello"));
  network_->RunUntil(Timestamp::Seconds(1));
  ASSERT_EQ(inbox.items.size(), 1u);
  EXPECT_EQ(inbox.items[0].time, Timestamp::Millis(20));
  EXPECT_EQ(inbox.items[0].source, *target);
  EXPECT_EQ(AsString(inbox.items[0].payload), "hello");
  EXPECT_EQ(echo.sources.at(0).ToString(), "203.0.113.1:5000");
  EXPECT_EQ(network_->Now(), Timestamp::Seconds(1));

  // Sent, translated, received; and back, under another number.
  ASSERT_EQ(recorder.events().size(), 6u);
  const PacketEvent& translated = recorder.events()[1];
  EXPECT_EQ(translated.kind, PacketEventKind::kTranslated);
  EXPECT_EQ(translated.where, "nat/home");
  EXPECT_EQ(translated.tuple.source, local);
  EXPECT_EQ(translated.translated->source.ToString(), "203.0.113.1:5000");
  EXPECT_EQ(recorder.events()[0].packet, 0u);
  EXPECT_EQ(recorder.events()[2].packet, 0u);
  EXPECT_EQ(recorder.events()[2].where, "host/server");
  EXPECT_EQ(recorder.events()[5].kind, PacketEventKind::kReceived);
  EXPECT_EQ(recorder.events()[5].packet, recorder.events()[3].packet);
}

TEST_F(NetworkTest, UnwantedPacketEndsAtTheNatWithItsRuleAndTransaction) {
  Build({.lans = {Lan("home")},
         .hosts = {Host("alice", "home"), Host("server", ""), Host("other", "")}});
  Inbox alice, server, other;
  const TransportAddress local = Bind("alice", 5000, alice);
  const TransportAddress target = Bind("server", 3478, server);
  const TransportAddress stranger = Bind("other", 9, other);
  Send("alice", local, target, "open");
  RunFor(50);
  const Bytes binding = *FromHex("0001 0000 2112a442 000102030405060708090a0b");
  network_->host("other").Send(stranger, {network_->external_addresses("home")[0], 5000}, binding);
  RunFor(50);
  EXPECT_TRUE(alice.items.empty());
  EXPECT_EQ(Drops("nat/home", nat_rule::kFilterAddressAndPortDependent), 1u) << AllDrops();
  const PacketEvent& drop = network_->tracer().drops().at(0);
  EXPECT_EQ(drop.tuple.source, stranger);
  ASSERT_TRUE(drop.stun_transaction);
  EXPECT_EQ((*drop.stun_transaction)[11], 0x0b);
  EXPECT_FALSE(drop.detail.empty());
}

TEST_F(NetworkTest, HostsOfOneLanTalkWithoutTheirGateway) {
  Build({.lans = {Lan("home")}, .hosts = {Host("alice", "home"), Host("bob", "home")}});
  PacketEventRecorder recorder;
  network_->SetEventSink(&recorder);
  Inbox alice, bob;
  const TransportAddress a = Bind("alice", 1000, alice), b = Bind("bob", 2000, bob);
  Send("alice", a, b, "hi");
  RunFor(1);
  ASSERT_EQ(bob.items.size(), 1u);
  EXPECT_EQ(bob.items[0].source, a);
  EXPECT_EQ(recorder.events().size(), 2u);  // nobody translated it
  EXPECT_TRUE(network_->nat("home")->Mappings(network_->Now()).empty());
}

TEST_F(NetworkTest, TwoHostsBehindOneNatGetPortsOfTheirOwn) {
  Build({.lans = {Lan("home")},
         .hosts = {Host("alice", "home"), Host("bob", "home"), Host("server", "")}});
  Inbox alice, bob, server;
  const TransportAddress a = Bind("alice", 5000, alice), b = Bind("bob", 5000, bob);
  const TransportAddress s = Bind("server", 3478, server);
  Send("alice", a, s, "a");
  Send("bob", b, s, "b");
  RunFor(50);
  ASSERT_EQ(server.items.size(), 2u);
  EXPECT_EQ(server.items[0].source.ip, server.items[1].source.ip);
  EXPECT_NE(server.items[0].source.port, server.items[1].source.port);
  for (const Inbox::Item& item : server.items)
    Send("server", s, item.source, AsString(item.payload));
  RunFor(50);
  ASSERT_EQ(alice.items.size(), 1u);
  ASSERT_EQ(bob.items.size(), 1u);
  EXPECT_EQ(AsString(alice.items[0].payload), "a");
  EXPECT_EQ(AsString(bob.items[0].payload), "b");
}

TEST_F(NetworkTest, HairpinningReachesTheNeighbourFromTheExternalAddress) {
  for (const Hairpinning mode :
       {Hairpinning::kNone, Hairpinning::kInternalSource, Hairpinning::kExternalSource}) {
    NatBehaviour nat;
    nat.filtering = Filtering::kEndpointIndependent;
    nat.hairpinning = mode;
    Build({.lans = {Lan("home", nat)},
           .hosts = {Host("alice", "home"), Host("bob", "home"), Host("server", "")}});
    Inbox alice, bob, server;
    const TransportAddress a = Bind("alice", 5000, alice), b = Bind("bob", 6000, bob);
    Send("bob", b, Bind("server", 1, server), "open");
    RunFor(50);
    const IpAddress external = network_->external_addresses("home")[0];
    Send("alice", a, {external, 6000}, "hello");
    RunFor(50);
    if (mode == Hairpinning::kNone) {
      EXPECT_TRUE(bob.items.empty());
      EXPECT_EQ(Drops("nat/home", nat_rule::kHairpinUnsupported), 1u);
      continue;
    }
    ASSERT_EQ(bob.items.size(), 1u) << AllDrops();
    EXPECT_EQ(bob.items[0].source.ip, mode == Hairpinning::kExternalSource ? external : a.ip);
  }
}

TEST_F(NetworkTest, NatBehindACarrierNat) {
  Build({.lans = {Lan("isp"), Lan("home", NatBehaviour{}, "isp")},
         .hosts = {Host("alice", "home"), Host("bob", "isp"), Host("server", "")}});
  EXPECT_EQ(network_->addresses("bob").at(0).ToString(), "100.64.0.2");
  EXPECT_EQ(network_->external_addresses("home").at(0).ToString(), "100.64.0.3");
  EXPECT_EQ(network_->addresses("alice").at(0).ToString(), "192.168.2.2");
  Inbox alice, bob, server;
  const TransportAddress a = Bind("alice", 5000, alice), b = Bind("bob", 5001, bob);
  const TransportAddress s = Bind("server", 1, server);
  Send("alice", a, s, "up");
  Send("alice", a, b, "across");
  RunFor(50);
  ASSERT_EQ(server.items.size(), 1u);
  EXPECT_EQ(server.items[0].source.ip.ToString(), "203.0.113.1");
  EXPECT_EQ(server.items[0].time, Timestamp::Millis(20));
  ASSERT_EQ(bob.items.size(), 1u);
  EXPECT_EQ(bob.items[0].source.ToString(), "100.64.0.3:5000");
  Send("server", s, server.items[0].source, "down");
  RunFor(50);
  ASSERT_EQ(alice.items.size(), 1u);
}

TEST_F(NetworkTest, MultiHomedHostSendsByTheInterfaceOfItsSource) {
  HostSpec alice = Host("alice", "home");
  alice.attachments.push_back({"mobile", {}});
  Build({.lans = {Lan("home"), Lan("mobile")}, .hosts = {alice, Host("server", "")}});
  EXPECT_EQ(network_->link_names(),
            (std::vector<std::string>{"home", "mobile", "alice/home", "alice/mobile", "server"}));
  ASSERT_EQ(network_->addresses("alice").size(), 2u);
  Inbox inbox, server;
  const TransportAddress s = Bind("server", 1, server);
  Send("alice", Bind("alice", 5000, inbox, 0), s, "home");
  Send("alice", Bind("alice", 5000, inbox, 1), s, "mobile");
  RunFor(50);
  ASSERT_EQ(server.items.size(), 2u);
  EXPECT_EQ(server.items[0].source.ip, network_->external_addresses("home")[0]);
  EXPECT_EQ(server.items[1].source.ip, network_->external_addresses("mobile")[0]);
  for (const Inbox::Item& item : server.items) Send("server", s, item.source, "back");
  RunFor(50);
  ASSERT_EQ(inbox.items.size(), 2u);
  EXPECT_EQ(inbox.items[0].destination.ip, network_->addresses("alice")[0]);
  EXPECT_EQ(inbox.items[1].destination.ip, network_->addresses("alice")[1]);
}

TEST_F(NetworkTest, ServerHasTwoAddressesAFamily) {
  HostSpec server = Host("server", "", true);
  server.addresses = 2;
  Build({.lans = {}, .hosts = {server, Host("client", "", true)}});
  const std::vector<IpAddress> addresses = network_->addresses("server");
  ASSERT_EQ(addresses.size(), 4u);
  EXPECT_EQ(addresses[1].ToString(), "198.51.100.3");
  EXPECT_EQ(addresses[3].ToString(), "2001:db8::3");
  Inbox client, inbox;
  for (int i = 0; i < 4; ++i) {
    Send("client", Bind("client", static_cast<uint16_t>(100 + i), client, i / 2),
         Bind("server", 3478, inbox, i), "x");
  }
  RunFor(1);
  EXPECT_EQ(inbox.items.size(), 4u);
}

TEST_F(NetworkTest, DualStackHomeRoutesIpv6ThroughAStatefulFilter) {
  LanSpec home = Lan("home");
  home.ipv6 = true;
  Build({.lans = {home}, .hosts = {Host("alice", "home", true), Host("server", "", true)}});
  const IpAddress global = network_->addresses("alice").at(1);
  EXPECT_EQ(global.ToString(), "2001:db8:1::2");
  Inbox alice, server;
  const TransportAddress a = Bind("alice", 5000, alice, 1), s = Bind("server", 1, server, 1);
  Send("server", s, a, "too early");
  RunFor(50);
  EXPECT_TRUE(alice.items.empty());
  EXPECT_EQ(Drops("nat/home", nat_rule::kIpv6NoState), 1u) << AllDrops();
  Send("alice", a, s, "open");
  RunFor(50);
  ASSERT_EQ(server.items.size(), 1u);
  EXPECT_EQ(server.items[0].source, a);  // not translated
  Send("server", s, a, "now");
  RunFor(50);
  ASSERT_EQ(alice.items.size(), 1u);
}

TEST_F(NetworkTest, Nat66TranslatesUniqueLocalAddresses) {
  NatBehaviour nat;
  nat.translate_ipv6 = true;
  LanSpec home = Lan("home", nat);
  home.ipv6 = true;
  Build({.lans = {home}, .hosts = {Host("alice", "home", true), Host("server", "", true)}});
  EXPECT_EQ(network_->addresses("alice").at(1).ToString(), "fd00:0:1::2");
  Inbox alice, server;
  const TransportAddress a = Bind("alice", 5000, alice, 1), s = Bind("server", 1, server, 1);
  Send("alice", a, s, "open");
  RunFor(50);
  ASSERT_EQ(server.items.size(), 1u);
  EXPECT_EQ(server.items[0].source.ToString(), "[2001:db8:ffff::1]:5000");
  Send("server", s, server.items[0].source, "back");
  RunFor(50);
  EXPECT_EQ(alice.items.size(), 1u);
}

TEST_F(NetworkTest, RoutedLanIsPublicAndReachableThroughAnother) {
  LanSpec office = Lan("office", std::nullopt), lab = Lan("lab", std::nullopt, "office");
  office.ipv6 = lab.ipv6 = true;
  Build({.lans = {office, lab}, .hosts = {Host("alice", "lab", true), Host("server", "", true)}});
  EXPECT_EQ(network_->addresses("alice").at(0).ToString(), "198.18.1.2");
  EXPECT_EQ(network_->nat("office"), nullptr);
  Inbox alice, server;
  for (const int family : {0, 1}) {
    const TransportAddress a = Bind("alice", 5000, alice, family);
    const TransportAddress s = Bind("server", 1, server, family);
    EXPECT_TRUE(Send("server", s, a, "in"));
    RunFor(50);
  }
  ASSERT_EQ(alice.items.size(), 2u) << AllDrops();
  EXPECT_EQ(alice.items[0].time, Timestamp::Millis(20));
}

TEST_F(NetworkTest, FirewallBlocksByNamedRuleAndLetsAnswersIn) {
  FirewallBehaviour firewall;
  FirewallRule deny;
  deny.name = "no-high-ports";
  deny.direction = Direction::kOutbound;
  deny.remote_port_low = 10000;
  deny.remote_port_high = 65535;
  firewall.rules = {deny};
  LanSpec office = Lan("office");
  office.firewall = firewall;
  Build({.lans = {office}, .hosts = {Host("alice", "office"), Host("server", "")}});
  Inbox alice, server;
  const TransportAddress a = Bind("alice", 5000, alice);
  const TransportAddress low = Bind("server", 3478, server), high = Bind("server", 20000, server);
  Send("alice", a, high, "blocked");
  Send("alice", a, low, "allowed");
  RunFor(50);
  ASSERT_EQ(server.items.size(), 1u);
  EXPECT_EQ(Drops("firewall/office", "firewall.rule:no-high-ports"), 1u) << AllDrops();
  Send("server", low, server.items[0].source, "answer");
  RunFor(50);
  EXPECT_EQ(alice.items.size(), 1u);
}

TEST_F(NetworkTest, FirewallWithoutNatDeniesWhatNobodyAskedFor) {
  LanSpec office = Lan("office", std::nullopt);
  office.firewall = FirewallBehaviour{};
  Build({.lans = {office}, .hosts = {Host("alice", "office"), Host("server", "")}});
  Inbox alice, server;
  const TransportAddress a = Bind("alice", 5000, alice), s = Bind("server", 1, server);
  Send("server", s, a, "no");
  RunFor(50);
  EXPECT_EQ(Drops("firewall/office", "firewall.default-deny-in"), 1u) << AllDrops();
  Send("alice", a, s, "open");
  RunFor(50);
  Send("server", s, a, "yes");
  RunFor(50);
  EXPECT_EQ(alice.items.size(), 1u);
}

TEST_F(NetworkTest, BuildsAgainAfterAnotherNetworkAndNumbersPacketsFromZero) {
  std::vector<std::vector<uint64_t>> numbers(2);
  for (auto& run : numbers) {
    Build({.lans = {Lan("home")}, .hosts = {Host("alice", "home"), Host("server", "")}});
    EXPECT_EQ(network_->Now(), Timestamp::Zero());
    PacketEventRecorder recorder;
    network_->SetEventSink(&recorder);
    Inbox alice, server;
    const TransportAddress s = Bind("server", 1, server);
    for (int i = 0; i < 3; ++i) Send("alice", Bind("alice", 0, alice), s, "x");
    RunFor(100);
    for (const PacketEvent& event : recorder.events()) {
      run.push_back(event.packet);
      run.push_back(event.tuple.source.port);
    }
  }
  EXPECT_EQ(numbers[0], numbers[1]);
  EXPECT_EQ(numbers[0].at(0), 0u);
}

TEST_F(NetworkTest, StopEndsARunAndLeavesTheClockThere) {
  Build({.lans = {}, .hosts = {Host("alice", ""), Host("server", "")}});
  Inbox unused;
  Timer timer([this](Timestamp) { network_->Stop(); });
  timer.Set(Timestamp::Millis(5));
  network_->RunUntil(Timestamp::Seconds(1));
  EXPECT_TRUE(network_->stopped());
  EXPECT_EQ(network_->Now(), Timestamp::Millis(5));
  network_->RunUntil(Timestamp::Seconds(2));
  EXPECT_FALSE(network_->stopped());
  EXPECT_EQ(network_->Now(), Timestamp::Seconds(2));
}

TEST_F(NetworkTest, TimerFiresOnceAtItsLastDeadline) {
  Build({.lans = {}, .hosts = {Host("alice", "")}});
  std::vector<int64_t> fired;
  Timer timer([&](Timestamp now) { fired.push_back(now.millis()); });
  timer.Set(Timestamp::Millis(10));
  timer.Set(Timestamp::Millis(50));
  timer.Set(Timestamp::Millis(30));
  RunFor(100);
  EXPECT_EQ(fired, std::vector<int64_t>{30});
  timer.Set(Timestamp::Millis(150));
  timer.Set(Timestamp::PlusInfinity());
  RunFor(100);
  EXPECT_EQ(fired.size(), 1u);
  timer.Set(Timestamp::Millis(1));  // past: at once
  RunFor(1);
  EXPECT_EQ(fired, (std::vector<int64_t>{30, 200}));
}

}  // namespace
}  // namespace rtclab::sim
