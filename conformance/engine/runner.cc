#include "conformance/engine/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "conformance/engine/case_run.h"
#include "conformance/engine/features.h"
#include "conformance/engine/not_tested.h"
#include "conformance/engine/overlay.h"
#include "conformance/engine/preflight.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {
namespace {

// What a report may hold of a target.
Target WithoutSecrets(Target target) {
  if (target.user) target.user->password.clear();
  if (target.second_user) target.second_user->password.clear();
  if (target.oauth) target.oauth->key.clear();
  target.rest_secret.clear();
  target.peers.remote_token.clear();
  return target;
}

// Runs cases on threads and puts each result where its case stands in the list.
class Workers {
 public:
  Workers(RunContext& run, const std::vector<const Case*>& cases, const RunOptions& options,
          std::vector<CaseResult>& results)
      : run_(run), cases_(cases), options_(options), results_(results) {}

  // Slow cases have a thread each and start with the others; what wants to be alone comes at the end.
  void RunAll() {
    std::vector<std::size_t> ordinary, slow, alone;
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      (cases_[i]->exclusive ? alone : cases_[i]->slow ? slow : ordinary).push_back(i);
    }
    Shuffle(ordinary);
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    threads.reserve(slow.size());
    for (const std::size_t index : slow) {
      threads.emplace_back([this, index] { RunOne(index); });
    }
    const auto jobs = static_cast<std::size_t>(std::max(1, options_.jobs));
    for (std::size_t i = 0; i < std::min(jobs, ordinary.size()); ++i) {
      threads.emplace_back([this, &next, &ordinary] {
        for (std::size_t at = next++; at < ordinary.size(); at = next++) RunOne(ordinary[at]);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::size_t index : alone) RunOne(index);
  }
  // How many did not run to their end.
  int cut() const { return cut_; }

 private:
  void Shuffle(std::vector<std::size_t>& order) const {
    if (!options_.shuffle) return;
    Rng rng(options_.seed, "order");
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[rng.Uniform(0, i - 1)]);
    }
  }

  void RunOne(std::size_t index) {
    CaseResult result;
    if (Interrupted() || run_.OutOfTime()) {
      result.test_case = cases_[index];
      result.transport = cases_[index]->needs.transport.value_or(run_.target().transport);
      result.family = cases_[index]->needs.family.value_or(run_.target().family);
      result.verdict = {.outcome = Outcome::kSkipped, .reason = WhyStopped()};
    } else {
      result = RunCase(run_, *cases_[index], options_.overlay, options_.repeat);
    }
    const std::lock_guard lock(mutex_);
    if (result.verdict.reason == WhyStopped()) ++cut_;
    results_[index] = std::move(result);
    if (options_.progress) {
      options_.progress(++done_, static_cast<int>(cases_.size()), results_[index]);
    }
  }

  RunContext& run_;
  const std::vector<const Case*>& cases_;
  const RunOptions& options_;
  std::vector<CaseResult>& results_;
  std::mutex mutex_;
  int done_ = 0;
  int cut_ = 0;
};

// Credentials that the server does not take would make everything "unsupported": that is a mistake of the call.
Result<void> CheckUser(const RunContext& run) {
  const Target& target = run.target();
  if (!target.user || target.stun_only || run.Supports(Feature::kTurn)) return {};
  if (target.declared.contains(Feature::kTurn)) return {};
  return Fail(fmt::format("the server does not allocate for user \"{}\": {}", target.user->username,
                          run.HowKnown(Feature::kTurn)));
}

Result<void> Prepare(RunContext& run, const RunOptions& options) {
  if (auto reached = Reach(run); !reached) return reached;
  // Probes hold an allocation each.
  const int jobs =
      run.target().user_quota ? std::min(options.jobs, *run.target().user_quota / 2) : options.jobs;
  ProbeFeatures(run, std::max(1, jobs));
  if (run.OutOfTime()) throw Interruption{};
  if (auto user = CheckUser(run); !user) return user;
  return FindPeers(run);
}

}  // namespace

RunReport Run(const CaseList& catalogue, const Target& given, const RunOptions& options) {
  Target target = given;
  RunReport report;
  RunContext run(target, options.seed);
  const Timestamp start = RealNow();
  const TimeDelta time_limit =
      options.time_limit.value_or(options.slow ? kSlowTimeLimit : kTimeLimit);
  run.end = start + time_limit;
  if (!target.user && !target.rest_secret.empty()) {
    static const Case kNone = {.id = "user", .title = "user"};
    Session session(run, "user", 0, target.transport, target.family, TimeDelta::Seconds(1));
    target.user = Test(kNone, session).RestUser(TimeDelta::Seconds(86'400));
  }
  report.seed = options.seed;
  report.shuffled = options.shuffle;
  if (target.insecure) {
    report.warnings.push_back("the server's certificate was not verified (--insecure)");
  }
  const std::vector<const Case*> cases = Select(catalogue, target, options);
  Result<void> ready;
  bool out_of_time = false;
  try {
    ready = Prepare(run, options);
  } catch (const Interruption&) {
    ready = Fail("stopped by the user");
    out_of_time = !Interrupted();
  }
  // Out of time already: every case is told to be skipped.
  if ((ready || out_of_time) && !Interrupted()) {
    report.results.resize(cases.size());
    Workers workers(run, cases, options, report.results);
    workers.RunAll();
    out_of_time |= workers.cut() > 0;
    if (out_of_time && !Interrupted()) {
      ready = Fail(fmt::format("the time limit of {:g} s was over before {} of {} cases had ended",
                               time_limit.seconds(), workers.cut(), cases.size()));
    }
  }
  report.complete = ready && !Interrupted();
  if (!ready) report.incomplete_why = ready.error().reason;
  if (Interrupted()) report.incomplete_why = "stopped by the user";
  if (!run.features.empty()) report.not_tested = FindNotTested(run, report.results);
  if (report.complete && !report.not_tested.empty() && !AnyRan(report.results)) {
    report.complete = false;
    report.incomplete_why = fmt::format("no case could run: {} was not tested, since {}",
                                        report.not_tested[0].part, report.not_tested[0].why);
  }
  report.software = run.software;
  report.features = run.features;
  report.warnings.insert(report.warnings.end(), run.warnings.begin(), run.warnings.end());
  report.target = WithoutSecrets(std::move(target));
  report.elapsed = RealNow() - start;
  return report;
}

}  // namespace rtclab::conformance
