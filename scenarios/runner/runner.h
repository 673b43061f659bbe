// Runs a suite: many runs in parallel, each safe from the others, into a directory of results.
//
//   DIR/results.json     written whole at the end, also when the suite is interrupted
//   DIR/journal.jsonl    the finished runs, as they finish: what --resume goes on from
//   DIR/series.jsonl     what flowed over time, of sessions with media or data; DIR/series/ holds it run by run
//   DIR/scenario/        a copy of the scenario files: what `rtclab explain` runs again
//   DIR/pcap/            one capture a run, when asked for
#ifndef RTCLAB_SCENARIOS_RUNNER_RUNNER_H_
#define RTCLAB_SCENARIOS_RUNNER_RUNNER_H_

#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "results/report/terminal.h"
#include "scenarios/executor.h"
#include "scenarios/run_spec.h"
#include "scenarios/runner/selection.h"
#include "stack/base/units.h"

namespace rtclab::scenarios {

// What the program's exit code says. A suite that a signal ended: 128 + the signal's number.
enum ExitCode : int {
  kAllPassed = 0,
  kExpectationFailed = 1,
  kUsageError = 2,  // of the command line, a scenario or the output directory
  kRunError = 3,    // a run crashed, timed out or took too much memory
};

// Runs one spec in this process, as scenarios::Execute does; may crash, hang or throw.
using Executor = std::function<Outcome(const RunSpec& spec, const ExecuteOptions& options)>;

struct ScenarioFile {
  std::string name;  // file name, without directory
  std::string text;
};

struct SuiteJob {
  std::string name;
  std::string digest;               // of the scenario files
  std::vector<RunSpec> runs;        // in order of expansion
  std::vector<ScenarioFile> files;  // kept in DIR/scenario
};

struct RunnerOptions {
  std::filesystem::path out;
  std::optional<std::filesystem::path> junit;
  int jobs = 0;  // 0: as many as there are cores
  std::string filter;
  Shard shard;
  bool resume = false;
  bool pcap = false;
  bool quiet = false;                               // only what did not pass and one line of counts
  TimeDelta timeout = TimeDelta::Seconds(60);       // wall-clock time of a run
  std::size_t memory_bytes = std::size_t{2} << 30;  // of a run; 0: no limit
  int runs_per_worker = 64;
  // Whether a parameter's value names a NAT: picks the matrix to show.
  std::function<bool(std::string_view)> is_nat;
};

// Where a command talks to a person.
struct Console {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  results::Terminal out_terminal;
  results::Terminal err_terminal;
};
// The process's own standard output and error.
Console StandardConsole();

// Runs what `options` select of `suite`, writes the results, shows a summary on console.out and progress and errors on
// console.err. Returns an ExitCode or 128 + signal. The bytes of results.json depend on the runs selected only: not on
// jobs, order, interruptions or the machine.
int RunSuite(const SuiteJob& suite, const RunnerOptions& options, const Executor& executor,
             const Console& console);

// The capture of run `id` in the results directory `out`.
std::filesystem::path CapturePath(const std::filesystem::path& out, std::string_view id);
// Its part of the time series.
std::filesystem::path SeriesPath(const std::filesystem::path& out, std::string_view id);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUNNER_RUNNER_H_
