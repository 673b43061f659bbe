// Peers of TCP allocations (RFC 6062): sockets of this host, or of rtclab peer-echo on another one.
#ifndef RTCLAB_CONFORMANCE_ENGINE_TCP_PEER_H_
#define RTCLAB_CONFORMANCE_ENGINE_TCP_PEER_H_

#include <memory>
#include <string>

#include "conformance/engine/session.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {

// Whether the peers of this run are on another host. Throws Stop (skipped) when they are, but none of this family.
bool RemotePeers(Session& session, AddressFamily family);

Result<std::unique_ptr<TcpPeer>> ListenHere(const TransportAddress& local);
Result<std::unique_ptr<TcpPeer>> ListenThere(const PeerPlan& plan, AddressFamily family);

// A port there that nobody listens on any more.
Result<TransportAddress> ClosedPortThere(const PeerPlan& plan, AddressFamily family);

// The peer's connection, or why there is none. `refused`: peer-echo is not allowed to connect there.
struct PeerConnection {
  std::unique_ptr<PeerStream> stream;
  std::string reason;
  bool refused = false;
  bool broken = false;  // peer-echo itself does not work
};
PeerConnection ConnectThere(const PeerPlan& plan, const TransportAddress& to);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_TCP_PEER_H_
