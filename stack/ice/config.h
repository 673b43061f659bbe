// What an ICE agent can be told: roles, modes, timers. Every default is its RFC's.
#ifndef RTCLAB_STACK_ICE_CONFIG_H_
#define RTCLAB_STACK_ICE_CONFIG_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/ip_address.h"
#include "stack/base/units.h"

namespace rtclab::ice {

enum class Role : uint8_t { kControlling, kControlled };
std::string_view ToString(Role role);

// RFC 8838. kNone: regular ICE: candidates are conveyed, and checks begin, when each side has all
// of its own. kHalf: the initiator (the agent that starts as controlling) gathers all before it
// conveys any; the responder trickles. kFull: both trickle.
enum class Trickle : uint8_t { kNone, kHalf, kFull };

// kRegular: RFC 8445 section 8.1.1. kAggressive: RFC 5245 section 8.1.1.2, every check of the
// controlling agent nominates.
enum class Nomination : uint8_t { kRegular, kAggressive };

// Which addresses get the higher local preference. The interleaving modes put Hi addresses of the preferred family before
// each one of the other family, Hi being the number of all addresses divided by that of the other's (RFC 8421 section 4);
// kAsGiven keeps the order of the host addresses.
enum class FamilyPreference : uint8_t { kInterleaveIpv6First, kInterleaveIpv4First, kAsGiven };

// Which local candidates are conveyed and paired: all, all but host ones, or relayed ones only.
enum class CandidatePolicy : uint8_t { kAll, kNoHost, kRelayOnly };

struct ConsentConfig {
  bool enabled = true;  // full agents only (RFC 7675 section 2)
  TimeDelta interval =
      TimeDelta::Seconds(5);  // RFC 7675 section 5.1: times 0.8 to 1.2, never below 4 s
  TimeDelta expiry = TimeDelta::Seconds(30);  // RFC 7675 section 5.1
  // The state goes to disconnected when nothing answered for this long, and back when something
  // does. Own choice: two consent checks in a row may be lost before it happens.
  TimeDelta disconnected_after = TimeDelta::Seconds(15);
};

// When a controlling agent with regular nomination stops checking and picks (RFC 8445 section 8.1.1
// leaves it open). It nominates the valid pair of highest priority once every component has one and
// either no pair of higher priority can still become valid, or this long has passed since the
// component's first valid pair. The time depends on the worse candidate type of the best valid
// pair: the more there is to gain, the longer the wait.
struct NominationDelay {
  TimeDelta host = TimeDelta::Millis(100);
  TimeDelta reflexive = TimeDelta::Millis(200);
  TimeDelta relayed = TimeDelta::Millis(500);
};

struct Credentials {
  std::string ufrag;
  std::string password;
  bool operator==(const Credentials&) const = default;
};

struct AgentConfig {
  Role role = Role::kControlling;
  bool lite = false;
  Trickle trickle = Trickle::kFull;
  Nomination nomination = Nomination::kRegular;
  NominationDelay nomination_delay;
  FamilyPreference family_preference = FamilyPreference::kInterleaveIpv6First;
  CandidatePolicy policy = CandidatePolicy::kAll;
  ConsentConfig consent;

  // Components of each data stream, 1..256 each; one checklist a stream. The default is one
  // bundled, multiplexed stream.
  std::vector<int> streams = {1};

  TimeDelta ta = TimeDelta::Millis(50);        // RFC 8445 section 14.2; at least 5 ms
  TimeDelta min_rto = TimeDelta::Millis(500);  // RFC 8445 section 14.3
  int rc = 7;   // RFC 8489 section 6.2.1: transmissions of one request
  int rm = 16;  // RFC 8489 section 6.2.1: the last wait in multiples of the RTO
  TimeDelta patience = TimeDelta::Millis(39'500);  // RFC 8863 section 4: the PAC timer
  bool patience_ends_candidates =
      true;  // RFC 8863 section 5: the PAC timer also stands in for end-of-candidates
  TimeDelta keepalive = TimeDelta::Seconds(15);     // RFC 8445 section 11: Tr
  TimeDelta release_delay = TimeDelta::Seconds(3);  // RFC 8445 section 8.3.1
  int max_pairs = 100;                              // RFC 8445 section 6.1.2.5, over all checklists
  int max_remote_candidates = 100;  // RFC 8445 section 19.5.1: signalled ones, over all streams
  // Gathering is declared complete at this time after it began; infinite: when every server has
  // answered or timed out.
  TimeDelta gathering_timeout = TimeDelta::PlusInfinity();
  // A hard ICMP error fails the check it is about (RFC 8445 section 7.2.5.2.2). Off: anybody may
  // forge one.
  bool icmp_fails_checks = false;
  // Whether loopback addresses make host candidates; RFC 8445 section 5.1.1.1 forbids it.
  bool allow_loopback = false;
  // With several streams: whether the agent completes when some checklists failed and the others
  // completed (RFC 8445 section 8.1.2 leaves it to the controlling agent).
  bool continue_without_failed_streams = false;
  // The first generation's credentials; empty: made from the agent's random stream. A JSEP offer names them before there is
  // an agent (RFC 8829 section 5.2.1).
  Credentials credentials;
  int ufrag_length = 8;      // RFC 8445 section 5.3: 24 bits or more: 4..32 characters
  int password_length = 24;  // RFC 8445 section 5.3: 128 bits or more: 22..256 characters
};

// A socket that the driver has bound. Addresses of one stream and component must differ.
struct HostAddress {
  TransportAddress address;
  int stream = 0;
  int component = 1;
};

struct RelayServer {
  TransportAddress address;
};

// What the peer's description said beside its candidates.
struct RemoteParameters {
  Credentials credentials;
  bool lite = false;
  // RFC 8839 section 5.5: the peer's Ta; none: the default of 50 ms. The larger of both sides' is
  // used.
  std::optional<TimeDelta> ta = std::nullopt;
};

}  // namespace rtclab::ice

#endif  // RTCLAB_STACK_ICE_CONFIG_H_
