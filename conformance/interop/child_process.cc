#include "conformance/interop/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

constexpr int kPatienceMs = 2'000;
constexpr int kStepMs = 10;

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "rtclab-XXXXXX").string();
  CHECK(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<ChildProcess> ChildProcess::Start(std::vector<std::string> arguments, Input input) {
  ChildProcess child;
  child.folder_ = std::make_unique<TemporaryFolder>();
  const std::string folder = child.folder_->path().string();
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  // Closed by a successful exec; carries errno otherwise.
  int report[2];
  CHECK(pipe2(report, O_CLOEXEC) == 0);
  int pipe_ends[2] = {-1, -1};
  if (input == Input::kPipe) CHECK(pipe2(pipe_ends, O_CLOEXEC) == 0);
  const pid_t parent = getpid();
  child.pid_ = fork();
  CHECK(child.pid_ >= 0);
  if (child.pid_ == 0) {
    // It must not outlive a test that crashes.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    const int output = open((folder + "/output").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int source =
        input == Input::kPipe ? pipe_ends[0] : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (output >= 0 && source >= 0 && chdir(folder.c_str()) == 0 && dup2(source, 0) == 0 &&
        dup2(output, 1) == 1 && dup2(output, 2) == 2) {
      execvp(argv[0], argv.data());
    }
    const int error = errno;
    if (write(report[1], &error, sizeof error) < 0) _exit(126);
    _exit(127);
  }
  close(report[1]);
  if (input == Input::kPipe) {
    close(pipe_ends[0]);
    child.input_ = pipe_ends[1];
  }
  int error = 0;
  const bool failed = read(report[0], &error, sizeof error) > 0;
  close(report[0]);
  if (failed) return Fail("cannot run " + arguments[0] + ": " + std::strerror(error));
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : folder_(std::move(other.folder_)),
      pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      status_(std::move(other.status_)) {}

ChildProcess::~ChildProcess() {
  if (input_ >= 0) close(input_);
  if (pid_ < 0 || Poll()) return;
  kill(pid_, SIGTERM);
  for (int waited_ms = 0; waited_ms < kPatienceMs && !Poll(); waited_ms += kStepMs) {
    usleep(kStepMs * 1000);
  }
  if (Poll()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool ChildProcess::Write(std::string_view text) {
  // A program that has ended must not end us too.
  signal(SIGPIPE, SIG_IGN);
  return input_ >= 0 &&
         write(input_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::optional<int> ChildProcess::Poll() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return status_;
}

std::string ChildProcess::Output() const {
  std::ifstream file(folder_->path() / "output");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace rtclab::conformance
