#include "stack/peer/types.h"

namespace rtclab::peer {
namespace {

template <std::size_t N, typename Enum>
std::string_view NameOf(const std::string_view (&names)[N], Enum value) {
  return names[static_cast<std::size_t>(value)];
}

}  // namespace

std::string_view ToString(ErrorName name) {
  static constexpr std::string_view kNames[] = {
      "InvalidStateError", "InvalidAccessError", "InvalidModificationError",
      "OperationError",    "SyntaxError",        "TypeError",
      "RangeError",        "NotSupportedError"};
  return NameOf(kNames, name);
}

std::string_view ToString(SdpType type) {
  static constexpr std::string_view kNames[] = {"offer", "pranswer", "answer", "rollback"};
  return NameOf(kNames, type);
}

std::string_view ToString(SignalingState state) {
  static constexpr std::string_view kNames[] = {"stable",
                                                "have-local-offer",
                                                "have-remote-offer",
                                                "have-local-pranswer",
                                                "have-remote-pranswer",
                                                "closed"};
  return NameOf(kNames, state);
}

std::string_view ToString(IceGatheringState state) {
  static constexpr std::string_view kNames[] = {"new", "gathering", "complete"};
  return NameOf(kNames, state);
}

std::string_view ToString(IceConnectionState state) {
  static constexpr std::string_view kNames[] = {
      "new", "checking", "connected", "completed", "disconnected", "failed", "closed"};
  return NameOf(kNames, state);
}

std::string_view ToString(ConnectionState state) {
  static constexpr std::string_view kNames[] = {"new",          "connecting", "connected",
                                                "disconnected", "failed",     "closed"};
  return NameOf(kNames, state);
}

std::string_view ToString(DtlsTransportState state) {
  static constexpr std::string_view kNames[] = {"new", "connecting", "connected", "closed",
                                                "failed"};
  return NameOf(kNames, state);
}

std::string_view ToString(MediaKind kind) { return kind == MediaKind::kAudio ? "audio" : "video"; }

std::string_view ToString(BundlePolicy policy) {
  static constexpr std::string_view kNames[] = {"balanced", "max-compat", "max-bundle"};
  return NameOf(kNames, policy);
}

std::string_view ToString(IceTransportPolicy policy) {
  return policy == IceTransportPolicy::kAll ? "all" : "relay";
}

}  // namespace rtclab::peer
