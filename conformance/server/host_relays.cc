// TurnHost's relay sockets: what the server's events ask for (RFC 8656 section 7.2, RFC 6062 section 5).
#include <algorithm>

#include "conformance/server/host_impl.h"
#include "stack/base/overloaded.h"

namespace rtclab::conformance {
namespace {

// Connections taken of one relayed address before the others have their turn.
constexpr int kPeersInARow = 64;

}  // namespace

void TurnHost::Impl::HandleEvent(turn::ServerEvent&& event) {
  std::visit(Overloaded{
                 [this](const turn::RelayWanted& e) { Bind(e); },
                 [this](const turn::TcpListenWanted& e) { Listen(e); },
                 [this](const turn::RelayReleased& e) { Release(e); },
                 [this](const turn::TcpConnectWanted& e) { Connect(e); },
                 [this](const turn::TcpData& e) { WriteToPeer(e.connection, e.payload); },
                 [this](const turn::TcpClose& e) { ClosePeer(e.connection); },
                 [this](const turn::DataConnectionBound& e) { JoinData(e); },
                 [this](const turn::AllocationCreated& e) { allocated.insert(e.tuple); },
                 [this](const turn::AllocationMoved& e) {
                   allocated.erase(e.from);
                   allocated.insert(e.to);
                 },
                 [this](const turn::AllocationEnded& e) { allocated.erase(e.tuple); },
                 [](const turn::PacketDropped&) {},
             },
             std::move(event));
}

void TurnHost::Impl::Bind(const turn::RelayWanted& wanted) {
  auto socket = UdpSocket::Bind(wanted.address);
  if (!socket) return turn->RelayBindFailed(Now(), wanted.id);
  Watch(std::move(*socket));
  turn->RelayBound(Now(), wanted.id);
}

void TurnHost::Impl::Listen(const turn::TcpListenWanted& wanted) {
  auto listener = TcpListener::Listen(wanted.address, {.reuse_port = true});
  if (!listener) return turn->RelayBindFailed(Now(), wanted.id);
  const turn::RelayId id = wanted.id;
  loop.Add(listener->descriptor(), [this, id](EventLoop::Ready) { AcceptPeers(id); });
  tcp_relays[id] = std::make_unique<TcpListener>(std::move(*listener));
  turn->RelayBound(Now(), id);
}

void TurnHost::Impl::Release(const turn::RelayReleased& released) {
  if (const auto tcp = tcp_relays.find(released.id); tcp != tcp_relays.end()) {
    loop.Remove(tcp->second->descriptor());
    paused.erase(tcp->second->descriptor());
    tcp_relays.erase(tcp);
    return;
  }
  const auto it = udp_ports.find(released.address);
  if (it == udp_ports.end() || it->second->listening) return;
  to_send.Flush();  // it may hold datagrams of this socket
  loop.Remove(it->second->socket.descriptor());
  udp_ports.erase(it);
}

PeerLink& TurnHost::Impl::WatchPeer(turn::ConnectionId id, TcpSocket socket) {
  auto link = std::make_unique<PeerLink>(std::move(socket));
  PeerLink& result = *link;
  loop.Add(result.socket.descriptor(),
           [this, id](EventLoop::Ready ready) { HandlePeerReady(id, ready); });
  peers[id] = std::move(link);
  return result;
}

void TurnHost::Impl::Connect(const turn::TcpConnectWanted& wanted) {
  auto socket = TcpSocket::Connect(wanted.to, wanted.from, {.reuse_port = true});
  if (!socket) return turn->TcpConnectFailed(Now(), wanted.connection);
  PeerLink& link = WatchPeer(wanted.connection, std::move(*socket));
  link.connecting = true;
  loop.WantReadable(link.socket.descriptor(), false);
  loop.WantWritable(link.socket.descriptor(), true);
}

void TurnHost::Impl::AcceptPeers(turn::RelayId relay) {
  const auto it = tcp_relays.find(relay);
  if (it == tcp_relays.end()) return;
  for (int i = 0; i < kPeersInARow; ++i) {
    auto socket = it->second->Accept();
    if (!socket) {
      if (it->second->exhausted()) Pause(it->second->descriptor());
      return;
    }
    const TransportAddress peer = socket->remote();
    WatchPeer(turn->TcpAccepted(Now(), relay, peer), std::move(*socket));
  }
}

void TurnHost::Impl::HandlePeerReady(turn::ConnectionId id, EventLoop::Ready ready) {
  const auto it = peers.find(id);
  if (it == peers.end()) return;
  PeerLink& link = *it->second;
  if (link.connecting) {
    const Result<bool> finished = link.socket.FinishConnect();
    if (finished && !*finished) return;
    link.connecting = false;
    if (!finished) {
      RemovePeer(id);
      return turn->TcpConnectFailed(Now(), id);
    }
    loop.WantWritable(link.socket.descriptor(), false);
    loop.WantReadable(link.socket.descriptor(), true);
    return turn->TcpConnected(Now(), id);
  }
  if (ready.writable) FlushPeer(id);
  if (ready.readable) ReadPeer(id, ready.broken);
}

void TurnHost::Impl::ReadPeer(turn::ConnectionId id, bool broken) {
  const auto it = peers.find(id);
  if (it == peers.end()) return;
  PeerLink& link = *it->second;
  const std::size_t room = std::min(turn->ReceiveRoom(id), buffer.size());
  // Nothing is read until the client has bound the connection and taken what is there. A reset would be told for as long.
  if (room == 0 && !broken) return loop.WantReadable(link.socket.descriptor(), false);
  if (room == 0) return LosePeer(id);
  const TcpSocket::Io io = link.socket.Read(std::span(buffer).first(room));
  if (io.status == TcpSocket::Status::kBlocked) return;
  if (io.status == TcpSocket::Status::kOk) {
    return turn->HandleTcpData(Now(), id, ByteView(buffer).first(io.size));
  }
  LosePeer(id);
}

void TurnHost::Impl::WriteToPeer(turn::ConnectionId id, ByteView bytes) {
  const auto it = peers.find(id);
  if (it == peers.end()) return;
  it->second->out.Push(bytes);
  FlushPeer(id);
}

void TurnHost::Impl::FlushPeer(turn::ConnectionId id) {
  const auto it = peers.find(id);
  if (it == peers.end()) return;
  PeerLink& link = *it->second;
  const bool broken = !link.out.WriteTo(link.socket);
  if (broken || (link.closing && link.out.size() == 0)) return LosePeer(id);
  loop.WantWritable(link.socket.descriptor(), link.out.size() > 0);
  if (!link.client) return;
  const auto client = streams.find(*link.client);
  if (client != streams.end()) Throttle(*client->second, link);
}

void TurnHost::Impl::ClosePeer(turn::ConnectionId id) {
  const auto it = peers.find(id);
  if (it == peers.end()) return;
  it->second->closing = true;
  it->second->closing_since = RealNow();
  if (it->second->connecting) return RemovePeer(id);
  loop.WantReadable(it->second->socket.descriptor(), false);
  FlushPeer(id);
}

// The connection is over; the server knows it unless it said so itself.
void TurnHost::Impl::LosePeer(turn::ConnectionId id) {
  const bool closing = peers.at(id)->closing;
  RemovePeer(id);
  if (!closing) turn->HandleTcpClosed(Now(), id);
}

void TurnHost::Impl::RemovePeer(turn::ConnectionId id) {
  const auto it = peers.find(id);
  if (it == peers.end()) return;
  loop.Remove(it->second->socket.descriptor());
  peers.erase(it);
}

void TurnHost::Impl::SweepPeers(Timestamp real_now) {
  std::vector<turn::ConnectionId> over;
  for (const auto& [id, link] : peers) {
    if (link->closing && real_now - link->closing_since > config.linger) over.push_back(id);
  }
  for (const turn::ConnectionId id : over) RemovePeer(id);
}

void TurnHost::Impl::JoinData(const turn::DataConnectionBound& bound) {
  const auto client = streams.find(bound.tuple);
  const auto peer = peers.find(bound.connection);
  if (client != streams.end()) client->second->connection = bound.connection;
  if (peer == peers.end()) return;
  peer->second->client = bound.tuple;
  loop.WantReadable(peer->second->socket.descriptor(), true);
}

}  // namespace rtclab::conformance
