// RTCP packets as values: RFC 3550 section 6 and XR (RFC 3611). rtcp.h reads and writes them;
// feedback is in rtcp_feedback.h. The number of an SSRC or a sequence number is as on the wire.
#ifndef RTCLAB_STACK_RTP_RTCP_PACKETS_H_
#define RTCLAB_STACK_RTP_RTCP_PACKETS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/rtp/ntp.h"

namespace rtclab::rtp {

// Packet types (RFC 3550 section 12.1, RFC 4585 section 6.1, RFC 3611 section 2).
enum class RtcpType : uint8_t {
  kSenderReport = 200,
  kReceiverReport = 201,
  kSourceDescription = 202,
  kGoodbye = 203,
  kApp = 204,
  kTransportFeedback = 205,
  kPayloadFeedback = 206,
  kExtendedReport = 207,
};

// RFC 3550 section 6.4.1.
struct ReportBlock {
  uint32_t ssrc = 0;                       // whom it is about
  uint8_t fraction_lost = 0;               // of 256, since the last report
  int32_t cumulative_lost = 0;             // 24 bits, signed: duplicates make it negative
  uint32_t extended_highest_sequence = 0;  // cycles in the upper 16 bits
  uint32_t jitter = 0;                     // in timestamp units
  uint32_t last_sender_report = 0;         // LSR: middle 32 bits of the last SR's NTP time; 0: none
  uint32_t delay_since_last_sender_report = 0;  // DLSR: in 1/65536 s

  bool operator==(const ReportBlock&) const = default;
};

struct SenderReport {
  uint32_t sender_ssrc = 0;
  NtpTime ntp;
  uint32_t rtp_timestamp = 0;
  uint32_t packet_count = 0;
  uint32_t octet_count = 0;  // payload only: no headers, no padding
  std::vector<ReportBlock> reports;

  bool operator==(const SenderReport&) const = default;
};

struct ReceiverReport {
  uint32_t sender_ssrc = 0;
  std::vector<ReportBlock> reports;

  bool operator==(const ReceiverReport&) const = default;
};

// RFC 3550 section 6.5. RFC 8852 adds RtpStreamId and RepairedRtpStreamId, RFC 9143 MID.
enum class SdesType : uint8_t {
  kCname = 1,
  kName = 2,
  kEmail = 3,
  kPhone = 4,
  kLocation = 5,
  kTool = 6,
  kNote = 7,
  kPrivate = 8,
  kRtpStreamId = 12,
  kRepairedRtpStreamId = 13,
  kMid = 15,
};

struct SdesItem {
  SdesType type = SdesType::kCname;
  std::string text;  // at most 255 bytes

  bool operator==(const SdesItem&) const = default;
};

struct SdesChunk {
  uint32_t ssrc = 0;
  std::vector<SdesItem> items;

  bool operator==(const SdesChunk&) const = default;
};

struct SourceDescription {
  std::vector<SdesChunk> chunks;  // at most 31

  bool operator==(const SourceDescription&) const = default;
};

struct Goodbye {
  std::vector<uint32_t> ssrcs;  // at most 31
  std::string reason;           // at most 255 bytes; empty: none

  bool operator==(const Goodbye&) const = default;
};

struct AppPacket {
  uint8_t subtype = 0;  // 0 to 31
  uint32_t sender_ssrc = 0;
  std::array<char, 4> name{};
  Bytes data;  // a multiple of 4 bytes

  bool operator==(const AppPacket&) const = default;
};

// RFC 3611 section 4.4: a receiver that sends nothing asks for its round-trip time so.
struct ReceiverReferenceTime {
  NtpTime ntp;

  bool operator==(const ReceiverReferenceTime&) const = default;
};

// RFC 3611 section 4.5: the answer.
struct DlrrItem {
  uint32_t ssrc = 0;                              // who asked
  uint32_t last_receiver_report = 0;              // LRR: middle 32 bits of the question's NTP time
  uint32_t delay_since_last_receiver_report = 0;  // DLRR: in 1/65536 s

  bool operator==(const DlrrItem&) const = default;
};

struct Dlrr {
  std::vector<DlrrItem> items;

  bool operator==(const Dlrr&) const = default;
};

// A block of another type, kept as it came.
struct UnknownXrBlock {
  uint8_t block_type = 0;
  uint8_t type_specific = 0;
  Bytes data;  // a multiple of 4 bytes

  bool operator==(const UnknownXrBlock&) const = default;
};

using XrBlock = std::variant<ReceiverReferenceTime, Dlrr, UnknownXrBlock>;

struct ExtendedReport {
  uint32_t sender_ssrc = 0;
  std::vector<XrBlock> blocks;

  bool operator==(const ExtendedReport&) const = default;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_RTCP_PACKETS_H_
