#include "scenarios/runner/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace rtclab::scenarios {
namespace {

using results::Counts;
using results::Verdict;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// What a suite of `total` runs says, of which only the third does not pass.
std::string Said(const results::Terminal& terminal, std::size_t total, bool quiet,
                 std::chrono::milliseconds pace = {}, Verdict third = Verdict::kFail) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* file = open_memstream(&text, &size);
  Progress progress(file, terminal, total, {}, quiet, pace);
  for (std::size_t i = 0; i < total; ++i) {
    progress.RunEnded(i == 2 ? third : Verdict::kPass, "run-" + std::to_string(i));
    progress.Tick();
  }
  progress.Finish();
  std::fclose(file);
  std::string said(text, size);
  std::free(text);
  return said;
}

TEST(ProgressTest, PlainLinesWhereThereIsNoTerminal) {
  const std::string said = Said({.width = 80}, 100, false);
  EXPECT_THAT(said, Not(HasSubstr("\x1b")));
  EXPECT_THAT(said, Not(HasSubstr("\r")));
  EXPECT_THAT(said, HasSubstr("FAIL  run-2\n"));
  EXPECT_THAT(said, HasSubstr("50/100 runs: 49 passed, 1 failed, 0 errors\n"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 11);
}

TEST(ProgressTest, OneErrorIsNotSeveral) {
  EXPECT_THAT(Said({.width = 80}, 100, false, {}, Verdict::kError),
              HasSubstr("50/100 runs: 49 passed, 0 failed, 1 error\n"));
}

TEST(ProgressTest, TheBarGoesAwayAtTheEnd) {
  const std::string said = Said({.width = 80, .tty = true, .color = true}, 100, false);
  EXPECT_THAT(said, StartsWith("\r[....."));
  EXPECT_THAT(said, HasSubstr("\r\x1b[KFAIL  run-2\n"));
  EXPECT_TRUE(said.ends_with("\r\x1b[K"));
}

TEST(ProgressTest, AShortSuiteHasNoLines) {
  EXPECT_EQ(Said({.width = 80}, 100, false, std::chrono::hours(1)), "");
}

TEST(ProgressTest, QuietSaysNothing) {
  EXPECT_EQ(Said({.width = 80, .tty = true, .color = true}, 100, true), "");
}

TEST(ProgressTest, TheBarFitsEveryWidth) {
  const Counts counts{.runs = 123, .passed = 100, .failed = 20, .errors = 3};
  for (std::size_t width = 1; width < 200; ++width) {
    EXPECT_LT(results::Columns(ProgressBar(counts, 256, 75, width)), width) << width;
  }
  EXPECT_THAT(ProgressBar(counts, 256, 75, 100),
              HasSubstr("] 123/256  20 failed  3 errors  1:15 left"));
  EXPECT_THAT(ProgressBar({.runs = 5, .passed = 5}, 5, -1, 40), HasSubstr("#] 5/5"));
}

}  // namespace
}  // namespace rtclab::scenarios
