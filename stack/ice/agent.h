// An ICE agent, full or lite: RFC 8445 with trickle (RFC 8838), consent (RFC 7675), patience (RFC
// 8863) and dual-stack priorities (RFC 8421). Sans-IO: see stack/base/sans_io.h for how it is
// driven.
//
//   Agent agent(config, rng);
//   agent.Gather(now, hosts, stun_servers, relay_servers);  // LocalCandidateGathered events follow
//   agent.SetRemoteParameters(now, {.credentials = ...});   // checks may begin
//   agent.AddRemoteCandidate(now, candidate);               // trickled, or all at once
//   agent.EndOfRemoteCandidates(now);
//   agent.Send(now, payload);                               // as soon as a pair is valid
//
// TURN is not in here. A relayed candidate is asked for by RelayRequested; a Transmit whose source
// is a relayed address is to be sent through its allocation, and a datagram that comes out of one
// is handed in with the relayed address as its destination and the peer as its source.
#ifndef RTCLAB_STACK_ICE_AGENT_H_
#define RTCLAB_STACK_ICE_AGENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/datagram.h"
#include "stack/base/error.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/ice/candidate.h"
#include "stack/ice/config.h"
#include "stack/ice/events.h"

namespace rtclab::ice {

enum class AddResult : uint8_t {
  kAdded,
  kDuplicate,  // the same address is known; a peer-reflexive candidate took over the signalled type
  kBuffered,   // came before SetRemoteParameters()
  kStaleGeneration,  // its ufrag is not the peer's current one (RFC 8838 section 9)
  kAfterEnd,         // after end-of-candidates (RFC 8838 section 14)
  kUnsupported,      // TCP, a name, or a stream or component that this agent does not have
  kTooMany,          // AgentConfig::max_remote_candidates
};

class Agent {
 public:
  // `rng` makes credentials, tie-breakers, transaction ids and the consent jitter; it must outlive
  // the agent.
  Agent(AgentConfig config, Rng& rng);
  ~Agent();
  Agent(Agent&&) noexcept;
  Agent& operator=(Agent&&) noexcept;

  // --- Local candidates --------------------------------------------------------------------------

  // Starts gathering, or adds to it. Addresses that RFC 8445 section 5.1.1.1 excludes are skipped;
  // a server is asked from every host address of its family. Lite agents use the host addresses
  // only. One transaction starts every Ta.
  void Gather(Timestamp now, std::span<const HostAddress> hosts,
              std::span<const TransportAddress> stun_servers,
              std::span<const RelayServer> relay_servers);
  // As above, all addresses being component 1 of stream 0.
  void Gather(Timestamp now, std::span<const TransportAddress> hosts,
              std::span<const TransportAddress> stun_servers,
              std::span<const RelayServer> relay_servers);

  // Answers to RelayRequested; an unknown or answered `request_id` is ignored. `relayed`: one or
  // two addresses (RFC 8656 section 7.2's ADDITIONAL-ADDRESS-FAMILY); `mapped`: XOR-MAPPED-ADDRESS
  // of the Allocate response, which is also a server-reflexive candidate of the base. After a restart: the addresses of
  // the allocation that is there already, if it still lives, or those of a new one.
  void AddRelayedCandidates(Timestamp now, int request_id,
                            std::span<const TransportAddress> relayed,
                            const TransportAddress& mapped);
  void AddRelayedCandidate(Timestamp now, int request_id, const TransportAddress& relayed,
                           const TransportAddress& mapped) {
    AddRelayedCandidates(now, request_id, {&relayed, 1}, mapped);
  }
  // `error_code`: the STUN error, 0 for a timeout. After 486 and 508 the server is asked by a
  // Binding request instead (RFC 8445 section 5.1.1.2).
  void RelayFailed(Timestamp now, int request_id, int error_code, std::string_view reason);

  // Answers to PermissionWanted. A failed permission fails the pairs that needed it.
  void PermissionGranted(Timestamp now, const TransportAddress& relayed, const IpAddress& peer);
  void PermissionFailed(Timestamp now, const TransportAddress& relayed, const IpAddress& peer,
                        std::string_view reason);

  // The socket or allocation of a host or relayed candidate is gone: its candidates and pairs go
  // with it (RFC 8445 section 5.1.1.4). A selected pair is lost too; ConsentExpired says so.
  void RemoveLocalAddress(Timestamp now, const TransportAddress& base);

  const Credentials& local_credentials() const;
  // Candidates of the current generation that are not redundant, peer-reflexive ones at the end as
  // they were learnt.
  std::vector<Candidate> local_candidates(int stream = 0) const;
  bool gathering_complete() const;

  // --- The peer ----------------------------------------------------------------------------------

  // Credentials and so on of the peer's description. Other credentials than the current ones mean
  // that the peer restarted: unless Restart() was called since, this agent restarts too and says so
  // by Restarted. Errors: ufrag or password outside RFC 8839 section 5.4's lengths and characters.
  Result<void> SetRemoteParameters(Timestamp now, const RemoteParameters& remote);
  // A signalled candidate. In regular ICE (Trickle::kNone) pairs are formed at
  // EndOfRemoteCandidates().
  AddResult AddRemoteCandidate(Timestamp now, const Candidate& candidate, int stream = 0);
  // `ufrag`: the generation it is about, "" for the current one; a stale one is ignored. `stream`:
  // -1 for all.
  void EndOfRemoteCandidates(Timestamp now, std::string_view ufrag = "", int stream = -1);
  std::vector<Candidate> remote_candidates(int stream = 0) const;

  // RFC 8445 section 9, all streams: new credentials and a new generation of candidates. Host
  // addresses are taken over, all servers are asked again. Data goes on over the old pair until a
  // new one is selected; a relay that was not confirmed by then is released (CandidateReleased).
  // `local`: the new credentials, when a description has named them already; else they are made here.
  void Restart(Timestamp now, const Credentials& local = {});
  // Replaces the servers and the candidate policy for the next Restart(); what runs is left alone.
  void SetServers(CandidatePolicy policy, std::vector<TransportAddress> stun_servers,
                  std::vector<RelayServer> relay_servers);
  // Stops everything; state kClosed.
  void Close(Timestamp now);

  // --- Data --------------------------------------------------------------------------------------

  // Sends over the selected pair or, before there is one, the best valid pair. False: there is
  // none, or its consent expired; nothing is queued.
  bool Send(Timestamp now, ByteView payload, int stream = 0, int component = 1);

  // --- The sans-IO shape -------------------------------------------------------------------------

  // STUN is told from data by RFC 7983. False: neither authentic STUN for this agent nor data from
  // a known remote candidate; the packet was dropped.
  bool HandlePacket(Timestamp now, const Datagram& packet);
  // Takes effect with AgentConfig::icmp_fails_checks only.
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);
  std::optional<Transmit> PollTransmit();
  std::optional<Event> PollEvent();
  Timestamp NextTimeout() const;

  // --- What it knows -----------------------------------------------------------------------------

  AgentState state() const;
  Role role() const;
  uint64_t tie_breaker() const;
  TimeDelta ta() const;    // in force: the larger of both sides'
  int generation() const;  // 0, and one more with every restart
  ChecklistState checklist_state(int stream = 0) const;
  // Why the state is kFailed; empty otherwise.
  const std::string& failure_reason() const;
  std::optional<CandidatePair> selected_pair(int stream = 0, int component = 1) const;
  // The valid list, best first.
  std::vector<CandidatePair> valid_pairs(int stream = 0) const;

  struct ChecklistEntry {
    CandidatePair pair;
    PairState state = PairState::kFrozen;
    bool nominated = false;
  };
  // The checklist, best first.
  std::vector<ChecklistEntry> checklist(int stream = 0) const;
  // Every check of every generation in the order sent, at most 2,000 of them. Consent checks only
  // count.
  const std::vector<CheckRecord>& check_log() const;
  const AgentCounters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::ice

#endif  // RTCLAB_STACK_ICE_AGENT_H_
