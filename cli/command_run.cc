// rtclab run
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/suite_files.h"
#include "sim/nat/presets.h"

namespace rtclab::cli {
namespace {

struct RunOptions {
  std::vector<std::filesystem::path> files;
  std::filesystem::path out, junit;
  SeedOptions seeds;
  std::string shard;
  int timeout_s = 60;
  int memory_mb = 2048;
  scenarios::RunnerOptions runner;
};

constexpr const char* kFooter = R"(Examples:
  rtclab run scenarios/suites/quickstart.json
  rtclab run my.json --seeds 1..100 --junit junit.xml     a hundred random worlds, for a CI system
  rtclab run my.json --filter symmetric --pcap            only runs with "symmetric" in their id, with captures
  rtclab run big.json --shard 2/5                         the second fifth, on the second of five machines
  rtclab run big.json --resume                            go on after Ctrl-C

DIR gets results.json (rtclab schema results), of calls series.jsonl (rtclab schema series), journal.jsonl
and a copy of the scenario.
Exit codes: 0 all passed, 1 an expectation failed, 2 wrong usage or scenario, 3 a run crashed or timed
out or the results could not be written, 128 + N ended by signal N (130 for Ctrl-C).)";

bool IsNat(std::string_view value) {
  return value == "none" || sim::FindNatPreset(value) != nullptr;
}

int Run(const RunOptions& options, const Context& context) {
  const Result<std::vector<uint64_t>> seeds = options.seeds.Parse();
  if (!seeds) return UsageError(context.console, seeds.error().reason);
  scenarios::RunnerOptions runner = options.runner;
  if (!options.shard.empty()) {
    const Result<scenarios::Shard> shard = scenarios::ParseShard(options.shard);
    if (!shard) return UsageError(context.console, "--shard: " + shard.error().reason);
    runner.shard = *shard;
  }
  const std::optional<scenarios::SuiteJob> suite =
      LoadSuite(options.files, *seeds, context.console);
  if (!suite) return scenarios::kUsageError;
  runner.out = options.out.empty()
                   ? std::filesystem::path("results/runs") / scenarios::SafeName(suite->name)
                   : options.out;
  if (!options.junit.empty()) runner.junit = options.junit;
  for (const std::filesystem::path& file : options.files) {
    std::error_code ignored;
    if (!runner.junit || !std::filesystem::equivalent(file, *runner.junit, ignored)) continue;
    return UsageError(context.console,
                      "--junit: " + runner.junit->string() + ": is one of the scenario files");
  }
  runner.timeout =
      options.timeout_s == 0 ? TimeDelta::PlusInfinity() : TimeDelta::Seconds(options.timeout_s);
  runner.memory_bytes = static_cast<std::size_t>(options.memory_mb) << 20;
  runner.is_nat = IsNat;
  return scenarios::RunSuite(*suite, runner, context.executor, context.console);
}

}  // namespace

void AddRun(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command = app.add_subcommand("run", "Run scenario files and write results");
  const auto options = std::make_shared<RunOptions>();
  scenarios::RunnerOptions& runner = options->runner;
  command->footer(kFooter);
  command->add_option("FILE", options->files, "Scenario files")->required()->type_name("");
  command
      ->add_option("--out", options->out, "Directory of the results (default: results/runs/SUITE)")
      ->type_name("DIR");
  command->add_option("--junit", options->junit, "Also write JUnit XML to this file")
      ->type_name("FILE");
  command->add_option("--jobs,-j", runner.jobs, "Runs at a time (default: one a core)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  options->seeds.AddTo(*command);
  command
      ->add_option("--filter", runner.filter,
                   "Only runs whose id contains this text or matches this pattern (* ? [])")
      ->type_name("PATTERN");
  command->add_option("--shard", options->shard, "Only the i-th of n equal parts of the suite")
      ->type_name("i/n");
  command->add_flag("--resume", runner.resume, "Run only what DIR does not have yet");
  command->add_flag("--pcap", runner.pcap,
                    "Write a capture of each run to DIR/pcap (Wireshark opens and decrypts it)");
  command
      ->add_option("--timeout", options->timeout_s,
                   "Seconds of real time that a run may take (default: 60; 0: no limit)")
      ->type_name("S")
      ->check(CLI::Range(0, 1'000'000).description(""));
  command
      ->add_option("--memory", options->memory_mb,
                   "Megabytes of memory that a run may take (default: 2048; 0: no limit)")
      ->type_name("MB")
      ->check(CLI::Range(0, 1 << 24).description(""));
  command->add_flag("--quiet,-q", runner.quiet,
                    "Show only what did not pass and one line of counts");
  command->callback([options, &context, &action] {
    action = [options, &context] { return Run(*options, context); };
  });
}

}  // namespace rtclab::cli
