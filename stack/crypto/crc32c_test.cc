#include "stack/crypto/crc32c.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"

namespace rtclab::crypto {
namespace {

// RFC 3720 appendix B.4 has these for iSCSI, which uses the same CRC.
TEST(Crc32cTest, KnownValues) {
  Bytes ascending(32);
  for (std::size_t i = 0; i < ascending.size(); ++i) ascending[i] = static_cast<uint8_t>(i);
  const struct {
    Bytes data;
    uint32_t crc;
  } cases[] = {{{}, 0},
               {Bytes(32, 0x00), 0x8A9136AA},
               {Bytes(32, 0xFF), 0x62A8AB43},
               {ascending, 0x46DD794E},
               {Bytes{'1', '2', '3', '4', '5', '6', '7', '8', '9'}, 0xE3069283}};
  for (const auto& c : cases) {
    EXPECT_EQ(Crc32c(c.data), c.crc);
    EXPECT_EQ(Crc32cPortable(c.data), c.crc);
  }
}

TEST(Crc32cTest, InstructionAndTablesAgreeAtEveryLengthAndAlignment) {
  Bytes data(2600);
  Rng(7).Fill(data);
  for (std::size_t size = 0; size <= 2560; size += size < 900 ? 1 : 37) {
    const ByteView view = ByteView(data).subspan(size % 8, size);
    ASSERT_EQ(Crc32c(view), Crc32cPortable(view)) << size;
  }
}

TEST(Crc32cTest, ContinuesFromAPreviousValue) {
  Bytes data(1200);
  Rng(8).Fill(data);
  const ByteView view(data);
  for (const std::size_t cut : {0u, 1u, 8u, 12u, 191u, 192u, 768u, 1199u, 1200u}) {
    EXPECT_EQ(Crc32c(view.subspan(cut), Crc32c(view.first(cut))), Crc32c(view)) << cut;
  }
}

}  // namespace
}  // namespace rtclab::crypto
