// Scenario files as the commands take them: one or several, with seeds from the command line.
#ifndef RTCLAB_CLI_SUITE_FILES_H_
#define RTCLAB_CLI_SUITE_FILES_H_

#include <CLI/App.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "scenarios/runner/runner.h"

namespace rtclab::cli {

// --seed and --seeds.
struct SeedOptions {
  std::string seed, seeds;

  void AddTo(CLI::App& command);
  // Empty: the files' own. The error names the option.
  Result<std::vector<uint64_t>> Parse() const;
};

// Reads and expands `files`. Complaints go to console.err, one a line; nullopt when there is any.
std::optional<scenarios::SuiteJob> LoadSuite(const std::vector<std::filesystem::path>& files,
                                             const std::vector<uint64_t>& seeds,
                                             const scenarios::Console& console);

// Prints "rtclab: MESSAGE" on console.err; returns kUsageError.
int UsageError(const scenarios::Console& console, const std::string& message);

}  // namespace rtclab::cli

#endif  // RTCLAB_CLI_SUITE_FILES_H_
