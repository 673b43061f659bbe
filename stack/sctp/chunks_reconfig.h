// RE-CONFIG and its parameters (RFC 6525 sections 3 and 4).
#ifndef RTCLAB_STACK_SCTP_CHUNKS_RECONFIG_H_
#define RTCLAB_STACK_SCTP_CHUNKS_RECONFIG_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/sctp/wire.h"

namespace rtclab::sctp {

// Section 4.1: the sender resets its outgoing streams.
//   |     Re-configuration Request Sequence Number                  |
//   |     Re-configuration Response Sequence Number                 |
//   |                Sender's Last Assigned TSN                     |
//   |  Stream Number 1 (optional)   |    Stream Number 2 (optional) |
struct OutgoingResetRequest {
  uint32_t request = 0;
  uint32_t response = 0;  // of the incoming reset request this answers, else the last one seen
  uint32_t last_tsn = 0;
  std::vector<uint16_t> streams;  // empty: all
  bool operator==(const OutgoingResetRequest&) const = default;
};

// Section 4.2: the sender asks the other side to reset its outgoing streams.
struct IncomingResetRequest {
  uint32_t request = 0;
  std::vector<uint16_t> streams;  // empty: all
  bool operator==(const IncomingResetRequest&) const = default;
};

// Section 4.3.
struct TsnResetRequest {
  uint32_t request = 0;
  bool operator==(const TsnResetRequest&) const = default;
};

// Sections 4.5 and 4.6.
struct AddStreamsRequest {
  uint32_t request = 0;
  uint16_t count = 0;
  bool outgoing = true;  // the sender's outgoing streams; else the receiver's
  bool operator==(const AddStreamsRequest&) const = default;
};

// Section 4.4.
enum class ReconfigResult : uint32_t {
  kNothingToDo = 0,
  kPerformed = 1,
  kDenied = 2,
  kWrongSsn = 3,
  kAlreadyInProgress = 4,
  kBadSequenceNumber = 5,
  kInProgress = 6,
};
struct ReconfigResponse {
  uint32_t response = 0;
  ReconfigResult result{};
  struct TsnReset {
    uint32_t sender_next = 0;
    uint32_t receiver_next = 0;
    bool operator==(const TsnReset&) const = default;
  };
  std::optional<TsnReset> tsns;  // answers a TSN reset
  bool operator==(const ReconfigResponse&) const = default;
};

using ReconfigParameter = std::variant<OutgoingResetRequest, IncomingResetRequest, TsnResetRequest,
                                       AddStreamsRequest, ReconfigResponse>;

// A RE-CONFIG chunk: one or two parameters (section 3.1).
struct ReconfigChunk {
  std::vector<ReconfigParameter> parameters;
  static Result<ReconfigChunk> Parse(const ChunkView& chunk);
  void AppendTo(Bytes& packet) const;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_CHUNKS_RECONFIG_H_
