// What ICE costs: two agents in memory from nothing to both completed, and the paths of single packets.
#include <benchmark/benchmark.h>

#include "stack/ice/agent_lab.h"

namespace rtclab::ice {
namespace {

void Negotiate(benchmark::State& state, bool nats, bool symmetric) {
  uint64_t packets = 0;
  uint64_t seed = 1;
  for (auto _ : state) {
    Lab lab(Controlling(), Controlled(), seed++);
    lab.log_packets = false;
    lab.filter = [&packets](int, Transmit&) { return ++packets != 0; };
    if (nats) {
      lab.stun_servers = {Addr("198.51.100.1:3478")};
      lab.Nat(0, "203.0.113.1", symmetric);
      lab.Nat(1, "203.0.113.2", symmetric);
    }
    if (symmetric) lab.relay_servers = {{Addr("198.51.100.2:3478")}};
    lab.Start({Addr("10.0.0.1:1000")}, {Addr("10.0.0.2:2000")});
    if (!lab.RunFor(TimeDelta::Seconds(20), [&] { return lab.BothAre(AgentState::kCompleted); })) {
      state.SkipWithError("did not complete");
      return;
    }
  }
  state.counters["packets"] =
      benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kAvgIterations);
}

void BM_NegotiateHosts(benchmark::State& state) { Negotiate(state, false, false); }
void BM_NegotiateTwoNats(benchmark::State& state) { Negotiate(state, true, false); }
void BM_NegotiateRelayed(benchmark::State& state) { Negotiate(state, true, true); }
BENCHMARK(BM_NegotiateHosts);
BENCHMARK(BM_NegotiateTwoNats);
BENCHMARK(BM_NegotiateRelayed);

void BM_AnswerCheck(benchmark::State& state) {
  Solo solo(Controlled());
  solo.Gather();
  solo.SetRemote();
  const Bytes request = solo.Request({.role = Role::kControlling});
  solo.Receive(Addr("192.0.2.2:1"), request);
  solo.Answer(solo.Take()[1]);
  solo.Take();
  const TransportAddress peer = Addr("192.0.2.2:1");
  for (auto _ : state) {
    solo.agent.HandlePacket(solo.now, {peer, solo.host, request});
    benchmark::DoNotOptimize(solo.agent.PollTransmit());
  }
}
BENCHMARK(BM_AnswerCheck);

void BM_Data(benchmark::State& state) {
  Lab lab(Controlling(), Controlled());
  lab.Start({Addr("192.0.2.1:1000")}, {Addr("192.0.2.2:2000")});
  lab.RunFor(TimeDelta::Seconds(2));
  const Bytes payload(1200, 0x80);
  for (auto _ : state) {
    lab.agent(0).Send(lab.now(), payload);
    const auto t = lab.agent(0).PollTransmit();
    lab.agent(1).HandlePacket(lab.now(), {t->source, t->destination, t->payload});
    benchmark::DoNotOptimize(lab.agent(1).PollEvent());
    benchmark::DoNotOptimize(lab.agent(1).NextTimeout());
  }
}
BENCHMARK(BM_Data);

}  // namespace
}  // namespace rtclab::ice
