#include "stack/base/rng.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace rtclab {
namespace {

TEST(RngTest, SameSeedAndNameGiveTheSameStream) {
  Rng a(7, "nat/home-a/ports");
  Rng b(7, "nat/home-a/ports");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.NextU64(), b.NextU64());
}

TEST(RngTest, NeighbouringSeedsAndNamesPart) {
  std::set<uint64_t> first;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (const char* name : {"a", "b", "ab", "ba", ""}) first.insert(Rng(seed, name).NextU64());
  }
  EXPECT_EQ(first.size(), 500u);
}

// The reference output for the state {1, 2, 3, 4} is published with the algorithm; our seeding
// differs, so the known answer here pins the stream across versions: results of old seeds must stay
// reproducible.
TEST(RngTest, StreamIsPinned) {
  Rng rng(1);
  EXPECT_EQ(rng.NextU64(), 0xb3f2af6d0fc710c5u);
  EXPECT_EQ(rng.NextU64(), 0x853b559647364ceau);
}

TEST(RngTest, UniformCoversItsRangeAndNothingElse) {
  Rng rng(3);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) ++seen[rng.Uniform(10, 15) - 10];
  for (int count : seen) EXPECT_NEAR(count, 1000, 150);
  EXPECT_EQ(rng.Uniform(5, 5), 5u);
  rng.Uniform(0, UINT64_MAX);
}

TEST(RngTest, DistributionsHaveTheirMoments) {
  Rng rng(4);
  double normal = 0, normal_squared = 0, exponential = 0;
  int heads = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const double n = rng.Normal();
    normal += n;
    normal_squared += n * n;
    exponential += rng.Exponential();
    heads += rng.Bernoulli(0.25);
  }
  EXPECT_NEAR(normal / kDraws, 0, 0.03);
  EXPECT_NEAR(normal_squared / kDraws, 1, 0.05);
  EXPECT_NEAR(exponential / kDraws, 1, 0.03);
  EXPECT_NEAR(heads, kDraws / 4, 300);
  EXPECT_FALSE(rng.Bernoulli(0));
  EXPECT_TRUE(rng.Bernoulli(1));
}

TEST(RngTest, IceStringUsesOnlyIceChars) {
  const std::string text = Rng(5).IceString(200);
  EXPECT_EQ(text.size(), 200u);
  for (char c : text)
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/');
}

}  // namespace
}  // namespace rtclab
