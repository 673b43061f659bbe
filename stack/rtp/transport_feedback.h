// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01
// section 3.1): which packets of the transport came, and when, in steps of 250 us.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |V=2|P|  FMT=15 |    PT=205     |           length              |
//   |                     SSRC of packet sender                     |
//   |                      SSRC of media source                     |
//   |      base sequence number     |      packet status count      |
//   |                 reference time                | fb pkt. count |
//   |          packet chunk         |         packet chunk          |
//   :         packet chunk          |  recv delta   |  recv delta   :
//   :           recv delta          |  recv delta   | zero padding  |
//
//   chunks: 0 | S S | run length, 13 bits       S: 00 not received, 01 small delta (8 bits, unsigned),
//           1 | 0 | 14 symbols of one bit          10 large delta (16 bits, signed)
//           1 | 1 | 7 symbols of two bits
#ifndef RTCLAB_STACK_RTP_TRANSPORT_FEEDBACK_H_
#define RTCLAB_STACK_RTP_TRANSPORT_FEEDBACK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/units.h"

namespace rtclab::rtp {

inline constexpr TimeDelta kTransportDeltaUnit = TimeDelta::Micros(250);
inline constexpr TimeDelta kTransportReferenceUnit = TimeDelta::Millis(64);

// One packet's status, in sequence order from the base.
struct TransportStatus {
  bool received = false;
  // In 250 us, after the previous received packet of this message; the first one's after the
  // reference time. 0 when not received.
  int16_t delta = 0;

  bool operator==(const TransportStatus&) const = default;
};

struct TransportFeedback {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  uint16_t base_sequence = 0;
  uint8_t feedback_count = 0;  // rises by one with each message
  int32_t reference_time = 0;  // 24 bits signed, in 64 ms, of a clock of the receiver's choice
  std::vector<TransportStatus> packets;  // 1 to 65535

  bool operator==(const TransportFeedback&) const = default;
};

// Reads the FCI, `fci` being what follows the two SSRCs (without RTCP padding); fills all but the
// SSRCs. Errors: cut short, the reserved symbol, no packets at all.
Result<TransportFeedback> ParseTransportFci(ByteView fci);
// Appends the FCI with the zero bytes that fill its last word. The chunks are the shortest for what
// they cover: a run where it covers more than a vector would, else one-bit symbols if no large delta
// is among the next 14, else two-bit ones.
void AppendTransportFci(const TransportFeedback& feedback, Bytes& out);

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_TRANSPORT_FEEDBACK_H_
