#include "stack/base/bytes.h"

#include <gtest/gtest.h>

namespace rtclab {
namespace {

TEST(BytesTest, ReaderStopsAtTheEndAndMovesNothing) {
  const Bytes data = {1, 2, 3};
  ByteReader reader(data);
  EXPECT_EQ(reader.ReadU16(), 0x0102);
  EXPECT_EQ(reader.ReadU16(), std::nullopt);
  EXPECT_EQ(reader.offset(), 2u);
  EXPECT_EQ(reader.ReadU8(), 3);
  EXPECT_TRUE(reader.empty());
  EXPECT_FALSE(reader.ReadBytes(1));
}

TEST(BytesTest, WriterIsBigEndianAndReadsBack) {
  ByteWriter writer;
  writer.WriteU8(0xab);
  writer.WriteU16(0x1234);
  writer.WriteU32(0xdeadbeef);
  writer.WriteU64(0x0102030405060708);
  writer.WriteZeros(1);
  writer.PatchU16(1, 0x4321);
  EXPECT_EQ(ToHex(writer.view()), "ab4321deadbeef010203040506070800");
  ByteReader reader(writer.view());
  EXPECT_EQ(reader.ReadU8(), 0xab);
  EXPECT_EQ(reader.ReadU16(), 0x4321);
  EXPECT_EQ(reader.ReadU32(), 0xdeadbeef);
  EXPECT_EQ(reader.ReadU64(), 0x0102030405060708u);
}

TEST(BytesTest, HexRejectsOddCountsAndOtherCharacters) {
  EXPECT_EQ(FromHex("de ad\n:BE ef"), (Bytes{0xde, 0xad, 0xbe, 0xef}));
  EXPECT_EQ(FromHex("abc"), std::nullopt);
  EXPECT_EQ(FromHex("0x"), std::nullopt);
}

}  // namespace
}  // namespace rtclab
