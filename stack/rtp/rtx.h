// Retransmission payload format (RFC 4588): an RTX packet is the original with another SSRC, payload
// type and sequence number, and the original sequence number (OSN) before the payload.
#ifndef RTCLAB_STACK_RTP_RTX_H_
#define RTCLAB_STACK_RTP_RTX_H_

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/rtp/rtp_packet.h"

namespace rtclab::rtp {

// One RTX stream's header.
struct RtxTarget {
  uint8_t payload_type = 0;
  uint32_t ssrc = 0;
  // Header extension identifiers (0: not negotiated). RFC 8852 section 3.2: on the RTX stream the
  // original's RtpStreamId goes as RepairedRtpStreamId, so its element changes its identifier.
  uint8_t rid_extension = 0;
  uint8_t repaired_rid_extension = 0;
};

// Wraps `original` (RFC 4588 section 4: timestamp, marker, CSRCs and extensions stay; padding goes). The
// result is written into `buffer`, whose capacity is used again.
Bytes WrapRtx(const PacketView& original, const RtxTarget& target, uint16_t rtx_sequence,
              Bytes buffer = {});

// The original of an RTX packet. Error: a payload without OSN, as padding sent on an RTX stream is.
Result<Bytes> UnwrapRtx(const PacketView& rtx, uint8_t original_payload_type,
                        uint32_t original_ssrc, uint8_t rid_extension = 0,
                        uint8_t repaired_rid_extension = 0);

// a=fmtp:<rtx> apt=<original> (RFC 4588 section 8.1).
class RtxPayloadTypes {
 public:
  // Both 0 to 127.
  void Add(uint8_t rtx, uint8_t apt);
  std::optional<uint8_t> Original(uint8_t rtx) const;  // nullopt: not an RTX payload type
  std::optional<uint8_t> Rtx(uint8_t original) const;  // nullopt: has none

 private:
  static constexpr uint8_t kNone = 0xFF;
  std::array<uint8_t, 128> apt_ = [] {
    std::array<uint8_t, 128> none{};
    none.fill(kNone);
    return none;
  }();
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_RTX_H_
