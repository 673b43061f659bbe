// One side of a session of ICE alone: an IceTransport on a host, with what it tells its peer.
#ifndef RTCLAB_SCENARIOS_EXECUTION_ICE_ENDPOINT_H_
#define RTCLAB_SCENARIOS_EXECUTION_ICE_ENDPOINT_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/execution/endpoint_record.h"
#include "scenarios/execution/server_program.h"
#include "scenarios/run_spec.h"
#include "sim/host/protocol_host.h"
#include "sim/topology/network.h"
#include "stack/peer/ice_transport.h"

namespace rtclab::scenarios {

// How the agent and the transport of an endpoint are set up.
ice::AgentConfig AgentConfigOf(const IceSpec& spec, bool controlling);
peer::IceTransportConfig TransportConfigOf(const IceSpec& spec, bool controlling,
                                           const std::vector<ServerAccess>& servers);

// An offer or answer, as far as ICE is concerned.
struct Description {
  ice::RemoteParameters parameters;
  std::vector<ice::Candidate> candidates;
  bool complete = false;      // carries end-of-candidates
  std::string answers_ufrag;  // of the offer that this answers; empty: this is an offer
};

class IceEndpoint;

// What an endpoint says to the signalling channel, and that something changed. Called while the endpoint's protocol is
// being drained: act on another endpoint only later.
class IceEndpointObserver {
 public:
  virtual ~IceEndpointObserver() = default;
  virtual void OnDescription(IceEndpoint& from, const Description& description) = 0;
  virtual void OnCandidate(IceEndpoint& from, const ice::Candidate& candidate) = 0;
  virtual void OnEndOfCandidates(IceEndpoint& from, const std::string& ufrag) = 0;
  virtual void OnProgress(IceEndpoint& endpoint) = 0;
};

class IceEndpoint final : public EndpointRecord {
 public:
  // `offerer`: side a of the session. `controlling`: the role to start with (RFC 8445 section 6.1.1).
  IceEndpoint(const EndpointSpec& spec, const std::string& session, bool offerer, bool controlling,
              sim::Network& network, const std::vector<ServerAccess>& servers,
              IceEndpointObserver& observer);

  const ice::Agent* agent() const override { return &transport_.agent(); }

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

  // Distinct datagrams of Send(); a duplicate counts once.
  std::size_t data_received() const { return data_received_.size(); }

 private:
  struct OnEvent {
    IceEndpoint* self;
    void operator()(Timestamp now, peer::IceTransportEvent&& event) const {
      self->Handle(now, std::move(event));
    }
  };

  void Handle(Timestamp now, peer::IceTransportEvent event);
  void OnGathered(const ice::LocalCandidateGathered& event);
  void OnGatheringComplete(const ice::GatheringComplete& event);
  // A new generation of credentials and candidates begins: describe it now, or when it is complete.
  void BeginGeneration();
  void Describe(bool complete);
  bool DescribesAtOnce() const;

  EndpointSpec spec_;
  bool offerer_;
  IceEndpointObserver& observer_;
  sim::Network& network_;
  Rng rng_;
  peer::IceTransport transport_;
  std::unique_ptr<sim::ProtocolHost<peer::IceTransport, OnEvent>> host_;
  bool started_ = false;
  bool described_ = false;
  std::string remote_ufrag_;  // of the last description taken
  std::string answering_;     // what the current generation answers; empty: it offers
  std::vector<ice::Candidate> undescribed_;  // gathered before the description went out

  std::set<uint32_t> data_received_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_ICE_ENDPOINT_H_
