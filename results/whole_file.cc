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
  std::string_view rest = buffer_;
  while (error_.empty() && !rest.empty()) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      Failed("cannot write");
    }
  }
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
