// The program with a stand-in for the simulator: for tests of the commands. What it does depends on the run's seed:
// 13 crashes, 14 hangs, 15 fails an expectation, 16 takes all memory, 100 and above are slow; all others pass.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "cli/commands.h"
#include "stack/base/rng.h"

namespace {

using rtclab::scenarios::ExecuteOptions;
using rtclab::scenarios::Outcome;
using rtclab::scenarios::RunSpec;
namespace results = rtclab::results;

void MakeTrouble(uint64_t seed) {
  if (seed == 13) {
    std::fputs("CHECK failed: thirteen\x1b[2J\n", stderr);
    std::abort();
  }
  for (volatile bool hang = seed == 14; hang;) {
  }
  std::vector<std::vector<char>> hoard;
  for (int i = 0; seed == 16 && i < 64; ++i) hoard.emplace_back(std::size_t{64} << 20, 'x');
  if (seed >= 100) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

// What a session of peer connections has beyond ICE.
void AddCall(const rtclab::scenarios::SessionSpec& spec, results::Session& session,
             std::vector<results::SeriesPoint>& series) {
  for (const std::string& host : {spec.a.host, spec.b.host}) {
    session.extra["phases"].push_back(
        {{"host", host}, {"name", "dtls"}, {"start_ms", 100}, {"end_ms", 200}});
  }
  session.extra["data_channels"].push_back({{"label", "data"},
                                            {"from", spec.a.host},
                                            {"to", spec.b.host},
                                            {"messages_sent", 4},
                                            {"messages_received", 4},
                                            {"bytes_received", 4000},
                                            {"intact", true},
                                            {"transfer_ms", 8},
                                            {"throughput_bps", 4'000'000}});
  for (int i = 1; i <= 3; ++i) {
    results::SeriesPoint& point = series.emplace_back();
    point.session = spec.name;
    point.from = spec.a.host;
    point.to = spec.b.host;
    point.time_ms = 100 * i;
    point.interval_ms = 100;
    point.send_bps = point.receive_bps = 1e6 * i;
  }
}

Outcome Fake(const RunSpec& spec, const ExecuteOptions& options) {
  MakeTrouble(spec.seed);
  if (options.pcapng) std::ofstream(*options.pcapng) << "capture of " << spec.id;
  Outcome outcome;
  rtclab::Rng rng(spec.seed, spec.id);
  for (const rtclab::scenarios::SessionSpec& s : spec.sessions) {
    results::Session& session = outcome.run.sessions.emplace_back();
    session.name = s.name;
    session.state = "connected";
    session.selected_pair = {{"host", "udp", "ipv4", "192.0.2.1", 4000},
                             {"srflx", "udp", "ipv4", "192.0.2.2", 4001}};
    session.timing_ms.ice_connected = 100 + 100 * rng.UniformReal();
    session.why.text = "The direct pair worked.";
    if (s.peer) AddCall(s, session, outcome.series);
    if (!options.story) continue;
    outcome.story.push_back({0, s.a.host, "", "gathered host 192.0.2.1:4000", "", s.name});
    outcome.story.push_back({50, s.a.host, s.b.host, "Binding request", "", s.name});
  }
  if (spec.seed == 15) {
    outcome.run.verdict = results::Verdict::kFail;
    outcome.run.failures = {{"/expect/call/state", "failed", "connected", ""}};
  }
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  const rtclab::cli::Context context{Fake, rtclab::scenarios::StandardConsole()};
  return rtclab::cli::Main(argc, argv, context);
}
