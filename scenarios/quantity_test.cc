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
