// Runs jobs in child processes, so that a crash, a hang or a memory blow-up of one job is that job's outcome.
//
// A worker is forked from the (warmed) parent, takes jobs one by one over a pipe and answers over another in frames. A
// worker that dies takes one job with it and is replaced; a healthy one is replaced after `jobs_per_worker`, which
// bounds what leaks. Forking once a job would be simpler, but costs 0.5 ms a job with a small parent and over 2 ms with
// one of 100 MB (measured, see README.md), as much as a whole run.
#ifndef RTCLAB_SCENARIOS_RUNNER_WORKER_POOL_H_
#define RTCLAB_SCENARIOS_RUNNER_WORKER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "stack/base/error.h"
#include "stack/base/units.h"

namespace rtclab::scenarios {

struct PoolOptions {
  int workers = 1;                             // at least 1
  TimeDelta timeout = TimeDelta::Seconds(60);  // wall-clock time of one job; PlusInfinity(): none
  std::size_t memory_bytes = std::size_t{2}
                             << 30;  // that a worker may take on top of the parent's; 0: no limit
  int jobs_per_worker = 64;          // at least 1
};

enum class JobStatus : uint8_t {
  kDone,
  kCrashed,  // ended by a signal
  kExited,   // ended the process itself
  kThrew,    // left by an exception
  kTimedOut,
  kOutOfMemory,
};

struct JobResult {
  std::size_t job = 0;
  JobStatus status = JobStatus::kDone;
  std::string payload;  // kDone: what the job returned
  std::string detail;   // otherwise: a clause such as "crashed: SIGSEGV"; the same on every machine
  std::string
      output;  // the end of what the worker wrote to standard output and standard error, if it died
};

// Called in a worker with the job's number; what it returns travels back.
using Job = std::function<std::string(std::size_t job)>;
// Called in the parent, in the order in which jobs end. False: start nothing more and end.
using OnResult = std::function<bool(JobResult result)>;
// Called in the parent now and then (at least every 100 ms), for a progress display.
using OnTick = std::function<void()>;

// Runs every job of `jobs`, started in their order. Returns 0 (also when `on_result` ended it), or the number of the signal (SIGINT, SIGTERM, SIGHUP)
// that ended it early: jobs under way are then killed and not reported. Error: no process or pipe could be made.
Result<int> RunJobs(std::span<const std::size_t> jobs, const PoolOptions& options, const Job& job,
                    const OnResult& on_result, const OnTick& on_tick = {});

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUNNER_WORKER_POOL_H_
