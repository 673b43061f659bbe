// RTCP feedback messages as values: RTPFB and PSFB (RFC 4585, RFC 5104, RFC 8888, REMB). The two
// congestion control reports have files of their own.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |V=2|P|   FMT   |       PT      |          length               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                  SSRC of packet sender                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                  SSRC of media source                         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   :            Feedback Control Information (FCI)                 :
#ifndef RTCLAB_STACK_RTP_RTCP_FEEDBACK_H_
#define RTCLAB_STACK_RTP_RTCP_FEEDBACK_H_

#include <cstdint>
#include <span>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/units.h"

namespace rtclab::rtp {

// Feedback message types of packet type 205 (RFC 4585 section 6.2, RFC 5104 section 4.2, RFC 8888
// section 3.1, draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).
inline constexpr uint8_t kFmtNack = 1;
inline constexpr uint8_t kFmtTmmbr = 3;
inline constexpr uint8_t kFmtTmmbn = 4;
inline constexpr uint8_t kFmtCongestionControl = 11;
inline constexpr uint8_t kFmtTransportWide = 15;
// ... and of packet type 206 (RFC 4585 section 6.3, RFC 5104 section 4.3).
inline constexpr uint8_t kFmtPli = 1;
inline constexpr uint8_t kFmtSli = 2;
inline constexpr uint8_t kFmtRpsi = 3;
inline constexpr uint8_t kFmtFir = 4;
inline constexpr uint8_t kFmtApplicationLayer = 15;

// RFC 4585 section 6.2.1. `lost` in the order to be asked for; neighbours within 16 share an item.
struct Nack {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  std::vector<uint16_t> lost;

  bool operator==(const Nack&) const = default;
};

// RFC 5104 section 4.2.1.1. The wire has a 17-bit mantissa and a 6-bit exponent; what does not fit is
// rounded down.
struct BitrateLimit {
  uint32_t ssrc = 0;
  DataRate max_total_rate;
  uint16_t overhead_bytes = 0;  // measured overhead a packet, 0 to 511

  bool operator==(const BitrateLimit&) const = default;
};
struct Tmmbr {  // asks media sender `ssrc` of each item to stay below its limit
  uint32_t sender_ssrc = 0;
  std::vector<BitrateLimit> limits;

  bool operator==(const Tmmbr&) const = default;
};
struct Tmmbn {  // announces the bounding set; `ssrc` of each item: who owns that limit
  uint32_t sender_ssrc = 0;
  std::vector<BitrateLimit> limits;

  bool operator==(const Tmmbn&) const = default;
};

// RFC 4585 section 6.3.1.
struct PictureLoss {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;

  bool operator==(const PictureLoss&) const = default;
};

// RFC 4585 section 6.3.2.
struct LostSlice {
  uint16_t first = 0;      // 13 bits: address of the first lost macroblock
  uint16_t number = 0;     // 13 bits: how many
  uint8_t picture_id = 0;  // 6 bits

  bool operator==(const LostSlice&) const = default;
};
struct SliceLoss {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  std::vector<LostSlice> slices;

  bool operator==(const SliceLoss&) const = default;
};

// RFC 4585 section 6.3.3. For VP8 the bit string is the picture ID (RFC 7741 section 5.1).
struct ReferencePictureSelection {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  uint8_t payload_type = 0;
  Bytes bit_string;         // native RPSI bit string
  uint8_t unused_bits = 0;  // of the last byte, 0 to 7

  bool operator==(const ReferencePictureSelection&) const = default;
};

// RFC 5104 section 4.3.1.
struct FirItem {
  uint32_t ssrc = 0;            // of whom a decoder refresh is asked
  uint8_t sequence_number = 0;  // rises with each new command to that source

  bool operator==(const FirItem&) const = default;
};
struct FullIntraRequest {
  uint32_t sender_ssrc = 0;
  std::vector<FirItem> items;

  bool operator==(const FullIntraRequest&) const = default;
};

// draft-alvestrand-rmcat-remb-03 section 2.2: 18-bit mantissa, 6-bit exponent; rounded down.
struct Remb {
  uint32_t sender_ssrc = 0;
  DataRate bitrate;
  std::vector<uint32_t> ssrcs;  // whom it limits together; at most 255

  bool operator==(const Remb&) const = default;
};

// A feedback message of another FMT, or application layer feedback that is not REMB.
struct UnknownFeedback {
  bool payload_specific = false;  // packet type 206 rather than 205
  uint8_t fmt = 0;
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  Bytes fci;  // a multiple of 4 bytes

  bool operator==(const UnknownFeedback&) const = default;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_RTCP_FEEDBACK_H_
