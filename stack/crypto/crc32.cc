#include "stack/crypto/crc32.h"

#include <array>

namespace rtclab::crypto {
namespace {

constexpr uint32_t kPolynomial = 0xedb88320;  // x^32 + x^26 + ... + 1, bits reversed
constexpr std::size_t kSlices = 16;  // bytes a step: one table lookup each, all independent

using Tables = std::array<std::array<uint32_t, 256>, kSlices>;

// tables[k][b] is the effect of byte b followed by k zero bytes.
constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const uint32_t crc = tables[slice - 1][byte];
      tables[slice][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

}  // namespace

uint32_t Crc32(ByteView data, uint32_t previous) {
  uint32_t crc = ~previous;
  const uint8_t* p = data.data();
  std::size_t left = data.size();
  for (; left >= kSlices; p += kSlices, left -= kSlices) {
    uint32_t next = 0;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      next ^= kTables[kSlices - 1 - i][p[i] ^ ((crc >> (8 * i)) & 0xff)];
    }
#pragma GCC unroll 12
    for (std::size_t i = 4; i < kSlices; ++i) next ^= kTables[kSlices - 1 - i][p[i]];
    crc = next;
  }
  for (; left > 0; ++p, --left) crc = (crc >> 8) ^ kTables[0][(crc ^ *p) & 0xff];
  return ~crc;
}

}  // namespace rtclab::crypto
