// An ICE agent together with the TURN clients that its relayed candidates need: the W3C's RTCIceTransport and the part
// of RTCIceGatherer behind it. ICE and TURN do not know each other; here they meet.
#ifndef RTCLAB_STACK_PEER_ICE_TRANSPORT_H_
#define RTCLAB_STACK_PEER_ICE_TRANSPORT_H_

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/datagram.h"
#include "stack/base/rng.h"
#include "stack/ice/agent.h"
#include "stack/turn/client.h"

namespace rtclab::peer {

struct TurnServer {
  TransportAddress address;
  std::string username;
  std::string password;
  bool dual = false;  // also ask for an address of the other family (RFC 8656 section 7.1)
};

struct IceTransportConfig {
  ice::AgentConfig agent;
  std::vector<TransportAddress> stun_servers;
  std::vector<TurnServer> turn_servers;
};

// A TURN server gave this base an allocation, or refused (`code` as in turn::AllocateFailed), or took it away.
struct RelayAllocated {
  TransportAddress base, server;
  std::vector<TransportAddress> relayed;
};
struct RelayRefused {
  TransportAddress base, server;
  int code = 0;
  std::string reason;
};
struct RelayLost {
  TransportAddress base, server;
  int code = 0;
  std::string reason;
};
// The TURN server refused a permission, and with it every check towards `peer` from this relayed address.
struct RelayPeerRefused {
  TransportAddress relayed;
  IpAddress peer;
  int code = 0;
  std::string reason;
};

using IceTransportEvent =
    std::variant<ice::LocalCandidateGathered, ice::GatheringComplete, ice::GatheringFailed,
                 ice::PairValid, ice::SelectedPairChanged, ice::StateChanged, ice::ChecklistFailed,
                 ice::RoleChanged, ice::ConsentExpired, ice::DataReceived, ice::Restarted,
                 RelayAllocated, RelayRefused, RelayLost, RelayPeerRefused>;

// Sans-IO as stack/base/sans_io.h has it. Every Transmit leaves from one of the host addresses given to Gather().
class IceTransport {
 public:
  using Event = IceTransportEvent;

  // `rng` must outlive the transport.
  IceTransport(IceTransportConfig config, Rng& rng);

  // Starts gathering from sockets that the driver has bound.
  void Gather(Timestamp now, std::span<const TransportAddress> hosts);
  // The signalling side, as ice::Agent has it.
  Result<void> SetRemoteParameters(Timestamp now, const ice::RemoteParameters& remote);
  ice::AddResult AddRemoteCandidate(Timestamp now, const ice::Candidate& candidate);
  void EndOfRemoteCandidates(Timestamp now, std::string_view ufrag);
  void Restart(Timestamp now, const ice::Credentials& local = {});
  // Other servers, another policy: from the next Restart() on. Allocations at servers that are no longer listed stay until
  // they are released.
  void SetServers(ice::CandidatePolicy policy, std::vector<TransportAddress> stun_servers,
                  std::vector<TurnServer> turn_servers);
  // Sends over the selected or best valid pair; false when there is none.
  bool Send(Timestamp now, ByteView payload);
  // Closes the agent and gives the allocations back.
  void Close(Timestamp now);

  void HandlePacket(Timestamp now, const Datagram& packet);
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);
  std::optional<Transmit> PollTransmit();
  std::optional<IceTransportEvent> PollEvent();
  Timestamp NextTimeout() const;

  const ice::Agent& agent() const { return agent_; }

 private:
  struct Relay {
    TransportAddress base, server;
    std::unique_ptr<turn::Client> client;
    std::optional<int> request_id;          // the agent's, until it is answered
    std::vector<TransportAddress> relayed;  // empty: no allocation yet, or no longer
    TransportAddress mapped;
    bool ended = false;  // its client is done
  };

  // Moves what the agent and the clients made to each other and to the outside, until nothing is left.
  void Pump(Timestamp now);
  void Route(Timestamp now, Transmit transmit);
  void OnAgentEvent(Timestamp now, ice::Event event);
  void StartRelay(Timestamp now, const ice::RelayRequested& request);
  void Allocate(Timestamp now, Relay& relay, const TurnServer& server);
  void OnAllocationLost(Timestamp now, Relay& relay, turn::AllocationLost lost);
  const TurnServer* FindServer(const TransportAddress& address) const;
  void RequestPermissions(Timestamp now, const ice::PermissionWanted& wanted);
  void ReleaseRelay(Timestamp now, const TransportAddress& relayed);
  void OnTurnEvent(Timestamp now, Relay& relay, turn::ClientEvent event);
  Relay* FindRelay(const TransportAddress& relayed);

  IceTransportConfig config_;
  Rng& rng_;
  ice::Agent agent_;
  std::vector<std::unique_ptr<Relay>> relays_;
  std::deque<Transmit> transmits_;
  std::deque<IceTransportEvent> events_;
};

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_ICE_TRANSPORT_H_
