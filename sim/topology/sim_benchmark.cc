// What a packet, a topology and a NAT cost, beside ns-3's own stack in the same run.
#include <benchmark/benchmark.h>

#include <functional>

#include "ns3/inet-socket-address.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-address-helper.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/net-device-container.h"
#include "ns3/node-container.h"
#include "ns3/simulator.h"
#include "ns3/udp-socket-factory.h"
#include "sim/host/udp_host.h"
#include "sim/link/link_device.h"
#include "sim/topology/network.h"

namespace rtclab::sim {
namespace {

constexpr std::size_t kPayload = 1000;

LinkSpec Wire() {
  LinkSpec link;
  link.up.delay = link.down.delay = TimeDelta::Millis(1);
  return link;
}

struct Counter : UdpReceiver {
  void OnDatagram(Timestamp, const Datagram&) override { ++received; }
  void OnIcmpError(Timestamp, const IcmpError&) override {}
  int64_t received = 0;
};

// Sends `count` datagrams 10 us apart and runs until they are there.
void SendMany(Network& network, UdpHost& from, const TransportAddress& source,
              const TransportAddress& to, int count) {
  static const Bytes payload(kPayload, 0x5a);
  std::function<void()> send = [&] {
    from.Send(source, to, payload);
    if (--count > 0) ns3::Simulator::Schedule(ns3::MicroSeconds(10), [&] { send(); });
  };
  ns3::Simulator::ScheduleNow([&] { send(); });
  network.Run();
}

void RunPackets(benchmark::State& state, const NetworkSpec& spec, const char* from,
                const char* to) {
  auto network = Network::Build(spec);
  UdpHost& sender = (*network)->host(from);
  UdpHost& receiver = (*network)->host(to);
  Counter counter, ignored;
  const auto source = *sender.Bind({sender.addresses()[0], 5000}, ignored);
  const auto target = *receiver.Bind({receiver.addresses()[0], 6000}, counter);
  constexpr int kBatch = 10'000;
  for (auto _ : state) SendMany(**network, sender, source, target, kBatch);
  state.SetItemsProcessed(counter.received);
}

NetworkSpec Chain(bool nat) {
  NetworkSpec spec;
  LanSpec left, right;
  left.name = "left";
  right.name = "right";
  left.uplink = right.uplink = Wire();
  if (nat) left.nat = NatBehaviour{};
  spec.lans = {left, right};
  spec.hosts = {HostSpec{"a", true, false, 1, {{"left", {}}}},
                HostSpec{"b", true, false, 1, {{"right", {}}}},
                HostSpec{"server", true, false, 1, {{"", Wire()}}}};
  return spec;
}

// Host, router, router, host with a delay on each of the three links.
void BM_ThreeHops(benchmark::State& state) {
  NetworkSpec spec = Chain(false);
  spec.hosts[0].attachments[0].access = Wire();
  RunPackets(state, spec, "a", "server");
}
BENCHMARK(BM_ThreeHops);

// The same, the first router a NAT.
void BM_ThreeHopsWithNat(benchmark::State& state) {
  NetworkSpec spec = Chain(true);
  spec.hosts[0].attachments[0].access = Wire();
  RunPackets(state, spec, "a", "server");
}
BENCHMARK(BM_ThreeHopsWithNat);

// Five nodes and four links as scenarios have them by default: two links with a delay, two ideal.
void BM_HomeToHome(benchmark::State& state) { RunPackets(state, Chain(false), "a", "b"); }
BENCHMARK(BM_HomeToHome);

// ns-3's own Internet stack over the same devices and delays, without traffic control.
void BM_ThreeHopsNs3Stack(benchmark::State& state) {
  Fabric fabric;
  ns3::NodeContainer nodes(4);
  ns3::InternetStackHelper stack;
  stack.SetIpv6StackInstall(false);
  stack.Install(nodes);
  LinkBehaviour wire;
  wire.delay = TimeDelta::Millis(1);
  ns3::Ipv4StaticRoutingHelper routing;
  ns3::Ipv4Address target;
  for (uint32_t i = 0; i < 3; ++i) {
    const auto lower = ns3::CreateObject<LinkDevice>();
    const auto upper = ns3::CreateObject<LinkDevice>();
    const std::string name = "l" + std::to_string(i);
    lower->Setup(fabric, LinkModel(wire, 1, name), name, true);
    upper->Setup(fabric, LinkModel(wire, 1, name), name, false);
    ns3::CreateObject<LinkChannel>()->Connect(lower, upper);
    nodes.Get(i)->AddDevice(lower);
    nodes.Get(i + 1)->AddDevice(upper);
    ns3::Ipv4AddressHelper addresses;
    addresses.SetBase(("10.0." + std::to_string(i) + ".0").c_str(), "255.255.255.0");
    ns3::NetDeviceContainer devices(lower);
    devices.Add(upper);
    target = addresses.Assign(devices).GetAddress(1);
    routing.GetStaticRouting(nodes.Get(i)->GetObject<ns3::Ipv4>())
        ->SetDefaultRoute(target, nodes.Get(i)->GetObject<ns3::Ipv4>()->GetNInterfaces() - 1);
  }
  const auto tid = ns3::UdpSocketFactory::GetTypeId();
  const auto sink = ns3::Socket::CreateSocket(nodes.Get(3), tid);
  sink->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), 6000));
  int64_t received = 0;
  struct Reader {
    int64_t* received;
    void Read(ns3::Ptr<ns3::Socket> socket) {
      while (socket->Recv()) ++*received;
    }
  } reader{&received};
  sink->SetRecvCallback(ns3::MakeCallback(&Reader::Read, &reader));
  const auto source = ns3::Socket::CreateSocket(nodes.Get(0), tid);
  source->Bind();
  const ns3::InetSocketAddress to(target, 6000);
  for (auto _ : state) {
    int left = 1000;
    std::function<void()> send = [&] {
      source->SendTo(ns3::Create<ns3::Packet>(kPayload), 0, to);
      if (--left > 0) ns3::Simulator::Schedule(ns3::MicroSeconds(10), [&] { send(); });
    };
    ns3::Simulator::ScheduleNow([&] { send(); });
    ns3::Simulator::Run();
  }
  state.SetItemsProcessed(received);
  ns3::Simulator::Destroy();
}
BENCHMARK(BM_ThreeHopsNs3Stack);

// Two NATed hosts and a server: what every run of a NAT matrix pays before its first packet.
void BM_BuildTwoNatsAndServer(benchmark::State& state) {
  NetworkSpec spec = Chain(true);
  spec.lans[1].nat = NatBehaviour{};
  for (auto _ : state) {
    auto network = Network::Build(spec);
    benchmark::DoNotOptimize(network);
  }
}
BENCHMARK(BM_BuildTwoNatsAndServer);

}  // namespace
}  // namespace rtclab::sim
