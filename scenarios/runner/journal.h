// The finished runs of a suite, kept on disk as they finish, so that an interrupted suite can be resumed.
//
// A text file: a header line that says which suite, build and scenario the runs belong to, then one line a run, the very
// line that results.json will have. Only appended to. A last line without its line break was being written when the
// program was stopped: it is cut off when the journal is opened again.
#ifndef RTCLAB_SCENARIOS_RUNNER_JOURNAL_H_
#define RTCLAB_SCENARIOS_RUNNER_JOURNAL_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "stack/base/error.h"

namespace rtclab::scenarios {

struct JournalHeader {
  std::string suite;
  std::string build;
  std::string scenario_digest;

  bool operator==(const JournalHeader&) const = default;
};

class Journal {
 public:
  struct Entry {
    uint64_t offset = 0;
    uint64_t size = 0;
  };

  // Starts a new journal; one that is there is replaced. The file is locked against other processes until the end.
  static Result<std::unique_ptr<Journal>> Create(const std::filesystem::path& path,
                                                 const JournalHeader& header);
  // Opens the journal at `path` to go on; creates it when it is not there. The error says in which respect (scenario,
  // build, suite) the journal belongs to other runs, or on which line it is damaged.
  static Result<std::unique_ptr<Journal>> Resume(const std::filesystem::path& path,
                                                 const JournalHeader& header);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // `line`: the run as results::ToLine gives it. Replaces what was there for `id`.
  Result<void> Append(const std::string& id, std::string_view line);
  const std::map<std::string, Entry>& entries() const { return entries_; }
  Result<std::string> Read(const Entry& entry) const;

 private:
  explicit Journal(std::filesystem::path path) : path_(std::move(path)) {}
  Result<void> Open();
  Result<void> Start(const JournalHeader& header);
  Result<void> Load(const JournalHeader& header);
  Result<void> AppendBytes(std::string_view bytes);
  tl::unexpected<Error> SystemError(const char* what) const;

  std::filesystem::path path_;
  int fd_ = -1;
  uint64_t size_ = 0;
  std::map<std::string, Entry> entries_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUNNER_JOURNAL_H_
