// Runs the catalogue against a target: chooses cases, probes features, runs cases side by side, grades, tries failures again.
#ifndef RTCLAB_CONFORMANCE_ENGINE_RUNNER_H_
#define RTCLAB_CONFORMANCE_ENGINE_RUNNER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance/engine/case.h"
#include "conformance/engine/run_report.h"
#include "conformance/engine/target.h"

namespace rtclab::conformance {

enum class LevelFilter : uint8_t {
  kMust,
  kShould,
  kAll
};  // must: with prose and policy; should: those and SHOULD

struct Overlay;

// Ten times what a run takes on loopback; with slow cases, whose longest waits for 10 minutes, three times.
inline constexpr TimeDelta kTimeLimit = TimeDelta::Seconds(900);
inline constexpr TimeDelta kSlowTimeLimit = TimeDelta::Seconds(1'800);

struct RunOptions {
  std::vector<std::string> only{};  // globs on ids (* ?); empty: all
  LevelFilter level = LevelFilter::kAll;
  bool slow = false;
  bool shuffle = false;
  uint64_t seed = 1;                 // of the order and of every random byte
  int jobs = 8;                      // cases side by side; slow ones all together
  const Overlay* overlay = nullptr;  // what is known to fail
  bool repeat = true;                // a case that fails is run once more
  // Of everything, from the first question to the server. None: kTimeLimit, with slow cases kSlowTimeLimit. What has not begun by
  // then is skipped, what runs is stopped, and the report is not complete.
  std::optional<TimeDelta> time_limit{};
  // Called from one thread at a time: how many are done, of how many, and the one that just ended.
  std::function<void(int done, int total, const CaseResult& last)> progress{};
};

// The cases that `options` and `target` choose, in order.
std::vector<const Case*> Select(const CaseList& catalogue, const Target& target,
                                const RunOptions& options);

// Returns when all are done, or soon after Ctrl-C (Interrupted()) or the end of the time limit, with allocations released.
RunReport Run(const CaseList& catalogue, const Target& target, const RunOptions& options);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_RUNNER_H_
