#include "scenarios/runner/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "results/json.h"
#include "results/test_data.h"
#include "results/whole_file.h"
#include "scenarios/runner/test_folder.h"

namespace rtclab::scenarios {
namespace {

using testing::HasSubstr;

const JournalHeader kHeader{"suite", "0.1.0+unknown", "0123456789abcdef"};

class JournalTest : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "journal.jsonl"; }
  void WriteRaw(const std::string& bytes) const { std::ofstream(path()) << bytes; }
  std::string Raw() const { return results::ReadWholeFile(path()).value(); }
  static std::string LineOf(const std::string& id) {
    return results::ToLine(results::PassedRun(id));
  }
  static std::string ShortLineOf(const std::string& id) {
    results::Run run;
    run.id = id;
    return results::ToLine(run);
  }
  // A journal of two runs as bytes.
  std::string Good(std::string (*line_of)(const std::string& id) = LineOf) const {
    auto journal = Journal::Create(path(), kHeader).value();
    EXPECT_TRUE(journal->Append("a", line_of("a")));
    EXPECT_TRUE(journal->Append("b", line_of("b")));
    return Raw();
  }

  TestFolder folder_;
};

TEST_F(JournalTest, GoesOnWhereItStopped) {
  Good();
  auto journal = Journal::Resume(path(), kHeader).value();
  ASSERT_EQ(journal->entries().size(), 2U);
  EXPECT_EQ(journal->Read(journal->entries().at("b")).value(), LineOf("b"));
  ASSERT_TRUE(journal->Append("c", LineOf("c")));
  EXPECT_EQ(journal->Read(journal->entries().at("c")).value(), LineOf("c"));
  EXPECT_EQ(journal->Read(journal->entries().at("a")).value(), LineOf("a"));
}

TEST_F(JournalTest, SurvivesBeingTornAtEveryByte) {
  const std::string good = Good(ShortLineOf);
  const std::size_t first = good.find('\n') + 1;
  const std::size_t second = good.find('\n', first) + 1;
  for (std::size_t length = 0; length < good.size(); ++length) {
    WriteRaw(good.substr(0, length));
    auto journal = Journal::Resume(path(), kHeader);
    ASSERT_TRUE(journal) << length << ": " << journal.error().reason;
    EXPECT_EQ((*journal)->entries().size(), length < second ? 0U : 1U) << length;
    ASSERT_TRUE((*journal)->Append("b", ShortLineOf("b")));
    journal->reset();
    auto again = Journal::Resume(path(), kHeader);
    ASSERT_TRUE(again) << length << ": " << again.error().reason;
    EXPECT_TRUE((*again)->entries().contains("b"));
  }
}

TEST_F(JournalTest, DamageInTheMiddleIsNamed) {
  std::string bytes = Good();
  bytes[bytes.find("\"verdict\"") + 2] = '\0';
  WriteRaw(bytes);
  const auto journal = Journal::Resume(path(), kHeader);
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().reason, HasSubstr("journal.jsonl:2: damaged"));
  EXPECT_EQ(Raw(), bytes) << "left as it is";
}

TEST_F(JournalTest, SaysWhatDiffers) {
  Good();
  for (const auto& [header, message] :
       {std::pair(JournalHeader{"suite", "0.2.0+unknown", "0123456789abcdef"},
                  "its runs have build \"0.1.0+unknown\", these would have \"0.2.0+unknown\""),
        std::pair(JournalHeader{"suite", "0.1.0+unknown", "f"},
                  "its runs have scenario_digest \"0123456789abcdef\""),
        std::pair(JournalHeader{"other", "0.1.0+unknown", "0123456789abcdef"},
                  "its runs have suite \"suite\"")}) {
    const auto journal = Journal::Resume(path(), header);
    ASSERT_FALSE(journal);
    EXPECT_THAT(journal.error().reason, HasSubstr(message));
  }
}

TEST_F(JournalTest, AnotherFileIsNotAJournal) {
  for (const char* bytes : {"hello\n", "[]\n", "{}\n", "{\"rtclab_journal\":2}\n", "\n"}) {
    WriteRaw(bytes);
    const auto journal = Journal::Resume(path(), kHeader);
    ASSERT_FALSE(journal);
    EXPECT_THAT(journal.error().reason, HasSubstr(":1: not a journal of this rtclab"));
  }
}

TEST_F(JournalTest, CreateStartsOver) {
  Good();
  auto journal = Journal::Create(path(), kHeader).value();
  EXPECT_TRUE(journal->entries().empty());
  EXPECT_EQ(Raw().find("\"id\""), std::string::npos);
}

TEST_F(JournalTest, OneWriterAtATime) {
  auto journal = Journal::Create(path(), kHeader).value();
  const auto refused = [&](const auto& open) {
    const pid_t child = fork();
    if (child == 0) {
      const auto second = open(path(), kHeader);
      _exit(!second &&
            second.error().reason.find("another rtclab is writing") != std::string::npos);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status) == 1;
  };
  EXPECT_TRUE(refused(Journal::Resume));
  EXPECT_TRUE(refused(Journal::Create));
  journal.reset();
  EXPECT_FALSE(refused(Journal::Resume));
}

// A worker that outlives a killed parent for a moment must not keep --resume out.
TEST_F(JournalTest, AChildDoesNotHoldTheLock) {
  auto journal = Journal::Create(path(), kHeader).value();
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  journal.reset();
  const pid_t second = fork();
  if (second == 0) _exit(Journal::Resume(path(), kHeader) ? 0 : 1);
  int status = 0;
  EXPECT_EQ(waitpid(second, &status, 0), second);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
}

TEST_F(JournalTest, AMissingDirectoryIsNamed) {
  const auto journal = Journal::Create(folder_.path() / "no" / "journal.jsonl", kHeader);
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().reason, HasSubstr("no/journal.jsonl: cannot open"));
}

}  // namespace
}  // namespace rtclab::scenarios
