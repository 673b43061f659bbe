// The inside of Agent. Its functions stand in files by what they are about:
//   agent.cc           life cycle, restart, getters
//   agent_gather.cc    local candidates: hosts, STUN servers, relays
//   agent_remote.cc    the peer's parameters and candidates, forming the checklists
//   agent_check.cc     connectivity checks as a STUN client, and the pacer
//   agent_server.cc    received checks
//   agent_conclude.cc  nomination, selection, states, release
//   agent_data.cc      data, consent, keepalives, packets in and out, timers
#ifndef RTCLAB_STACK_ICE_AGENT_IMPL_H_
#define RTCLAB_STACK_ICE_AGENT_IMPL_H_

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stack/ice/agent.h"
#include "stack/ice/checklist.h"
#include "stack/ice/priority.h"
#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"
#include "stack/stun/transaction.h"

namespace rtclab::ice {

// The credentials of both sides of one generation, with their keys ready.
struct SessionKeys {
  int generation = 0;
  Credentials local;
  stun::IntegrityKey local_key;
  Credentials remote;  // empty until they are known
  stun::IntegrityKey remote_key;
  std::string username;  // of our requests: "remote:local" (RFC 8445 section 7.2.2)
  bool has_remote() const { return !remote.ufrag.empty(); }
};

class Agent::Impl {
 public:
  Impl(AgentConfig config, Rng& rng);

  // agent_gather.cc
  void Gather(Timestamp now, std::span<const HostAddress> hosts,
              std::span<const TransportAddress> stun_servers,
              std::span<const RelayServer> relay_servers);
  void AddRelayed(Timestamp now, int request_id, std::span<const TransportAddress> relayed,
                  const TransportAddress& mapped);
  void RelayFailed(Timestamp now, int request_id, int error_code, std::string_view reason);
  void RemoveLocalAddress(Timestamp now, const TransportAddress& base);

  // agent_remote.cc
  Result<void> SetRemoteParameters(Timestamp now, const RemoteParameters& remote);
  AddResult AddRemoteCandidate(Timestamp now, const Candidate& candidate, int stream);
  void EndOfRemoteCandidates(Timestamp now, std::string_view ufrag, int stream);

  // agent_check.cc
  void PermissionGranted(Timestamp now, const TransportAddress& relayed, const IpAddress& peer);
  void PermissionFailed(Timestamp now, const TransportAddress& relayed, const IpAddress& peer,
                        std::string_view reason);

  // agent.cc
  void Restart(Timestamp now, const Credentials& local = {});
  void SetServers(CandidatePolicy policy, std::vector<TransportAddress> stun_servers,
                  std::vector<RelayServer> relay_servers);
  void Close(Timestamp now);
  std::optional<CandidatePair> SelectedPair(int stream, int component) const;
  CandidatePair Describe(int stream, int component, int local, int remote, uint64_t priority) const;

  // agent_data.cc
  bool Send(Timestamp now, ByteView payload, int stream, int component);
  bool HandlePacket(Timestamp now, const Datagram& packet);
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);
  std::optional<Transmit> PollTransmit();
  std::optional<Event> PollEvent();
  Timestamp NextTimeout() const;

 private:
  friend class Agent;

  // --- Parts of the state ------------------------------------------------------------------------
  struct Socket {
    HostAddress host;
    uint32_t rank = 0;  // 0: most preferred (RFC 8421)
  };
  enum class TaskKind : uint8_t { kStun, kStunRefresh, kRelay };
  // A transaction with a server that waits for its turn.
  struct GatherTask {
    TaskKind kind = TaskKind::kStun;
    int base = -1;
    TransportAddress server;
    uint32_t server_index = 0;
  };
  struct GatherTransaction {
    stun::TransactionId id;
    GatherTask task;
    stun::RetransmitTimer timer;
    Bytes request;
    bool done = false;
  };
  struct RelayRequest {
    int id = 0;
    GatherTask task;
  };
  // An allocation. It outlives the generation that asked for it as long as data goes over it; the next one asks again.
  struct Relay {
    TransportAddress base;  // the socket it was allocated from
    TransportAddress server;
    TransportAddress relayed;
    TransportAddress mapped;
    int stream = 0;
    int component = 1;
    uint32_t server_index = 0;
    uint32_t nth = 0;     // of the addresses of its allocation
    int generation = -1;  // the last one in which it was there; -1: came too late for its own
  };
  // A NAT binding towards a STUN server (RFC 8445 section 5.1.1.4).
  struct StunBinding {
    GatherTask task;
    Timestamp refresh_at;
  };
  struct CheckTransaction {
    stun::TransactionId id;
    PairRef pair;
    int stream = 0;
    TransportAddress from, to;
    stun::RetransmitTimer timer;
    Timestamp expires;
    Bytes request;
    uint32_t priority = 0;  // the PRIORITY attribute
    Role role = Role::kControlling;
    bool nominating = false;
    bool cancelled = false;
    bool done = false;
    int log = -1;
  };
  enum class PermissionState : uint8_t { kNeeded, kRequested, kGranted, kFailed };
  struct Permission {
    TransportAddress relayed;
    IpAddress peer;
    PermissionState state = PermissionState::kNeeded;
  };
  // A check that came before the peer's credentials (RFC 8445 section 7.3).
  struct BufferedCheck {
    int base = -1;
    TransportAddress source;
    std::string remote_ufrag;
    uint32_t priority = 0;
    bool use_candidate = false;
  };
  struct EarlyCandidate {
    Candidate candidate;
    int stream = 0;
  };
  struct ConsentCheck {
    stun::TransactionId id;
  };
  // What a component sends on. Lives through restarts.
  struct Component {
    int stream = 0;
    int id = 1;
    std::shared_ptr<const SessionKeys> keys;  // null: nothing selected
    CandidatePair selected;
    TransportAddress from, to;  // the path that data takes: the selected pair's or a valid one's
    bool lost = false;          // consent expired or was revoked, or the socket is gone
    const char* lost_why = "";  // which of them, in words
    bool on_path = false;       // `from` and `to` are in use
    bool quiet = false;         // no consent for ConsentConfig::disconnected_after
    uint32_t priority_attribute = 0;
    Timestamp last_sent;
    Timestamp last_consent;  // when consent was last given
    Timestamp next_consent = Timestamp::PlusInfinity();
    std::vector<ConsentCheck> outstanding;
    Timestamp first_valid = Timestamp::PlusInfinity();  // in this generation
    bool has_selected() const { return keys != nullptr; }
  };
  struct StreamState {
    bool nominating = false;         // USE-CANDIDATE is on its way
    bool nomination_failed = false;  // RFC 8445 section 7.2.5.3.4
    Timestamp nominate_at = Timestamp::PlusInfinity();
    Timestamp release_at = Timestamp::PlusInfinity();
    std::string failure;
  };

  // --- agent.cc ----------------------------------------------------------------------------------
  void StartGeneration(Timestamp now, const Credentials& local);
  void ForgetTransactions(Timestamp now);
  Component& component(int stream, int id);
  const Component* FindComponent(int stream, int id) const;
  // Ends every public call that may have changed something: concludes what can be, and sends what may be sent.
  void Settle(Timestamp now);
  void SwitchRole(Role role, Timestamp now);
  void Emit(Event event) { events_.push_back(std::move(event)); }
  void SendPacket(const TransportAddress& from, const TransportAddress& to, Bytes payload);

  // --- agent_gather.cc ---------------------------------------------------------------------------
  bool WithholdsCandidates() const;
  uint32_t LocalPreference(const Socket& socket, uint32_t server_index, uint32_t nth) const;
  void AddHostCandidates(std::size_t first_socket);
  void AddServerTasks(std::size_t first_socket, std::size_t first_stun, std::size_t first_relay);
  void AddRelayCandidate(const Relay& relay);
  // Relays that this generation did not confirm, once nothing needs them any more.
  void ReleaseStaleRelays();
  // A base of this generation or a relay that an earlier one's data still goes over.
  bool ListensOn(const TransportAddress& address) const;
  void AddServerReflexive(int base, const TransportAddress& mapped, const TransportAddress& server,
                          uint32_t server_index);
  // Files a candidate unless it is redundant (RFC 8445 section 5.1.3), and conveys and pairs it when that is due.
  void AddLocalCandidate(LocalCandidate candidate);
  void Convey(int local);
  void MaybeFinishGathering();
  bool StartGatherTask(Timestamp now);
  bool HandleGatherResponse(Timestamp now, const Datagram& packet,
                            const stun::MessageView& message);
  void HandleGatherTimers(Timestamp now);
  const Socket& SocketOf(int base) const;
  uint32_t FoundationOf(CandidateType type, const IpAddress& base, const IpAddress& server) {
    return foundations_.Number(type, base, server);
  }

  // --- agent_remote.cc ---------------------------------------------------------------------------
  void ReplayEarly(Timestamp now);
  void MarkRemoteEnded(int stream);
  // Forms the checklists once what they need is there.
  void MaybeForm();
  void ConcludeBetweenLiteAgents(Timestamp now);
  int LearnRemote(int base, const TransportAddress& source, uint32_t priority);
  bool GenerationMatches(std::string_view ufrag) const {
    return ufrag.empty() || ufrag == keys_->remote.ufrag;
  }

  // --- agent_check.cc ----------------------------------------------------------------------------
  void RunPacer(Timestamp now);
  bool StartOneTransaction(Timestamp now);
  bool StartCheck(Timestamp now);
  bool RequestPermissions();
  void NotePermissions();
  Permission* FindPermission(const TransportAddress& relayed, const IpAddress& peer);
  bool MaySend(const Pair& pair);
  void SendCheck(Timestamp now, Pair& pair, bool triggered);
  Bytes BuildRequest(const stun::TransactionId& id, const SessionKeys& keys, uint32_t priority,
                     bool use_candidate) const;
  bool HandleCheckResponse(Timestamp now, CheckTransaction& check, const Datagram& packet,
                           const stun::MessageView& message);
  void HandleRoleConflictResponse(Timestamp now, CheckTransaction& check);
  void CheckSucceeded(Timestamp now, CheckTransaction& check, const TransportAddress& mapped);
  int AddValidPair(Timestamp now, Pair& pair, const CheckTransaction& check,
                   const TransportAddress& mapped);
  void CheckFailed(Timestamp now, CheckTransaction& check, FailureCause cause, int error_code);
  void CancelChecks(PairRef pair, Timestamp now);
  void HandleCheckTimers(Timestamp now);
  CheckRecord* LogOf(const CheckTransaction& check) {
    return check.log < 0 ? nullptr : &log_[static_cast<std::size_t>(check.log)];
  }
  void FinishLog(const CheckTransaction& check, Timestamp now, CheckOutcome outcome,
                 int error_code = 0);

  // --- agent_server.cc ---------------------------------------------------------------------------
  bool HandleRequest(Timestamp now, const Datagram& packet, const stun::MessageView& message);
  void RejectRequest(const Datagram& packet, const stun::MessageView& message, int code,
                     const stun::IntegrityKey* key);
  std::shared_ptr<const SessionKeys> KeysForUfrag(std::string_view ufrag) const;
  // True: the request was answered 487.
  bool ResolveRoleConflict(Timestamp now, const Datagram& packet, const stun::MessageView& message,
                           const stun::IntegrityKey& key);
  void ProcessReceivedCheck(Timestamp now, const BufferedCheck& check);
  void ProcessReceivedCheckLite(Timestamp now, const BufferedCheck& check, int remote);

  // --- agent_conclude.cc -------------------------------------------------------------------------
  void MaybeNominate(Timestamp now, int stream);
  bool BetterPairPossible(int stream, int component_id, uint64_t priority) const;
  TimeDelta NominationDelayOf(const ValidPair& valid) const;
  void Nominated(Timestamp now, int stream, ValidPair& valid);
  void NominationFailed(Timestamp now, Pair& pair);
  void RemovePairsOf(Timestamp now, int stream, int component_id, uint64_t selected_priority);
  void Complete(Timestamp now, int stream);
  void Select(Timestamp now, int stream, const ValidPair& valid);
  void MaybeFail(Timestamp now, int stream);
  std::string ExplainFailure(int stream);
  void ReleaseCandidates(int stream);
  bool AnyChecklistRuns() const;
  void UpdateState(Timestamp now);
  AgentState ComputeState(std::string& reason);

  // --- agent_data.cc -----------------------------------------------------------------------------
  bool HandleStun(Timestamp now, const Datagram& packet);
  bool HandleData(const Datagram& packet);
  bool HandleConsentResponse(Timestamp now, const Datagram& packet,
                             const stun::MessageView& message);
  void ScheduleConsent(Component& c, Timestamp now);
  void HandleComponentTimers(Timestamp now);
  void LoseConsent(Component& c, bool revoked, const char* why);
  void SendKeepalive(Component& c, Timestamp now);
  bool ConsentRuns(const Component& c) const {
    return c.has_selected() && !c.lost && config_.consent.enabled && !config_.lite;
  }

  AgentConfig config_;
  Rng* rng_;
  Role role_;
  bool initiator_;
  uint64_t tie_breaker_;
  TimeDelta ta_;
  AgentState state_ = AgentState::kNew;
  std::string failure_reason_;

  // Of this generation.
  std::shared_ptr<SessionKeys> keys_;
  std::shared_ptr<const SessionKeys> previous_keys_;  // still answered
  ChecklistSet set_;
  std::vector<StreamState> streams_;
  bool remote_lite_ = false;
  bool formed_ = false;
  Timestamp patience_until_ = Timestamp::PlusInfinity();
  bool patience_over_ = false;
  std::vector<BufferedCheck> buffered_checks_;
  // Where checks came to and from that were answered, in this generation or an earlier one: data may follow.
  struct ProvenPath {
    TransportAddress to, from;
    bool operator==(const ProvenPath&) const = default;
  };
  std::vector<ProvenPath> proven_paths_;
  std::vector<EarlyCandidate> early_candidates_;
  std::vector<std::pair<std::string, int>> early_ends_;
  int signalled_count_ = 0;

  // Gathering.
  std::vector<Socket> sockets_;
  uint32_t next_rank_ = 0;
  std::vector<TransportAddress> stun_servers_;
  std::vector<RelayServer> relay_servers_;
  struct Servers {
    CandidatePolicy policy = CandidatePolicy::kAll;
    std::vector<TransportAddress> stun;
    std::vector<RelayServer> relays;
  };
  std::optional<Servers> next_servers_;  // from the next restart on
  std::vector<Relay> relays_;
  FoundationTable foundations_;
  std::deque<GatherTask> gather_queue_;
  std::vector<GatherTransaction> gather_transactions_;
  std::vector<RelayRequest> relay_requests_;
  std::vector<StunBinding> stun_bindings_;
  int next_request_id_ = 1;
  int gather_task_count_ = 0;  // Num-Of-Cands of RFC 8445 section 14.3
  bool gathering_ = false;
  bool gathering_complete_ = false;
  Timestamp gathering_until_ = Timestamp::PlusInfinity();

  // Checks and pacing.
  std::vector<CheckTransaction> checks_;
  std::vector<Permission> permissions_;
  Timestamp next_slot_;     // no transaction may start before
  bool pacer_idle_ = true;  // nothing to start until something changes
  int next_kind_ = 0;       // whose turn it is: gathering, permissions, checks
  int next_stream_ = 0;     // RFC 8445 section 6.1.4.2
  std::vector<CheckRecord> log_;

  std::vector<Component> components_;
  std::deque<Transmit> transmits_;
  std::deque<Event> events_;
  AgentCounters counters_;
};

}  // namespace rtclab::ice

#endif  // RTCLAB_STACK_ICE_AGENT_IMPL_H_
