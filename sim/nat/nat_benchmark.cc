// What one packet costs in the NAT model.
#include <benchmark/benchmark.h>

#include "sim/nat/nat.h"
#include "sim/nat/presets.h"

namespace rtclab::sim {
namespace {

TransportAddress Inside(uint32_t i) {
  return {IpAddress::V4(0x0a000000u + i / 1000 + 2), static_cast<uint16_t>(10000 + i % 1000)};
}
const TransportAddress kServer{IpAddress::V4(203, 0, 113, 9), 3478};

PacketInfo Packet(const TransportAddress& source, const TransportAddress& destination) {
  PacketInfo p;
  p.tuple = {IpProtocol::kUdp, source, destination};
  return p;
}

// `count` mappings towards one server; the packets go round them.
struct Busy {
  Busy(std::string_view preset, uint32_t count)
      : nat(FindNatPreset(preset)->behaviour, {IpAddress::V4(198, 51, 100, 2)}, Rng(1)) {
    for (uint32_t i = 0; i < count; ++i) {
      out.push_back(Packet(Inside(i), kServer));
      in.push_back(Packet(kServer, nat.Outbound(Timestamp::Zero(), out.back()).tuple.source));
    }
  }
  Nat nat;
  std::vector<PacketInfo> out, in;
};

void BM_Outbound(benchmark::State& state, std::string_view preset) {
  Busy busy(preset, static_cast<uint32_t>(state.range(0)));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(busy.nat.Outbound(Timestamp::Millis(1), busy.out[i]));
    i = i + 1 == busy.out.size() ? 0 : i + 1;
  }
}
BENCHMARK_CAPTURE(BM_Outbound, port_restricted, "port-restricted-cone")->Arg(4)->Arg(10000);
BENCHMARK_CAPTURE(BM_Outbound, linux, "linux-masquerade")->Arg(4)->Arg(10000);

void BM_Inbound(benchmark::State& state, std::string_view preset) {
  Busy busy(preset, static_cast<uint32_t>(state.range(0)));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(busy.nat.Inbound(Timestamp::Millis(1), busy.in[i]));
    i = i + 1 == busy.in.size() ? 0 : i + 1;
  }
}
BENCHMARK_CAPTURE(BM_Inbound, port_restricted, "port-restricted-cone")->Arg(4)->Arg(10000);
BENCHMARK_CAPTURE(BM_Inbound, symmetric, "symmetric")->Arg(4)->Arg(10000);

void BM_Drop(benchmark::State& state) {
  Busy busy("port-restricted-cone", 100);
  PacketInfo stray = busy.in[50];
  stray.tuple.source.port = 1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(busy.nat.Inbound(Timestamp::Millis(1), stray));
  }
}
BENCHMARK(BM_Drop);

void BM_NewMapping(benchmark::State& state) {
  const NatBehaviour behaviour = FindNatPreset("symmetric")->behaviour;
  uint32_t i = 0;
  std::optional<Nat> nat;
  for (auto _ : state) {
    if (i % 10000 == 0) nat.emplace(behaviour, std::vector{IpAddress::V4(198, 51, 100, 2)}, Rng(1));
    benchmark::DoNotOptimize(
        nat->Outbound(Timestamp::Zero(), Packet(Inside(i++ % 10000), kServer)));
  }
}
BENCHMARK(BM_NewMapping);

void BM_Construct(benchmark::State& state) {
  const NatBehaviour behaviour = FindNatPreset("symmetric")->behaviour;
  for (auto _ : state) {
    Nat nat(behaviour, {IpAddress::V4(198, 51, 100, 2)}, Rng(1));
    benchmark::DoNotOptimize(nat.Outbound(Timestamp::Zero(), Packet(Inside(0), kServer)));
  }
}
BENCHMARK(BM_Construct);

}  // namespace
}  // namespace rtclab::sim
