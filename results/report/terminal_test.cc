#include "results/report/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace rtclab::results {
namespace {

using testing::ElementsAre;

TEST(TerminalTest, APipeIsNoTerminal) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Terminal t = DetectTerminal(ends[1]);
  EXPECT_FALSE(t.tty);
  EXPECT_FALSE(t.color);
  EXPECT_EQ(Paint(t, Color::kRed, "x"), "x");
  close(ends[0]);
  close(ends[1]);
}

TEST(TerminalTest, ALogIsWideUnlessTheEnvironmentSaysOtherwise) {
  const char* before = std::getenv("COLUMNS");  // NOLINT(concurrency-mt-unsafe): one thread
  const std::string kept = before == nullptr ? "" : before;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  unsetenv("COLUMNS");  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(DetectTerminal(ends[1]).width, 120);
  setenv("COLUMNS", "77", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(DetectTerminal(ends[1]).width, 77);
  if (before == nullptr) {
    unsetenv("COLUMNS");  // NOLINT(concurrency-mt-unsafe)
  } else {
    setenv("COLUMNS", kept.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  close(ends[0]);
  close(ends[1]);
}

TEST(TerminalTest, ColorEndsWithAReset) {
  EXPECT_EQ(Paint({.width = 80, .tty = true, .color = true}, Color::kRed, "x"), "\x1b[31mx\x1b[0m");
}

TEST(TerminalTest, TheMiddleOfLongTextIsLeftOut) {
  EXPECT_EQ(Shortened("0123456789", 10), "0123456789");
  EXPECT_EQ(Shortened("0123456789abc", 10), "0123..9abc");
  EXPECT_EQ(Shortened("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", 5), "\u00e9..\u00e9\u00e9");
  EXPECT_EQ(Shortened("0123456789", 4), "0..9");
}

TEST(TerminalTest, UnicodeNeedsATerminal) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_FALSE(DetectTerminal(ends[1]).unicode);
  close(ends[0]);
  close(ends[1]);
}

TEST(TerminalTest, NamesCannotSteerTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f\xC2\x9Bz\xC3\xA9"), "a?[2Jb?c??z\xC3\xA9");
}

TEST(TerminalTest, NamesCannotPassForOthers) {
  // U+202E right-to-left override, U+2066 isolate, U+200B zero width space, U+FEFF, U+E0041 tag.
  EXPECT_EQ(Printable("ali\xE2\x80\xAE"
                      "ecb\xE2\x81\xA6\xE2\x80\x8B\xEF\xBB\xBF\xF3\xA0\x81\x81."),
            "ali?ecb????.");
  const std::string fine = "\xE2\x86\x92 \xE4\xB8\xAD \xF0\x9F\x98\x80";  // arrow, ideograph, emoji
  EXPECT_EQ(Printable(fine), fine);
  // A lone C1 byte, an overlong escape, a surrogate's neighbour cut short.
  EXPECT_EQ(Printable("a\x9B"
                      "b\xC0\x9B"
                      "c\xED\x9F"),
            "a?b??c??");
}

TEST(TerminalTest, PadsByCodePoint) {
  EXPECT_EQ(PadRight("\xC3\xA9", 3), "\xC3\xA9  ");
  EXPECT_EQ(PadLeft("ab", 4), "  ab");
  EXPECT_EQ(PadLeft("abcde", 4), "abcde");
}

TEST(TerminalTest, WrapsAtSpacesAndCutsLongWords) {
  EXPECT_THAT(Wrap("one two three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("abcdefghij", 4), ElementsAre("abcd", "efgh", "ij"));
  EXPECT_THAT(Wrap("", 4), ElementsAre(""));
  EXPECT_THAT(Wrap("ab  cd", 3), ElementsAre("ab", "cd"));
}

}  // namespace
}  // namespace rtclab::results
