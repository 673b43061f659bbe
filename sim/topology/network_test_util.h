// What the tests of built networks share.
#ifndef RTCLAB_SIM_TOPOLOGY_NETWORK_TEST_UTIL_H_
#define RTCLAB_SIM_TOPOLOGY_NETWORK_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/host/protocol_host.h"
#include "sim/topology/network.h"

namespace rtclab::sim {

// Answers every datagram with itself. A sans-IO protocol.
class Echo {
 public:
  void HandlePacket(Timestamp, const Datagram& packet) {
    out_.push_back({packet.destination, packet.source,
                    Bytes(packet.payload.begin(), packet.payload.end()), false});
    sources.push_back(packet.source);
  }
  void HandleTimeout(Timestamp) {}
  std::optional<Transmit> PollTransmit() {
    if (out_.empty()) return std::nullopt;
    Transmit next = std::move(out_.front());
    out_.pop_front();
    return next;
  }
  std::optional<int> PollEvent() { return std::nullopt; }
  Timestamp NextTimeout() const { return Timestamp::PlusInfinity(); }

  std::vector<TransportAddress> sources;

 private:
  std::deque<Transmit> out_;
};

struct NoEvents {
  void operator()(Timestamp, int) const {}
};
using EchoHost = ProtocolHost<Echo, NoEvents>;

struct Inbox final : UdpReceiver {
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

inline LinkSpec DelayedLink(int ms) {
  LinkSpec link;
  link.up.delay = link.down.delay = TimeDelta::Millis(ms);
  return link;
}

inline LanSpec Lan(std::string name, std::optional<NatBehaviour> nat = NatBehaviour{},
                   std::string parent = "") {
  LanSpec lan;
  lan.name = std::move(name);
  lan.parent = std::move(parent);
  lan.nat = std::move(nat);
  lan.uplink = DelayedLink(10);
  return lan;
}

// In one LAN, or on the core when it is "".
inline HostSpec Host(std::string name, std::string lan, bool v6 = false) {
  HostSpec host;
  host.name = std::move(name);
  host.ipv6 = v6;
  host.attachments = {{std::move(lan), {}}};
  return host;
}

class NetworkTestBase : public testing::Test {
 protected:
  void Build(const NetworkSpec& spec) {
    network_.reset();
    auto built = Network::Build(spec);
    ASSERT_TRUE(built) << built.error().reason;
    network_ = std::move(*built);
  }

  TransportAddress Bind(const std::string& host, uint16_t port, Inbox& inbox, int index = 0) {
    UdpHost& udp = network_->host(host);
    const auto bound = udp.Bind({udp.addresses().at(static_cast<std::size_t>(index)), port}, inbox);
    EXPECT_TRUE(bound);
    return bound ? *bound : TransportAddress{};
  }
  bool Send(const std::string& host, const TransportAddress& from, const TransportAddress& to,
            std::string_view text, bool dont_fragment = false) {
    return network_->host(host).Send(from, to, AsBytes(text), dont_fragment);
  }
  void RunFor(int ms) { network_->RunUntil(network_->Now() + TimeDelta::Millis(ms)); }
  uint64_t Drops(const std::string& where, const std::string& rule) const {
    const auto& counts = network_->tracer().drop_counts();
    const auto it = counts.find({where, rule});
    return it == counts.end() ? 0 : it->second;
  }
  std::string AllDrops() const {
    std::string out;
    for (const auto& [key, count] : network_->tracer().drop_counts()) {
      out += key.first + " " + key.second + " " + std::to_string(count) + "\n";
    }
    return out;
  }

  std::unique_ptr<Network> network_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TOPOLOGY_NETWORK_TEST_UTIL_H_
