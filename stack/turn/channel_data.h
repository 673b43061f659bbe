// The ChannelData message (RFC 8656 section 12.4): four bytes of header in front of application data.
#ifndef RTCLAB_STACK_TURN_CHANNEL_DATA_H_
#define RTCLAB_STACK_TURN_CHANNEL_DATA_H_

#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/base/error.h"

namespace rtclab::turn {

// A channel's number within one allocation.
enum class ChannelNumber : uint16_t {};

// RFC 8656 section 12: the numbers a client may bind.
inline constexpr uint16_t kMinChannelNumber = 0x4000;
inline constexpr uint16_t kMaxChannelNumber = 0x4FFF;
inline constexpr std::size_t kChannelDataHeaderSize = 4;

// `max_number`: a server of RFC 5766 goes up to 0x7FFE.
constexpr bool IsBindable(uint16_t number, uint16_t max_number = kMaxChannelNumber) {
  return number >= kMinChannelNumber && number <= max_number;
}

// Whether a message of this first byte claims to be ChannelData (RFC 8656 section 12, table 3).
constexpr bool LooksLikeChannelData(ByteView message, uint16_t max_number = kMaxChannelNumber) {
  return !message.empty() && message[0] >= 64 && message[0] <= max_number >> 8;
}

struct ChannelData {
  ChannelNumber channel{};
  ByteView payload;  // into the bytes that were parsed
};

// Reads one ChannelData message. What follows the claimed length is padding and ignored (section 12.5 allows it over UDP
// and demands it over streams). Fails on a number outside 0x4000..`max_number` and on fewer bytes than claimed.
Result<ChannelData> ParseChannelData(ByteView message, uint16_t max_number = kMaxChannelNumber);

// Header and payload; with `pad`, zeros up to a multiple of four bytes, as streams need. Payload of at most 65,535 bytes.
Bytes BuildChannelData(ChannelNumber channel, ByteView payload, bool pad);

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_CHANNEL_DATA_H_
