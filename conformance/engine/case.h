// A conformance case: data that says which clauses it rests on and what it needs, and one function.
#ifndef RTCLAB_CONFORMANCE_ENGINE_CASE_H_
#define RTCLAB_CONFORMANCE_ENGINE_CASE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "conformance/socket/channel.h"
#include "stack/base/ip_address.h"

namespace rtclab::conformance {

class Test;

// How binding a clause is. A failed check of a case is graded by the level of its first clause.
enum class Level : uint8_t {
  kMust,  // the text says MUST, SHALL or REQUIRED at this place
  kMustNot,
  kProse,  // normative prose without the capital word: "the server rejects the request with a 400"
  kShould,
  kShouldNot,
  kRecommended,
  kMay,
  kInfo,    // the text is silent: what the server does is reported
  kPolicy,  // no RFC: a safety rule with its own source
};
std::string_view ToString(Level level);  // "MUST", "MUST NOT", "required", "SHOULD", ..., "policy"

struct Clause {
  std::string_view
      rfc;  // "8656"; for kPolicy the source: "CVE-2020-26262", "draft-uberti-behave-turn-rest"
  std::string_view section;  // "7.2"; empty for kPolicy
  Level level{};
  // At most 25 words of the RFC, letter for letter but for line breaks. It holds the capital word if the level has one. For
  // kPolicy: the rule, in our words.
  std::string_view quote;
};

// What a server may have or lack. Declared in the target's profile or found by a probe (features.h).
enum class Feature : uint8_t {
  kTurn,  // it allocates for our credentials
  kUdpTransport,
  kTcpTransport,
  kTlsTransport,
  kDtlsTransport,
  kIpv6Transport,  // reachable over IPv6
  kIpv6Relay,      // it has IPv6 relayed addresses
  kIpv4Relay,
  kDualAllocation,  // ADDITIONAL-ADDRESS-FAMILY gives two relayed addresses
  kEvenPort,
  kReservation,  // RESERVATION-TOKEN
  kDontFragment,
  kSecurityFeatures,  // RFC 8489 nonce cookie with PASSWORD-ALGORITHMS
  kUserhash,          // nonce cookie bit 1
  kTcpRelay,          // RFC 6062
  kMobility,          // RFC 8016
  kOauth,             // RFC 7635
  kNatDiscovery,      // RFC 5780 with a second address
  kResponsePort,      // RFC 5780 section 7.5
  kPadding,           // RFC 5780 section 7.6
  kClassicStun,       // answers RFC 3489 clients
  kAlpn,              // RFC 7443
  kIcmp,              // reports ICMP errors, RFC 8656 section 11.5
  kRestCredentials,   // time-limited credentials
  kRedirect,          // answers 300
};
inline constexpr std::size_t kFeatureCount = 25;
std::string_view ToString(Feature feature);  // "tcp-relay", ...: the name in a target's profile
std::optional<Feature> ParseFeature(std::string_view name);
Feature TransportFeature(Transport transport);

// Which of our own means a case needs.
enum class PeerNeed : uint8_t {
  kNone,
  kAny,  // some peer: a local socket, another allocation, or a remote peer-echo
  kTcp,  // TCP peers (RFC 6062): sockets of ours that the server reaches, or of a remote peer-echo
  kLocal,     // a socket of ours that the server reaches, with its real source address
  kTwoLocal,  // two sockets on two of our IP addresses of one family
};

struct Needs {
  // Over which transport the case has to run; none: the one that the user named.
  std::optional<Transport> transport{};
  std::optional<AddressFamily> family{};  // of the 5-tuple; none: the one that the user named
  std::vector<Feature> features{};
  PeerNeed peer = PeerNeed::kNone;
  bool credentials = false;  // a user of the server
  bool second_user = false;
  bool denied_peer = false;  // an address that the target's profile says the server refuses
};

// Which pair of RFCs the server is held to.
enum class Edition : uint8_t {
  kBoth,
  kCurrent,  // RFC 8489 and RFC 8656 only
  kClassic,  // RFC 5389 and RFC 5766 only
};

struct Case {
  std::string_view id;     // "turn.alloc.token-even": stable for ever
  std::string_view title;  // a short sentence: what the server has to do
  std::vector<Clause> clauses;
  Needs needs{};
  Edition edition = Edition::kBoth;
  bool slow = false;       // waits for lifetimes to pass; only with --slow
  bool safety = false;     // only with --safety
  bool exclusive = false;  // nothing else may run at the same time (it fills quotas, it floods)
  // Requirements that this case covers besides the one named like itself (requirements.h).
  std::vector<std::string_view> covers{};
  void (*run)(Test&) = nullptr;
};

using CaseList = std::vector<Case>;

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_CASE_H_
