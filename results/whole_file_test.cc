#include "results/whole_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace rtclab::results {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class WholeFileTest : public testing::Test {
 protected:
  WholeFileTest() {
    std::string name = (fs::temp_directory_path() / "rtclab-whole-file-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~WholeFileTest() override { fs::remove_all(folder_); }
  int Entries() const {
    return static_cast<int>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(WholeFileTest, ReplacesAFileAndLeavesNothingElse) {
  const fs::path path = folder_ / "results.json";
  ASSERT_TRUE(WriteWholeFile(path, "old and longer"));
  ASSERT_TRUE(WriteWholeFile(path, "new"));
  EXPECT_EQ(ReadWholeFile(path).value(), "new");
  EXPECT_EQ(Entries(), 1);
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0400, 0400U);
}

TEST_F(WholeFileTest, WithoutCommitTheOldFileStays) {
  const fs::path path = folder_ / "results.json";
  ASSERT_TRUE(WriteWholeFile(path, "old"));
  {
    WholeFile file(path);
    file.Append(std::string(1'000'000, 'x'));
  }
  EXPECT_EQ(ReadWholeFile(path).value(), "old");
  EXPECT_EQ(Entries(), 1);
}

TEST_F(WholeFileTest, MissingDirectoryIsNamed) {
  const Result<void> written = WriteWholeFile(folder_ / "no" / "results.json", "x");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().reason, HasSubstr("no/results.json: cannot create"));
  EXPECT_THAT(written.error().reason, HasSubstr("No such file or directory"));
}

TEST_F(WholeFileTest, ADirectoryInTheWayIsAnErrorAndLeavesNothing) {
  fs::create_directory(folder_ / "results.json");
  const Result<void> written = WriteWholeFile(folder_ / "results.json", "x");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().reason, HasSubstr("cannot rename"));
  EXPECT_EQ(Entries(), 1);
}

// A file-size limit stands in for a full disk: write() gives an error half-way in both.
TEST_F(WholeFileTest, AFullDiskLeavesTheOldFile) {
  const fs::path path = folder_ / "results.json";
  ASSERT_TRUE(WriteWholeFile(path, "old"));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{100'000, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const Result<void> written = WriteWholeFile(path, std::string(1'000'000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().reason, HasSubstr("cannot write: File too large"));
  EXPECT_EQ(ReadWholeFile(path).value(), "old");
  EXPECT_EQ(Entries(), 1);
}

TEST_F(WholeFileTest, AnOutputThatIsAPipeIsWrittenToAndStays) {
  const fs::path path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_TRUE(CheckOutput(path));
  ASSERT_TRUE(WriteOutput(path, "bytes"));
  char got[16];
  EXPECT_EQ(read(reader, got, sizeof(got)), 5);
  close(reader);
  EXPECT_TRUE(fs::is_fifo(path));
  EXPECT_EQ(Entries(), 1);
}

TEST_F(WholeFileTest, AnOutputIsFollowedThroughLinks) {
  const fs::path null = folder_ / "null";
  fs::create_symlink("/dev/null", null);
  ASSERT_TRUE(CheckOutput(null));
  ASSERT_TRUE(WriteOutput(null, "bytes"));
  EXPECT_TRUE(fs::is_symlink(null));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));

  ASSERT_TRUE(WriteWholeFile(folder_ / "file", "old and longer"));
  fs::create_symlink("file", folder_ / "link");
  ASSERT_TRUE(WriteOutput(folder_ / "link", "new"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(ReadWholeFile(folder_ / "file").value(), "new");
}

TEST_F(WholeFileTest, OutputsThatCannotBeWrittenAreToldBefore) {
  const auto said = [](const fs::path& path) {
    const Result<void> checked = CheckOutput(path);
    const Result<void> written = WriteOutput(path, "x");
    return checked || written ? "" : checked.error().reason;
  };
  EXPECT_THAT(said(folder_), HasSubstr("is a directory"));
  EXPECT_THAT(said(folder_ / "no" / "file"), HasSubstr("no/file: cannot create"));
  ASSERT_TRUE(WriteWholeFile(folder_ / "file", "x"));
  EXPECT_THAT(said(folder_ / "file" / "below"), HasSubstr("Not a directory"));
  fs::create_symlink("nothing", folder_ / "link");
  EXPECT_THAT(said(folder_ / "link"), HasSubstr("is a link to nothing"));
  EXPECT_TRUE(CheckOutput(folder_ / "new"));
  EXPECT_EQ(Entries(), 2) << "a check leaves nothing";
}

TEST_F(WholeFileTest, ReadingWhatIsNotThereNamesIt) {
  const Result<std::string> read = ReadWholeFile(folder_ / "nothing");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().reason, HasSubstr("nothing: cannot open: No such file"));
  EXPECT_FALSE(ReadWholeFile(folder_));
}

}  // namespace
}  // namespace rtclab::results
