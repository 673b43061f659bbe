// What the tests of this room share.
#ifndef RTCLAB_SCENARIOS_TEST_UTIL_H_
#define RTCLAB_SCENARIOS_TEST_UTIL_H_

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "scenarios/loader.h"

namespace rtclab::scenarios {

inline std::filesystem::path RoomDirectory() { return RTCLAB_SCENARIOS_DIRECTORY; }

inline std::string ReadText(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Every shipped suite, sorted.
inline std::vector<std::filesystem::path> SuiteFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(RoomDirectory() / "suites")) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// All diagnostics of a text called "t.json", one a line.
inline std::string Complaints(std::string_view text, const LoadOptions& options = {}) {
  std::string out;
  for (const Diagnostic& d : LoadText(text, "t.json", options).diagnostics)
    out += (out.empty() ? "" : "\n") + d.ToString();
  return out;
}

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_TEST_UTIL_H_
