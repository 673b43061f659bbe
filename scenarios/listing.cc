#include "scenarios/listing.h"

#include <fmt/format.h>

namespace rtclab::scenarios {
namespace {

template <typename Good>
Listing ForEach(std::span<const std::filesystem::path> files, const LoadOptions& options,
                Good&& good) {
  Listing listing;
  for (const std::filesystem::path& file : files) {
    const LoadResult result = Load(file, options);
    for (const Diagnostic& diagnostic : result.diagnostics)
      listing.err += diagnostic.ToString() + "\n";
    if (!result.ok()) {
      listing.exit_code = 2;
    } else {
      good(file, result, listing.out);
    }
  }
  return listing;
}

}  // namespace

Listing CheckFiles(std::span<const std::filesystem::path> files, const LoadOptions& options) {
  return ForEach(files, options, [](const auto& file, const LoadResult& result, std::string& out) {
    out += fmt::format("{}: ok, {} run{}\n", file.string(), result.runs.size(),
                       result.runs.size() == 1 ? "" : "s");
  });
}

Listing ListFiles(std::span<const std::filesystem::path> files, const LoadOptions& options) {
  return ForEach(files, options, [](const auto&, const LoadResult& result, std::string& out) {
    for (const RunSpec& run : result.runs)
      out += fmt::format("{}\t{}\t{}\n", run.id, run.parameters.dump(), run.seed);
  });
}

}  // namespace rtclab::scenarios
