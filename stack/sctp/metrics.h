// What an association counts.
#ifndef RTCLAB_STACK_SCTP_METRICS_H_
#define RTCLAB_STACK_SCTP_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "stack/base/units.h"

namespace rtclab::sctp {

// Why a packet, or the rest of one, was not used.
enum class DropReason : uint8_t {
  kTruncated,        // shorter than the common header, or a chunk's length beyond the packet
  kBadChecksum,      // CRC32c wrong
  kWrongPort,        // not this association's ports
  kBadTag,           // verification tag (RFC 9260 section 8.5)
  kOutOfTheBlue,     // no association and no answer due (section 8.4)
  kMalformedChunk,   // a chunk whose fields contradict each other
  kUnknownChunk,     // an unknown type that asks to stop (section 3.2)
  kUnexpectedChunk,  // not in this state, or not bundled as allowed
  kBadCookie,        // HMAC wrong, stale, or of another association
  kCount,
};
std::string_view ToString(DropReason reason);

struct Metrics {
  DataSize cwnd;
  DataSize ssthresh;
  DataSize in_flight;  // bytes of DATA chunks sent and not acknowledged
  DataSize peer_window;
  std::optional<TimeDelta> srtt;
  TimeDelta rto;
  std::size_t mtu = 0;
  bool in_fast_recovery = false;

  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;
  uint64_t bytes_sent = 0;  // whole SCTP packets
  uint64_t bytes_received = 0;
  uint64_t messages_sent = 0;  // accepted by Send()
  uint64_t messages_received = 0;
  uint64_t messages_abandoned = 0;
  uint64_t data_chunks_sent = 0;  // first transmissions
  uint64_t data_chunks_received = 0;
  uint64_t retransmissions = 0;  // chunks, of every cause
  uint64_t fast_retransmissions = 0;
  uint64_t t3_timeouts = 0;
  uint64_t duplicate_tsns = 0;  // received again
  uint64_t sacks_sent = 0;
  uint64_t sacks_received = 0;
  std::array<uint64_t, static_cast<std::size_t>(DropReason::kCount)> dropped{};
  uint64_t dropped_for(DropReason reason) const {
    return dropped[static_cast<std::size_t>(reason)];
  }
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_METRICS_H_
