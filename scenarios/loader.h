// A scenario file in, the runs that it expands to out; or what is wrong with it.
#ifndef RTCLAB_SCENARIOS_LOADER_H_
#define RTCLAB_SCENARIOS_LOADER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.h"
#include "scenarios/run_spec.h"
#include "stack/base/error.h"

namespace rtclab::scenarios {

struct LoadOptions {
  std::vector<uint64_t> seeds;                       // when not empty: instead of the file's own
  std::size_t max_runs = 50'000;                     // of one file; more is an error
  std::size_t max_bytes = std::size_t{1024} * 1024;  // of one file
  std::size_t max_diagnostics = 10;
};

struct LoadResult {
  std::string suite;  // the file's "suite" or "name", otherwise the file's name without ".json"
  std::string text;   // of Load: the bytes as they were read, once, since a pipe has them only once
  std::string digest;  // 16 hex digits of the file's bytes (FNV-1a 64): tells whether it changed
  std::vector<RunSpec> runs;  // empty when there are diagnostics; order: file, matrix, seeds
  std::vector<Diagnostic> diagnostics;  // in the order of the file

  bool ok() const { return diagnostics.empty(); }
};

// Never throws, whatever the file holds. A file with an error anywhere gives no runs.
LoadResult Load(const std::filesystem::path& file, const LoadOptions& options = {});

// The same for text; `file` only shows in messages and, without directory and ".json", as the default name.
LoadResult LoadText(std::string_view text, std::string_view file, const LoadOptions& options = {});

// "7", "1..100" or "1,5,10..12": the values of --seed and --seeds and of "seeds" in a file. At most 50,000 seeds, each
// 0 to 2^63-1, none twice.
Result<std::vector<uint64_t>> ParseSeeds(std::string_view text);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_LOADER_H_
