#include "stack/base/pcapng.h"

#include <gtest/gtest.h>

namespace rtclab::pcapng {
namespace {

// Every byte by the format's own description.
TEST(PcapngTest, BlocksAreThoseOfTheFormat) {
  // Byte order, 1.0, no length; "ab" as the application, "c" as the comment.
  EXPECT_EQ(ToHex(SectionHeader("ab", "c")),
            ToHex(*FromHex("0a0d0d0a 30000000 4d3c2b1a 0100 0000 ffffffffffffffff"
                           "0400 0200 61620000 0100 0100 63000000 0000 0000 30000000")));
  EXPECT_EQ(ToHex(InterfaceDescription("x")),
            ToHex(*FromHex("01000000 28000000 6500 0000 00000000 0200 0100 78000000"
                           "0900 0100 09000000 0000 0000 28000000")));
  // No direction and no comment: no options at all.
  EXPECT_EQ(ToHex(EnhancedPacket(1, 0x100000002, Direction::kNone, *FromHex("45"))),
            ToHex(*FromHex("06000000 24000000 01000000 01000000 02000000 01000000 01000000"
                           "45000000 24000000")));
  EXPECT_EQ(ToHex(EnhancedPacket(0, 3, Direction::kInbound, {}, "hi")),
            ToHex(*FromHex("06000000 34000000 00000000 00000000 03000000 00000000 00000000"
                           "0200 0400 01000000 0100 0200 68690000 0000 0000 34000000")));
}

TEST(PcapngTest, LongCommentIsCutToWhatAnOptionHolds) {
  const Bytes block = EnhancedPacket(0, 0, Direction::kNone, {}, std::string(70'000, 'x'));
  // Head 28, option head 4 with 65,535 bytes padded to 65,536, end of options 4, length 4.
  EXPECT_EQ(block.size(), 28u + 4 + 65'536 + 4 + 4);
}

}  // namespace
}  // namespace rtclab::pcapng
