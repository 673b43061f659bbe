// RTCP datagrams: compound (RFC 3550 section 6.1) and reduced size (RFC 5506).
#ifndef RTCLAB_STACK_RTP_RTCP_H_
#define RTCLAB_STACK_RTP_RTCP_H_

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/rtp/congestion_feedback.h"
#include "stack/rtp/rtcp_feedback.h"
#include "stack/rtp/rtcp_packets.h"
#include "stack/rtp/transport_feedback.h"

namespace rtclab::rtp {

// A packet of a type that this room does not know, kept as it came.
struct UnknownRtcp {
  uint8_t packet_type = 0;
  uint8_t count = 0;  // the five bits of count, subtype or FMT
  Bytes body;         // after the four bytes of header, without padding; a multiple of 4 bytes

  bool operator==(const UnknownRtcp&) const = default;
};

using RtcpMessage =
    std::variant<SenderReport, ReceiverReport, SourceDescription, Goodbye, AppPacket,
                 ExtendedReport, Nack, Tmmbr, Tmmbn, TransportFeedback, CongestionFeedback,
                 PictureLoss, SliceLoss, ReferencePictureSelection, FullIntraRequest, Remb,
                 UnknownFeedback, UnknownRtcp>;

enum class RtcpForm : uint8_t {
  kCompound,     // the first packet must be SR or RR (RFC 3550 appendix A.2)
  kReducedSize,  // anything may come first (RFC 5506 section 3.4.3; a=rtcp-rsize)
};

// Reads every packet of a datagram, in order. Errors: version other than 2, lengths that do not add
// up, padding that is not on the last packet or not a multiple of four (transport-wide feedback
// apart, where Chromium does so), a first packet that `form` does not allow, and a packet of a known
// type whose contents do not fit its length. One bad packet refuses the datagram: its lengths can no
// longer be trusted.
Result<std::vector<RtcpMessage>> ParseRtcp(ByteView datagram,
                                           RtcpForm form = RtcpForm::kReducedSize);

// Appends one packet. Report blocks beyond 31 go into further RRs of the same sender (RFC 3550
// section 6.4.1). Texts are cut at 255 bytes; CHECKs that counts fit (31 chunks, 31 SSRCs of a BYE,
// APP data and bodies in whole words).
void AppendRtcp(const RtcpMessage& message, Bytes& out);
// One datagram of all of them. The caller orders them: SR or RR first in a compound.
Bytes BuildRtcp(std::span<const RtcpMessage> messages);

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_RTCP_H_
