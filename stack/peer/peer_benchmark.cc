// What a whole connection costs: ICE, DTLS, SCTP and an open channel between two connections in memory, without a simulator;
// what a call costs; and the memory that a connected peer holds.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include "stack/peer/peer_lab_test_util.h"

namespace rtclab::peer {
namespace {

PeerConfig BenchmarkConfig() {
  PeerConfig config = LabPeerConfig();
  config.configuration.bundle_policy = BundlePolicy::kMaxBundle;
  return config;
}

std::unique_ptr<PeerLab> ConnectPeers(const PeerConfig& config, uint64_t seed) {
  auto lab = std::make_unique<PeerLab>(config, config, seed);
  CHECK(lab->a().CreateDataChannel(lab->now(), {.label = "data"}).has_value());
  CHECK(lab->RunUntil([&lab] {
    return lab->a().timeline().data_channel_open && lab->b().timeline().data_channel_open;
  }));
  return lab;
}

// Both peers of a connection, from construction to the open channel, each with a certificate of its own.
void BM_ConnectAndOpenChannel(benchmark::State& state) {
  uint64_t seed = 1;
  for (auto _ : state) benchmark::DoNotOptimize(ConnectPeers(BenchmarkConfig(), seed++));
}
BENCHMARK(BM_ConnectAndOpenChannel)->Unit(benchmark::kMillisecond);

// The same with certificates that were made before, as a simulation of many peers does.
void BM_ConnectWithSharedCertificate(benchmark::State& state) {
  Rng rng(1);
  PeerConfig config = BenchmarkConfig();
  config.certificate = dtls::Certificate::Generate(rng, Timestamp::Zero());
  uint64_t seed = 1;
  for (auto _ : state) benchmark::DoNotOptimize(ConnectPeers(config, seed++));
}
BENCHMARK(BM_ConnectWithSharedCertificate)->Unit(benchmark::kMillisecond);

// Offer, answer and what both make of the transports, for audio, video and data; no packets.
void BM_NegotiateCall(benchmark::State& state) {
  Rng rng(1);
  PeerConfig config = BenchmarkConfig();
  config.certificate = dtls::Certificate::Generate(rng, Timestamp::Zero());
  for (auto _ : state) {
    Rng a_rng(1), b_rng(2);
    PeerConnection a(config, a_rng, Timestamp::Zero()), b(config, b_rng, Timestamp::Zero());
    CHECK(a.AddTrack(Timestamp::Zero(), MediaTrack::Audio("mic")).has_value());
    CHECK(a.AddTrack(Timestamp::Zero(), MediaTrack::Video("cam")).has_value());
    CHECK(a.CreateDataChannel(Timestamp::Zero(), {.label = "d"}).has_value());
    CHECK(a.SetLocalDescription(Timestamp::Zero()).has_value());
    CHECK(b.SetRemoteDescription(Timestamp::Zero(), *a.local_description()).has_value());
    CHECK(b.SetLocalDescription(Timestamp::Zero()).has_value());
    CHECK(a.SetRemoteDescription(Timestamp::Zero(), *b.local_description()).has_value());
  }
}
BENCHMARK(BM_NegotiateCall)->Unit(benchmark::kMicrosecond);

// Ten virtual seconds of a call, audio and 2.5 Mbit/s of video one way; "times_real_time" of both peers' CPU together.
void BM_CallOfTenSeconds(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    PeerLab lab(BenchmarkConfig(), BenchmarkConfig(), 1);
    lab.keep_events = false;
    CHECK(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic")).has_value());
    CHECK(lab.a().AddTrack(lab.now(), MediaTrack::Video("cam")).has_value());
    CHECK(lab.Connect());
    lab.RunFor(TimeDelta::Seconds(10));  // up to its rate
    state.ResumeTiming();
    lab.RunFor(TimeDelta::Seconds(10));
  }
  state.counters["times_real_time"] = benchmark::Counter(
      10.0 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_CallOfTenSeconds)->Unit(benchmark::kMillisecond);

// A 16 MB transfer over the data channel of two connections.
void BM_DataChannelTransfer(benchmark::State& state) {
  auto lab = ConnectPeers(BenchmarkConfig(), 1);
  lab->delay = TimeDelta::Micros(100);
  lab->keep_events = false;
  const datachannel::ChannelId channel{0};
  const Bytes message(16 * 1024, 0x5a);
  for (auto _ : state) {
    for (int i = 0; i < 1024; ++i) {
      while (!lab->a().Send(lab->now(), channel, true, message)) lab->RunFor(TimeDelta::Millis(1));
      if (i % 16 == 0) lab->RunFor(TimeDelta::Millis(1));
    }
    while (lab->a().buffered_amount(channel) > 0) lab->RunFor(TimeDelta::Millis(1));
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * 16 * 1024 * 1024);
}
BENCHMARK(BM_DataChannelTransfer)->Unit(benchmark::kMillisecond);

// "bytes_a_peer": what malloc() holds for one connected peer, half of a pair with everything in it.
void BM_MemoryOfAConnectedPeer(benchmark::State& state) {
  ConnectPeers(BenchmarkConfig(), 99);  // what is made once, such as OpenSSL's tables
  std::vector<std::unique_ptr<PeerLab>> labs;
  for (auto _ : state) {
    labs.clear();
    malloc_trim(0);
    const std::size_t before = mallinfo2().uordblks;
    constexpr int kPairs = 8;
    for (int i = 0; i < kPairs; ++i) {
      labs.push_back(std::make_unique<PeerLab>(BenchmarkConfig(), BenchmarkConfig(), 1 + i));
      labs.back()->keep_events = false;
      CHECK(labs.back()->a().CreateDataChannel(labs.back()->now(), {.label = "d"}).has_value());
      labs.back()->RunFor(TimeDelta::Seconds(5));
      CHECK(labs.back()->a().timeline().data_channel_open.has_value());
    }
    state.counters["bytes_a_peer"] =
        static_cast<double>(mallinfo2().uordblks - before) / (2 * kPairs);
  }
}
BENCHMARK(BM_MemoryOfAConnectedPeer)->Iterations(1);

}  // namespace
}  // namespace rtclab::peer
