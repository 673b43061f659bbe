// What a data channel is made with, what it counts and what is reported about it, in the W3C's terms
// (RTCDataChannel and RTCSctpTransport of WebRTC 1.0).
#ifndef RTCLAB_STACK_DATACHANNEL_CHANNEL_H_
#define RTCLAB_STACK_DATACHANNEL_CHANNEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include "stack/base/bytes.h"

namespace rtclab::datachannel {

// Names a channel of one manager for good: it is known before the stream identifier and never used
// again. The W3C's `id` is ChannelInit::id and ChannelManager::stream_id().
enum class ChannelId : uint32_t {};

// RTCDataChannelState.
enum class ChannelState : uint8_t { kConnecting, kOpen, kClosing, kClosed };
std::string_view ToString(ChannelState state);  // "connecting", ...

// RTCSctpTransportState, with kNew before Start().
enum class TransportState : uint8_t { kNew, kConnecting, kConnected, kClosed };
std::string_view ToString(TransportState state);

// The exceptions of createDataChannel() and send().
enum class ErrorName : uint8_t { kTypeError, kInvalidStateError, kOperationError };
std::string_view ToString(ErrorName name);  // "TypeError", ...

struct ChannelError {
  ErrorName name{};
  std::string reason;  // one sentence
};

template <typename T>
using ChannelResult = tl::expected<T, ChannelError>;

// RTCErrorDetailType, as far as it is about data channels.
enum class ErrorDetail : uint8_t { kDataChannelFailure, kSctpFailure };
std::string_view ToString(ErrorDetail detail);  // "data-channel-failure", "sctp-failure"

struct ChannelFailure {
  ErrorDetail detail{};
  std::string reason;
};

// RTCDataChannelInit and the label. At most one of max_retransmits and max_packet_life_time_ms.
struct ChannelInit {
  std::string label;     // UTF-8, at most 65,535 bytes
  std::string protocol;  // likewise
  bool ordered = true;
  std::optional<uint16_t> max_retransmits;
  std::optional<uint16_t> max_packet_life_time_ms;
  // The application tells the peer: no DCEP, and `id` (0 to 65,534) is needed. Else `id` is ignored
  // when a channel is made, and set to the stream identifier in ChannelAnnounced.
  bool negotiated = false;
  std::optional<uint16_t> id;
  // RFC 8831 section 6.4: 128 below normal, 256 normal, 512 high, 1024 extra high; weights of the
  // SCTP scheduler. 0 counts as normal.
  uint16_t priority = 256;

  bool operator==(const ChannelInit&) const = default;
};

// RTCDataChannelStats, and what partial reliability gave up.
struct ChannelStats {
  std::string label;
  std::string protocol;
  std::optional<uint16_t> data_channel_identifier;
  ChannelState state = ChannelState::kConnecting;
  uint32_t messages_sent = 0;
  uint64_t bytes_sent = 0;
  uint32_t messages_received = 0;
  uint64_t bytes_received = 0;
  uint32_t messages_abandoned = 0;  // ours, not the W3C's
};

// --- Events. A channel's state changes when its event is polled, as the W3C's queued tasks do. ---

// The association is up. `max_channels` is RTCSctpTransport's maxChannels: identifiers are below it.
struct TransportConnected {
  uint16_t max_channels = 0;
};
// The association is gone, and with it every channel (each with its own event before this). `graceful`:
// by SHUTDOWN. `reason` is "shutdown" or begins with a stable short id of sctp::Aborted and
// sctp::ConnectFailed.
struct TransportClosed {
  bool graceful = false;
  std::string reason;
};
// The peer restarted the association (RFC 9260 section 5.2.4.1). Its channels are gone and ours closed.
struct TransportRestarted {};

// The peer opened a channel in-band; ChannelOpen follows.
struct ChannelAnnounced {
  ChannelId id{};
  ChannelInit init;
};
struct ChannelOpen {
  ChannelId id{};
};
// The peer, or an error, began to close the channel. Not after our own Close().
struct ChannelClosing {
  ChannelId id{};
};
// `failure`: the W3C's "error" event comes before "close".
struct ChannelClosed {
  ChannelId id{};
  std::optional<ChannelFailure> failure;
};
struct MessageReceived {
  ChannelId id{};
  bool binary = false;
  Bytes payload;
};
// bufferedAmount fell from above the threshold to it or below.
struct BufferedAmountLow {
  ChannelId id{};
};
// The peer broke a rule of RFC 8831 or 8832, or reported an SCTP error; `reason` begins with a stable
// short id: "dcep_malformed", "dcep_unordered", "dcep_stream_in_use", "dcep_wrong_parity",
// "dcep_unexpected_ack", "unknown_stream", "unsupported_ppid", "partial_mismatch",
// "message_too_big", "sctp". `stream` where it is about one.
struct ProtocolViolation {
  std::optional<uint16_t> stream;
  std::string reason;
};

using Event = std::variant<TransportConnected, TransportClosed, TransportRestarted,
                           ChannelAnnounced, ChannelOpen, ChannelClosing, ChannelClosed,
                           MessageReceived, BufferedAmountLow, ProtocolViolation>;

}  // namespace rtclab::datachannel

#endif  // RTCLAB_STACK_DATACHANNEL_CHANNEL_H_
