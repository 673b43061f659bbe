#include "stack/turn/channel_data.h"

#include <gtest/gtest.h>

namespace rtclab::turn {
namespace {

TEST(ChannelDataTest, ReadsNumberAndPayload) {
  const Bytes wire = {0x40, 0x01, 0x00, 0x03, 'a', 'b', 'c'};
  const auto data = ParseChannelData(wire);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->channel, ChannelNumber{0x4001});
  EXPECT_EQ(AsString(data->payload), "abc");
}

TEST(ChannelDataTest, IgnoresPaddingAfterTheClaimedLength) {
  const Bytes wire = {0x4F, 0xFF, 0x00, 0x01, 'x', 0xFF, 0xFF, 0xFF};
  const auto data = ParseChannelData(wire);
  ASSERT_TRUE(data);
  EXPECT_EQ(AsString(data->payload), "x");
}

TEST(ChannelDataTest, AcceptsAnEmptyPayload) {
  const Bytes wire = {0x40, 0x00, 0x00, 0x00};
  const auto data = ParseChannelData(wire);
  ASSERT_TRUE(data);
  EXPECT_TRUE(data->payload.empty());
}

TEST(ChannelDataTest, RejectsTruncationAtEveryByte) {
  const Bytes wire = {0x40, 0x01, 0x00, 0x03, 'a', 'b', 'c'};
  for (std::size_t size = 0; size < wire.size(); ++size) {
    EXPECT_FALSE(ParseChannelData(ByteView(wire).first(size))) << size;
  }
}

TEST(ChannelDataTest, RejectsReservedNumbers) {
  for (const int number : {0x0000, 0x3FFF, 0x5000, 0x7FFF, 0x8000, 0xFFFF}) {
    Bytes wire = {0, 0, 0, 0};
    StoreU16(wire.data(), static_cast<uint16_t>(number));
    EXPECT_FALSE(ParseChannelData(wire)) << number;
  }
}

TEST(ChannelDataTest, BuildsWithAndWithoutPadding) {
  const Bytes payload = {1, 2, 3, 4, 5};
  EXPECT_EQ(BuildChannelData(ChannelNumber{0x4002}, payload, false),
            (Bytes{0x40, 0x02, 0, 5, 1, 2, 3, 4, 5}));
  EXPECT_EQ(BuildChannelData(ChannelNumber{0x4002}, payload, true),
            (Bytes{0x40, 0x02, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0}));
  EXPECT_EQ(BuildChannelData(ChannelNumber{0x4002}, {}, true), (Bytes{0x40, 0x02, 0, 0}));
}

TEST(ChannelDataTest, FirstByteTellsChannelData) {
  for (int first = 0; first < 256; ++first) {
    const Bytes wire = {static_cast<uint8_t>(first)};
    EXPECT_EQ(LooksLikeChannelData(wire), first >= 0x40 && first <= 0x4F) << first;
  }
  EXPECT_FALSE(LooksLikeChannelData({}));
}

}  // namespace
}  // namespace rtclab::turn
