// The inside of Peer: one of three ways to be reached by the server.
#ifndef RTCLAB_CONFORMANCE_ENGINE_PEER_STATE_H_
#define RTCLAB_CONFORMANCE_ENGINE_PEER_STATE_H_

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "conformance/engine/peer_echo.h"
#include "conformance/engine/session.h"
#include "conformance/engine/test.h"
#include "conformance/socket/channel.h"

namespace rtclab::conformance {

struct Peer::State {
  Session* session = nullptr;
  std::string name;
  TransportAddress address;

  std::optional<PeerSocket> socket;  // local
  std::optional<Client> relay;       // another allocation
  std::set<IpAddress> permitted;     // of `relay`
  std::unique_ptr<EchoPeer> remote;  // rtclab peer-echo

  void Record(bool sent, const TransportAddress& other, ByteView bytes, std::string note = {});
  void Permit(const IpAddress& ip);
};

// Where a peer of `options` can be bound here; ends the case as skipped when there is no such address.
TransportAddress OwnAddress(Session& session, const PeerOptions& options);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_PEER_STATE_H_
