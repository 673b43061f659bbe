#include "stack/stun/attribute.h"

#include <algorithm>
#include <array>

namespace rtclab::stun {
namespace {

using enum AttributeType;

constexpr std::array kRegistry = std::to_array<AttributeInfo>({
    {kMappedAddress, "MAPPED-ADDRESS", "RFC 8489"},
    {kResponseAddress, "RESPONSE-ADDRESS", "RFC 3489"},
    {kChangeRequest, "CHANGE-REQUEST", "RFC 5780"},
    {kSourceAddress, "SOURCE-ADDRESS", "RFC 3489"},
    {kChangedAddress, "CHANGED-ADDRESS", "RFC 3489"},
    {kUsername, "USERNAME", "RFC 8489"},
    {kPassword, "PASSWORD", "RFC 3489"},
    {kMessageIntegrity, "MESSAGE-INTEGRITY", "RFC 8489"},
    {kErrorCode, "ERROR-CODE", "RFC 8489"},
    {kUnknownAttributes, "UNKNOWN-ATTRIBUTES", "RFC 8489"},
    {kReflectedFrom, "REFLECTED-FROM", "RFC 3489"},
    {kChannelNumber, "CHANNEL-NUMBER", "RFC 8656"},
    {kLifetime, "LIFETIME", "RFC 8656"},
    {kBandwidth, "BANDWIDTH", "RFC 8656"},
    {kXorPeerAddress, "XOR-PEER-ADDRESS", "RFC 8656"},
    {kData, "DATA", "RFC 8656"},
    {kRealm, "REALM", "RFC 8489"},
    {kNonce, "NONCE", "RFC 8489"},
    {kXorRelayedAddress, "XOR-RELAYED-ADDRESS", "RFC 8656"},
    {kRequestedAddressFamily, "REQUESTED-ADDRESS-FAMILY", "RFC 8656"},
    {kEvenPort, "EVEN-PORT", "RFC 8656"},
    {kRequestedTransport, "REQUESTED-TRANSPORT", "RFC 8656"},
    {kDontFragment, "DONT-FRAGMENT", "RFC 8656"},
    {kAccessToken, "ACCESS-TOKEN", "RFC 7635"},
    {kMessageIntegritySha256, "MESSAGE-INTEGRITY-SHA256", "RFC 8489"},
    {kPasswordAlgorithm, "PASSWORD-ALGORITHM", "RFC 8489"},
    {kUserhash, "USERHASH", "RFC 8489"},
    {kXorMappedAddress, "XOR-MAPPED-ADDRESS", "RFC 8489"},
    {kTimerVal, "TIMER-VAL", "RFC 8656"},
    {kReservationToken, "RESERVATION-TOKEN", "RFC 8656"},
    {kPriority, "PRIORITY", "RFC 8445"},
    {kUseCandidate, "USE-CANDIDATE", "RFC 8445"},
    {kPadding, "PADDING", "RFC 5780"},
    {kResponsePort, "RESPONSE-PORT", "RFC 5780"},
    {kConnectionId, "CONNECTION-ID", "RFC 6062"},
    {kAdditionalAddressFamily, "ADDITIONAL-ADDRESS-FAMILY", "RFC 8656"},
    {kAddressErrorCode, "ADDRESS-ERROR-CODE", "RFC 8656"},
    {kPasswordAlgorithms, "PASSWORD-ALGORITHMS", "RFC 8489"},
    {kAlternateDomain, "ALTERNATE-DOMAIN", "RFC 8489"},
    {kIcmp, "ICMP", "RFC 8656"},
    {kSoftware, "SOFTWARE", "RFC 8489"},
    {kAlternateServer, "ALTERNATE-SERVER", "RFC 8489"},
    {kTransactionTransmitCounter, "TRANSACTION_TRANSMIT_COUNTER", "RFC 7982"},
    {kCacheTimeout, "CACHE-TIMEOUT", "RFC 5780"},
    {kFingerprint, "FINGERPRINT", "RFC 8489"},
    {kIceControlled, "ICE-CONTROLLED", "RFC 8445"},
    {kIceControlling, "ICE-CONTROLLING", "RFC 8445"},
    {kResponseOrigin, "RESPONSE-ORIGIN", "RFC 5780"},
    {kOtherAddress, "OTHER-ADDRESS", "RFC 5780"},
    {kEcnCheck, "ECN-CHECK STUN", "RFC 6679"},
    {kThirdPartyAuthorization, "THIRD-PARTY-AUTHORIZATION", "RFC 7635"},
    {kMobilityTicket, "MOBILITY-TICKET", "RFC 8016"},
    {kCiscoStunFlowdata, "CISCO-STUN-FLOWDATA", "IANA registry"},
    {kNomination, "NOMINATION", "draft-thatcher-ice-renomination-01"},
    {kEnfNetworkStatus, "ENF-NETWORK-STATUS", "IANA registry"},
    {kCiscoWebexFlowInfo, "CISCO-WEBEX-FLOW-INFO", "IANA registry"},
    {kCitrixTransactionId, "CITRIX-TRANSACTION-ID", "IANA registry"},
    {kGoogNetworkInfo, "GOOG-NETWORK-INFO", "IANA registry"},
    {kGoogLastIceCheckReceived, "GOOG-LAST-ICE-CHECK-RECEIVED", "IANA registry"},
    {kGoogMiscInfo, "GOOG-MISC-INFO", "IANA registry"},
    {kGoogObsolete1, "GOOG-OBSOLETE-1", "IANA registry"},
    {kGoogConnectionId, "GOOG-CONNECTION-ID", "IANA registry"},
    {kGoogDelta, "GOOG-DELTA", "IANA registry"},
    {kGoogDeltaAck, "GOOG-DELTA-ACK", "IANA registry"},
    {kGoogDeltaSyncReq, "GOOG-DELTA-SYNC-REQ", "IANA registry"},
    {kGoogMessageIntegrity32, "GOOG-MESSAGE-INTEGRITY-32", "IANA registry"},
});

struct Phrase {
  int code;
  std::string_view text;
};

constexpr std::array kPhrases = std::to_array<Phrase>({
    {kErrorTryAlternate, "Try Alternate"},
    {kErrorBadRequest, "Bad Request"},
    {kErrorUnauthenticated, "Unauthenticated"},
    {kErrorForbidden, "Forbidden"},
    {kErrorMobilityForbidden, "Mobility Forbidden"},
    {kErrorUnknownAttribute, "Unknown Attribute"},
    {kErrorAllocationMismatch, "Allocation Mismatch"},
    {kErrorStaleNonce, "Stale Nonce"},
    {kErrorAddressFamilyNotSupported, "Address Family not Supported"},
    {kErrorWrongCredentials, "Wrong Credentials"},
    {kErrorUnsupportedTransportProtocol, "Unsupported Transport Protocol"},
    {kErrorPeerAddressFamilyMismatch, "Peer Address Family Mismatch"},
    {kErrorConnectionAlreadyExists, "Connection Already Exists"},
    {kErrorConnectionTimeoutOrFailure, "Connection Timeout or Failure"},
    {kErrorAllocationQuotaReached, "Allocation Quota Reached"},
    {kErrorRoleConflict, "Role Conflict"},
    {kErrorServerError, "Server Error"},
    {kErrorInsufficientCapacity, "Insufficient Capacity"},
});

}  // namespace

std::span<const AttributeInfo> AttributeRegistry() { return kRegistry; }

std::string_view ToString(AttributeType type) {
  const auto it = std::lower_bound(
      kRegistry.begin(), kRegistry.end(), type,
      [](const AttributeInfo& info, AttributeType wanted) { return info.type < wanted; });
  return it != kRegistry.end() && it->type == type ? it->name : "unknown";
}

std::string_view ToString(Method method) {
  switch (method) {
    case Method::kBinding:
      return "Binding";
    case Method::kAllocate:
      return "Allocate";
    case Method::kRefresh:
      return "Refresh";
    case Method::kSend:
      return "Send";
    case Method::kData:
      return "Data";
    case Method::kCreatePermission:
      return "CreatePermission";
    case Method::kChannelBind:
      return "ChannelBind";
    case Method::kConnect:
      return "Connect";
    case Method::kConnectionBind:
      return "ConnectionBind";
    case Method::kConnectionAttempt:
      return "ConnectionAttempt";
  }
  return "unknown";
}

std::string_view ReasonPhrase(int error_code) {
  for (const Phrase& phrase : kPhrases) {
    if (phrase.code == error_code) return phrase.text;
  }
  return "";
}

}  // namespace rtclab::stun
