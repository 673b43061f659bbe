// Runs one RunSpec on a virtual internet, in this process, and says what happened.
#ifndef RTCLAB_SCENARIOS_EXECUTOR_H_
#define RTCLAB_SCENARIOS_EXECUTOR_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "results/model.h"
#include "results/series.h"
#include "scenarios/run_spec.h"
#include "sim/trace/packet_event.h"

namespace rtclab::scenarios {

// One line of a run's story: a message between two hosts or something that happened at one.
struct StoryEvent {
  double time_ms = 0;
  std::string from;  // host, NAT or server name as in the scenario
  std::string to;    // empty: something that happened at `from`
  std::string text;  // "Binding request (check host -> srflx)", "gathered srflx 203.0.113.1:4000"
  std::string dropped;  // where and why it ended, when it did not arrive: "nat/home: nat.filter...:
                        // sentence"
  std::string session;
};

struct ExecuteOptions {
  std::optional<std::filesystem::path> pcapng;  // write a capture of the whole run here
  bool story = false;                           // fill Outcome::story
};

struct Outcome {
  results::Run run;               // verdict and failures are filled in from the expectations
  std::vector<StoryEvent> story;  // in order of time
  std::vector<results::SeriesPoint> series;  // in order of time; of sessions with peer connections
  std::string not_written;  // why ExecuteOptions::pcapng could not be; says nothing about the run
};

// Uses the process-wide ns-3 simulator: one call at a time. Deterministic: the same spec gives the
// same outcome.
Outcome Execute(const RunSpec& spec, const ExecuteOptions& options);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTOR_H_
