// rtclab list
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/suite_files.h"
#include "results/report/terminal.h"

namespace rtclab::cli {
namespace {

struct ListOptions {
  std::vector<std::filesystem::path> files;
  SeedOptions seeds;
  std::string filter, shard;
};

int List(const ListOptions& options, const Context& context) {
  const Result<std::vector<uint64_t>> seeds = options.seeds.Parse();
  if (!seeds) return UsageError(context.console, seeds.error().reason);
  scenarios::Shard shard;
  if (!options.shard.empty()) {
    const Result<scenarios::Shard> parsed = scenarios::ParseShard(options.shard);
    if (!parsed) return UsageError(context.console, "--shard: " + parsed.error().reason);
    shard = *parsed;
  }
  const std::optional<scenarios::SuiteJob> suite =
      LoadSuite(options.files, *seeds, context.console);
  if (!suite) return scenarios::kUsageError;
  std::vector<std::string> ids;
  for (const scenarios::RunSpec& run : suite->runs) ids.push_back(run.id);
  std::string text;
  for (const std::size_t index : scenarios::Select(ids, options.filter, shard)) {
    const scenarios::RunSpec& run = suite->runs[index];
    text += results::Printable(run.id) + "\t" + results::Printable(run.parameters.dump()) + "\t" +
            std::to_string(run.seed) + "\n";
  }
  results::Print(context.console.out, text);
  return scenarios::kAllPassed;
}

}  // namespace

void AddList(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command = app.add_subcommand("list", "Show the runs that scenario files expand to");
  const auto options = std::make_shared<ListOptions>();
  command->add_option("FILE", options->files, "Scenario files")->required()->type_name("");
  options->seeds.AddTo(*command);
  command
      ->add_option("--filter", options->filter,
                   "Only runs whose id contains this text or matches this pattern (* ? [])")
      ->type_name("PATTERN");
  command->add_option("--shard", options->shard, "Only the i-th of n equal parts of the suite")
      ->type_name("i/n");
  command->footer(
      "Runs nothing. A line a run: id, parameters as JSON, seed; separated by tabs.\n\n"
      "Example:\n  rtclab list scenarios/suites/nat-matrix.json --filter symmetric");
  command->callback([options, &context, &action] {
    action = [options, &context] { return List(*options, context); };
  });
}

}  // namespace rtclab::cli
