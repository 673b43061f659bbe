#include "scenarios/runner/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "results/json.h"
#include "results/test_data.h"
#include "results/whole_file.h"
#include "scenarios/runner/test_folder.h"
#include "stack/base/rng.h"

namespace rtclab::scenarios {
namespace {

using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

// Stands in for the simulator: a result that follows from the spec alone, or trouble that the parameters ask for.
Outcome FakeExecute(const RunSpec& spec, const ExecuteOptions& options) {
  const std::string trouble = spec.parameters.value("trouble", "");
  if (options.pcapng) std::ofstream(*options.pcapng) << "capture of " << spec.id;
  if (trouble == "crash") {
    std::fputs("CHECK failed: it was to be expected\n", stderr);
    std::abort();
  }
  if (trouble == "throw") throw std::runtime_error("an exception");
  for (volatile bool hang = trouble == "hang"; hang;) {
  }
  std::vector<std::vector<char>> hoard;
  for (int i = 0; trouble == "bomb" && i < 64; ++i) hoard.emplace_back(std::size_t{64} << 20, 'x');
  Rng rng(spec.seed, spec.id);
  Outcome outcome;
  outcome.run = trouble == "fail" ? results::FailedRun("") : results::PassedRun("");
  if (trouble != "fail") {
    outcome.run.sessions[0].timing_ms.ice_connected = 100 + 1000 * rng.UniformReal();
  }
  for (int i = 1; i <= 3; ++i) {
    outcome.series.push_back({.session = "call",
                              .from = "a",
                              .to = "b",
                              .time_ms = i * 100.0,
                              .interval_ms = 100,
                              .send_bps = 1e6 * rng.UniformReal()});
  }
  if (trouble == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return outcome;
}

SuiteJob MakeSuite(int count, const std::vector<std::string>& troubles = {}) {
  SuiteJob suite;
  suite.name = "suite";
  suite.digest = "0123456789abcdef";
  suite.files = {{"suite.json", "{}\n"}};
  for (int i = 0; i < count; ++i) {
    RunSpec& spec = suite.runs.emplace_back();
    spec.id = "suite/n=" + std::to_string(i);
    spec.scenario = "suite";
    spec.seed = static_cast<uint64_t>(i);
    const std::string trouble =
        static_cast<std::size_t>(i) < troubles.size() ? troubles[static_cast<std::size_t>(i)] : "";
    spec.parameters = {{"n", i}, {"trouble", trouble}};
  }
  return suite;
}

// The same with sessions of peer connections, which have a time series; every third run is of ICE alone.
SuiteJob MakeCalls(int count, const std::vector<std::string>& troubles = {}) {
  SuiteJob suite = MakeSuite(count, troubles);
  for (int i = 0; i < count; ++i) {
    SessionSpec& session = suite.runs[static_cast<std::size_t>(i)].sessions.emplace_back();
    if (i % 3 != 2) session.peer.emplace();
  }
  return suite;
}

struct Ran {
  int exit_code = 0;
  std::string out, err;
};

Ran RunIt(const SuiteJob& suite, const RunnerOptions& options,
          const Executor& executor = FakeExecute) {
  char* out = nullptr;
  char* err = nullptr;
  std::size_t out_size = 0;
  std::size_t err_size = 0;
  Console console;
  console.out = open_memstream(&out, &out_size);
  console.err = open_memstream(&err, &err_size);
  Ran ran;
  ran.exit_code = RunSuite(suite, options, executor, console);
  std::fclose(console.out);
  std::fclose(console.err);
  ran.out.assign(out, out_size);
  ran.err.assign(err, err_size);
  std::free(out);
  std::free(err);
  return ran;
}

class RunnerTest : public testing::Test {
 protected:
  RunnerOptions Options(const std::string& name = "out", int jobs = 2) const {
    RunnerOptions options;
    options.out = folder_.path() / name;
    options.jobs = jobs;
    return options;
  }
  static std::string Bytes(const RunnerOptions& options) {
    return results::ReadWholeFile(options.out / "results.json").value_or("(no results.json)");
  }
  static std::string Series(const RunnerOptions& options) {
    return results::ReadWholeFile(options.out / "series.jsonl").value_or("(no series.jsonl)");
  }
  // The runs whose lines are in series.jsonl, in order, with how many there are.
  static std::string SeriesRuns(const RunnerOptions& options) {
    std::string out, last;
    std::istringstream lines(Series(options));
    for (std::string line; std::getline(lines, line);) {
      const std::string id = results::Json::parse(line).at("run").get<std::string>();
      if (id != last) out += (out.empty() ? "" : " ") + id.substr(id.find('=') + 1) + ":";
      out += "|";
      last = id;
    }
    return out;
  }
  static results::Suite Parsed(const RunnerOptions& options) {
    return results::ParseSuite(Bytes(options)).value();
  }

  TestFolder folder_;
};

TEST_F(RunnerTest, SameBytesWithAnyJobsAndAnyOrder) {
  SuiteJob suite = MakeSuite(40, {"", "fail", "slow", "crash", "throw"});
  const RunnerOptions first = Options("first", 1);
  EXPECT_EQ(RunIt(suite, first).exit_code, kRunError);
  const std::string bytes = Bytes(first);
  EXPECT_EQ(Parsed(first).runs.size(), 40U);
  for (const int jobs : {1, 2, 8}) {
    for (const int runs_per_worker : {1, 3, 64}) {
      RunnerOptions options = Options("other", jobs);
      options.runs_per_worker = runs_per_worker;
      RunIt(suite, options);
      EXPECT_EQ(Bytes(options), bytes) << jobs << " jobs";
    }
  }
  // Another order of execution: the slow ones first, which the workers then hold up differently.
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Executor executor = [seed](const RunSpec& spec, const ExecuteOptions& options) {
      Rng rng(seed, spec.id);
      std::this_thread::sleep_for(std::chrono::milliseconds(rng.Uniform(0, 10)));
      return FakeExecute(spec, options);
    };
    const RunnerOptions options = Options("shuffled", 4);
    RunIt(suite, options, executor);
    EXPECT_EQ(Bytes(options), bytes) << "seed " << seed;
  }
}

TEST_F(RunnerTest, ExitCodesByTheWorstVerdict) {
  EXPECT_EQ(RunIt(MakeSuite(3), Options()).exit_code, kAllPassed);
  EXPECT_EQ(RunIt(MakeSuite(3, {"fail"}), Options()).exit_code, kExpectationFailed);
  EXPECT_EQ(RunIt(MakeSuite(3, {"fail", "crash"}), Options()).exit_code, kRunError);
  RunnerOptions nothing = Options();
  nothing.filter = "no such run";
  EXPECT_EQ(RunIt(MakeSuite(3), nothing).exit_code, kUsageError);
}

TEST_F(RunnerTest, CrashHangBombAndExceptionAreVerdicts) {
  const SuiteJob suite = MakeSuite(8, {"crash", "", "hang", "", "bomb", "", "throw"});
  RunnerOptions options = Options();
  options.timeout = TimeDelta::Millis(1500);
  options.memory_bytes = std::size_t{100} << 20;
  const Ran ran = RunIt(suite, options);
  EXPECT_EQ(ran.exit_code, kRunError);
  const results::Suite parsed = Parsed(options);
  ASSERT_EQ(parsed.runs.size(), 8U);
  EXPECT_EQ(results::Count(parsed),
            (results::Counts{.runs = 8, .passed = 4, .failed = 0, .errors = 4}));
  EXPECT_EQ(parsed.runs[0].error, "crashed: SIGABRT");
  EXPECT_EQ(parsed.runs[0].parameters, suite.runs[0].parameters);
  EXPECT_EQ(parsed.runs[2].error, "timed out after 1500 ms");
#if !defined(RTCLAB_ASAN)
  EXPECT_EQ(parsed.runs[4].error, "needed more than 100 MB of memory");
#endif
  EXPECT_EQ(parsed.runs[6].error, "threw: an exception");
  EXPECT_THAT(ran.out, HasSubstr("ERROR suite/n=0\n  crashed: SIGABRT\n  | CHECK failed: it was"));
  EXPECT_THAT(Bytes(options), Not(HasSubstr("CHECK failed"))) << "it may name paths of the machine";
}

TEST_F(RunnerTest, ShardsTogetherAreTheWholeSuite) {
  const SuiteJob suite = MakeSuite(11);
  std::vector<std::string> ids;
  for (int index = 1; index <= 3; ++index) {
    RunnerOptions options = Options("shard" + std::to_string(index));
    options.shard = {index, 3};
    EXPECT_EQ(RunIt(suite, options).exit_code, kAllPassed);
    for (const results::Run& run : Parsed(options).runs) ids.push_back(run.id);
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
  EXPECT_EQ(ids.size(), 11U);
}

TEST_F(RunnerTest, AnEmptyShardIsNoError) {
  RunnerOptions options = Options();
  options.shard = {5, 5};
  EXPECT_EQ(RunIt(MakeSuite(3), options).exit_code, kAllPassed);
  EXPECT_TRUE(Parsed(options).runs.empty());
}

TEST_F(RunnerTest, FilterSelectsAndANearMissIsNamed) {
  RunnerOptions options = Options();
  options.filter = "*n=1?";
  RunIt(MakeSuite(20), options);
  EXPECT_EQ(Parsed(options).runs.size(), 10U);
  options.filter = "suite/m=3";
  const Ran ran = RunIt(MakeSuite(20), options);
  EXPECT_EQ(ran.exit_code, kUsageError);
  EXPECT_THAT(ran.err, HasSubstr("no run's id matches --filter \"suite/m=3\"; the nearest is"));
}

TEST_F(RunnerTest, ResumeRunsOnlyWhatIsMissing) {
  const SuiteJob suite = MakeSuite(12, {"fail", "crash"});
  RunnerOptions options = Options();
  RunIt(suite, options);
  const std::string bytes = Bytes(options);
  options.filter = "n=1";  // 1, 10, 11
  RunIt(suite, options);
  options.filter.clear();
  options.resume = true;
  const fs::path calls = folder_.path() / "calls";
  const Executor counting = [&](const RunSpec& spec, const ExecuteOptions& execute) {
    std::ofstream(calls, std::ios::app) << spec.id << "\n";
    return FakeExecute(spec, execute);
  };
  const Ran ran = RunIt(suite, options, counting);
  EXPECT_EQ(Bytes(options), bytes);
  const std::string called = results::ReadWholeFile(calls).value();
  EXPECT_EQ(std::count(called.begin(), called.end(), '\n'), 9);
  EXPECT_THAT(called, Not(HasSubstr("n=10")));
  EXPECT_THAT(ran.err, HasSubstr("3 of 12 runs are done already"));
  // With nothing missing nothing runs, and the bytes and the exit code stay.
  fs::remove(calls);
  EXPECT_EQ(RunIt(suite, options, counting).exit_code, kRunError);
  EXPECT_EQ(Bytes(options), bytes);
  EXPECT_FALSE(fs::exists(calls));
}

TEST_F(RunnerTest, ResumeRefusesAnotherScenario) {
  SuiteJob suite = MakeSuite(3);
  RunnerOptions options = Options();
  RunIt(suite, options);
  suite.digest = "fedcba9876543210";
  options.resume = true;
  const std::string before = Bytes(options);
  const Ran ran = RunIt(suite, options);
  EXPECT_EQ(ran.exit_code, kUsageError);
  EXPECT_THAT(ran.err, HasSubstr("cannot resume: its runs have scenario_digest"));
  EXPECT_EQ(Bytes(options), before);
}

// A child process runs the suite and is interrupted at a random moment; resuming ends with the bytes of an undisturbed
// suite. SIGKILL leaves no results.json at all, but the journal.
TEST_F(RunnerTest, InterruptedAnywhereAndResumedGivesTheSameBytes) {
  constexpr int kRuns = 100;
  const SuiteJob suite = MakeSuite(kRuns, std::vector<std::string>(kRuns, "slow"));
  const RunnerOptions whole = Options("whole");
  RunIt(suite, whole);
  const std::string bytes = Bytes(whole);
  Rng rng(20261122, "interrupt");
  int interrupted = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGKILL, SIGINT, SIGINT}) {
    RunnerOptions options = Options("interrupted");
    fs::remove_all(options.out);
    const pid_t child = fork();
    if (child == 0) _exit(RunIt(suite, options).exit_code);
    const auto wait = std::chrono::milliseconds(rng.Uniform(50, 500));
    std::this_thread::sleep_for(wait);
    kill(child, signal);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    // On a busy machine the signal may come before the suite's handlers are there, or after its end.
    if (WIFEXITED(status) && WEXITSTATUS(status) == 128 + signal) {
      ++interrupted;
      const results::Suite partial = Parsed(options);
      EXPECT_FALSE(partial.complete);
      EXPECT_LT(partial.runs.size(), static_cast<std::size_t>(kRuns));
    } else if (WIFSIGNALED(status)) {
      EXPECT_FALSE(fs::exists(options.out / "results.json"));
    }
    options.resume = true;
    EXPECT_EQ(RunIt(suite, options).exit_code, kAllPassed);
    EXPECT_EQ(Bytes(options), bytes) << "signal " << signal << " after " << wait.count() << " ms";
  }
  EXPECT_GT(interrupted, 0);
}

TEST_F(RunnerTest, CapturesAppearWholeOrNotAtAll) {
  const SuiteJob suite = MakeSuite(3, {"", "crash", ""});
  RunnerOptions options = Options();
  options.pcap = true;
  RunIt(suite, options);
  EXPECT_EQ(results::ReadWholeFile(CapturePath(options.out, "suite/n=0")).value(),
            "capture of suite/n=0");
  const auto count = std::distance(fs::directory_iterator(options.out / "pcap"), {});
  EXPECT_EQ(count, 2) << "nothing of the crashed run";
  // A capture that is missing makes its run missing.
  fs::remove(CapturePath(options.out, "suite/n=0"));
  options.resume = true;
  const std::string before = Bytes(options);
  RunIt(suite, options);
  EXPECT_TRUE(fs::exists(CapturePath(options.out, "suite/n=0")));
  EXPECT_EQ(Bytes(options), before);
}

TEST_F(RunnerTest, UnwritableDirectoriesAreAClearError) {
  std::ofstream(folder_.path() / "file") << "in the way";
  const Ran ran = RunIt(MakeSuite(3), Options("file/out"));
  EXPECT_EQ(ran.exit_code, kUsageError);
  EXPECT_THAT(ran.err, HasSubstr("file/out: cannot make it: Not a directory"));

  RunnerOptions options = Options();
  options.junit = folder_.path() / "no" / "junit.xml";
  const Ran junit = RunIt(MakeSuite(3), options);
  EXPECT_EQ(junit.exit_code, kUsageError);
  EXPECT_THAT(junit.err, HasSubstr("no/junit.xml: cannot create"));
}

// Stands in for a full disk while it lives: no file gets longer than this.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(RunnerTest, AFullDiskIsTheErrorAndResumeGoesOn) {
  const SuiteJob suite = MakeSuite(20);
  RunIt(suite, Options("whole"));
  const std::string whole = results::ReadWholeFile(Options("whole").out / "journal.jsonl").value();
  RunnerOptions options = Options("full", 1);
  options.quiet = true;
  for (const std::size_t size : {whole.size() / 10, whole.size() / 2, whole.size() - 1}) {
    options.resume = false;
    {
      const FileSizeLimit limit(size);
      const Ran ran = RunIt(suite, options);
      EXPECT_EQ(ran.exit_code, kRunError) << size;
      EXPECT_THAT(ran.err, HasSubstr("journal.jsonl: cannot write: "));
    }
    EXPECT_FALSE(Bytes(options).find("\"complete\":true") != std::string::npos) << size;
    options.resume = true;
    EXPECT_EQ(RunIt(suite, options).exit_code, kAllPassed) << size;
    EXPECT_EQ(Bytes(options), Bytes(Options("whole"))) << size;
  }
}

TEST_F(RunnerTest, ARunWhoseFilesFindNoRoomIsNotDone) {
  const Executor executor = [](const RunSpec& spec, const ExecuteOptions& options) {
    Outcome outcome = FakeExecute(spec, options);
    for (int i = 0; i < 2'000; ++i)
      outcome.series.push_back({.session = "call", .time_ms = 1.0 * i});
    return outcome;
  };
  RunnerOptions options = Options("full", 1);
  options.quiet = true;
  {
    const FileSizeLimit limit(50'000);
    const Ran ran = RunIt(MakeCalls(3), options, executor);
    EXPECT_EQ(ran.exit_code, kRunError);
    EXPECT_THAT(ran.err, HasSubstr("cannot write: File too large"));
  }
  EXPECT_THAT(Bytes(options), Not(HasSubstr("File too large")))
      << "nothing about the machine in a result";
  options.resume = true;
  EXPECT_EQ(RunIt(MakeCalls(3), options, executor).exit_code, kAllPassed);
  RunIt(MakeCalls(3), Options("whole"), executor);
  EXPECT_EQ(Bytes(options), Bytes(Options("whole")));
}

TEST_F(RunnerTest, AJunitFileThatCannotBeIsRefusedBeforeTheFirstRun) {
  RunnerOptions options = Options();
  RunIt(MakeSuite(3), options);
  const std::string before = Bytes(options);
  fs::create_directory(folder_.path() / "folder");
  for (const fs::path& junit :
       {options.out / "results.json", options.out / "journal.jsonl",
        options.out / "." / "scenario" / "suite.json", options.out / "scenario" / "new.xml",
        folder_.path() / "folder", folder_.path() / "no" / "junit.xml"}) {
    options.junit = junit;
    const Ran ran = RunIt(MakeSuite(3), options);
    EXPECT_EQ(ran.exit_code, kUsageError) << junit;
    EXPECT_THAT(ran.err, HasSubstr("rtclab: --junit: " + junit.string()));
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(Bytes(options), before) << junit;
  }
  options.junit = options.out / "junit.xml";
  EXPECT_EQ(RunIt(MakeSuite(3), options).exit_code, kAllPassed);
}

TEST_F(RunnerTest, TwoRunsWithOneIdAreRefused) {
  SuiteJob suite = MakeSuite(3);
  suite.runs[2].id = suite.runs[0].id;
  const Ran ran = RunIt(suite, Options());
  EXPECT_EQ(ran.exit_code, kUsageError);
  EXPECT_THAT(ran.err, HasSubstr("two runs have the id \"suite/n=0\""));
}

TEST_F(RunnerTest, ShowsTableFailuresAndNoEscapeCodes) {
  RunnerOptions options = Options();
  options.junit = folder_.path() / "junit.xml";
  const Ran ran = RunIt(MakeSuite(30, {"fail"}), options);
  EXPECT_THAT(ran.out, HasSubstr("FAIL suite/n=0"));
  EXPECT_THAT(ran.out, HasSubstr("expected  failed"));
  EXPECT_THAT(ran.out, HasSubstr("30 runs: 29 passed, 1 failed, 0 errors"));
  EXPECT_THAT(ran.out, HasSubstr("rtclab explain 'suite/n=0' --in "));
  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("\r")));
  EXPECT_THAT(results::ReadWholeFile(*options.junit).value(), HasSubstr("failures=\"1\""));
  EXPECT_EQ(results::ReadWholeFile(options.out / "scenario" / "suite.json").value(), "{}\n");
}

TEST_F(RunnerTest, QuietSaysOnlyWhatDidNotPass) {
  RunnerOptions options = Options();
  options.quiet = true;
  const Ran good = RunIt(MakeSuite(30), options);
  EXPECT_EQ(std::count(good.out.begin(), good.out.end(), '\n'), 1) << good.out;
  EXPECT_EQ(good.err, "");
  EXPECT_THAT(RunIt(MakeSuite(3, {"fail"}), options).out, HasSubstr("FAIL suite/n=0"));
}

TEST_F(RunnerTest, SeriesAreTheSameBytesWithAnyJobs) {
  const SuiteJob suite = MakeCalls(20, {"slow", "", "", "slow"});
  const RunnerOptions first = Options("first", 1);
  RunIt(suite, first);
  const std::string bytes = Series(first);
  EXPECT_EQ(std::count(bytes.begin(), bytes.end(), '\n'), 14 * 3);
  for (const int jobs : {2, 8}) {
    RunnerOptions options = Options("other", jobs);
    options.runs_per_worker = 3;
    RunIt(suite, options);
    EXPECT_EQ(Series(options), bytes) << jobs << " jobs";
  }
}

TEST_F(RunnerTest, SeriesStandInTheOrderOfTheRunsAndARunThatDiedHasNone) {
  RunIt(MakeCalls(7, {"slow", "crash", "", "throw", "fail"}), Options());
  EXPECT_EQ(SeriesRuns(Options()), "0:||| 4:||| 6:|||");
}

TEST_F(RunnerTest, SuitesWithoutPeersHaveNoSeries) {
  RunIt(MakeSuite(3), Options());
  EXPECT_FALSE(fs::exists(Options().out / "series.jsonl"));
  EXPECT_FALSE(fs::exists(Options().out / "series"));
}

TEST_F(RunnerTest, ARunWhoseSeriesIsMissingRunsAgain) {
  const SuiteJob suite = MakeCalls(6);
  RunnerOptions options = Options();
  RunIt(suite, options);
  const std::string bytes = Series(options);
  fs::remove(SeriesPath(options.out, "suite/n=3"));
  fs::remove(options.out / "series.jsonl");
  options.resume = true;
  const fs::path calls = folder_.path() / "calls";
  const Executor counting = [&](const RunSpec& spec, const ExecuteOptions& execute) {
    std::ofstream(calls, std::ios::app) << spec.id << "\n";
    return FakeExecute(spec, execute);
  };
  RunIt(suite, options, counting);
  EXPECT_EQ(results::ReadWholeFile(calls).value(), "suite/n=3\n");
  EXPECT_EQ(Series(options), bytes);
}

// A run that died has no series, and never will: it is not run again for it.
TEST_F(RunnerTest, ARunThatDiedIsDoneWithoutASeries) {
  const SuiteJob suite = MakeCalls(3, {"crash"});
  RunnerOptions options = Options();
  RunIt(suite, options);
  options.resume = true;
  const fs::path calls = folder_.path() / "calls";
  const Executor counting = [&](const RunSpec& spec, const ExecuteOptions& execute) {
    std::ofstream(calls, std::ios::app) << spec.id << "\n";
    return FakeExecute(spec, execute);
  };
  EXPECT_EQ(RunIt(suite, options, counting).exit_code, kRunError);
  EXPECT_FALSE(fs::exists(calls));
  EXPECT_EQ(SeriesRuns(options), "1:|||");
}

TEST_F(RunnerTest, ShardsAndFiltersHaveTheirOwnSeries) {
  const SuiteJob suite = MakeCalls(6);
  RunnerOptions shard = Options("shard");
  shard.shard = {1, 2};
  RunIt(suite, shard);
  RunnerOptions other = Options("other");
  other.shard = {2, 2};
  RunIt(suite, other);
  const std::string runs = SeriesRuns(shard) + " " + SeriesRuns(other);
  EXPECT_EQ(std::count(runs.begin(), runs.end(), ':'), 4) << runs;
  RunnerOptions filter = Options("filter");
  filter.filter = "*n=4";
  RunIt(suite, filter);
  EXPECT_EQ(SeriesRuns(filter), "4:|||");
}

// An interrupted suite has the series of what was done, and --resume the rest.
TEST_F(RunnerTest, AnInterruptedSuitesSeriesIsResumed) {
  constexpr int kRuns = 60;
  const SuiteJob suite = MakeCalls(kRuns, std::vector<std::string>(kRuns, "slow"));
  const RunnerOptions whole = Options("whole");
  RunIt(suite, whole);
  RunnerOptions options = Options("interrupted");
  const pid_t child = fork();
  if (child == 0) _exit(RunIt(suite, options).exit_code);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  kill(child, SIGINT);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  // On a busy machine the signal may come before the suite's handlers are there.
  if (fs::exists(options.out / "series.jsonl")) {
    EXPECT_THAT(Series(whole), HasSubstr(Series(options).substr(0, 40)));
  }
  options.resume = true;
  RunIt(suite, options);
  EXPECT_EQ(Series(options), Series(whole));
  EXPECT_EQ(Bytes(options), Bytes(whole));
}

TEST_F(RunnerTest, AFreshStartLeavesNoOldSeries) {
  RunnerOptions options = Options();
  RunIt(MakeCalls(5), options);
  RunIt(MakeCalls(1), options);
  EXPECT_EQ(SeriesRuns(options), "0:|||");
  RunIt(MakeSuite(2), options);
  EXPECT_FALSE(fs::exists(options.out / "series.jsonl"));
  const auto parts = std::distance(fs::directory_iterator(options.out / "series"), {});
  EXPECT_EQ(parts, 0) << "of runs that this suite does not have";
}

TEST_F(RunnerTest, AFreshStartReplacesOldResults) {
  RunnerOptions options = Options();
  RunIt(MakeSuite(5), options);
  RunIt(MakeSuite(2), options);
  EXPECT_EQ(Parsed(options).runs.size(), 2U);
}

}  // namespace
}  // namespace rtclab::scenarios
