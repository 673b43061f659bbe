#include "stack/base/ring.h"

#include <gtest/gtest.h>

#include <memory>

namespace rtclab {
namespace {

TEST(RingTest, GivesWhatItTookInOrderWhileItGrowsAndTurns) {
  Ring<std::unique_ptr<int>> ring;
  int next_in = 0, next_out = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7; ++i) ring.push_back(std::make_unique<int>(next_in++));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(*ring.pop_front(), next_out++);
    ASSERT_EQ(ring.size(), static_cast<std::size_t>(next_in - next_out));
    EXPECT_EQ(*ring.front(), next_out);
    EXPECT_EQ(*ring.back(), next_in - 1);
    EXPECT_EQ(*ring[ring.size() / 2], next_out + static_cast<int>(ring.size() / 2));
  }
  ring.pop_back();
  EXPECT_EQ(*ring.back(), next_in - 2);
  ring.clear();
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace rtclab
