#include "stack/crypto/crc32.h"

#include <gtest/gtest.h>

namespace rtclab::crypto {
namespace {

// One bit at a time, as the polynomial is defined.
uint32_t Reference(ByteView data) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : data) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
  }
  return ~crc;
}

TEST(Crc32Test, CheckValue) {
  EXPECT_EQ(Crc32(AsBytes("123456789")), 0xcbf43926u);
  EXPECT_EQ(Crc32({}), 0u);
}

TEST(Crc32Test, EveryLengthAndAlignmentAgreesWithTheDefinition) {
  Bytes data(200);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 37 + 11);
  for (std::size_t start = 0; start < 8; ++start) {
    for (std::size_t size = 0; start + size <= data.size(); ++size) {
      const ByteView part = ByteView(data).subspan(start, size);
      ASSERT_EQ(Crc32(part), Reference(part)) << start << " " << size;
    }
  }
}

TEST(Crc32Test, MayBeComputedInParts) {
  const ByteView all = AsBytes("The quick brown fox jumps over the lazy dog");
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    EXPECT_EQ(Crc32(all.subspan(cut), Crc32(all.first(cut))), 0x414fa339u);
  }
}

}  // namespace
}  // namespace rtclab::crypto
