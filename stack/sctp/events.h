// What an association reports to whoever drives it.
#ifndef RTCLAB_STACK_SCTP_EVENTS_H_
#define RTCLAB_STACK_SCTP_EVENTS_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/sctp/config.h"

namespace rtclab::sctp {

// The association is established (RFC 9260's COMMUNICATION UP); what was agreed.
struct Connected {
  uint16_t outbound_streams = 0;
  uint16_t inbound_streams = 0;
  bool partial_reliability = false;
  bool interleaving = false;
  bool reconfig = false;
  bool zero_checksum = false;  // our packets leave the checksum away
};

struct MessageReceived {
  StreamId stream{};
  uint32_t ppid = 0;
  bool ordered = true;
  Bytes payload;
};

// Shut down gracefully, by us or by the peer (SHUTDOWN COMPLETE). The last event.
struct Closed {};

// The association is gone: an ABORT of the peer, ours, or too many retransmissions. The last event.
// `reason` begins with a stable short id: "peer_abort", "local_abort", "peer_unreachable",
// "protocol_violation", "shutdown_timeout"; words may follow after ": ".
struct Aborted {
  std::string reason;
  bool by_peer = false;
};

// Not established. "init_timeout", "cookie_timeout", "peer_abort", "protocol_violation". The last
// event.
struct ConnectFailed {
  std::string reason;
};

// The peer restarted the association (RFC 9260 section 5.2.4.1): all streams begin anew, and what was
// not acknowledged is lost.
struct Restarted {};

// ResetStreams() was done by the peer: the next message begins with sequence number 0.
struct StreamsResetPerformed {
  std::vector<StreamId> streams;
};
struct StreamsResetFailed {
  std::vector<StreamId> streams;
  std::string reason;
};
// The peer reset its outgoing streams, and every message before that was delivered. Empty: all.
struct IncomingStreamsReset {
  std::vector<StreamId> streams;
};
// The peer asks us to reset these outgoing streams of ours; that is under way already. Empty: all.
struct OutgoingResetRequested {
  std::vector<StreamId> streams;
};

// The unsent bytes of this stream fell to its threshold or below.
struct BufferedAmountLow {
  StreamId stream{};
};

// A message was given up under partial reliability.
struct MessageAbandoned {
  StreamId stream{};
  uint32_t ppid = 0;
  bool ordered = true;
  bool sent = false;  // a part of it may have arrived
};

// Something the peer reported (ERROR chunk) or did wrong that the association survives.
struct ProtocolError {
  std::string reason;
};

using Event =
    std::variant<Connected, MessageReceived, Closed, Aborted, ConnectFailed, Restarted,
                 StreamsResetPerformed, StreamsResetFailed, IncomingStreamsReset,
                 OutgoingResetRequested, BufferedAmountLow, MessageAbandoned, ProtocolError>;

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_EVENTS_H_
