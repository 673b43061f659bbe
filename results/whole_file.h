// Files that appear whole or not at all: written beside the target, flushed to disk, then renamed over it.
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
// The file's bytes; the error names the file.
Result<std::string> ReadWholeFile(const std::filesystem::path& path);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_WHOLE_FILE_H_
