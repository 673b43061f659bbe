// One ICE negotiation, ns-3 included: from building the virtual internet to both agents' selected pair.
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

}  // namespace
}  // namespace rtclab::scenarios
