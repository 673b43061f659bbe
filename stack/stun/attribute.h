// The attribute and method numbers of the IANA "STUN Parameters" registries: STUN, TURN, ICE and NAT behaviour discovery.
#ifndef RTCLAB_STACK_STUN_ATTRIBUTE_H_
#define RTCLAB_STACK_STUN_ATTRIBUTE_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace rtclab::stun {

// RFC 8489 section 14. Types below 0x8000 are comprehension-required.
enum class AttributeType : uint16_t {
  kMappedAddress = 0x0001,
  kResponseAddress = 0x0002,  // RFC 3489, withdrawn
  kChangeRequest = 0x0003,    // RFC 5780
  kSourceAddress = 0x0004,    // RFC 3489, withdrawn
  kChangedAddress = 0x0005,   // RFC 3489, withdrawn
  kUsername = 0x0006,
  kPassword = 0x0007,  // RFC 3489, withdrawn
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000a,
  kReflectedFrom = 0x000b,   // RFC 3489, withdrawn
  kChannelNumber = 0x000c,   // RFC 8656
  kLifetime = 0x000d,        // RFC 8656
  kBandwidth = 0x0010,       // withdrawn before RFC 5766
  kXorPeerAddress = 0x0012,  // RFC 8656
  kData = 0x0013,            // RFC 8656
  kRealm = 0x0014,
  kNonce = 0x0015,
  kXorRelayedAddress = 0x0016,       // RFC 8656
  kRequestedAddressFamily = 0x0017,  // RFC 8656
  kEvenPort = 0x0018,                // RFC 8656
  kRequestedTransport = 0x0019,      // RFC 8656
  kDontFragment = 0x001a,            // RFC 8656
  kAccessToken = 0x001b,             // RFC 7635
  kMessageIntegritySha256 = 0x001c,
  kPasswordAlgorithm = 0x001d,
  kUserhash = 0x001e,
  kXorMappedAddress = 0x0020,
  kTimerVal = 0x0021,          // withdrawn before RFC 5766
  kReservationToken = 0x0022,  // RFC 8656
  kPriority = 0x0024,          // RFC 8445
  kUseCandidate = 0x0025,      // RFC 8445
  kPadding = 0x0026,           // RFC 5780
  kResponsePort = 0x0027,      // RFC 5780
  kConnectionId = 0x002a,      // RFC 6062

  kAdditionalAddressFamily = 0x8000,  // RFC 8656
  kAddressErrorCode = 0x8001,         // RFC 8656
  kPasswordAlgorithms = 0x8002,
  kAlternateDomain = 0x8003,
  kIcmp = 0x8004,  // RFC 8656
  kSoftware = 0x8022,
  kAlternateServer = 0x8023,
  kTransactionTransmitCounter = 0x8025,  // RFC 7982
  kCacheTimeout = 0x8027,                // RFC 5780
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,            // RFC 8445
  kIceControlling = 0x802a,           // RFC 8445
  kResponseOrigin = 0x802b,           // RFC 5780
  kOtherAddress = 0x802c,             // RFC 5780
  kEcnCheck = 0x802d,                 // RFC 6679
  kThirdPartyAuthorization = 0x802e,  // RFC 7635
  kMobilityTicket = 0x8030,           // RFC 8016

  // Vendors' own, as the registry lists them.
  kCiscoStunFlowdata = 0xc000,
  // The registry has ENF-FLOW-DESCRIPTION here; ICE agents use the number for draft-thatcher-ice-renomination-01.
  kNomination = 0xc001,
  kEnfNetworkStatus = 0xc002,
  kCiscoWebexFlowInfo = 0xc003,
  kCitrixTransactionId = 0xc056,
  kGoogNetworkInfo = 0xc057,
  kGoogLastIceCheckReceived = 0xc058,
  kGoogMiscInfo = 0xc059,
  kGoogObsolete1 = 0xc05a,
  kGoogConnectionId = 0xc05b,
  kGoogDelta = 0xc05c,
  kGoogDeltaAck = 0xc05d,
  kGoogDeltaSyncReq = 0xc05e,
  kGoogMessageIntegrity32 = 0xc060,
};

// RFC 8489 section 14: an agent that does not understand such an attribute cannot process the message.
constexpr bool IsComprehensionRequired(AttributeType type) {
  return static_cast<uint16_t>(type) < 0x8000;
}

struct AttributeInfo {
  AttributeType type;
  std::string_view name;    // as the registry writes it
  std::string_view source;  // the RFC that defines it
};

// Every attribute above, ascending by number.
std::span<const AttributeInfo> AttributeRegistry();
// The registry's name, "USERNAME" for 0x0006; "unknown" for a number that is not in the table.
std::string_view ToString(AttributeType type);

// RFC 8489 section 18.2, RFC 8656 section 17, RFC 6062 section 6.1.
enum class Method : uint16_t {
  kBinding = 0x001,
  kAllocate = 0x003,
  kRefresh = 0x004,
  kSend = 0x006,
  kData = 0x007,
  kCreatePermission = 0x008,
  kChannelBind = 0x009,
  kConnect = 0x00a,
  kConnectionBind = 0x00b,
  kConnectionAttempt = 0x00c,
};
// "Binding"; "unknown" for a number that is not in the list.
std::string_view ToString(Method method);

// Error codes of RFC 8489 section 14.8, RFC 8656 section 19, RFC 8445 section 16.2, RFC 6062 section 6.3, RFC 8016.
inline constexpr int kErrorTryAlternate = 300;
inline constexpr int kErrorBadRequest = 400;
inline constexpr int kErrorUnauthenticated = 401;
inline constexpr int kErrorForbidden = 403;
inline constexpr int kErrorMobilityForbidden = 405;
inline constexpr int kErrorUnknownAttribute = 420;
inline constexpr int kErrorAllocationMismatch = 437;
inline constexpr int kErrorStaleNonce = 438;
inline constexpr int kErrorAddressFamilyNotSupported = 440;
inline constexpr int kErrorWrongCredentials = 441;
inline constexpr int kErrorUnsupportedTransportProtocol = 442;
inline constexpr int kErrorPeerAddressFamilyMismatch = 443;
inline constexpr int kErrorConnectionAlreadyExists = 446;
inline constexpr int kErrorConnectionTimeoutOrFailure = 447;
inline constexpr int kErrorAllocationQuotaReached = 486;
inline constexpr int kErrorRoleConflict = 487;
inline constexpr int kErrorServerError = 500;
inline constexpr int kErrorInsufficientCapacity = 508;
// The reason phrase that the registry recommends; empty for a code that is not in it.
std::string_view ReasonPhrase(int error_code);

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_ATTRIBUTE_H_
