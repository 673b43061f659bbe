// The seams: ns-3's stack and applications on our links and behind our NAT, ns-3's applications on
// our stack, and our hosts on ns-3's stack.
#include "sim/topology/ns3_stack.h"

#include <gtest/gtest.h>

#include "ns3/bulk-send-helper.h"
#include "ns3/inet-socket-address.h"
#include "ns3/packet-sink-helper.h"
#include "ns3/packet-sink.h"
#include "ns3/tcp-socket-factory.h"
#include "ns3/udp-echo-helper.h"
#include "ns3/uinteger.h"
#include "sim/ip/udp_socket.h"
#include "sim/topology/network_test_util.h"

namespace rtclab::sim {
namespace {

class Ns3StackTest : public NetworkTestBase {
 protected:
  static HostSpec Foreign(std::string name, std::string lan, bool v6 = false) {
    HostSpec host = Host(std::move(name), std::move(lan), v6);
    host.ns3_stack = true;
    return host;
  }
  int Echoes(const std::string& client, const std::string& server) {
    ns3::UdpEchoServerHelper servers(9);
    servers.Install(network_->node(server)).Start(ns3::Seconds(0));
    ns3::UdpEchoClientHelper clients(ToNs3({network_->addresses(server)[0], 9}));
    clients.SetAttribute("MaxPackets", ns3::UintegerValue(5));
    clients.SetAttribute("PacketSize", ns3::UintegerValue(500));
    auto apps = clients.Install(network_->node(client));
    apps.Start(ns3::Seconds(0.1));
    int echoes = 0;
    apps.Get(0)->TraceConnectWithoutContext(
        "Rx", ns3::Callback<void, ns3::Ptr<const ns3::Packet>>(
                  [&echoes](ns3::Ptr<const ns3::Packet>) { ++echoes; }));
    network_->RunUntil(Timestamp::Seconds(20));
    return echoes;
  }
};

TEST_F(Ns3StackTest, OurProtocolsRunOnNs3StackBehindOurNat) {
  LanSpec home = Lan("home");
  home.ipv6 = true;
  Build({.lans = {home}, .hosts = {Foreign("alice", "home", true), Host("server", "", true)}});
  for (const int family : {0, 1}) {
    Echo echo;
    EchoHost server(network_->host("server"), echo, {});
    const auto target =
        server.Bind({network_->addresses("server")[static_cast<std::size_t>(family)], 3478});
    ASSERT_TRUE(target);
    Inbox inbox;
    const Timestamp start = network_->Now();
    EXPECT_TRUE(Send("alice", Bind("alice", 5000, inbox, family), *target, "hello"));
    RunFor(100);
    ASSERT_EQ(inbox.items.size(), 1u) << AllDrops();
    EXPECT_EQ(AsString(inbox.items[0].payload), "hello");
    EXPECT_EQ(inbox.items[0].time - start, TimeDelta::Millis(20));
    EXPECT_EQ(echo.sources.at(0).ip, family == 0 ? network_->external_addresses("home")[0]
                                                 : network_->addresses("alice")[1]);
    network_->host("alice").Unbind(inbox.items[0].destination);
  }
}

TEST_F(Ns3StackTest, Ns3EchoClientOnOurStackAndServerOnNs3s) {
  Build({.lans = {Lan("home")}, .hosts = {Host("alice", "home"), Foreign("server", "")}});
  EXPECT_EQ(Echoes("alice", "server"), 5) << AllDrops();
}

TEST_F(Ns3StackTest, Ns3EchoServerOnOurStackAndClientOnNs3s) {
  Build({.lans = {Lan("home")}, .hosts = {Foreign("alice", "home"), Host("server", "")}});
  EXPECT_EQ(Echoes("alice", "server"), 5) << AllDrops();
}

TEST_F(Ns3StackTest, Ns3TcpCrossesOurLinksAndNat) {
  LanSpec home = Lan("home");
  home.uplink.up.rate = home.uplink.down.rate = DataRate::MegabitsPerSec(10);
  Build({.lans = {home}, .hosts = {Foreign("alice", "home"), Foreign("server", "")}});
  const ns3::Address target = ToNs3({network_->addresses("server")[0], 80});
  ns3::PacketSinkHelper sinks("ns3::TcpSocketFactory", target);
  auto sink = sinks.Install(network_->node("server"));
  sink.Start(ns3::Seconds(0));
  ns3::BulkSendHelper senders("ns3::TcpSocketFactory", target);
  senders.SetAttribute("MaxBytes", ns3::UintegerValue(200'000));
  senders.Install(network_->node("alice")).Start(ns3::Seconds(0.1));
  network_->RunUntil(Timestamp::Seconds(10));
  EXPECT_EQ(ns3::DynamicCast<ns3::PacketSink>(sink.Get(0))->GetTotalRx(), 200'000u) << AllDrops();
}

TEST_F(Ns3StackTest, OurSocketBehavesAsAnNs3Socket) {
  Build({.lans = {}, .hosts = {Host("alice", ""), Host("bob", "")}});
  const auto tid = ns3::UdpSocketFactory::GetTypeId();
  const auto a = ns3::Socket::CreateSocket(network_->node("alice"), tid);
  const auto b = ns3::Socket::CreateSocket(network_->node("bob"), tid);
  EXPECT_EQ(a->GetSocketType(), ns3::Socket::NS3_SOCK_DGRAM);
  const TransportAddress at_b{network_->addresses("bob")[0], 7};
  EXPECT_EQ(b->Bind(ToNs3(at_b)), 0);
  EXPECT_EQ(b->Bind(ToNs3(at_b)), -1);
  EXPECT_EQ(a->Bind(ToNs3(at_b)), -1);  // not alice's address
  EXPECT_EQ(a->GetErrno(), ns3::Socket::ERROR_ADDRNOTAVAIL);
  EXPECT_EQ(a->Send(ns3::Create<ns3::Packet>(10)), -1);
  EXPECT_EQ(a->GetErrno(), ns3::Socket::ERROR_NOTCONN);
  EXPECT_EQ(a->Connect(ToNs3(at_b)), 0);
  EXPECT_EQ(a->Send(ns3::Create<ns3::Packet>(65508)), -1);
  EXPECT_EQ(a->GetErrno(), ns3::Socket::ERROR_MSGSIZE);
  EXPECT_EQ(a->Send(ns3::Create<ns3::Packet>(10)), 10);
  RunFor(1);
  EXPECT_EQ(b->GetRxAvailable(), 10u);
  ns3::Address from;
  const auto packet = b->RecvFrom(from);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->GetSize(), 10u);
  EXPECT_EQ(FromNs3(from).ip, network_->addresses("alice")[0]);
  EXPECT_FALSE(b->Recv());
  EXPECT_EQ(b->SendTo(ns3::Create<ns3::Packet>(3), 0, from), 3);
  RunFor(1);
  EXPECT_EQ(a->GetRxAvailable(), 3u);
  EXPECT_EQ(b->Close(), 0);
  EXPECT_EQ(b->Close(), -1);
  EXPECT_EQ(b->SendTo(ns3::Create<ns3::Packet>(3), 0, from), -1);
}

}  // namespace
}  // namespace rtclab::sim
