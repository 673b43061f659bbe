#include "scenarios/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "scenarios/execution/background_flow.h"
#include "scenarios/execution/probe_driver.h"
#include "scenarios/execution/schedule.h"
#include "scenarios/execution/server_program.h"
#include "scenarios/execution/session_driver.h"
#include "scenarios/execution/story.h"
#include "scenarios/execution/why.h"
#include "scenarios/expect.h"
#include "sim/topology/network.h"

namespace rtclab::scenarios {
namespace {

// Everything of a run that lives while virtual time passes. Members go in reverse order: programs before the network.
class Execution {
 public:
  Execution(const RunSpec& spec, std::unique_ptr<sim::Network> network)
      : spec_(spec), network_(std::move(network)) {
    for (const ServerSpec& server : spec.servers) {
      programs_.push_back(StartServer(server, *network_));
      servers_.push_back(DescribeAccess(server, *network_));
    }
    const auto on_done = [this] { StopWhenDone(); };
    for (const SessionSpec& session : spec.sessions) {
      for (const ActionSpec& action : session.actions) {
        if (action.kind == ActionSpec::Kind::kSetLink && action.rate) {
          network_->AllowRateChanges(action.target);
        }
      }
    }
    for (const FlowSpec& flow : spec.flows) flows_.push_back(StartFlow(flow, *network_));
    for (const SessionSpec& session : spec.sessions) {
      sessions_.push_back(MakeSession(session, *network_, servers_, on_done));
    }
    for (const ProbeSpec& probe : spec.probes) {
      probes_.push_back(std::make_unique<ProbeDriver>(probe, *network_, servers_, on_done));
    }
    if (spec.min_duration > TimeDelta::Zero()) After(spec.min_duration, on_done);
  }

  sim::Network& network() { return *network_; }
  const std::vector<ServerAccess>& servers() const { return servers_; }
  const std::vector<std::unique_ptr<SessionDriver>>& sessions() const { return sessions_; }

  void Collect(Outcome& outcome) const {
    results::Run& run = outcome.run;
    for (const auto& driver : sessions_) {
      results::Session session = driver->Result();
      session.why = Explain(*driver, session, *network_, servers_);
      run.sessions.push_back(std::move(session));
      outcome.series.insert(outcome.series.end(), driver->series().begin(), driver->series().end());
    }
    std::stable_sort(outcome.series.begin(), outcome.series.end(),
                     [](const auto& x, const auto& y) { return x.time_ms < y.time_ms; });
    for (const auto& driver : probes_) run.probes.push_back(driver->Result());
    results::Json drops = results::Json::array();
    for (const auto& [key, count] : network_->tracer().drop_counts()) {
      drops.push_back({{"where", key.first}, {"rule", key.second}, {"count", count}});
    }
    run.network = {{"virtual_ms", network_->Now().millis_f()}, {"drops", drops}};
    if (!flows_.empty()) {
      run.network["flows"] = results::Json::array();
      for (const auto& flow : flows_) run.network["flows"].push_back(flow->Result());
    }
  }

 private:
  void StopWhenDone() {
    const auto done = [](const auto& driver) { return driver->done(); };
    if (network_->Now() < Timestamp::Zero() + spec_.min_duration) return;
    if (std::all_of(sessions_.begin(), sessions_.end(), done) &&
        std::all_of(probes_.begin(), probes_.end(), done)) {
      network_->Stop();
    }
  }

  const RunSpec& spec_;
  std::unique_ptr<sim::Network> network_;
  std::vector<ServerAccess> servers_;
  std::vector<std::unique_ptr<ServerProgram>> programs_;
  std::vector<std::unique_ptr<BackgroundFlow>> flows_;
  std::vector<std::unique_ptr<SessionDriver>> sessions_;
  std::vector<std::unique_ptr<ProbeDriver>> probes_;
};

void Fail(results::Run& run, std::string what) {
  run.verdict = results::Verdict::kError;
  run.error = std::move(what);
}

}  // namespace

Outcome Execute(const RunSpec& spec, const ExecuteOptions& options) {
  Outcome outcome;
  results::Run& run = outcome.run;
  run.id = spec.id;
  run.scenario = spec.scenario;
  run.parameters = spec.parameters;
  run.seed = spec.seed;

  auto network = sim::Network::Build(spec.network);
  if (!network) {
    Fail(run, "the network cannot be built: " + network.error().reason);
    return outcome;
  }
  StoryTeller story;
  if (options.story) (*network)->SetEventSink(&story);
  if (options.pcapng) {
    if (const auto started = (*network)->StartCapture(*options.pcapng); !started) {
      outcome.not_written = started.error().reason;
      return outcome;
    }
  }
  Execution execution(spec, std::move(*network));
  execution.network().RunUntil(Timestamp::Zero() + spec.max_duration);
  execution.Collect(outcome);
  if (options.pcapng) {
    if (const auto finished = execution.network().FinishCapture(); !finished) {
      outcome.not_written = finished.error().reason;
    }
  }
  Evaluate(spec, outcome.series, run);
  if (options.story) outcome.story = story.Tell(execution.sessions(), execution.network());
  return outcome;
}

}  // namespace rtclab::scenarios
