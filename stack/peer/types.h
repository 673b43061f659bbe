// The names of the W3C's webrtc-pc that a PeerConnection speaks in: states, description types, directions, policies, errors.
#ifndef RTCLAB_STACK_PEER_TYPES_H_
#define RTCLAB_STACK_PEER_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "stack/sdp/attribute.h"

namespace rtclab::peer {

// The exceptions that webrtc-pc's algorithms throw or reject with.
enum class ErrorName : uint8_t {
  kInvalidStateError,         // closed, or not in this signaling state
  kInvalidAccessError,        // content of a description or argument that is not allowed
  kInvalidModificationError,  // a change that is not allowed
  kOperationError,            // failed for its content: SDP syntax, unknown candidate, resources
  kSyntaxError,               // of a server's URL
  kTypeError,
  kRangeError,
  kNotSupportedError,
};
std::string_view ToString(ErrorName name);

struct PeerError {
  ErrorName name = ErrorName::kOperationError;
  std::string message;
  // RTCError with errorDetail "sdp-syntax-error": the line of the description, from 1; 0 otherwise.
  int sdp_line = 0;
};

template <typename T>
using PeerResult = tl::expected<T, PeerError>;

inline tl::unexpected<PeerError> Reject(ErrorName name, std::string message, int sdp_line = 0) {
  return tl::unexpected<PeerError>(PeerError{name, std::move(message), sdp_line});
}

enum class SdpType : uint8_t { kOffer, kPranswer, kAnswer, kRollback };
std::string_view ToString(SdpType type);

enum class SignalingState : uint8_t {
  kStable,
  kHaveLocalOffer,
  kHaveRemoteOffer,
  kHaveLocalPranswer,
  kHaveRemotePranswer,
  kClosed
};
std::string_view ToString(SignalingState state);

enum class IceGatheringState : uint8_t { kNew, kGathering, kComplete };
std::string_view ToString(IceGatheringState state);

// RTCIceConnectionState.
enum class IceConnectionState : uint8_t {
  kNew,
  kChecking,
  kConnected,
  kCompleted,
  kDisconnected,
  kFailed,
  kClosed
};
std::string_view ToString(IceConnectionState state);

// RTCPeerConnectionState.
enum class ConnectionState : uint8_t {
  kNew,
  kConnecting,
  kConnected,
  kDisconnected,
  kFailed,
  kClosed
};
std::string_view ToString(ConnectionState state);

enum class DtlsTransportState : uint8_t { kNew, kConnecting, kConnected, kClosed, kFailed };
std::string_view ToString(DtlsTransportState state);

// RTCRtpTransceiverDirection without "stopped", which Transceiver::stopped says: RFC 8866 section 6.7's four.
using Direction = sdp::Direction;
constexpr bool Sends(Direction d) { return d == Direction::kSendRecv || d == Direction::kSendOnly; }
constexpr bool Receives(Direction d) {
  return d == Direction::kSendRecv || d == Direction::kRecvOnly;
}
constexpr Direction MakeDirection(bool sends, bool receives) {
  if (sends) return receives ? Direction::kSendRecv : Direction::kSendOnly;
  return receives ? Direction::kRecvOnly : Direction::kInactive;
}

enum class MediaKind : uint8_t { kAudio, kVideo };
std::string_view ToString(MediaKind kind);

enum class BundlePolicy : uint8_t { kBalanced, kMaxCompat, kMaxBundle };
std::string_view ToString(BundlePolicy policy);

enum class IceTransportPolicy : uint8_t { kAll, kRelay };
std::string_view ToString(IceTransportPolicy policy);

// RTCSessionDescriptionInit.
struct SessionDescriptionInit {
  SdpType type = SdpType::kOffer;
  std::string sdp;
};

// RTCIceCandidateInit. An empty candidate is the end of candidates.
struct IceCandidateInit {
  std::string candidate;
  std::optional<std::string> sdp_mid;
  std::optional<uint16_t> sdp_m_line_index;
  std::optional<std::string> username_fragment;
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_TYPES_H_
