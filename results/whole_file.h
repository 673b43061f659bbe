// Files that appear whole or not at all: written beside the target, flushed to disk, then renamed over it. What a user
// names as an output may also be a pipe or a device, which is written to and never replaced.
#ifndef RTCLAB_RESULTS_WHOLE_FILE_H_
#define RTCLAB_RESULTS_WHOLE_FILE_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "stack/base/error.h"

namespace rtclab::results {

// Collects a file in a temporary one in the same directory. Without Commit() nothing is left behind and a former file
// at `path` stays as it is. The first error is kept and returned by Commit().
class WholeFile {
 public:
  explicit WholeFile(std::filesystem::path path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void Append(std::string_view bytes);
  // The first error so far; empty: none.
  const std::string& error() const { return error_; }
  // Flushes to disk and renames. The error says which file and what the system answered.
  Result<void> Commit();

 private:
  void Flush();
  void Failed(const char* what);

  std::filesystem::path path_;
  std::string temporary_;
  std::string buffer_;
  std::string error_;
  int fd_ = -1;
};

Result<void> WriteWholeFile(const std::filesystem::path& path, std::string_view bytes);

// An output that a user names. A file (or none yet) is replaced whole, through links; a pipe, a character device and
// whatever standard output or error go to is written to directly. Anything else is an error that says why.
// CheckOutput tells before the work whether WriteOutput can do it.
Result<void> CheckOutput(const std::filesystem::path& path);
Result<void> WriteOutput(const std::filesystem::path& path, std::string_view bytes);

// The file's bytes; the error names the file.
Result<std::string> ReadWholeFile(const std::filesystem::path& path);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_WHOLE_FILE_H_
