#include "cli/suite_files.h"

#include <fmt/format.h>

#include <set>

#include "results/report/terminal.h"
#include "scenarios/loader.h"

namespace rtclab::cli {
namespace {

// "a" or, of several files, "a+b+c", "a+4-more".
std::string SuiteName(const std::vector<std::string>& names) {
  if (names.size() > 3) return fmt::format("{}+{}-more", names.front(), names.size() - 1);
  return fmt::format("{}", fmt::join(names, "+"));
}

}  // namespace

int UsageError(const scenarios::Console& console, const std::string& message) {
  results::Print(console.err, fmt::format("rtclab: {}\n", results::Printable(message)));
  return scenarios::kUsageError;
}

void SeedOptions::AddTo(CLI::App& command) {
  command.add_option("--seed", seed, "Run with this seed instead of the file's")->type_name("N");
  command
      .add_option("--seeds", seeds, "Run every scenario once a seed: \"1..100\" or \"1,5,10..12\"")
      ->type_name("LIST");
}

Result<std::vector<uint64_t>> SeedOptions::Parse() const {
  if (seed.empty() && seeds.empty()) return std::vector<uint64_t>();
  if (!seed.empty() && !seeds.empty()) return Fail("--seed and --seeds exclude each other");
  const bool one = !seed.empty();
  Result<std::vector<uint64_t>> parsed = scenarios::ParseSeeds(one ? seed : seeds);
  if (!parsed) return Fail((one ? "--seed: " : "--seeds: ") + parsed.error().reason);
  if (one && parsed->size() != 1) return Fail("--seed: takes one seed; --seeds takes several");
  return parsed;
}

std::optional<scenarios::SuiteJob> LoadSuite(const std::vector<std::filesystem::path>& files,
                                             const std::vector<uint64_t>& seeds,
                                             const scenarios::Console& console) {
  scenarios::SuiteJob suite;
  scenarios::LoadOptions options;
  options.seeds = seeds;
  std::vector<std::string> names;
  std::vector<std::string> digests;
  std::set<std::string> kept;
  bool good = true;
  for (const std::filesystem::path& file : files) {
    scenarios::LoadResult loaded = scenarios::Load(file, options);
    for (const scenarios::Diagnostic& d : loaded.diagnostics) {
      results::Print(console.err, results::Printable(d.ToString()) + "\n");
    }
    good &= loaded.ok();
    if (!loaded.ok()) continue;
    // `explain` finds the copy by its ending; the default name of the suite is the same with it.
    std::string name = file.filename().string();
    if (file.extension() != ".json") name += ".json";
    if (!kept.insert(name).second) {
      UsageError(console, fmt::format("two files are called {}; a suite keeps a copy of each under "
                                      "its name",
                                      name));
      return std::nullopt;
    }
    names.push_back(loaded.suite);
    digests.push_back(loaded.digest);
    suite.files.push_back({name, std::move(loaded.text)});
    std::move(loaded.runs.begin(), loaded.runs.end(), std::back_inserter(suite.runs));
  }
  if (!good) return std::nullopt;
  suite.name = SuiteName(names);
  suite.digest = fmt::format("{}", fmt::join(digests, "+"));
  return suite;
}

}  // namespace rtclab::cli
