#include "sim/topology/network.h"

#include <gtest/gtest.h>

#include "sim/host/protocol_host.h"
#include "sim/ip/ip_node.h"

namespace rtclab::sim {
namespace {

// Answers every datagram with itself.
class Echo {
 public:
  void HandlePacket(Timestamp, const Datagram& packet) {
    out_.push_back({packet.destination, packet.source,
                    Bytes(packet.payload.begin(), packet.payload.end()), false});
  }
  void HandleTimeout(Timestamp) {}
  std::optional<Transmit> PollTransmit() {
    if (out_.empty()) return std::nullopt;
    Transmit next = std::move(out_.front());
    out_.erase(out_.begin());
    return next;
  }
  std::optional<int> PollEvent() { return std::nullopt; }
  Timestamp NextTimeout() const { return Timestamp::PlusInfinity(); }

 private:
  std::vector<Transmit> out_;
};

struct Inbox : UdpReceiver {
  struct Item {
    Timestamp time;
    TransportAddress source, destination;
    Bytes payload;
  };
  void OnDatagram(Timestamp now, const Datagram& p) override {
    items.push_back({now, p.source, p.destination, Bytes(p.payload.begin(), p.payload.end())});
  }
  void OnIcmpError(Timestamp, const IcmpError& error) override { errors.push_back(error); }
  std::vector<Item> items;
  std::vector<IcmpError> errors;
};

LinkSpec Delay(int ms) {
  LinkSpec link;
  link.up.delay = link.down.delay = TimeDelta::Millis(ms);
  return link;
}

TEST(NetworkTest, DatagramGoesThroughNatAndBack) {
  NetworkSpec spec;
  LanSpec home;
  home.name = "home";
  home.nat = NatBehaviour{};
  home.uplink = Delay(10);
  spec.lans = {home};
  spec.hosts = {HostSpec{"alice", true, false, 1, {{"home", {}}}},
                HostSpec{"server", true, false, 1, {{"", {}}}}};
  auto network = Network::Build(spec);
  ASSERT_TRUE(network) << network.error().reason;
  UdpHost& alice = (*network)->host("alice");
  UdpHost& server = (*network)->host("server");
  EXPECT_EQ(alice.addresses().at(0).ToString(), "192.168.1.2");
  EXPECT_EQ(server.addresses().at(0).ToString(), "198.51.100.2");
  Echo echo;
  ProtocolHost host(server, echo, [](Timestamp, int) {});
  ASSERT_TRUE(host.Bind({server.addresses()[0], 3478}));
  Inbox inbox;
  const auto local = alice.Bind({alice.addresses()[0], 5000}, inbox);
  ASSERT_TRUE(local);
  EXPECT_TRUE(alice.Send(*local, {server.addresses()[0], 3478}, AsBytes("hello")));
  (*network)->RunUntil(Timestamp::Seconds(1));
  ASSERT_EQ(inbox.items.size(), 1u);
  EXPECT_EQ(inbox.items[0].time, Timestamp::Millis(20));
  EXPECT_EQ(AsString(inbox.items[0].payload), "hello");
  EXPECT_EQ((*network)->Now(), Timestamp::Seconds(1));
}

}  // namespace
}  // namespace rtclab::sim
