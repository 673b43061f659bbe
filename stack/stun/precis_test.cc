#include "stack/stun/precis.h"

#include <gtest/gtest.h>

#include <utility>

namespace rtclab::stun {
namespace {

TEST(OpaqueStringTest, AsciiIsItsOwnPreparedForm) {
  std::string printable;
  for (char c = 0x20; c < 0x7f; ++c) printable += c;
  EXPECT_EQ(PrepareOpaqueString(printable), printable);
  EXPECT_EQ(PrepareOpaqueString("A B"), "A B");
}

// RFC 8265 section 4.3, the examples of table 4 and of the strings that are refused.
TEST(OpaqueStringTest, ExamplesOfRfc8265) {
  EXPECT_EQ(PrepareOpaqueString("correct horse battery staple"), "correct horse battery staple");
  EXPECT_EQ(PrepareOpaqueString("Correct Horse Battery Staple"), "Correct Horse Battery Staple");
  EXPECT_EQ(PrepareOpaqueString("\u03c0\u00df\u00e5"), "\u03c0\u00df\u00e5");
  EXPECT_EQ(PrepareOpaqueString("Jack of \u2666s"), "Jack of \u2666s");
  EXPECT_EQ(PrepareOpaqueString("foo\u1680bar"), "foo bar");  // OGHAM SPACE MARK
  EXPECT_FALSE(PrepareOpaqueString(""));
  EXPECT_FALSE(PrepareOpaqueString("my cat is a \tby"));
}

TEST(OpaqueStringTest, NormalisesToFormC) {
  EXPECT_EQ(PrepareOpaqueString("e\u0301"), "\u00e9");
  EXPECT_EQ(PrepareOpaqueString("\u212b"), "\u00c5");  // ANGSTROM SIGN
  // Compatibility forms stay: NFC, not NFKC as in RFC 5389's SASLprep.
  EXPECT_EQ(PrepareOpaqueString("\u2168"), "\u2168");
  EXPECT_EQ(PrepareOpaqueString("\uff21"), "\uff21");
}

TEST(OpaqueStringTest, EverySpaceBecomesAsciiSpace) {
  for (const char* space : {"\u00a0", "\u2003", "\u202f", "\u205f", "\u3000"}) {
    EXPECT_EQ(PrepareOpaqueString(std::string("a") + space + "b"), "a b");
  }
}

TEST(OpaqueStringTest, DisallowedCodePointsAreNamedByOffset) {
  const std::pair<std::string, std::size_t> cases[] = {
      {"a\x07", 1},         // control
      {"\x7f", 0},          // delete
      {"ab\u0085", 2},      // C1 control
      {"ab\u00ad", 2},      // soft hyphen: ignorable
      {"\u00e9\u200b", 2},  // zero-width space
      {"x\ufeff", 1},       // byte order mark
      {"x\ufdd0", 1},       // not a character
      {"x\u0378", 1},       // unassigned
      {"x\u1100", 1},       // old Hangul jamo
      {"x\u0640", 1},       // tatweel, an exception of RFC 5892
      {"x\U000e0001", 1},   // language tag
      {"x\ue000", 1},       // private use
      {"x\u2028", 1},       // line separator
  };
  for (const auto& [text, offset] : cases) {
    const auto prepared = PrepareOpaqueString(text);
    ASSERT_FALSE(prepared) << text;
    EXPECT_EQ(prepared.error().offset, offset) << text;
  }
}

TEST(OpaqueStringTest, InvalidUtf8IsRejected) {
  for (const char* text :
       {"\x80", "\xc3", "a\xc3(", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xf0\x9f\x98"}) {
    EXPECT_FALSE(PrepareOpaqueString(text)) << text;
  }
}

// RFC 5892 appendix A.
TEST(OpaqueStringTest, ContextualRules) {
  const std::pair<const char*, bool> cases[] = {
      {"l\u00b7l", true},           {"a\u00b7l", false},     {"l\u00b7", false},
      {"\u0375\u03b1", true},       {"\u0375a", false},      {"\u0375", false},
      {"\u05d0\u05f3", true},       {"a\u05f3", false},      {"\u05f4", false},
      {"\u30fb\u30a2", true},       {"a\u30fb", false},      {"\u4e00\u30fb", true},
      {"\u0660\u0661", true},       {"\u0660\u06f0", false}, {"\u06f1", true},
      {"\u0915\u094d\u200d", true}, {"a\u200d", false},      {"\u200d", false},
      {"\u0915\u094d\u200c", true}, {"a\u200cb", false},     {"\u0628\u200c\u0628", true},
      {"\u0628\u200c", false},      {"\u200c\u0628", false}};
  for (const auto& [text, allowed] : cases) {
    EXPECT_EQ(PrepareOpaqueString(text).has_value(), allowed) << text;
  }
}

TEST(OpaqueStringTest, PreparingTwiceChangesNothing) {
  for (const char* text : {"e\u0301 \u3000x", "\u212b", "\u1e9b\u0323", "\uac00"}) {
    const auto once = PrepareOpaqueString(text);
    ASSERT_TRUE(once);
    EXPECT_EQ(PrepareOpaqueString(*once), *once);
  }
}

}  // namespace
}  // namespace rtclab::stun
