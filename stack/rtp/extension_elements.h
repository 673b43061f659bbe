// The elements inside an RTP header extension, one-byte and two-byte form (RFC 8285 section 4).
//
//   one-byte, profile 0xBEDE         two-byte, profile 0x100 and 4 appbits
//    0 1 2 3 4 5 6 7                  0                   1
//   +-+-+-+-+-+-+-+-+                 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//   |  ID   |  len  | value ...      +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   +-+-+-+-+-+-+-+-+                |       ID      |     length    | value ...
//   len is one less than the bytes   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// A zero byte where an element would begin is padding, in both forms.
#ifndef RTCLAB_STACK_RTP_EXTENSION_ELEMENTS_H_
#define RTCLAB_STACK_RTP_EXTENSION_ELEMENTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"

namespace rtclab::rtp {

inline constexpr uint16_t kOneByteProfile = 0xBEDE;
inline constexpr uint16_t kTwoByteProfile = 0x1000;
inline constexpr uint16_t kTwoByteProfileMask = 0xFFF0;  // the rest are appbits

inline constexpr bool IsTwoByteProfile(uint16_t profile) {
  return (profile & kTwoByteProfileMask) == kTwoByteProfile;
}

// Calls `visit(uint8_t id, ByteView value)` for each element. What ends it early: an element that is
// cut short, and in the one-byte form the identifiers 15 and 0 with a length (RFC 8285 sections 4.1.1
// and 4.2). Another profile has no elements.
template <typename Visit>
void ForEachElement(uint16_t profile, ByteView data, Visit&& visit) {
  const bool two_byte = IsTwoByteProfile(profile);
  if (profile != kOneByteProfile && !two_byte) return;
  std::size_t at = 0;
  while (at < data.size()) {
    if (data[at] == 0) {
      ++at;
      continue;
    }
    uint8_t id = data[at++];
    std::size_t size = 0;
    if (two_byte) {
      if (at == data.size()) return;
      size = data[at++];
    } else {
      size = (id & 0x0fu) + 1;
      id = id >> 4;
      if (id == 0 || id == 15) return;
    }
    if (size > data.size() - at) return;
    visit(id, data.subspan(at, size));
    at += size;
  }
}

inline std::optional<ByteView> FindElement(uint16_t profile, ByteView data, uint8_t id) {
  std::optional<ByteView> found;
  ForEachElement(profile, data, [&](uint8_t element, ByteView value) {
    if (element == id && !found) found = value;
  });
  return found;
}

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_EXTENSION_ELEMENTS_H_
