#include "results/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace rtclab::results {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 18;

std::string SystemError(const std::filesystem::path& path, const char* what, int error) {
  return path.string() + ": " + what + ": " + std::strerror(error);
}

// False: errno says why not.
bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

struct Output {
  enum class Way { kReplace, kOpen, kDescriptor };
  Way way = Way::kReplace;
  std::filesystem::path path;  // what to replace or to open
  int fd = -1;                 // of kDescriptor
};

// Standard output or error where it is the file that `info` tells of and can be written; otherwise -1.
int StandardDescriptor(const struct stat& info) {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat other {};
    if (fstat(fd, &other) != 0) continue;
    const bool same = other.st_dev == info.st_dev && other.st_ino == info.st_ino;
    if (same && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY) return fd;
  }
  return -1;
}

Result<Output> OutputOf(const std::filesystem::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    const int error = errno;
    if (error != ENOENT) return Fail(SystemError(path, "cannot write to it", error));
    if (lstat(path.c_str(), &info) == 0) return Fail(path.string() + ": is a link to nothing");
    return Output{Output::Way::kReplace, path, -1};
  }
  if (const int fd = StandardDescriptor(info); fd >= 0) {
    return Output{Output::Way::kDescriptor, path, fd};
  }
  if (S_ISREG(info.st_mode)) {
    std::error_code error;
    std::filesystem::path target = std::filesystem::canonical(path, error);
    if (error) return Fail(path.string() + ": cannot follow it: " + error.message());
    return Output{Output::Way::kReplace, std::move(target), -1};
  }
  if (S_ISDIR(info.st_mode)) return Fail(path.string() + ": is a directory");
  if (!S_ISCHR(info.st_mode) && !S_ISFIFO(info.st_mode)) {
    return Fail(path.string() + ": is neither a file nor a pipe or a character device");
  }
  if (access(path.c_str(), W_OK) != 0) return Fail(SystemError(path, "cannot write to it", errno));
  return Output{Output::Way::kOpen, path, -1};
}

}  // namespace

WholeFile::WholeFile(std::filesystem::path path) : path_(std::move(path)) {
  // A dot in front keeps a file that a killed program leaves behind out of globs.
  temporary_ = (path_.parent_path() / ("." + path_.filename().string() + ".XXXXXX")).string();
  fd_ = mkostemp(temporary_.data(), O_CLOEXEC);
  if (fd_ < 0) {
    Failed("cannot create a file in its directory");
    return;
  }
  const mode_t mask = umask(0);
  umask(mask);
  if (fchmod(fd_, 0666 & ~mask) != 0) Failed("cannot set its permissions");
}

WholeFile::~WholeFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

void WholeFile::Failed(const char* what) {
  if (error_.empty()) error_ = SystemError(path_, what, errno);
}

void WholeFile::Append(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferSize) Flush();
}

void WholeFile::Flush() {
  if (error_.empty() && !WriteAll(fd_, buffer_)) Failed("cannot write");
  buffer_.clear();
}

Result<void> WholeFile::Commit() {
  Flush();
  if (error_.empty() && fsync(fd_) != 0 && errno != EINVAL) Failed("cannot flush to disk");
  if (error_.empty() && rename(temporary_.c_str(), path_.c_str()) != 0) Failed("cannot rename");
  if (!error_.empty()) return Fail(error_);
  close(fd_);
  fd_ = -1;
  return {};
}

Result<void> WriteWholeFile(const std::filesystem::path& path, std::string_view bytes) {
  WholeFile file(path);
  file.Append(bytes);
  return file.Commit();
}

Result<void> CheckOutput(const std::filesystem::path& path) {
  const Result<Output> output = OutputOf(path);
  if (!output) return tl::unexpected(output.error());
  if (output->way != Output::Way::kReplace) return {};
  const WholeFile trial(output->path);
  if (!trial.error().empty()) return Fail(trial.error());
  return {};
}

Result<void> WriteOutput(const std::filesystem::path& path, std::string_view bytes) {
  const Result<Output> output = OutputOf(path);
  if (!output) return tl::unexpected(output.error());
  if (output->way == Output::Way::kReplace) return WriteWholeFile(output->path, bytes);
  const bool opens = output->way == Output::Way::kOpen;
  const int fd = opens ? open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC) : output->fd;
  if (fd < 0) return Fail(SystemError(path, "cannot open", errno));
  const bool written = WriteAll(fd, bytes);
  const int error = errno;
  if (opens) close(fd);
  if (!written) return Fail(SystemError(path, "cannot write", error));
  return {};
}

Result<std::string> ReadWholeFile(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail(SystemError(path, "cannot open", errno));
  std::string bytes;
  char chunk[65536];
  ssize_t got = 0;
  while ((got = read(fd, chunk, sizeof(chunk))) > 0 || (got < 0 && errno == EINTR)) {
    if (got > 0) bytes.append(chunk, static_cast<std::size_t>(got));
  }
  const int error = errno;
  close(fd);
  if (got < 0) return Fail(SystemError(path, "cannot read", error));
  return bytes;
}

}  // namespace rtclab::results
