// What it costs to have a job done in another process: by a worker that lives on, and by one forked for the job.
#include <benchmark/benchmark.h>

#include <numeric>
#include <vector>

#include "scenarios/runner/worker_pool.h"

namespace rtclab::scenarios {
namespace {

// Arguments: jobs a worker, megabytes that the parent has in use.
void BM_Jobs(benchmark::State& state) {
  const std::vector<char> heap(static_cast<std::size_t>(state.range(1)) << 20, 'x');
  benchmark::DoNotOptimize(heap.data());
  PoolOptions options;
  options.jobs_per_worker = static_cast<int>(state.range(0));
  std::vector<std::size_t> jobs(256);
  std::iota(jobs.begin(), jobs.end(), std::size_t{0});
  for (auto _ : state) {
    const auto signal = RunJobs(
        jobs, options, [](std::size_t) { return std::string(6000, 'x'); },
        [](const JobResult&) { return true; });
    benchmark::DoNotOptimize(signal);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(jobs.size()));
}
BENCHMARK(BM_Jobs)
    ->Args({1, 0})
    ->Args({64, 0})
    ->Args({1, 100})
    ->Args({64, 100})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rtclab::scenarios
