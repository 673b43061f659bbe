// What runs cost, ns-3 included and from building the virtual internet on: an ICE negotiation, a whole peer connection, a
// minute of a call, a bulk transfer.
#include <benchmark/benchmark.h>

#include "scenarios/execution/spec_for_test.h"
#include "scenarios/executor.h"

namespace rtclab::scenarios {
namespace {

void Negotiate(benchmark::State& state, RunSpec spec, const char* expected_type) {
  spec.sessions[0].a.ice.consent = spec.sessions[0].b.ice.consent = false;
  for (auto _ : state) {
    spec.network.seed = ++spec.seed;
    const Outcome outcome = Execute(spec, {});
    const results::Session& session = outcome.run.sessions.at(0);
    // With a relay either side's candidate may be the relayed one.
    if (!session.selected_pair || (session.selected_pair->local.type != expected_type &&
                                   session.selected_pair->remote.type != expected_type)) {
      state.SkipWithError("negotiation did not end as expected");
    }
  }
}

void NoNat(benchmark::State& state) {
  Negotiate(state, TwoHosts(std::nullopt, std::nullopt, false), "host");
}
BENCHMARK(NoNat)->Unit(benchmark::kMicrosecond);

void PortRestrictedPairWithStun(benchmark::State& state) {
  Negotiate(state, TwoHosts(PortRestricted(), PortRestricted(), false), "srflx");
}
BENCHMARK(PortRestrictedPairWithStun)->Unit(benchmark::kMicrosecond);

void SymmetricPairWithTurn(benchmark::State& state) {
  Negotiate(state, TwoHosts(Symmetric(), Symmetric()), "relay");
}
BENCHMARK(SymmetricPairWithTurn)->Unit(benchmark::kMicrosecond);

// --- Whole peer connections: ICE, DTLS, SCTP, an open data channel ---

void SetUpPeers(benchmark::State& state, RunSpec spec) {
  Execute(spec,
          {});  // what libraries make once in a process: OpenSSL's tables, libsrtp's self-tests
  for (auto _ : state) {
    spec.network.seed = ++spec.seed;
    const Outcome outcome = Execute(spec, {});
    const results::Session& session = outcome.run.sessions.at(0);
    if (session.state != "connected" || !session.timing_ms.data_channel_open) {
      state.SkipWithError("the data channel did not open");
    }
  }
}

void PeersNoNat(benchmark::State& state) {
  SetUpPeers(state, TwoPeers(std::nullopt, std::nullopt, false));
}
BENCHMARK(PeersNoNat)->Unit(benchmark::kMicrosecond);

void PeersPortRestrictedPairWithStun(benchmark::State& state) {
  SetUpPeers(state, TwoPeers(PortRestricted(), PortRestricted(), false));
}
BENCHMARK(PeersPortRestrictedPairWithStun)->Unit(benchmark::kMicrosecond);

void PeersSymmetricPairWithTurn(benchmark::State& state) {
  SetUpPeers(state, TwoPeers(Symmetric(), Symmetric()));
}
BENCHMARK(PeersSymmetricPairWithTurn)->Unit(benchmark::kMicrosecond);

// --- What flows ---

void LimitUplinks(RunSpec& spec, DataRate rate) {
  for (sim::LanSpec& lan : spec.network.lans) lan.uplink.up.rate = lan.uplink.down.rate = rate;
}

// Audio and 2.5 Mbit/s of video both ways, for a minute. "times_real_time": virtual seconds a CPU second.
void CallMinute(benchmark::State& state, RunSpec spec) {
  constexpr double kSeconds = 60;
  LimitUplinks(spec, DataRate::MegabitsPerSec(10));
  MediaSpec& media = spec.sessions[0].peer->media.emplace();
  media.duration = TimeDelta::Seconds(60);
  spec.max_duration = TimeDelta::Seconds(90);
  for (auto _ : state) {
    const Outcome outcome = Execute(spec, {});
    const results::Session& session = outcome.run.sessions.at(0);
    if (session.state != "connected" || outcome.series.size() < 1000) {
      state.SkipWithError("the call did not last");
    }
  }
  state.counters["times_real_time"] = benchmark::Counter(
      kSeconds * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void CallMinuteNoNat(benchmark::State& state) {
  CallMinute(state, TwoPeers(std::nullopt, std::nullopt, false));
}
BENCHMARK(CallMinuteNoNat)->Unit(benchmark::kMillisecond);

void CallMinuteTwoNats(benchmark::State& state) {
  CallMinute(state, TwoPeers(PortRestricted(), PortRestricted(), false));
}
BENCHMARK(CallMinuteTwoNats)->Unit(benchmark::kMillisecond);

void CallMinuteRelayed(benchmark::State& state) {
  CallMinute(state, TwoPeers(Symmetric(), Symmetric()));
}
BENCHMARK(CallMinuteRelayed)->Unit(benchmark::kMillisecond);

// 64 MB through one reliable channel over 1 Gbit/s and 42 ms round trip, both ends' digests included.
void BulkData(benchmark::State& state, RunSpec spec) {
  LimitUplinks(spec, DataRate::MegabitsPerSec(1000));
  ChannelSpec& channel = spec.sessions[0].peer->channels[0];
  channel.amount = 64 << 20;
  spec.max_duration = TimeDelta::Seconds(300);
  for (auto _ : state) {
    const Outcome outcome = Execute(spec, {});
    const results::Session& session = outcome.run.sessions.at(0);
    if (session.state != "connected" ||
        !session.extra.at("data_channels").at(0).at("intact").get<bool>()) {
      state.SkipWithError("the transfer did not end well");
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * channel.amount);
}

void BulkDataNoNat(benchmark::State& state) {
  BulkData(state, TwoPeers(std::nullopt, std::nullopt, false));
}
BENCHMARK(BulkDataNoNat)->Unit(benchmark::kMillisecond);

void BulkDataTwoNats(benchmark::State& state) {
  BulkData(state, TwoPeers(PortRestricted(), PortRestricted(), false));
}
BENCHMARK(BulkDataTwoNats)->Unit(benchmark::kMillisecond);

void BulkDataRelayed(benchmark::State& state) {
  BulkData(state, TwoPeers(Symmetric(), Symmetric()));
}
BENCHMARK(BulkDataRelayed)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rtclab::scenarios
