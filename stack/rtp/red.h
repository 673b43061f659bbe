// RED, the RTP payload for redundant data (RFC 2198): older encodings before the newest one.
#ifndef RTCLAB_STACK_RTP_RED_H_
#define RTCLAB_STACK_RTP_RED_H_

#include <cstdint>
#include <span>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"

namespace rtclab::rtp {

inline constexpr uint16_t kMaxRedOffset = 0x3FFF;    // 14 bits
inline constexpr std::size_t kMaxRedLength = 0x3FF;  // 10 bits, of a redundant block

struct RedBlock {
  uint8_t payload_type = 0;
  // How much older than the packet's timestamp, in its units; 0 for the primary block.
  uint16_t timestamp_offset = 0;
  ByteView data;
};

// The blocks in order, the primary last; they refer to `payload`. Errors: cut short.
Result<std::vector<RedBlock>> ParseRed(ByteView payload);
// Appends a payload of `blocks`, the primary last. False, and nothing appended, when a redundant block is
// longer than 1023 bytes or older than 14 bits say, or there is none.
bool AppendRed(std::span<const RedBlock> blocks, Bytes& out);

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_RED_H_
