#include "scenarios/runner/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "results/json.h"

namespace rtclab::scenarios {
namespace {

constexpr int kJournalVersion = 1;

std::string HeaderLine(const JournalHeader& header) {
  const results::Json json{{"rtclab_journal", kJournalVersion},
                           {"suite", header.suite},
                           {"build", header.build},
                           {"scenario_digest", header.scenario_digest}};
  return json.dump(-1, ' ', false, results::Json::error_handler_t::replace) + "\n";
}

}  // namespace

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

tl::unexpected<Error> Journal::SystemError(const char* what) const {
  return Fail(fmt::format("{}: {}: {}", path_.string(), what, std::strerror(errno)));
}

Result<std::unique_ptr<Journal>> Journal::Create(const std::filesystem::path& path,
                                                 const JournalHeader& header) {
  std::unique_ptr<Journal> journal(new Journal(path));
  Result<void> done = journal->Open();
  if (done) done = journal->Start(header);
  if (!done) return tl::unexpected(done.error());
  return journal;
}

Result<std::unique_ptr<Journal>> Journal::Resume(const std::filesystem::path& path,
                                                 const JournalHeader& header) {
  std::unique_ptr<Journal> journal(new Journal(path));
  Result<void> done = journal->Open();
  if (done) done = journal->Load(header);
  if (!done) return tl::unexpected(done.error());
  return journal;
}

Result<void> Journal::Open() {
  fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) return SystemError("cannot open");
  // A lock of this process alone: flock() would be shared with workers, which may outlive a killed parent for a moment.
  // It ends when the process closes the file, however opened; so everything here goes through fd_.
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(fd_, F_SETLK, &lock) != 0) {
    if (errno == EACCES || errno == EAGAIN) {
      return Fail(path_.string() + ": another rtclab is writing to this directory");
    }
    return SystemError("cannot lock");
  }
  return {};
}

Result<void> Journal::Start(const JournalHeader& header) {
  if (ftruncate(fd_, 0) != 0) return SystemError("cannot truncate");
  size_ = 0;
  entries_.clear();
  return AppendBytes(HeaderLine(header));
}

Result<void> Journal::Load(const JournalHeader& header) {
  struct stat info {};
  if (fstat(fd_, &info) != 0) return SystemError("cannot read");
  const Result<std::string> text = Read({0, static_cast<uint64_t>(info.st_size)});
  if (!text) return tl::unexpected(text.error());
  const std::size_t first = text->find('\n');
  // Stopped before the first line was whole: nothing is lost.
  if (first == std::string::npos) return Start(header);

  const std::string_view head = std::string_view(*text).substr(0, first + 1);
  if (head != HeaderLine(header)) {
    const results::Json found = results::Json::parse(head, nullptr, false);
    if (!found.is_object() || found.value("rtclab_journal", 0) != kJournalVersion) {
      return Fail(path_.string() + ":1: not a journal of this rtclab");
    }
    for (const auto& [key, ours] :
         {std::pair("scenario_digest", &header.scenario_digest), std::pair("build", &header.build),
          std::pair("suite", &header.suite)}) {
      const std::string theirs = found.contains(key) ? found[key].dump() : "nothing";
      if (theirs == results::Json(*ours).dump()) continue;
      return Fail(
          fmt::format("{}: cannot resume: its runs have {} {}, these would have \"{}\"; "
                      "run without --resume to start over",
                      path_.string(), key, theirs, *ours));
    }
  }
  int line_number = 1;
  std::size_t at = first + 1;
  while (at < text->size()) {
    const std::size_t end = text->find('\n', at);
    if (end == std::string::npos) break;
    ++line_number;
    const Result<results::Run> run =
        results::ParseRun(std::string_view(*text).substr(at, end - at));
    if (!run) {
      return Fail(fmt::format("{}:{}: damaged: {}; run without --resume to start over",
                              path_.string(), line_number, run.error().reason));
    }
    entries_[run->id] = {at, end - at};
    at = end + 1;
  }
  size_ = at;
  if (ftruncate(fd_, static_cast<off_t>(size_)) != 0) return SystemError("cannot truncate");
  return {};
}

Result<void> Journal::AppendBytes(std::string_view bytes) {
  const uint64_t whole = size_;
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      tl::unexpected<Error> error = SystemError("cannot write");
      // On a full disk half a line may have found room; the next must not be joined to it. Load() copes where this fails.
      [[maybe_unused]] const int cut = ftruncate(fd_, static_cast<off_t>(whole));
      size_ = whole;
      return error;
    }
    size_ += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> Journal::Append(const std::string& id, std::string_view line) {
  const Entry entry{size_, line.size()};
  Result<void> done = AppendBytes(std::string(line) + "\n");
  if (done) entries_[id] = entry;
  return done;
}

Result<std::string> Journal::Read(const Entry& entry) const {
  std::string line(entry.size, '\0');
  std::size_t got = 0;
  while (got < line.size()) {
    const ssize_t count =
        pread(fd_, line.data() + got, line.size() - got, static_cast<off_t>(entry.offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("cannot read");
    if (count == 0) return Fail(path_.string() + ": became shorter while in use");
    got += static_cast<std::size_t>(count);
  }
  return line;
}

}  // namespace rtclab::scenarios
