// What an ICE agent reports: events as they happen, and the log of its checks.
#ifndef RTCLAB_STACK_ICE_EVENTS_H_
#define RTCLAB_STACK_ICE_EVENTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/ip_address.h"
#include "stack/base/units.h"
#include "stack/ice/candidate.h"
#include "stack/ice/config.h"

namespace rtclab::ice {

// The W3C's RTCIceTransportState, which refines RFC 8445 section 6.1.3's Running: kConnected has a
// valid pair for every component, kCompleted a selected one. kDisconnected: consent goes unanswered
// but has not expired.
enum class AgentState : uint8_t {
  kNew,
  kChecking,
  kConnected,
  kCompleted,
  kDisconnected,
  kFailed,
  kClosed
};
std::string_view ToString(AgentState state);

// RFC 8445 section 6.1.2.1.
enum class ChecklistState : uint8_t { kRunning, kCompleted, kFailed };
std::string_view ToString(ChecklistState state);

// RFC 8445 section 6.1.2.6.
enum class PairState : uint8_t { kFrozen, kWaiting, kInProgress, kSucceeded, kFailed };
std::string_view ToString(PairState state);

struct CandidatePair {
  int stream = 0;
  int component = 1;
  Candidate local;
  Candidate remote;
  uint64_t priority = 0;
};

// Convey this candidate to the peer now. In half and no trickle it comes only when all are
// gathered. `candidate.ufrag` is the generation's.
struct LocalCandidateGathered {
  int stream = 0;
  Candidate candidate;
};
// All local candidates of this generation are known: convey end-of-candidates (RFC 8838 section
// 13).
struct GatheringComplete {
  std::string ufrag;
};
// A STUN or TURN server gave no candidate. `error_code` is 0 for a timeout.
struct GatheringFailed {
  TransportAddress base;
  TransportAddress server;
  int error_code = 0;
  std::string reason;
  bool relay = false;  // an allocation was wanted, not a Binding answer
};
// Allocate at `server` from the local address `base`, or after a restart make sure that the
// allocation is still there (RFC 8656 section 8: by a Refresh); answer with AddRelayedCandidates()
// or RelayFailed().
struct RelayRequested {
  int request_id = 0;
  TransportAddress base;
  TransportAddress server;
};
// Create TURN permissions on the allocation of `relayed` for `peers`; answer with
// PermissionGranted() or PermissionFailed() for each. No check leaves from `relayed` to a peer
// before its permission is granted (RFC 8445 section 7.2.1). They have to be kept until the
// candidate is released.
struct PermissionWanted {
  TransportAddress relayed;
  std::vector<IpAddress> peers;
};
// A check succeeded and this pair entered the valid list; data may be sent on it (RFC 8445
// section 12.1).
struct PairValid {
  CandidatePair pair;
};
// Data of the component now goes over this pair. With a relayed local candidate: the time to bind a
// TURN channel.
struct SelectedPairChanged {
  CandidatePair pair;
};
struct StateChanged {
  AgentState state = AgentState::kNew;
  std::string reason;  // why, when it is kFailed or kDisconnected; else empty
};
struct ChecklistFailed {
  int stream = 0;
  std::string reason;
};
// A role conflict was repaired (RFC 8445 section 7.3.1.1), or the peer turned out to be lite.
struct RoleChanged {
  Role role = Role::kControlling;
};
// Nothing more is sent on the component's pair; a restart is needed (RFC 7675 section 5.1).
struct ConsentExpired {
  int stream = 0;
  int component = 1;
  bool revoked = false;  // the peer answered 403 (RFC 7675 section 5.2)
};
struct DataReceived {
  int stream = 0;
  int component = 1;
  TransportAddress source;
  Bytes payload;
};
// RFC 8445 section 8.3: this host or relayed candidate did not become a selected one and is no
// longer listened on. A relayed one's allocation may be closed; it will be requested again after a
// restart.
struct CandidateReleased {
  int stream = 0;
  Candidate candidate;
};
// The peer's changed credentials restarted this agent: convey the new local credentials and
// candidates.
struct Restarted {};

using Event =
    std::variant<LocalCandidateGathered, GatheringComplete, GatheringFailed, RelayRequested,
                 PermissionWanted, PairValid, SelectedPairChanged, StateChanged, ChecklistFailed,
                 RoleChanged, ConsentExpired, DataReceived, CandidateReleased, Restarted>;

enum class CheckOutcome : uint8_t {
  kPending,       // no answer yet
  kSucceeded,     // RFC 8445 section 7.2.5.3
  kTimeout,       // section 7.2.5.2.3
  kError,         // section 7.2.5.2.4 or 7.2.5.1: `error_code` says which
  kNonSymmetric,  // section 7.2.5.2.1: answered from or to another address
  kIcmp,          // section 7.2.5.2.2
  kCancelled,     // section 7.3.1.4 or 8.1.2: no longer retransmitted, and no answer came
};
std::string_view ToString(CheckOutcome outcome);

// One connectivity check: one STUN transaction.
struct CheckRecord {
  int generation = 0;  // counts restarts
  int stream = 0;
  int component = 1;
  CandidateType local_type = CandidateType::kHost;  // host or relay: checks leave from bases
  CandidateType remote_type = CandidateType::kHost;
  TransportAddress local;  // the base it was sent from
  TransportAddress remote;
  std::array<uint8_t, 12> transaction_id{};
  bool triggered = false;                // from the triggered-check queue
  bool nominating = false;               // carried USE-CANDIDATE
  bool cancelled = false;                // no longer retransmitted; an answer may still have come
  Role role = Role::kControlling;        // as the request said
  TimeDelta rto;                         // RFC 8445 section 14.3
  std::vector<Timestamp> transmissions;  // the first one included
  std::optional<Timestamp> finished;     // when the outcome was known
  CheckOutcome outcome = CheckOutcome::kPending;
  int error_code = 0;
  TransportAddress mapped;  // XOR-MAPPED-ADDRESS of a success
};

struct AgentCounters {
  uint64_t checks_sent = 0;      // transactions
  uint64_t retransmissions = 0;  // of checks
  uint64_t checks_succeeded = 0;
  uint64_t checks_failed = 0;
  uint64_t checks_received = 0;  // authenticated Binding requests
  uint64_t checks_rejected = 0;  // Binding requests answered with an error, role conflicts included
  uint64_t role_conflicts = 0;   // 487 sent or received
  uint64_t consent_sent = 0;
  uint64_t consent_answered = 0;
  uint64_t keepalives_sent = 0;
  uint64_t keepalives_received = 0;
  uint64_t gathering_sent = 0;  // Binding requests to STUN servers, retransmissions included
  uint64_t data_sent = 0;
  uint64_t data_received = 0;
  uint64_t dropped = 0;  // packets that were neither authentic nor from a known remote candidate
};

}  // namespace rtclab::ice

#endif  // RTCLAB_STACK_ICE_EVENTS_H_
