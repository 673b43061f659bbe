// The Data Channel Establishment Protocol (RFC 8832) and the payload protocol identifiers of data
// channels (RFC 8831 section 8), as they stand on the wire.
#ifndef RTCLAB_STACK_DATACHANNEL_DCEP_H_
#define RTCLAB_STACK_DATACHANNEL_DCEP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "stack/base/bytes.h"
#include "stack/base/error.h"

namespace rtclab::datachannel {

// RFC 8831 section 8, RFC 8832 section 8.1.
enum class Ppid : uint32_t {
  kDcep = 50,
  kString = 51,
  kBinaryPartial = 52,  // deprecated
  kBinary = 53,
  kStringPartial = 54,  // deprecated
  kStringEmpty = 56,
  kBinaryEmpty = 57,
};

// RFC 8832 section 8.2.1.
enum class DcepType : uint8_t { kAck = 0x02, kOpen = 0x03 };

// RFC 8832 section 5.1's Channel Type without its high-order bit, which says unordered.
enum class Reliability : uint8_t { kReliable = 0x00, kMaxRetransmits = 0x01, kTimed = 0x02 };

struct DataChannelOpen {
  Reliability reliability = Reliability::kReliable;
  bool ordered = true;
  uint16_t priority = 0;
  // Retransmissions or milliseconds; 0 for kReliable, whatever came.
  uint32_t reliability_parameter = 0;
  std::string label;  // UTF-8, at most 65,535 bytes
  std::string protocol;

  bool operator==(const DataChannelOpen&) const = default;
};

struct DataChannelAck {
  bool operator==(const DataChannelAck&) const = default;
};

using DcepMessage = std::variant<DataChannelOpen, DataChannelAck>;

// Reads one message. Fails on an unknown message or channel type, on lengths that do not fill the
// message exactly, and on a label or protocol that is not UTF-8 (RFC 8832 sections 5.1, 6, 7).
Result<DcepMessage> ParseDcep(ByteView message);

// `label` and `protocol` have at most 65,535 bytes each.
Bytes BuildDcep(const DataChannelOpen& open);
Bytes BuildDcep(const DataChannelAck& ack);

// Whether `text` is well-formed UTF-8 (RFC 3629 section 4: no surrogates, no overlong forms).
bool IsUtf8(std::string_view text);

}  // namespace rtclab::datachannel

#endif  // RTCLAB_STACK_DATACHANNEL_DCEP_H_
