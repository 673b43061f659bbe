#include "scenarios/runner/worker_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "stack/base/check.h"

namespace rtclab::scenarios {
namespace {

// Wall-clock time is what a hang takes; nothing of it reaches a result.
using Clock = std::chrono::steady_clock;

constexpr int kOutOfMemoryExit = 86;  // any number that programs do not use
constexpr std::size_t kOutputTail = 2000;
constexpr uint64_t kMaxPayload = uint64_t{1} << 30;
constexpr std::array kStopSignals = {SIGINT, SIGTERM, SIGHUP};

enum class Frame : uint32_t { kDone = 0x52544C31, kThrew = 0x52544C32 };

struct FrameHeader {
  Frame kind;
  uint32_t unused;
  uint64_t size;
};

volatile std::sig_atomic_t stop_signal = 0;
int stop_pipe = -1;

void OnStopSignal(int signal) {
  const int saved = errno;
  stop_signal = signal;
  const char byte = 0;
  // Only wakes poll(); a full pipe does that too.
  [[maybe_unused]] const ssize_t written = write(stop_pipe, &byte, 1);
  errno = saved;
}

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~FileDescriptor() { Close(); }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  FileDescriptor read, write;

  static std::optional<Pipe> Make() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
    return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  }
};

// Catches the signals that end a suite early, for as long as it lives.
class StopSignals {
 public:
  static std::unique_ptr<StopSignals> Install() {
    std::optional<Pipe> wake = Pipe::Make();
    if (!wake) return nullptr;
    return std::unique_ptr<StopSignals>(new StopSignals(std::move(*wake)));
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals() {
    for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
      sigaction(kStopSignals[i], &before_[i], nullptr);
    }
    sigaction(SIGPIPE, &before_pipe_, nullptr);
    stop_pipe = -1;
  }
  int wake_fd() const { return wake_.read.get(); }

 private:
  explicit StopSignals(Pipe wake) : wake_(std::move(wake)) {
    stop_signal = 0;
    stop_pipe = wake_.write.get();
    fcntl(stop_pipe, F_SETFL, O_NONBLOCK);
    struct sigaction action {};
    action.sa_handler = OnStopSignal;
    for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
      sigaction(kStopSignals[i], nullptr, &before_[i]);
      // A program started with a signal ignored (nohup) keeps ignoring it.
      if (before_[i].sa_handler != SIG_IGN) sigaction(kStopSignals[i], &action, nullptr);
    }
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;  // writing to a worker that died gives EPIPE
    sigaction(SIGPIPE, &ignore, &before_pipe_);
  }

  Pipe wake_;
  std::array<struct sigaction, kStopSignals.size()> before_{};
  struct sigaction before_pipe_ {};
};

bool WriteAll(int fd, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = write(fd, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool ReadAll(int fd, void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// ---- In the worker ----

[[noreturn]] void OutOfMemory() { _exit(kOutOfMemoryExit); }

void LimitMemory(std::size_t bytes) {
  if (bytes == 0) return;
  // The limit counts on top of what the worker has from the parent (under AddressSanitizer that alone is terabytes).
  std::size_t pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%zu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  const rlim_t limit = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + bytes;
  const rlimit value{limit, limit};
  setrlimit(RLIMIT_AS, &value);
  std::set_new_handler(OutOfMemory);
}

void BecomeWorker(const PoolOptions& options, pid_t parent, int output) {
  // Ctrl-C reaches the whole process group; the parent decides what becomes of the workers.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGHUP, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // the parent died before the line above
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  const rlimit no_core{0, 0};  // a suite of crashes must not fill the disk
  setrlimit(RLIMIT_CORE, &no_core);
  LimitMemory(options.memory_bytes);
}

[[noreturn]] void ServeJobs(int requests, int answers, const Job& job) {
  uint64_t number = 0;
  while (ReadAll(requests, &number, sizeof(number))) {
    FrameHeader header{Frame::kDone, 0, 0};
    std::string payload;
    try {
      payload = job(static_cast<std::size_t>(number));
    } catch (const std::bad_alloc&) {
      OutOfMemory();
    } catch (const std::exception& e) {
      header.kind = Frame::kThrew;
      payload = e.what();
    }
    header.size = payload.size();
    if (!WriteAll(answers, &header, sizeof(header)) ||
        !WriteAll(answers, payload.data(), payload.size())) {
      break;
    }
  }
  std::fflush(nullptr);
  _exit(0);  // no destructors of what belongs to the parent
}

// ---- In the parent ----

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : "SIG" + std::string(name);
}

std::string InSeconds(TimeDelta time) {
  const int64_t ms = time.millis();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

struct Worker {
  pid_t pid = -1;
  FileDescriptor requests, answers, output;
  std::optional<std::size_t> job;
  Clock::time_point started;
  int jobs_taken = 0;
  std::string received;
  std::string printed;  // the end of what it printed during the job

  // Takes what is there without waiting. A pipe and not a file: a worker that prints without end must not fill memory.
  void DrainOutput() {
    char chunk[4096];
    ssize_t got = 0;
    while ((got = read(output.get(), chunk, sizeof(chunk))) > 0) {
      printed.append(chunk, static_cast<std::size_t>(got));
      if (printed.size() > kOutputTail) printed.erase(0, printed.size() - kOutputTail);
      if (got < static_cast<ssize_t>(sizeof(chunk))) break;
    }
    if (got == 0) output.Close();
  }
};

class Pool {
 public:
  Pool(std::span<const std::size_t> jobs, const PoolOptions& options, const Job& job,
       const OnResult& on_result, const OnTick& on_tick)
      : jobs_(jobs), options_(options), job_(job), on_result_(on_result), on_tick_(on_tick) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    for (Worker& w : workers_) Kill(w);
  }

  Result<int> Run(int wake_fd) {
    workers_.resize(std::min(static_cast<std::size_t>(options_.workers), jobs_.size()));
    while (!stopped_) {
      // A signal that comes after the last job changes nothing.
      if (next_ == jobs_.size() && Idle()) return 0;
      if (stop_signal != 0) return static_cast<int>(stop_signal);
      for (Worker& w : workers_) {
        if (const Result<void> fed = Feed(w); !fed) return tl::unexpected(fed.error());
      }
      Wait(wake_fd);
      if (on_tick_) on_tick_();
    }
    return 0;
  }

 private:
  bool Idle() const {
    return std::all_of(workers_.begin(), workers_.end(), [](const Worker& w) { return !w.job; });
  }

  // Gives an idle worker the next job, forking it first where there is none.
  Result<void> Feed(Worker& w) {
    while (!w.job && next_ < jobs_.size()) {
      if (w.pid >= 0 && w.jobs_taken >= options_.jobs_per_worker) Retire(w);
      if (w.pid < 0) {
        if (Result<void> forked = Fork(w); !forked) return forked;
      }
      const uint64_t number = jobs_[next_];
      if (!WriteAll(w.requests.get(), &number, sizeof(number))) {
        Kill(w);  // died between two jobs: no job is lost
        if (++failed_starts_ > 3) return Fail("worker processes end before they take a run");
        continue;
      }
      failed_starts_ = 0;
      w.job = jobs_[next_++];
      w.started = Clock::now();
      w.printed.clear();
      ++w.jobs_taken;
    }
    return {};
  }

  Result<void> Fork(Worker& w) {
    const auto failed = [](const char* what) {
      return Fail(std::string("cannot ") + what + ": " + std::strerror(errno));
    };
    std::optional<Pipe> requests = Pipe::Make();
    std::optional<Pipe> answers = requests ? Pipe::Make() : std::nullopt;
    std::optional<Pipe> output = answers ? Pipe::Make() : std::nullopt;
    if (!output) return failed("make a pipe");
    fcntl(output->read.get(), F_SETFL, O_NONBLOCK);
    std::fflush(nullptr);  // what is buffered must not be written twice
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) return failed("fork");
    if (pid == 0) {
      // Other workers' pipes: held open here, they would hide that the parent closed them.
      for (Worker& other : workers_) {
        other.requests.Close();
        other.answers.Close();
        other.output.Close();
      }
      requests->write.Close();
      answers->read.Close();
      BecomeWorker(options_, parent, output->write.get());
      ServeJobs(requests->read.get(), answers->write.get(), job_);
    }
    w = Worker();
    w.pid = pid;
    w.requests = std::move(requests->write);
    w.answers = std::move(answers->read);
    w.output = std::move(output->read);
    return {};
  }

  void Wait(int wake_fd) {
    std::vector<pollfd> fds;
    for (const Worker& w : workers_) {
      fds.push_back({w.job ? w.answers.get() : -1, POLLIN, 0});
      fds.push_back({w.job ? w.output.get() : -1, POLLIN, 0});
    }
    fds.push_back({wake_fd, POLLIN, 0});
    const int ready = poll(fds.data(), fds.size(), 100);
    CHECK(ready >= 0 || errno == EINTR || errno == ENOMEM);
    for (std::size_t i = 0; i < workers_.size() && stop_signal == 0 && !stopped_; ++i) {
      Worker& w = workers_[i];
      if (ready > 0 && fds[2 * i + 1].revents != 0) w.DrainOutput();
      if (ready > 0 && fds[2 * i].revents != 0) Receive(w);
      if (w.job && !options_.timeout.IsInfinite() &&
          Clock::now() - w.started > std::chrono::nanoseconds(options_.timeout.nanos())) {
        Kill(w);
        Report(w, JobStatus::kTimedOut, "timed out after " + InSeconds(options_.timeout));
      }
    }
  }

  void Receive(Worker& w) {
    char chunk[65536];
    const ssize_t got = read(w.answers.get(), chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) return Bury(w);
    w.received.append(chunk, static_cast<std::size_t>(got));
    FrameHeader header{};
    if (w.received.size() < sizeof(header)) return;
    std::memcpy(&header, w.received.data(), sizeof(header));
    const bool known = header.kind == Frame::kDone || header.kind == Frame::kThrew;
    if (!known || header.size > kMaxPayload) {
      Kill(w);
      return Report(w, JobStatus::kCrashed, "answered with a damaged frame");
    }
    if (w.received.size() < sizeof(header) + header.size) return;
    JobResult result;
    result.job = *w.job;
    result.payload = w.received.substr(sizeof(header));
    if (header.kind == Frame::kThrew) {
      result.status = JobStatus::kThrew;
      result.detail = "threw: " + std::exchange(result.payload, "");
      w.jobs_taken = options_.jobs_per_worker;  // what it left half done must not meet the next job
    }
    w.received.clear();
    w.job.reset();
    stopped_ |= !on_result_(std::move(result));
  }

  // The worker closed its pipe: it died with a job in hand.
  void Bury(Worker& w) {
    kill(w.pid, SIGKILL);  // changes nothing about one that is ending; a hang must not become ours
    int status = 0;
    while (waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
    }
    w.pid = -1;
    if (WIFSIGNALED(status)) {
      Report(w, JobStatus::kCrashed, "crashed: " + SignalName(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) == kOutOfMemoryExit) {
      Report(w, JobStatus::kOutOfMemory,
             "needed more than " + std::to_string(options_.memory_bytes >> 20) + " MB of memory");
    } else {
      Report(w, JobStatus::kExited,
             "ended the process with exit code " + std::to_string(WEXITSTATUS(status)));
    }
  }

  void Report(Worker& w, JobStatus status, std::string detail) {
    JobResult result;
    result.job = *w.job;
    result.status = status;
    result.detail = std::move(detail);
    w.DrainOutput();
    result.output = std::move(w.printed);
    w = Worker();
    stopped_ |= !on_result_(std::move(result));
  }

  // A healthy worker without a job: closing its pipe ends it.
  static void Retire(Worker& w) {
    w.requests.Close();
    int status = 0;
    while (waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
    }
    w = Worker();
  }

  static void Kill(Worker& w) {
    if (w.pid < 0) return;
    kill(w.pid, SIGKILL);
    int status = 0;
    while (waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
    }
    w.pid = -1;
  }

  std::span<const std::size_t> jobs_;
  const PoolOptions& options_;
  const Job& job_;
  const OnResult& on_result_;
  const OnTick& on_tick_;
  std::vector<Worker> workers_;
  std::size_t next_ = 0;
  int failed_starts_ = 0;
  bool stopped_ = false;
};

}  // namespace

Result<int> RunJobs(std::span<const std::size_t> jobs, const PoolOptions& options, const Job& job,
                    const OnResult& on_result, const OnTick& on_tick) {
  CHECK(options.workers >= 1 && options.jobs_per_worker >= 1);
  const std::unique_ptr<StopSignals> signals = StopSignals::Install();
  if (signals == nullptr) return Fail(std::string("cannot make a pipe: ") + std::strerror(errno));
  return Pool(jobs, options, job, on_result, on_tick).Run(signals->wake_fd());
}

}  // namespace rtclab::scenarios
