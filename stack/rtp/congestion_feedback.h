// RTCP congestion control feedback, CCFB (RFC 8888 section 3.1): per SSRC a run of sequence numbers,
// per packet whether it came, its ECN mark, and how long before the report's time.
//
//   |                   SSRC of nth RTP Stream                      |
//   |          begin_seq            |          num_reports          |
//   |R|ECN|  Arrival time offset    | ...                           .
//   ...
//   |                 Report Timestamp (32 bits)                    |
#ifndef RTCLAB_STACK_RTP_CONGESTION_FEEDBACK_H_
#define RTCLAB_STACK_RTP_CONGESTION_FEEDBACK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"

namespace rtclab::rtp {

// Arrival time offsets are in 1/1024 s up to 0x1FFD; these two say that there is none.
inline constexpr uint16_t kArrivalOverRange = 0x1FFE;
inline constexpr uint16_t kArrivalUnavailable = 0x1FFF;
inline constexpr std::size_t kMaxMetricsPerBlock = 16384;

struct ArrivalMetric {
  bool received = false;
  uint8_t ecn = 0;              // 0 not ECT, 1 ECT(1), 2 ECT(0), 3 CE
  uint16_t arrival_offset = 0;  // 13 bits: 1/1024 s before the report timestamp

  bool operator==(const ArrivalMetric&) const = default;
};

struct CongestionBlock {
  uint32_t ssrc = 0;
  uint16_t begin_sequence = 0;
  std::vector<ArrivalMetric> metrics;  // at most 16384; for begin_sequence and those after it

  bool operator==(const CongestionBlock&) const = default;
};

struct CongestionFeedback {
  uint32_t sender_ssrc = 0;
  std::vector<CongestionBlock> blocks;
  uint32_t report_timestamp = 0;  // middle 32 bits of an NTP time of the receiver

  bool operator==(const CongestionFeedback&) const = default;
};

// Reads what follows the sender's SSRC (without RTCP padding). Errors: cut short, more than 16384
// metrics in a block. num_reports is the number of metric blocks: the RFC's "inclusive" range would
// leave no way to write its own "num_reports 0: none".
Result<CongestionFeedback> ParseCongestionFci(ByteView fci);
void AppendCongestionFci(const CongestionFeedback& feedback, Bytes& out);

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_CONGESTION_FEEDBACK_H_
