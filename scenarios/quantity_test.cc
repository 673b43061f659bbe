#include "scenarios/quantity.h"

#include <gtest/gtest.h>

#include <string>

namespace rtclab::scenarios {
namespace {

TEST(QuantityTest, EveryUnit) {
  using K = QuantityKind;
  EXPECT_EQ(*ParseQuantity("7 ns", K::kDuration), 7);
  EXPECT_EQ(*ParseQuantity("7 us", K::kDuration), 7e3);
  EXPECT_EQ(*ParseQuantity("0.5 ms", K::kDuration), 5e5);
  EXPECT_EQ(*ParseQuantity("1.25 s", K::kDuration), 1.25e9);
  EXPECT_EQ(*ParseQuantity("2 min", K::kDuration), 120e9);
  EXPECT_EQ(*ParseQuantity("168 h", K::kDuration), 604800e9);
  EXPECT_EQ(*ParseQuantity("9 bit/s", K::kRate), 9);
  EXPECT_EQ(*ParseQuantity("64 kbit/s", K::kRate), 64e3);
  EXPECT_EQ(*ParseQuantity("2.5 Mbit/s", K::kRate), 2.5e6);
  EXPECT_EQ(*ParseQuantity("1 Gbit/s", K::kRate), 1e9);
  EXPECT_EQ(*ParseQuantity("1 %", K::kShare), 0.01);
  EXPECT_EQ(*ParseQuantity("100 %", K::kShare), 1);
  EXPECT_EQ(*ParseQuantity("1200 B", K::kSize), 1200);
  EXPECT_EQ(*ParseQuantity("1.5 kB", K::kSize), 1500);
  EXPECT_EQ(*ParseQuantity("1 MB", K::kSize), 1e6);
  EXPECT_EQ(*ParseQuantity("10 GB", K::kSize), 1e10);
  EXPECT_EQ(*ParseQuantity("16 KiB", K::kSize), 16384);
  EXPECT_EQ(*ParseQuantity("0.5 KiB", K::kSize), 512);
  EXPECT_EQ(*ParseQuantity("3 MiB", K::kSize), 3 * 1048576);
}

TEST(QuantityTest, SizesHaveALimitAndTheirUnitsAreSpeltOneWay) {
  for (const auto& [text, message] :
       {std::pair("10.1 GB", "the largest value allowed, 10 GB"),
        std::pair("9999999 MiB", "the largest value allowed, 10 GB"),
        std::pair("1 kiB", "unknown unit \"kiB\""), std::pair("1 GiB", "unknown unit \"GiB\""),
        std::pair("1 KB", "unknown unit \"KB\""), std::pair("1 kbit", "unknown unit \"kbit\""),
        std::pair("1KiB", "expected \"1 KiB\"")}) {
    const auto value = ParseQuantity(text, QuantityKind::kSize);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_NE(value.error().find(message), std::string::npos) << value.error();
  }
}

TEST(QuantityTest, NothingElse) {
  for (const char* text : {"",         " ",
                           "ms",       "1",
                           "1ms",      "1  ms",
                           " 1 ms",    "1 ms ",
                           "1 MS",     "+1 ms",
                           "-1 ms",    "1e3 ms",
                           ".5 ms",    "1. ms",
                           "1.2.3 ms", "1,5 ms",
                           "0x1 ms",   "inf s",
                           "nan s",    "169 h",
                           "1 kbit/s", "1111111111111111111111111 ns"}) {
    const auto value = ParseQuantity(text, QuantityKind::kDuration);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_GT(value.error().size(), 10u) << text;
  }
}

}  // namespace
}  // namespace rtclab::scenarios
