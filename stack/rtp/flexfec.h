// FlexFEC (RFC 8627): parity over packets of one or several SSRCs, on an SSRC of its own. Flexible masks,
// fixed rows and columns, and plain retransmissions.
#ifndef RTCLAB_STACK_RTP_FLEXFEC_H_
#define RTCLAB_STACK_RTP_FLEXFEC_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/rtp/fec_parity.h"
#include "stack/rtp/rtp_packet.h"

namespace rtclab::rtp {

inline constexpr std::size_t kMaxFlexfecSpan = 110;  // bits of the longest mask

enum class FlexfecPattern : uint8_t {
  kRows,     // 1-D non-interleaved: each row of L packets (L > 0, D = 0)
  kColumns,  // 1-D interleaved: every L-th packet, D of them (L > 0, D > 1)
  kBoth,     // 2-D: the rows (D = 1), then the columns
};

// Makes the repair packets of one FEC stream.
class FlexfecEncoder {
 public:
  FlexfecEncoder(uint8_t payload_type, uint32_t ssrc, uint16_t first_sequence);

  // One repair packet over any source packets, by flexible mask (section 4.2.2.1). Within an SSRC the
  // sequence numbers span at most 110; up to 15 SSRCs. nullopt when they do not fit or there are none.
  std::optional<Bytes> ProtectMask(uint32_t timestamp, std::span<const ByteView> packets);
  // Rows, columns or both over a block of columns x rows packets of one SSRC with consecutive sequence
  // numbers (section 4.2.2.2). Empty when `packets` is not such a block.
  std::vector<Bytes> ProtectBlock(uint32_t timestamp, std::span<const ByteView> packets,
                                  uint8_t columns, uint8_t rows, FlexfecPattern pattern);
  // The packet once more (section 4.2.2.3).
  Bytes Retransmit(uint32_t timestamp, ByteView packet);

 private:
  PacketBuilder Begin(uint32_t timestamp, std::span<const uint32_t> protected_ssrcs);
  Bytes FixedRepair(uint32_t timestamp, std::span<const ByteView> packets, uint8_t columns,
                    uint8_t rows);

  uint8_t payload_type_;
  uint32_t ssrc_;
  uint16_t sequence_;
};

// What a repair packet is: parity over targets, or (a retransmission) a packet itself.
struct FlexfecPacket {
  FecRepair repair;      // without targets for a retransmission
  Bytes retransmission;  // empty for parity
};
// Errors: cut short, R and F both set, no SSRC to protect, an empty mask, L of 0, a retransmission that is
// no RTP packet.
Result<FlexfecPacket> ParseFlexfec(const PacketView& packet);

// Takes media and repair packets and gives what was lost.
class FlexfecReceiver {
 public:
  explicit FlexfecReceiver(std::span<const uint32_t> protected_ssrcs);

  void HandleMedia(ByteView packet) { recovery_.AddMedia(packet); }
  // A packet of the FEC stream.
  Result<void> HandleRepair(const PacketView& packet);
  std::optional<Bytes> PollRecovered();
  uint64_t recovered() const { return recovery_.recovered(); }

 private:
  FecRecovery recovery_;
  std::vector<uint32_t> ssrcs_;
  std::deque<Bytes> retransmitted_;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_FLEXFEC_H_
