#include "scenarios/runner/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <map>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace rtclab::scenarios {
namespace {

using testing::HasSubstr;

std::vector<std::size_t> FirstJobs(std::size_t count) {
  std::vector<std::size_t> jobs(count);
  std::iota(jobs.begin(), jobs.end(), std::size_t{0});
  return jobs;
}

std::map<std::size_t, JobResult> RunAll(std::size_t count, const PoolOptions& options,
                                        const Job& job) {
  std::map<std::size_t, JobResult> results;
  const std::vector<std::size_t> jobs = FirstJobs(count);
  const Result<int> signal = RunJobs(jobs, options, job, [&](JobResult r) {
    EXPECT_FALSE(results.contains(r.job));
    results[r.job] = std::move(r);
    return true;
  });
  EXPECT_EQ(signal.value(), 0);
  // Every worker has been waited for.
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  return results;
}

std::string Square(std::size_t job) { return std::to_string(job * job); }

TEST(WorkerPoolTest, EveryJobComesBackOnceWhateverTheWorkers) {
  for (const int workers : {1, 2, 8}) {
    for (const int jobs_per_worker : {1, 7, 1000}) {
      PoolOptions options;
      options.workers = workers;
      options.jobs_per_worker = jobs_per_worker;
      const auto results = RunAll(50, options, Square);
      ASSERT_EQ(results.size(), 50U);
      for (const auto& [job, result] : results) {
        EXPECT_EQ(result.status, JobStatus::kDone);
        EXPECT_EQ(result.payload, Square(job));
      }
    }
  }
}

TEST(WorkerPoolTest, NoJobsAreFine) { EXPECT_TRUE(RunAll(0, {}, Square).empty()); }

TEST(WorkerPoolTest, PayloadsLargerThanAPipe) {
  PoolOptions options;
  options.workers = 2;
  const auto results =
      RunAll(4, options, [](std::size_t job) { return std::string(3'000'000 + job, 'x'); });
  for (const auto& [job, result] : results) EXPECT_EQ(result.payload.size(), 3'000'000 + job);
}

TEST(WorkerPoolTest, ACrashIsThatJobsAlone) {
  PoolOptions options;
  options.workers = 2;
  const auto results = RunAll(20, options, [](std::size_t job) {
    if (job % 5 == 3) {
      std::fprintf(stderr, "about to fail in job %zu\n", job);
      std::abort();
    }
    return Square(job);
  });
  ASSERT_EQ(results.size(), 20U);
  for (const auto& [job, result] : results) {
    if (job % 5 == 3) {
      EXPECT_EQ(result.status, JobStatus::kCrashed);
      EXPECT_EQ(result.detail, "crashed: SIGABRT");
      EXPECT_EQ(result.output, "about to fail in job " + std::to_string(job) + "\n");
    } else {
      EXPECT_EQ(result.payload, Square(job));
    }
  }
}

TEST(WorkerPoolTest, NamesTheSignal) {
  const auto results = RunAll(2, {}, [](std::size_t job) -> std::string {
    std::signal(SIGSEGV, SIG_DFL);  // AddressSanitizer has a handler
    std::raise(job == 0 ? SIGSEGV : SIGKILL);
    return "";
  });
  EXPECT_EQ(results.at(0).detail, "crashed: SIGSEGV");
  EXPECT_EQ(results.at(1).detail, "crashed: SIGKILL");
}

TEST(WorkerPoolTest, AHangIsCutOffAndTheRestGoesOn) {
  PoolOptions options;
  options.workers = 2;
  options.timeout = TimeDelta::Millis(300);
  const auto results = RunAll(10, options, [](std::size_t job) {
    for (volatile bool forever = true; job == 4 && forever;) {
    }
    return Square(job);
  });
  ASSERT_EQ(results.size(), 10U);
  EXPECT_EQ(results.at(4).status, JobStatus::kTimedOut);
  EXPECT_EQ(results.at(4).detail, "timed out after 300 ms");
  EXPECT_EQ(results.at(9).payload, "81");
}

TEST(WorkerPoolTest, AMemoryBombIsStoppedAtTheLimit) {
  PoolOptions options;
  options.memory_bytes = std::size_t{100} << 20;
  const auto results = RunAll(3, options, [](std::size_t job) {
    std::vector<std::vector<char>> hoard;
    // At most 4 GB: should the limit not work, the test fails and not the machine.
    for (int i = 0; job == 1 && i < 64; ++i) hoard.emplace_back(std::size_t{64} << 20, 'x');
    return Square(job);
  });
  ASSERT_EQ(results.size(), 3U);
  EXPECT_NE(results.at(1).status, JobStatus::kDone);
#if !defined(RTCLAB_ASAN)  // it ends the process its own way
  EXPECT_EQ(results.at(1).status, JobStatus::kOutOfMemory);
  EXPECT_EQ(results.at(1).detail, "needed more than 100 MB of memory");
#endif
  EXPECT_EQ(results.at(2).payload, "4");
}

TEST(WorkerPoolTest, ExceptionsAndExitsAreTold) {
  const auto results = RunAll(3, {}, [](std::size_t job) -> std::string {
    if (job == 0) throw std::runtime_error("no such thing");
    if (job == 1) _exit(7);
    return "fine";
  });
  EXPECT_EQ(results.at(0).status, JobStatus::kThrew);
  EXPECT_EQ(results.at(0).detail, "threw: no such thing");
  EXPECT_EQ(results.at(1).status, JobStatus::kExited);
  EXPECT_EQ(results.at(1).detail, "ended the process with exit code 7");
  EXPECT_EQ(results.at(2).payload, "fine");
}

TEST(WorkerPoolTest, AJobThatThrewLeavesNothingBehind) {
  static int state = 0;
  const auto results = RunAll(2, {}, [](std::size_t job) -> std::string {
    if (job == 0) {
      state = 1;
      throw std::runtime_error("half done");
    }
    return std::to_string(state);
  });
  EXPECT_EQ(results.at(1).payload, "0");
}

TEST(WorkerPoolTest, EndlessOutputFillsNeitherMemoryNorTheAnswer) {
  PoolOptions options;
  options.timeout = TimeDelta::Millis(300);
  const auto results = RunAll(2, options, [](std::size_t job) {
    while (job == 0) std::puts("chatter chatter chatter chatter");
    return Square(job);
  });
  EXPECT_EQ(results.at(0).status, JobStatus::kTimedOut);
  EXPECT_LE(results.at(0).output.size(), 2000U);
  EXPECT_THAT(results.at(0).output, HasSubstr("chatter"));
  EXPECT_EQ(results.at(1).payload, "1");
}

TEST(WorkerPoolTest, TheCallerCanStop) {
  int seen = 0;
  const std::vector<std::size_t> jobs = FirstJobs(100);
  const Result<int> signal =
      RunJobs(jobs, {}, Square, [&](const JobResult&) { return ++seen < 5; });
  EXPECT_EQ(signal.value(), 0);
  EXPECT_EQ(seen, 5);
}

TEST(WorkerPoolTest, ASignalEndsItAndItsWorkers) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    PoolOptions options;
    options.workers = 2;
    int seen = 0;
    const std::vector<std::size_t> jobs = FirstJobs(1000);
    const Result<int> signal = RunJobs(
        jobs, options,
        [](std::size_t job) {
          if (job > 20) std::this_thread::sleep_for(std::chrono::hours(1));
          return Square(job);
        },
        [&](const JobResult&) {
          if (++seen == 20) std::raise(number);
          return true;
        });
    EXPECT_EQ(signal.value(), number);
    EXPECT_LT(seen, 30);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  }
}

TEST(WorkerPoolTest, SignalHandlersAreGivenBack) {
  std::signal(SIGTERM, SIG_IGN);
  RunAll(3, {}, Square);
  EXPECT_EQ(std::signal(SIGTERM, SIG_DFL), SIG_IGN);
  EXPECT_EQ(std::signal(SIGPIPE, SIG_DFL), SIG_DFL);
}

}  // namespace
}  // namespace rtclab::scenarios
