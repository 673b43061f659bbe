// INIT and INIT ACK with their parameters (RFC 9260 sections 3.3.2 and 3.3.3), and those of the
// extensions.
#ifndef RTCLAB_STACK_SCTP_CHUNKS_SETUP_H_
#define RTCLAB_STACK_SCTP_CHUNKS_SETUP_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/sctp/wire.h"

namespace rtclab::sctp {

// RFC 9653 section 4: error detection method identifier of SCTP over DTLS.
inline constexpr uint32_t kErrorDetectionDtls = 1;

//   |                         Initiate Tag                          |
//   |           Advertised Receiver Window Credit (a_rwnd)          |
//   |  Number of Outbound Streams   |   Number of Inbound Streams   |
//   |                          Initial TSN                          |
//   /              Optional/Variable-Length Parameters              /
struct InitChunk {
  uint32_t initiate_tag = 0;
  uint32_t a_rwnd = 0;
  uint16_t outbound_streams = 0;
  uint16_t inbound_streams = 0;
  uint32_t initial_tsn = 0;

  bool forward_tsn = false;               // RFC 3758 section 3.1
  std::vector<uint8_t> extensions;        // chunk types (RFC 5061 section 4.2.7)
  std::optional<uint32_t> zero_checksum;  // RFC 9653: the error detection method
  std::optional<uint32_t> cookie_preservative_ms;
  Bytes cookie;  // INIT ACK only

  // Read, not written:
  bool host_name = false;           // deprecated: answered with an ABORT (section 3.3.2.4)
  std::vector<Bytes> unrecognized;  // whole parameters of unknown types that want a report
  // INIT ACK: parameters the peer reports as not recognised, whole.
  std::vector<Bytes> reported;

  bool Supports(ChunkType type) const;

  // The fixed part and what is known of the parameters. Fails when cut off, when a parameter's length
  // is wrong, and when a known parameter has a size it cannot have. A tag, stream count or window that
  // is not allowed (zero) is left to the caller, whose answer differs.
  static Result<InitChunk> Parse(const ChunkView& chunk);
  // `type`: kInit or kInitAck. `unrecognized` goes into Unrecognized Parameter parameters of an INIT
  // ACK, as far as `limit` bytes of chunk allow.
  void AppendTo(Bytes& packet, ChunkType type, std::size_t limit = 1100) const;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_CHUNKS_SETUP_H_
