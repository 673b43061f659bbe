// What a handshake and a record cost, both sides, without a network; and what a connection keeps in memory.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <vector>

#include "stack/base/check.h"
#include "stack/dtls/transport.h"

namespace rtclab::dtls {
namespace {

struct Ends {
  std::unique_ptr<Transport> client, server;
};

struct Certificates {
  Certificates() : rng(1) {}
  Rng rng;
  Certificate client = Certificate::Generate(rng, Timestamp::Zero());
  Certificate server = Certificate::Generate(rng, Timestamp::Zero());
};

void MoveDatagrams(Transport& from, Transport& to) {
  while (const auto datagram = from.PollTransmit()) to.HandlePacket(Timestamp::Zero(), *datagram);
}

Ends Connect(const Certificate& client, const Certificate& server, Rng& rng) {
  TransportConfig config;
  config.certificate = &client;
  config.remote_fingerprints = {server.fingerprint()};
  Ends ends;
  ends.client = std::make_unique<Transport>(config, rng);
  config.certificate = &server;
  config.remote_fingerprints = {client.fingerprint()};
  config.role = Role::kServer;
  ends.server = std::make_unique<Transport>(config, rng);
  ends.client->Start(Timestamp::Zero());
  ends.server->Start(Timestamp::Zero());
  for (int flight = 0; flight < 2; ++flight) {
    MoveDatagrams(*ends.client, *ends.server);
    MoveDatagrams(*ends.server, *ends.client);
  }
  CHECK(ends.client->state() == TransportState::kConnected);
  CHECK(ends.server->state() == TransportState::kConnected);
  return ends;
}

void HandshakeBothSides(benchmark::State& state) {
  Certificates certificates;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Connect(certificates.client, certificates.server, certificates.rng));
  }
}
BENCHMARK(HandshakeBothSides)->Unit(benchmark::kMicrosecond);

void HandshakeWithFreshCertificates(benchmark::State& state) {
  Rng rng(1);
  for (auto _ : state) {
    const Certificate client = Certificate::Generate(rng, Timestamp::Zero());
    const Certificate server = Certificate::Generate(rng, Timestamp::Zero());
    benchmark::DoNotOptimize(Connect(client, server, rng));
  }
}
BENCHMARK(HandshakeWithFreshCertificates)->Unit(benchmark::kMicrosecond);

void GenerateCertificate(benchmark::State& state) {
  Rng rng(1);
  for (auto _ : state) benchmark::DoNotOptimize(Certificate::Generate(rng, Timestamp::Zero()));
}
BENCHMARK(GenerateCertificate)->Unit(benchmark::kMicrosecond);

// Seal and poll; then open and poll.
void RecordSealAndOpen(benchmark::State& state) {
  Certificates certificates;
  Ends ends = Connect(certificates.client, certificates.server, certificates.rng);
  const Bytes payload(static_cast<std::size_t>(state.range(0)), 0x5a);
  while (ends.server->PollEvent()) {
  }
  for (auto _ : state) {
    CHECK(ends.client->Send(Timestamp::Zero(), payload));
    MoveDatagrams(*ends.client, *ends.server);
    auto event = ends.server->PollEvent();
    CHECK(event && std::get<DataReceived>(*event).payload.size() == payload.size());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(RecordSealAndOpen)->Arg(100)->Arg(1'200);

void RecordSeal(benchmark::State& state) {
  Certificates certificates;
  Ends ends = Connect(certificates.client, certificates.server, certificates.rng);
  const Bytes payload(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) {
    CHECK(ends.client->Send(Timestamp::Zero(), payload));
    benchmark::DoNotOptimize(ends.client->PollTransmit());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(RecordSeal)->Arg(1'200);

// Heap bytes of one connected transport.
void MemoryOfATransport(benchmark::State& state) {
  Certificates certificates;
  constexpr int kPairs = 50;
  double bytes = 0;
  for (auto _ : state) {
    const std::size_t before = mallinfo2().uordblks;
    std::vector<Ends> ends;
    ends.reserve(kPairs);
    for (int i = 0; i < kPairs; ++i) {
      ends.push_back(Connect(certificates.client, certificates.server, certificates.rng));
    }
    bytes = static_cast<double>(mallinfo2().uordblks - before) / (2 * kPairs);
  }
  state.counters["bytes"] = bytes;
}
BENCHMARK(MemoryOfATransport)->Iterations(3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rtclab::dtls
