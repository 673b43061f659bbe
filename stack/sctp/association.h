// One SCTP association (RFC 9260) with the extensions that data channels ask for (RFC 8831), over a
// lower layer that is one path: a DTLS connection.
#ifndef RTCLAB_STACK_SCTP_ASSOCIATION_H_
#define RTCLAB_STACK_SCTP_ASSOCIATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/sctp/config.h"
#include "stack/sctp/events.h"
#include "stack/sctp/metrics.h"

namespace rtclab::sctp {

// RFC 9260 section 4's states.
enum class State : uint8_t {
  kClosed,
  kCookieWait,
  kCookieEchoed,
  kEstablished,
  kShutdownPending,
  kShutdownSent,
  kShutdownReceived,
  kShutdownAckSent,
};
std::string_view ToString(State state);

// Sans-IO as stack/base/sans_io.h has it; a transmit is one SCTP packet in the clear. Data packets are
// made while they are polled, at the time of the last call that brought one. Either end may Connect(),
// or both; one that does not answers an INIT in kClosed.
class Association {
 public:
  using Event = sctp::Event;

  // `rng` makes tags, initial TSNs, the cookie's key and the jitter of heartbeats; it must outlive the
  // association.
  Association(AssociationConfig config, Rng& rng);
  ~Association();
  Association(Association&&) noexcept;
  Association& operator=(Association&&) noexcept;

  State state() const;
  const AssociationConfig& config() const;
  Metrics metrics() const;
  // How many outgoing streams there are; before kEstablished what the configuration asks for.
  uint16_t outbound_streams() const;

  // Sends INIT. Only in kClosed, once; ends in Connected or ConnectFailed.
  void Connect(Timestamp now);

  // Queues a message; before kEstablished it waits for it. Fails for an empty payload (RFC 9260 section
  // 3.3.1 has none), a stream beyond the peer's limit, after Shutdown() or the end, and beyond
  // config().send_buffer.
  Result<void> Send(Timestamp now, StreamId stream, uint32_t ppid, Bytes payload,
                    const SendOptions& options = {});

  // Resets outgoing streams (RFC 6525) when what they hold is sent and acknowledged; messages that come
  // later wait for it. Ends in StreamsResetPerformed or StreamsResetFailed. A stream may be named again
  // while its reset is under way; that changes nothing.
  void ResetStreams(Timestamp now, std::span<const StreamId> streams);
  // Asks for `count` more outgoing streams (RFC 6525 section 5.1.5): outbound_streams() grows when the peer
  // agrees, else a ProtocolError comes.
  void AddOutgoingStreams(Timestamp now, uint16_t count);
  // Asks the peer to reset its outgoing streams; shows as IncomingStreamsReset when it does, else as
  // StreamsResetFailed.
  void RequestIncomingReset(Timestamp now, std::span<const StreamId> streams);

  // Ends gracefully: what is queued is sent first. Ends in Closed or Aborted.
  void Shutdown(Timestamp now);
  // Ends at once with an ABORT that carries `reason`. Ends in Aborted.
  void Abort(Timestamp now, std::string_view reason);

  // The path takes packets of at most `mtu` bytes from now on (256 to 65,532). What was fragmented
  // already keeps its size.
  void SetMtu(Timestamp now, std::size_t mtu);
  // The lower layer changed its path (another ICE candidate pair): congestion and RTO begin anew and the
  // path MTU is tested again (RFC 8831 section 5).
  void PathChanged(Timestamp now);

  // `packet` belongs to the caller and is valid during the call.
  void HandlePacket(Timestamp now, ByteView packet);
  void HandleTimeout(Timestamp now);
  std::optional<Bytes> PollTransmit();
  std::optional<Event> PollEvent();
  Timestamp NextTimeout() const;

  // Bytes of user data queued and not yet in a packet: of one stream, of all.
  std::size_t buffered_amount(StreamId stream) const;
  std::size_t buffered_amount() const;
  // BufferedAmountLow comes when the amount falls from above to `bytes` or below. 0 at first.
  void SetBufferedAmountLowThreshold(StreamId stream, std::size_t bytes);
  // 1 to 65,535, at first 256; what it means is the scheduler's (SchedulerKind).
  void SetStreamPriority(StreamId stream, uint16_t priority);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_ASSOCIATION_H_
