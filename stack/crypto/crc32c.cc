// Slicing by eight (Kounavis and Berry, 2005), and SSE 4.2's instruction in three lanes: its latency is three
// cycles and its throughput one, so three independent stretches cost what one does. The lanes are joined by
// tables that carry a CRC over a lane of zeros (the CRC is linear over GF(2)).
#include "stack/crypto/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace rtclab::crypto {
namespace {

constexpr uint32_t kCastagnoli = 0x82F63B78;  // the polynomial, bit-reversed

using SliceTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr SliceTables MakeSliceTables() {
  SliceTables t{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? kCastagnoli : 0);
    t[0][i] = crc;
  }
  for (uint32_t i = 0; i < 256; ++i) {
    for (std::size_t k = 1; k < 8; ++k) t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 0xFF];
  }
  return t;
}
constexpr SliceTables kSlices = MakeSliceTables();

// Raw register in and out, without the inversions.
uint32_t UpdateBySlices(uint32_t crc, const uint8_t* p, std::size_t size) {
  for (; size >= 8; p += 8, size -= 8) {
    const uint32_t low =
        crc ^ (uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24);
    crc = kSlices[7][low & 0xFF] ^ kSlices[6][low >> 8 & 0xFF] ^ kSlices[5][low >> 16 & 0xFF] ^
          kSlices[4][low >> 24] ^ kSlices[3][p[4]] ^ kSlices[2][p[5]] ^ kSlices[1][p[6]] ^
          kSlices[0][p[7]];
  }
  for (; size > 0; ++p, --size) crc = crc >> 8 ^ kSlices[0][(crc ^ *p) & 0xFF];
  return crc;
}

#if defined(__x86_64__)

using ZeroTables = std::array<std::array<uint32_t, 256>, 4>;

// Carries a register over `lane` zero bytes: each bit by itself, then every byte value from its bits.
constexpr ZeroTables MakeZeroTables(int lane) {
  ZeroTables t{};
  for (std::size_t k = 0; k < 4; ++k) {
    for (uint32_t bit = 0; bit < 8; ++bit) {
      uint32_t crc = 1u << (8 * k + bit);
      for (int i = 0; i < lane; ++i) crc = crc >> 8 ^ kSlices[0][crc & 0xFF];
      for (uint32_t i = 0; i < 256; ++i) {
        if ((i >> bit & 1) != 0) t[k][i] ^= crc;
      }
    }
  }
  return t;
}
constexpr std::size_t kLongLane = 256;
constexpr std::size_t kShortLane = 64;
constexpr ZeroTables kLongZeros = MakeZeroTables(kLongLane);
constexpr ZeroTables kShortZeros = MakeZeroTables(kShortLane);

uint32_t OverZeros(const ZeroTables& t, uint32_t crc) {
  return t[0][crc & 0xFF] ^ t[1][crc >> 8 & 0xFF] ^ t[2][crc >> 16 & 0xFF] ^ t[3][crc >> 24];
}

uint64_t LoadNative(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}

template <std::size_t kLane>
__attribute__((target("sse4.2"))) uint32_t UpdateThreeLanes(uint32_t crc, const uint8_t* p,
                                                            const ZeroTables& zeros) {
  uint64_t a = crc;
  uint64_t b = 0;
  uint64_t c = 0;
  for (std::size_t i = 0; i < kLane; i += 8) {
    a = _mm_crc32_u64(a, LoadNative(p + i));
    b = _mm_crc32_u64(b, LoadNative(p + kLane + i));
    c = _mm_crc32_u64(c, LoadNative(p + 2 * kLane + i));
  }
  const uint32_t ab = OverZeros(zeros, static_cast<uint32_t>(a)) ^ static_cast<uint32_t>(b);
  return OverZeros(zeros, ab) ^ static_cast<uint32_t>(c);
}

__attribute__((target("sse4.2"))) uint32_t UpdateByInstruction(uint32_t crc, const uint8_t* p,
                                                               std::size_t size) {
  for (; size >= 3 * kLongLane; p += 3 * kLongLane, size -= 3 * kLongLane) {
    crc = UpdateThreeLanes<kLongLane>(crc, p, kLongZeros);
  }
  for (; size >= 3 * kShortLane; p += 3 * kShortLane, size -= 3 * kShortLane) {
    crc = UpdateThreeLanes<kShortLane>(crc, p, kShortZeros);
  }
  uint64_t wide = crc;
  for (; size >= 8; p += 8, size -= 8) wide = _mm_crc32_u64(wide, LoadNative(p));
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; ++p, --size) crc = _mm_crc32_u8(crc, *p);
  return crc;
}

const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;

#endif

}  // namespace

uint32_t Crc32cPortable(ByteView data, uint32_t previous) {
  return ~UpdateBySlices(~previous, data.data(), data.size());
}

uint32_t Crc32c(ByteView data, uint32_t previous) {
#if defined(__x86_64__)
  if (kHasInstruction) return ~UpdateByInstruction(~previous, data.data(), data.size());
#endif
  return Crc32cPortable(data, previous);
}

}  // namespace rtclab::crypto
