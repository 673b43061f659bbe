// What `rtclab check` and `rtclab list` say, as text: the commands only print it.
#ifndef RTCLAB_SCENARIOS_LISTING_H_
#define RTCLAB_SCENARIOS_LISTING_H_

#include <filesystem>
#include <span>
#include <string>

#include "scenarios/loader.h"

namespace rtclab::scenarios {

struct Listing {
  std::string out;    // for standard output, ends with a newline unless empty
  std::string err;    // for standard error: one line a diagnostic
  int exit_code = 0;  // 0, or 2 when a file has an error
};

// A line a file: `quickstart.json: ok, 1 run`.
Listing CheckFiles(std::span<const std::filesystem::path> files, const LoadOptions& options = {});

// A line a run: its id, its parameters as JSON and its seed, separated by tabs. Files with errors list nothing.
Listing ListFiles(std::span<const std::filesystem::path> files, const LoadOptions& options = {});

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_LISTING_H_
