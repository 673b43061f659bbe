// One side of a session: an IceTransport on a host, with what it tells its peer and a record of what happened to it.
#ifndef RTCLAB_SCENARIOS_EXECUTION_ENDPOINT_H_
#define RTCLAB_SCENARIOS_EXECUTION_ENDPOINT_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/execution/server_program.h"
#include "scenarios/run_spec.h"
#include "sim/host/protocol_host.h"
#include "sim/topology/network.h"
#include "stack/peer/ice_transport.h"

namespace rtclab::scenarios {

// An offer or answer, as far as ICE is concerned.
struct Description {
  ice::RemoteParameters parameters;
  std::vector<ice::Candidate> candidates;
  bool complete = false;      // carries end-of-candidates
  std::string answers_ufrag;  // of the offer that this answers; empty: this is an offer
};

class Endpoint;

// What an endpoint says to the signalling channel, and that something changed. Called while the endpoint's protocol is
// being drained: act on another endpoint only later.
class EndpointObserver {
 public:
  virtual ~EndpointObserver() = default;
  virtual void OnDescription(Endpoint& from, const Description& description) = 0;
  virtual void OnCandidate(Endpoint& from, const ice::Candidate& candidate) = 0;
  virtual void OnEndOfCandidates(Endpoint& from, const std::string& ufrag) = 0;
  virtual void OnProgress(Endpoint& endpoint) = 0;
};

// A server that gave nothing, or a relay that was taken away.
struct ServerTrouble {
  Timestamp time;
  TransportAddress server;
  int code = 0;  // STUN error code; 0 or 408: no answer
  std::string
      rule;  // "turn.error-486", "stun.no-answer", "turn.allocation-lost", "turn.peer-refused-403"
  std::string reason;  // one sentence
};

class Endpoint {
 public:
  // `offerer`: side a of the session. `controlling`: the role to start with (RFC 8445 section 6.1.1).
  Endpoint(const EndpointSpec& spec, const std::string& session, bool offerer, bool controlling,
           sim::Network& network, const std::vector<ServerAccess>& servers,
           EndpointObserver& observer);

  const std::string& host() const { return spec_.host; }
  const ice::Agent& agent() const { return transport_.agent(); }

  // Binds the host's addresses, starts gathering and, unless the mode wants all candidates first, describes itself.
  void Start();
  bool started() const { return started_; }
  // Signalling from the peer. A first description starts this side.
  void ReceiveDescription(const Description& description);
  void ReceiveCandidate(const ice::Candidate& candidate);
  void ReceiveEndOfCandidates(const std::string& ufrag);
  void RestartIce();
  // Sends one datagram of `size` bytes (at least 9) that carries `number`; false when there is no pair to send over.
  bool SendNumbered(uint32_t number, std::size_t size);

  // --- The record. Times are since the run began. ---
  std::optional<Timestamp> gathered() const { return gathered_; }
  std::optional<Timestamp> first_valid_pair() const { return first_valid_pair_; }
  // When the pair in use was selected first, and most recently (a restart selects anew).
  std::optional<Timestamp> selected() const { return selected_; }
  std::optional<Timestamp> last_selected() const { return last_selected_; }
  // Nothing more will come without help: a pair is selected, or the agent has failed.
  bool settled() const;
  // The pair that was selected most recently, also after it was lost.
  const std::optional<ice::CandidatePair>& pair() const { return pair_; }
  // When the agent's state last became failed.
  std::optional<Timestamp> failed() const { return failed_; }
  bool consent_expired() const { return consent_expired_; }
  // Distinct datagrams of Send(); a duplicate counts once.
  std::size_t data_received() const { return data_received_.size(); }
  const std::vector<ServerTrouble>& troubles() const { return troubles_; }
  // What it gathered, in order of time, and every state it was in.
  struct Note {
    Timestamp time;
    std::string text;
  };
  const std::vector<Note>& notes() const { return notes_; }

 private:
  struct OnEvent {
    Endpoint* self;
    void operator()(Timestamp now, peer::IceTransportEvent&& event) const {
      self->Handle(now, std::move(event));
    }
  };

  void Handle(Timestamp now, peer::IceTransportEvent event);
  void OnGathered(Timestamp now, const ice::LocalCandidateGathered& event);
  void OnGatheringComplete(Timestamp now, const ice::GatheringComplete& event);
  void OnSelected(Timestamp now, const ice::SelectedPairChanged& event);
  void AddTrouble(Timestamp now, const TransportAddress& server, int code, std::string rule,
                  std::string reason);
  void AddNote(Timestamp now, std::string text) { notes_.push_back({now, std::move(text)}); }
  // A new generation of credentials and candidates begins: describe it now, or when it is complete.
  void BeginGeneration();
  void Describe(bool complete);
  bool DescribesAtOnce() const;

  EndpointSpec spec_;
  bool offerer_;
  EndpointObserver& observer_;
  sim::Network& network_;
  Rng rng_;
  peer::IceTransport transport_;
  std::unique_ptr<sim::ProtocolHost<peer::IceTransport, OnEvent>> host_;
  bool started_ = false;
  bool described_ = false;
  std::string remote_ufrag_;  // of the last description taken
  std::string answering_;     // what the current generation answers; empty: it offers
  std::vector<ice::Candidate> undescribed_;  // gathered before the description went out

  std::optional<Timestamp> gathered_, first_valid_pair_, selected_, last_selected_, failed_;
  std::optional<ice::CandidatePair> pair_;
  bool consent_expired_ = false;
  std::set<uint32_t> data_received_;
  std::vector<ServerTrouble> troubles_;
  std::vector<Note> notes_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_ENDPOINT_H_
