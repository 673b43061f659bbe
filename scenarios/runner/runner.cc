#include "scenarios/runner/runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "results/json.h"
#include "results/junit.h"
#include "results/report/matrix.h"
#include "results/report/summary.h"
#include "results/report/verdicts.h"
#include "results/version.h"
#include "results/whole_file.h"
#include "scenarios/runner/journal.h"
#include "scenarios/runner/progress.h"
#include "scenarios/runner/worker_pool.h"
#include "stack/base/check.h"

namespace rtclab::scenarios {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxReports = 20;  // failures told in full at the end
// Before what a worker sends in place of a run's line: why its files could not be written. Such a run is not done.
constexpr char kNotKept = '!';

bool HasSeries(const RunSpec& spec) {
  return std::any_of(spec.sessions.begin(), spec.sessions.end(),
                     [](const SessionSpec& session) { return session.peer.has_value(); });
}

fs::path PartialCapturePath(const fs::path& out, std::string_view id) {
  return out / "pcap" / (".partial-" + SafeName(id) + ".pcapng");
}

// Identity of a run comes from its spec, whatever the executor left in it.
void Identify(const RunSpec& spec, results::Run& run) {
  run.id = spec.id;
  run.scenario = spec.scenario;
  run.parameters = spec.parameters;
  run.seed = spec.seed;
}

class SuiteRunner {
 public:
  SuiteRunner(const SuiteJob& suite, const RunnerOptions& options, const Executor& executor,
              const Console& console)
      : suite_(suite), options_(options), executor_(executor), console_(console) {
    result_.suite = suite.name;
    result_.build = results::Build();
    result_.scenario_digest = suite.digest;
  }

  int Run() {
    if (const Result<void> ready = Prepare(); !ready) return Refuse(ready.error());
    const auto start = std::chrono::steady_clock::now();
    const Result<int> signal = RunMissing();
    if (!signal) failure_ = signal.error().reason;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (const Result<void> written = Write(); !written && failure_.empty()) {
      failure_ = written.error().reason;
    }
    Show(elapsed.count(), signal.value_or(0));
    if (!failure_.empty()) {
      Refuse({failure_});
      return kRunError;
    }
    if (*signal != 0) return 128 + *signal;
    if (counts_.errors > 0) return kRunError;
    return counts_.failed > 0 ? kExpectationFailed : kAllPassed;
  }

 private:
  int Refuse(const Error& error) const {
    results::Print(console_.err, fmt::format("rtclab: {}\n", results::Printable(error.reason)));
    return kUsageError;
  }

  Result<void> Prepare() {
    std::vector<std::string> ids;
    std::set<std::string> unique;
    for (const RunSpec& spec : suite_.runs) {
      ids.push_back(spec.id);
      if (!unique.insert(spec.id).second) {
        return Fail("two runs have the id \"" + spec.id + "\"; give the scenarios different names");
      }
    }
    selected_ = Select(ids, options_.filter, options_.shard);
    if (selected_.empty() && Select(ids, options_.filter, {}).empty()) {
      const std::string nearest = Nearest(options_.filter, ids);
      return Fail(fmt::format("no run's id matches --filter \"{}\"{}; `rtclab list` shows the ids",
                              options_.filter,
                              nearest.empty() ? "" : "; the nearest is \"" + nearest + "\""));
    }
    if (Result<void> spared = SpareOwnFiles(); !spared) return spared;
    if (Result<void> made = MakeDirectories(); !made) return made;
    if (options_.junit) {
      if (Result<void> ready = results::CheckOutput(*options_.junit); !ready) {
        return Fail("--junit: " + ready.error().reason);
      }
    }
    return OpenJournal();
  }

  // The JUnit file must not take the place of a file that DIR is made of.
  Result<void> SpareOwnFiles() const {
    if (!options_.junit) return {};
    std::error_code error;
    const fs::path junit = fs::weakly_canonical(fs::absolute(*options_.junit, error), error);
    const fs::path out = fs::weakly_canonical(fs::absolute(options_.out, error), error);
    const fs::path inside = junit.lexically_relative(out);
    const fs::path first = inside.empty() ? fs::path() : *inside.begin();
    for (const char* own :
         {"results.json", "series.jsonl", "journal.jsonl", "scenario", "pcap", "series"}) {
      if (first != own) continue;
      return Fail(fmt::format("--junit: {}: the results are made of this; choose another name",
                              options_.junit->string()));
    }
    return {};
  }

  Result<void> MakeDirectories() const {
    std::vector<fs::path> directories = {options_.out, options_.out / "scenario"};
    if (options_.pcap) directories.push_back(options_.out / "pcap");
    if (std::any_of(suite_.runs.begin(), suite_.runs.end(), HasSeries)) {
      directories.push_back(options_.out / "series");
    }
    for (const fs::path& directory : directories) {
      std::error_code error;
      fs::create_directories(directory, error);
      if (error) return Fail(directory.string() + ": cannot make it: " + error.message());
    }
    return {};
  }

  Result<void> OpenJournal() {
    const fs::path path = options_.out / "journal.jsonl";
    const JournalHeader header{suite_.name, result_.build, suite_.digest};
    Result<std::unique_ptr<Journal>> journal =
        options_.resume ? Journal::Resume(path, header) : Journal::Create(path, header);
    if (!journal) return tl::unexpected(journal.error());
    journal_ = std::move(*journal);
    // Results of an earlier suite must not be taken for this one's, should it be killed.
    std::error_code ignored;
    if (!options_.resume) {
      fs::remove(options_.out / "results.json", ignored);
      fs::remove(options_.out / "series.jsonl", ignored);
      for (const auto& part : fs::directory_iterator(options_.out / "series", ignored)) {
        if (part.path().extension() == ".jsonl") fs::remove(part.path(), ignored);
      }
    }
    return KeepScenario();
  }

  Result<void> KeepScenario() const {
    const fs::path folder = options_.out / "scenario";
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".json") fs::remove(entry.path(), ignored);
    }
    for (const ScenarioFile& file : suite_.files) {
      Result<void> kept = results::WriteWholeFile(folder / file.name, file.text);
      if (!kept) return kept;
    }
    return {};
  }

  bool IsDone(std::size_t index) const {
    const std::string& id = suite_.runs[index].id;
    if (!journal_->entries().contains(id)) return false;
    std::error_code ignored;
    // A run that died has left an empty part.
    if (HasSeries(suite_.runs[index]) && !fs::exists(SeriesPath(options_.out, id), ignored)) {
      return false;
    }
    return !options_.pcap || fs::exists(CapturePath(options_.out, id), ignored);
  }

  Result<int> RunMissing() {
    digests_.resize(suite_.runs.size());
    std::vector<std::size_t> missing;
    for (const std::size_t index : selected_) {
      if (!IsDone(index)) {
        missing.push_back(index);
        continue;
      }
      const Result<results::Run> run = ReadBack(index);
      if (!run) return tl::unexpected(run.error());
      Note(index, *run);
    }
    Progress progress(console_.err, console_.err_terminal, selected_.size(), counts_,
                      options_.quiet);
    PoolOptions pool;
    pool.workers = options_.jobs > 0
                       ? options_.jobs
                       : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    pool.timeout = options_.timeout;
    pool.memory_bytes = options_.memory_bytes;
    pool.jobs_per_worker = options_.runs_per_worker;
    Result<int> signal = RunJobs(
        missing, pool, [this](std::size_t index) { return InWorker(suite_.runs[index]); },
        [&](JobResult job) {
          const results::Verdict verdict = Ended(std::move(job));
          progress.RunEnded(verdict, last_id_);
          return failure_.empty();
        },
        [&] { progress.Tick(); });
    progress.Finish();
    if (options_.pcap) RemovePartialCaptures();
    return signal;
  }

  // In the worker process.
  std::string InWorker(const RunSpec& spec) const {
    ExecuteOptions execute;
    if (options_.pcap) execute.pcapng = PartialCapturePath(options_.out, spec.id);
    Outcome outcome = executor_(spec, execute);
    Identify(spec, outcome.run);
    if (const Result<void> kept = Keep(spec, outcome); !kept) return kNotKept + kept.error().reason;
    return results::ToLine(outcome.run);
  }

  Result<void> Keep(const RunSpec& spec, const Outcome& outcome) const {
    if (!outcome.not_written.empty()) {
      return Fail("the capture cannot be written: " + outcome.not_written);
    }
    if (options_.pcap) {
      const fs::path path = CapturePath(options_.out, spec.id);
      std::error_code error;
      fs::rename(PartialCapturePath(options_.out, spec.id), path, error);
      if (error) return Fail(path.string() + ": cannot rename: " + error.message());
    }
    return HasSeries(spec) ? KeepSeries(spec.id, outcome.series) : Result<void>();
  }

  // Kept in a file of the run's own until the suite is written: a long call has thousands of lines.
  Result<void> KeepSeries(const std::string& id,
                          const std::vector<results::SeriesPoint>& series) const {
    std::string lines;
    for (const results::SeriesPoint& point : series) lines += results::ToLine(id, point);
    return results::WriteWholeFile(SeriesPath(options_.out, id), lines);
  }

  // In the parent: one job came back, or did not.
  results::Verdict Ended(JobResult job) {
    const RunSpec& spec = suite_.runs[job.job];
    last_id_ = spec.id;
    if (job.status == JobStatus::kDone && job.payload.starts_with(kNotKept)) {
      failure_ = job.payload.substr(1);
      return results::Verdict::kError;
    }
    results::Run run;
    if (job.status == JobStatus::kDone) {
      Result<results::Run> parsed = results::ParseRun(job.payload);
      if (parsed) {
        run = std::move(*parsed);
      } else {
        job.status = JobStatus::kThrew;
        job.detail = "gave a result that cannot be read: " + parsed.error().reason;
      }
    }
    if (job.status != JobStatus::kDone) {
      Identify(spec, run);
      run.verdict = results::Verdict::kError;
      run.error = job.detail;
      job.payload = results::ToLine(run);
      if (HasSeries(spec)) {
        const Result<void> kept = results::WriteWholeFile(SeriesPath(options_.out, spec.id), "");
        if (!kept) failure_ = kept.error().reason;
      }
      if (!job.output.empty()) outputs_[job.job] = std::move(job.output);
    }
    if (const Result<void> kept = journal_->Append(spec.id, job.payload); kept) {
      Note(job.job, run);
    } else {  // on a full disk: what the journal does not have is not done
      failure_ = kept.error().reason;
    }
    return run.verdict;
  }

  void Note(std::size_t index, const results::Run& run) {
    counts_.Add(run.verdict);
    digests_[index] = results::DigestOf(run);
  }

  void RemovePartialCaptures() const {
    std::error_code ignored;
    for (const std::size_t index : selected_) {
      fs::path partial = PartialCapturePath(options_.out, suite_.runs[index].id);
      fs::remove(partial, ignored);
      fs::remove(partial += ".partial", ignored);  // of a worker that was stopped while it wrote
    }
  }

  Result<std::string> Line(std::size_t index) const {
    return journal_->Read(journal_->entries().at(suite_.runs[index].id));
  }
  Result<results::Run> ReadBack(std::size_t index) const {
    const Result<std::string> line = Line(index);
    return line ? results::ParseRun(*line) : tl::unexpected(line.error());
  }

  // In order of expansion, whatever the order in which they ended.
  std::vector<std::size_t> Finished() const {
    std::vector<std::size_t> finished;
    for (const std::size_t index : selected_) {
      if (digests_[index]) finished.push_back(index);
    }
    return finished;
  }

  Result<void> Write() {
    const std::vector<std::size_t> finished = Finished();
    result_.complete = finished.size() == selected_.size();
    results::WholeFile file(options_.out / "results.json");
    file.Append(results::Head(result_, counts_));
    bool first = true;
    for (const std::size_t index : finished) {
      const Result<std::string> line = Line(index);
      if (!line) return tl::unexpected(line.error());
      if (!std::exchange(first, false)) file.Append(results::LineSeparator());
      file.Append(*line);
    }
    file.Append(results::Tail());
    if (Result<void> written = file.Commit(); !written) return written;
    if (Result<void> written = WriteSeries(finished); !written) return written;
    if (!options_.junit) return {};
    results::JunitBuilder junit(suite_.name);
    for (const std::size_t index : finished) {
      const Result<results::Run> run = ReadBack(index);
      if (!run) return tl::unexpected(run.error());
      junit.Add(*run);
    }
    return results::WriteOutput(*options_.junit, junit.Build());
  }

  // The runs' parts one after another. That of a run that died is empty.
  Result<void> WriteSeries(const std::vector<std::size_t>& finished) const {
    results::WholeFile file(options_.out / "series.jsonl");
    bool any = false;
    for (const std::size_t index : finished) {
      if (!HasSeries(suite_.runs[index])) continue;
      any = true;
      std::ifstream part(SeriesPath(options_.out, suite_.runs[index].id), std::ios::binary);
      std::string text{std::istreambuf_iterator<char>(part), {}};
      file.Append(text);
    }
    return any ? file.Commit() : Result<void>();
  }

  void Show(double seconds, int signal) const {
    const results::Terminal& t = console_.out_terminal;
    std::FILE* const out = console_.out;
    const std::vector<std::size_t> finished = Finished();
    std::vector<results::Digest> digests;
    digests.reserve(finished.size());
    for (const std::size_t index : finished) digests.push_back(*digests_[index]);
    if (!options_.quiet) {
      const std::string matrix = results::MatrixTable(digests, t, options_.is_nat);
      if (!matrix.empty()) results::Print(out, fmt::format("{}\n", matrix));
    }
    ShowFailures(finished);
    if (!options_.quiet)
      results::Print(out, fmt::format("{}\n", results::SummaryTable(digests, t)));
    // A comparison of controllers has its own table, which everything else leads to.
    const std::string verdicts = results::VerdictTable(digests, t);
    const std::string last = verdicts.empty() ? results::CallSummary(digests, t) : verdicts;
    if (!options_.quiet && !last.empty()) {
      results::Print(out, fmt::format("{}\n", last));
    }
    results::Print(out, fmt::format("{}, in {:.1f} s\n", results::CountsLine(counts_, t), seconds));
    if (signal != 0) {
      results::Print(
          out, fmt::format(
                   "interrupted with {} of {} runs done; the same command with --resume goes on\n",
                   finished.size(), selected_.size()));
    }
    if (!options_.quiet && failure_.empty()) {
      results::Print(out, fmt::format("results: {}\n", (options_.out / "results.json").string()));
    }
    std::fflush(out);
  }

  void ShowFailures(const std::vector<std::size_t>& finished) const {
    std::size_t shown = 0;
    std::size_t more = 0;
    for (const std::size_t index : finished) {
      if (digests_[index]->verdict == results::Verdict::kPass) continue;
      if (shown == kMaxReports) {
        ++more;
        continue;
      }
      const Result<results::Run> run = ReadBack(index);
      if (!run) continue;
      ++shown;
      results::Print(console_.out, results::FailureReport(*run, console_.out_terminal));
      ShowOutput(index);
    }
    if (more > 0)
      results::Print(console_.out, fmt::format("... and {} more, in results.json\n", more));
    if (shown == 0) return;
    const std::size_t first = *std::find_if(finished.begin(), finished.end(), [&](std::size_t i) {
      return digests_[i]->verdict != results::Verdict::kPass;
    });
    results::Print(console_.out,
                   fmt::format("The whole story of a run: rtclab explain '{}' --in {}\n\n",
                               results::Printable(suite_.runs[first].id), options_.out.string()));
  }

  // What a run that died printed last: for the person only, it may name paths of this machine.
  void ShowOutput(std::size_t index) const {
    const auto found = outputs_.find(index);
    if (found == outputs_.end()) return;
    std::string_view rest = found->second;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      results::Print(console_.out,
                     fmt::format("  | {}\n", results::Printable(rest.substr(0, end))));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  const SuiteJob& suite_;
  const RunnerOptions& options_;
  const Executor& executor_;
  const Console& console_;
  results::Suite result_;
  std::vector<std::size_t> selected_;
  std::unique_ptr<Journal> journal_;
  std::vector<std::optional<results::Digest>> digests_;  // by index; absent: not done
  std::map<std::size_t, std::string> outputs_;
  results::Counts counts_;
  std::string last_id_;
  std::string failure_;  // why the suite could not go on
};

}  // namespace

Console StandardConsole() {
  Console console;
  console.out_terminal = results::DetectTerminal(STDOUT_FILENO);
  console.err_terminal = results::DetectTerminal(STDERR_FILENO);
  return console;
}

fs::path CapturePath(const fs::path& out, std::string_view id) {
  return out / "pcap" / (SafeName(id) + ".pcapng");
}

fs::path SeriesPath(const fs::path& out, std::string_view id) {
  return out / "series" / (SafeName(id) + ".jsonl");
}

int RunSuite(const SuiteJob& suite, const RunnerOptions& options, const Executor& executor,
             const Console& console) {
  return SuiteRunner(suite, options, executor, console).Run();
}

}  // namespace rtclab::scenarios
