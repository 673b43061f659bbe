// rtclab explain: runs one run again, the same to the byte, and tells its story and what it came to.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "cli/commands.h"
#include "cli/suite_files.h"
#include "results/json.h"
#include "results/report/explanation.h"
#include "results/report/terminal.h"
#include "results/version.h"
#include "results/whole_file.h"
#include "scenarios/runner/sequence_chart.h"
#include "scenarios/runner/worker_pool.h"

namespace rtclab::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxCandidates = 10;

struct ExplainOptions {
  std::string id;
  std::vector<fs::path> files;
  fs::path in;
  SeedOptions seeds;
  int limit = 300;
};

// A run to tell of: its spec and, where there is one, what results.json has of it.
struct Target {
  scenarios::RunSpec spec;
  std::optional<results::Run> recorded;
  std::string recorded_build;
};

struct Recorded {
  fs::path folder;
  results::Suite suite;
};

// The directories under results/runs that have results, the newest first.
std::vector<fs::path> ResultFolders() {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator("results/runs", ignored)) {
    const fs::path file = entry.path() / "results.json";
    const fs::file_time_type time = fs::last_write_time(file, ignored);
    if (!ignored) found.emplace_back(time, entry.path());
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<fs::path> folders;
  folders.reserve(found.size());
  for (const auto& [time, path] : found) folders.push_back(path);
  return folders;
}

std::vector<fs::path> ScenarioCopies(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder / "scenario", ignored)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<Recorded> ReadResults(const fs::path& folder) {
  const fs::path file = folder / "results.json";
  const Result<std::string> text = results::ReadWholeFile(file);
  if (!text) return tl::unexpected(text.error());
  Result<results::Suite> suite = results::ParseSuite(*text);
  if (!suite) return Fail(file.string() + ": " + suite.error().reason);
  return Recorded{folder, std::move(*suite)};
}

// The one index that `wanted` means, or what to say when it means none or many.
Result<std::size_t> Choose(const std::vector<std::string>& ids, const std::string& wanted,
                           const std::string& where) {
  const std::vector<std::size_t> found = scenarios::Find(ids, wanted);
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    const std::string nearest = scenarios::Nearest(wanted, ids);
    return Fail(fmt::format("no run \"{}\" in {}{}", wanted, where,
                            nearest.empty() ? "" : "; the nearest is \"" + nearest + "\""));
  }
  std::string message = fmt::format("\"{}\" is part of {} ids in {}:", wanted, found.size(), where);
  for (std::size_t i = 0; i < std::min(found.size(), kMaxCandidates); ++i) {
    message += fmt::format("{} {}", i == 0 ? "" : ",", ids[found[i]]);
  }
  return Fail(message + (found.size() > kMaxCandidates ? ", ..." : ""));
}

std::vector<std::string> IdsOf(const std::vector<scenarios::RunSpec>& specs) {
  std::vector<std::string> ids;
  ids.reserve(specs.size());
  for (const scenarios::RunSpec& spec : specs) ids.push_back(spec.id);
  return ids;
}
std::vector<std::string> IdsOf(const results::Suite& suite) {
  std::vector<std::string> ids;
  ids.reserve(suite.runs.size());
  for (const results::Run& run : suite.runs) ids.push_back(run.id);
  return ids;
}

class Finder {
 public:
  Finder(const ExplainOptions& options, const Context& context)
      : options_(options), context_(context) {}

  // nullopt: said why on console.err.
  std::optional<Target> Find() const {
    const Result<std::vector<uint64_t>> seeds = options_.seeds.Parse();
    if (!seeds) return Refuse(seeds.error().reason);
    if (!options_.files.empty()) return InFiles(*seeds);
    if (!options_.in.empty()) {
      Result<Recorded> recorded = ReadResults(options_.in);
      if (!recorded) return Refuse(recorded.error().reason);
      return InResults(*recorded);
    }
    return InAnyResults();
  }

 private:
  std::optional<Target> Refuse(const std::string& message) const {
    UsageError(context_.console, message);
    return std::nullopt;
  }

  std::optional<Target> InFiles(const std::vector<uint64_t>& seeds) const {
    std::optional<scenarios::SuiteJob> suite = LoadSuite(options_.files, seeds, context_.console);
    if (!suite) return std::nullopt;
    const Result<std::size_t> index = Choose(IdsOf(suite->runs), options_.id, "these files");
    if (!index) return Refuse(index.error().reason);
    return Target{std::move(suite->runs[*index]), std::nullopt, ""};
  }

  std::optional<Target> InResults(const Recorded& recorded) const {
    const Result<std::size_t> index =
        Choose(IdsOf(recorded.suite), options_.id, recorded.folder.string());
    if (!index) return Refuse(index.error().reason);
    const results::Run& run = recorded.suite.runs[*index];
    // The seed may have come from the command line.
    std::optional<scenarios::SuiteJob> suite =
        LoadSuite(ScenarioCopies(recorded.folder), {run.seed}, context_.console);
    if (!suite) return std::nullopt;
    for (scenarios::RunSpec& spec : suite->runs) {
      if (spec.id == run.id) return Target{std::move(spec), run, recorded.suite.build};
    }
    return Refuse(fmt::format("{}: its scenario has no run \"{}\"",
                              (recorded.folder / "scenario").string(), run.id));
  }

  std::optional<Target> InAnyResults() const {
    std::vector<std::string> all;
    std::string damaged;
    for (const fs::path& folder : ResultFolders()) {
      const Result<Recorded> recorded = ReadResults(folder);
      if (!recorded) {
        damaged += "; " + recorded.error().reason;
        continue;
      }
      const std::vector<std::string> ids = IdsOf(recorded->suite);
      if (!scenarios::Find(ids, options_.id).empty()) return InResults(*recorded);
      all.insert(all.end(), ids.begin(), ids.end());
    }
    if (all.empty()) {
      return Refuse("no results under results/runs" + damaged +
                    "; name their directory with --in DIR, or the scenario file after the id");
    }
    return Refuse(Choose(all, options_.id, "results/runs").error().reason + damaged);
  }

  const ExplainOptions& options_;
  const Context& context_;
};

// In the worker: runs it with its story and says all there is to say.
std::string Tell(const Target& target, const ExplainOptions& options, const Context& context) {
  scenarios::ExecuteOptions execute;
  execute.story = true;
  scenarios::Outcome outcome = context.executor(target.spec, execute);
  outcome.run.id = target.spec.id;
  outcome.run.scenario = target.spec.scenario;
  outcome.run.parameters = target.spec.parameters;
  outcome.run.seed = target.spec.seed;
  const results::Terminal& t = context.console.out_terminal;
  std::string text = scenarios::SequenceChart(outcome.story, scenarios::ColumnsFor(target.spec), t,
                                              static_cast<std::size_t>(options.limit));
  text += "\n" + results::Explanation(outcome.run, t, outcome.series);
  if (target.recorded && results::ToLine(*target.recorded) != results::ToLine(outcome.run)) {
    text += fmt::format(
        "\nNote: results.json has another outcome of this run: it was made by {}, this is {}.\n",
        target.recorded_build, results::Build());
  }
  return text;
}

int Explain(const ExplainOptions& options, const Context& context) {
  const std::optional<Target> target = Finder(options, context).Find();
  if (!target) return scenarios::kUsageError;
  const std::size_t only[] = {0};
  int exit_code = scenarios::kAllPassed;
  const Result<int> signal = scenarios::RunJobs(
      only, {}, [&](std::size_t) { return Tell(*target, options, context); },
      [&](const scenarios::JobResult& result) {
        if (result.status == scenarios::JobStatus::kDone) {
          results::Print(context.console.out, result.payload);
          return true;
        }
        exit_code = scenarios::kRunError;
        results::Print(context.console.err,
                       fmt::format("rtclab: {}: {}\n", results::Printable(target->spec.id),
                                   results::Printable(result.detail)));
        std::istringstream output(result.output);
        for (std::string line; std::getline(output, line);) {
          results::Print(context.console.err, results::Printable(line) + "\n");
        }
        return true;
      });
  if (!signal) return UsageError(context.console, signal.error().reason);
  return *signal != 0 ? 128 + *signal : exit_code;
}

}  // namespace

void AddExplain(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command =
      app.add_subcommand("explain", "Tell the story of one run, and why it went as it did");
  const auto options = std::make_shared<ExplainOptions>();
  command->add_option("RUN-ID", options->id, "Id of a run, or a part of it that no other has")
      ->required()
      ->type_name("");
  command
      ->add_option("FILE", options->files,
                   "Scenario files that have the run, if it was not run yet")
      ->type_name("");
  command
      ->add_option(
          "--in", options->in,
          "Directory of the results (default: the newest under results/runs that has the run)")
      ->type_name("DIR");
  command
      ->add_option("--limit", options->limit,
                   "Events to show at most (default: 300; 0: all of them)")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000'000).description(""));
  options->seeds.AddTo(*command);
  command->footer(
      R"(Runs it again, with the same outcome to the byte, and draws its packets as a sequence chart: a column a
host, NAT and server, an arrow a message, an X where one was dropped, with the rule that dropped it; media
and data by the first packet of a kind and then by counts. Then the result and what led to it; of calls the
phases of the set-up as bars over virtual time, what media and data channels carried, and rates over time.

Examples:
  rtclab explain quickstart
  rtclab explain RUN-ID --in my-results
  rtclab explain RUN-ID my.json)");
  command->callback([options, &context, &action] {
    action = [options, &context] { return Explain(*options, context); };
  });
}

}  // namespace rtclab::cli
