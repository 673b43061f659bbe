// A directory of a test's own, gone at its end.
#ifndef RTCLAB_SCENARIOS_RUNNER_TEST_FOLDER_H_
#define RTCLAB_SCENARIOS_RUNNER_TEST_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace rtclab::scenarios {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "rtclab-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUNNER_TEST_FOLDER_H_
