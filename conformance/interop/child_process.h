// A program that a test starts and ends by its process id, with a folder of its own and its output kept.
#ifndef RTCLAB_CONFORMANCE_INTEROP_CHILD_PROCESS_H_
#define RTCLAB_CONFORMANCE_INTEROP_CHILD_PROCESS_H_

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/error.h"

namespace rtclab::conformance {

// A folder under the system's temporary one, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class ChildProcess {
 public:
  // What a program reads from its standard input: nothing, or what Write() sends.
  enum class Input { kNone, kPipe };
  // Starts `arguments` (the program first, searched in PATH) in a fresh folder. Fails when it cannot be executed.
  static Result<ChildProcess> Start(std::vector<std::string> arguments, Input input = Input::kNone);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  // Ends it: SIGTERM, and SIGKILL after two seconds.
  ~ChildProcess();

  // Sends to the standard input of a program started with Input::kPipe; false when it does not take it.
  bool Write(std::string_view text);
  // The exit status once it has ended (128 + n when signal n ended it); nullopt while it runs.
  std::optional<int> Poll();
  // What it has written to standard output and standard error so far.
  std::string Output() const;

 private:
  ChildProcess() = default;

  std::unique_ptr<TemporaryFolder> folder_;
  pid_t pid_ = -1;
  int input_ = -1;  // our end of its standard input
  std::optional<int> status_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_INTEROP_CHILD_PROCESS_H_
