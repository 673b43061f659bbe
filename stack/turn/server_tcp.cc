// TCP allocations: connections with peers, and the clients' data connections that they are tied to (RFC 6062 section 5).
#include <algorithm>
#include <limits>

#include "stack/turn/attributes.h"
#include "stack/turn/server_internal.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

}  // namespace

// Section 5.1, the second and third check.
int Server::CheckTcpAllocate(const Responder& responder, const MessageView& message) const {
  if (!IsStream(responder.tuple.transport) && !config_.quirks.tcp_over_udp_accepted) {
    return stun::kErrorBadRequest;
  }
  const bool datagram_only = message.Has(AttributeType::kDontFragment) ||
                             message.Has(AttributeType::kEvenPort) ||
                             message.Has(AttributeType::kReservationToken);
  return datagram_only && !config_.quirks.tcp_attributes_accepted ? stun::kErrorBadRequest : 0;
}

// Section 5.2.
void Server::HandleConnect(Timestamp now, const Responder& responder, const MessageView& message,
                           const Allocation& allocation) {
  const auto peer = message.GetXorAddress(AttributeType::kXorPeerAddress);
  if (!peer) return Reject(responder, stun::kErrorBadRequest);
  Relay* const relay = allocation.FindRelay(peer->family());
  if (relay == nullptr) return Reject(responder, stun::kErrorPeerAddressFamilyMismatch);
  if (!relay->tcp) return Reject(responder, stun::kErrorAllocationMismatch);
  // Section 3: one connection with a peer's transport address, whoever made it.
  if (HasConnection(*relay, *peer) && !config_.quirks.second_connect_accepted) {
    return Reject(responder, stun::kErrorConnectionAlreadyExists);
  }
  if (policy_.Check(*peer) != PeerVerdict::kAllowed && !config_.quirks.connect_policy_unchecked) {
    return Reject(responder, stun::kErrorForbidden);
  }
  if (relay->connections.size() >= config_.max_connections) {
    return Reject(responder, stun::kErrorInsufficientCapacity);
  }
  TcpConnection& connection = AddConnection(*relay, *peer);
  connection.state = TcpConnection::State::kConnecting;
  connection.connect = responder;
  SetExpiry(connection, now + (config_.quirks.connect_timeout_short ? TimeDelta::Seconds(5)
                                                                    : config_.tcp_connect_timeout));
  events_.Push(TcpConnectWanted{connection.id, relay->address, *peer});
}

void Server::TcpConnected(Timestamp now, ConnectionId id) {
  if (NextTimeout() <= now) HandleTimeout(now);
  TcpConnection* const connection = FindConnection(id);
  if (connection == nullptr || connection->state != TcpConnection::State::kConnecting) return;
  connection->state = TcpConnection::State::kPending;
  SetExpiry(*connection, now + config_.tcp_bind_timeout);
  const Responder responder = *std::exchange(connection->connect, std::nullopt);
  MessageBuilder builder = Success(responder);
  builder.AddU32(AttributeType::kConnectionId, static_cast<uint32_t>(id));
  SendToClient(responder.tuple, Finish(builder, responder));
}

void Server::TcpConnectFailed(Timestamp, ConnectionId id) {
  TcpConnection* const connection = FindConnection(id);
  if (connection == nullptr || connection->state != TcpConnection::State::kConnecting) return;
  Reject(*connection->connect, stun::kErrorConnectionTimeoutOrFailure);
  RemoveConnection(*connection);
}

// Section 5.3. The connection has been accepted, whatever becomes of it.
ConnectionId Server::TcpAccepted(Timestamp now, RelayId relay_id, const TransportAddress& peer) {
  if (NextTimeout() <= now) HandleTimeout(now);
  const auto it = relays_.find(relay_id);
  if (it == relays_.end()) {
    const ConnectionId stray = NewConnectionId();
    events_.Push(TcpClose{stray});
    return stray;
  }
  Relay& relay = *it->second;
  TcpConnection& connection = AddConnection(relay, peer);
  const ConnectionId id = connection.id;
  const Allocation* const owner = relay.owner;
  const bool permitted = config_.quirks.accept_without_permission || Permits(now, relay, peer);
  if (owner == nullptr || !owner->established || !IsReachable(*owner) || !permitted ||
      relay.connections.size() > config_.max_connections) {
    Drop(DropReason::kNoPermission, peer, relay.address);
    CloseConnection(connection, true);
    return id;
  }
  SetExpiry(connection, now + config_.tcp_bind_timeout);
  MessageBuilder builder(MessageClass::kIndication, Method::kConnectionAttempt,
                         stun::NewTransactionId(rng_));
  builder.AddXorAddress(AttributeType::kXorPeerAddress, peer);
  builder.AddU32(AttributeType::kConnectionId, static_cast<uint32_t>(id));
  if (config_.fingerprint) builder.AddFingerprint();
  SendToClient(owner->tuple, builder.Build());
  return id;
}

// Section 5.4. It comes over a connection of its own, so there is no allocation of this 5-tuple.
void Server::HandleConnectionBind(const Responder& responder, const MessageView& message) {
  const FiveTuple& tuple = responder.tuple;
  const auto id = message.GetU32(AttributeType::kConnectionId);
  TcpConnection* const connection = id ? FindConnection(ConnectionId{*id}) : nullptr;
  if (!IsStream(tuple.transport) || allocations_.contains(tuple) || moving_.contains(tuple) ||
      connection == nullptr || connection->state != TcpConnection::State::kPending) {
    return Reject(responder, stun::kErrorBadRequest);
  }
  // Section 4.3: the credentials of the control connection.
  if (!IsOwner(responder, *connection->relay->owner) &&
      !config_.quirks.connection_bind_user_unchecked) {
    return Reject(responder, stun::kErrorWrongCredentials);
  }
  MessageBuilder builder = Success(responder);
  SendToClient(tuple, Finish(builder, responder));
  connection->state = TcpConnection::State::kBound;
  connection->client = tuple;
  data_connections_.emplace(tuple, connection);
  SetExpiry(*connection, Timestamp::PlusInfinity());
  ++counters_.connections_bound;
  events_.Push(DataConnectionBound{tuple, connection->id});
  Bytes early = std::exchange(connection->early, {});
  if (config_.quirks.early_peer_data_lost) early.clear();
  counters_.bytes_to_clients += early.size();
  if (!early.empty()) stream_writes_.Push(StreamWrite{tuple, std::move(early)});
  if (connection->peer_gone) CloseConnection(*connection, true);
}

void Server::HandleClientData(Timestamp now, const FiveTuple& tuple, ByteView bytes) {
  if (NextTimeout() <= now) HandleTimeout(now);
  const auto it = data_connections_.find(tuple);
  if (it == data_connections_.end() || it->second->peer_gone || bytes.empty()) return;
  counters_.bytes_to_peers += bytes.size();
  events_.Push(TcpData{it->second->id, Bytes(bytes.begin(), bytes.end())});
}

void Server::HandleTcpData(Timestamp now, ConnectionId id, ByteView bytes) {
  if (NextTimeout() <= now) HandleTimeout(now);
  TcpConnection* const connection = FindConnection(id);
  if (connection == nullptr || bytes.empty()) return;
  if (connection->state != TcpConnection::State::kBound) {
    if (bytes.size() > ReceiveRoom(id)) return CloseConnection(*connection, true);
    connection->early.insert(connection->early.end(), bytes.begin(), bytes.end());
    return;
  }
  if (!connection->client) return;
  counters_.bytes_to_clients += bytes.size();
  stream_writes_.Push(StreamWrite{*connection->client, Bytes(bytes.begin(), bytes.end())});
}

std::size_t Server::ReceiveRoom(ConnectionId id) const {
  const TcpConnection* const connection = FindConnection(id);
  if (connection == nullptr) return 0;
  if (connection->state == TcpConnection::State::kBound) {
    return std::numeric_limits<std::size_t>::max();
  }
  return config_.tcp_buffer - std::min(config_.tcp_buffer, connection->early.size());
}

// Section 5.5. What the peer sent before it left still reaches a client that binds in time.
void Server::HandleTcpClosed(Timestamp now, ConnectionId id) {
  if (NextTimeout() <= now) HandleTimeout(now);
  TcpConnection* const connection = FindConnection(id);
  if (connection == nullptr) return;
  if (connection->state == TcpConnection::State::kConnecting) return TcpConnectFailed(now, id);
  connection->peer_gone = true;
  const bool waits =
      connection->state == TcpConnection::State::kPending && !connection->early.empty();
  if (!waits && !config_.quirks.peer_close_ignored) CloseConnection(*connection, true);
}

// Whether `tuple` was a data connection.
bool Server::HandleDataDisconnect(const FiveTuple& tuple) {
  const auto it = data_connections_.find(tuple);
  if (it == data_connections_.end()) return false;
  TcpConnection& connection = *it->second;
  data_connections_.erase(it);
  connection.client.reset();
  if (!config_.quirks.client_close_ignored) CloseConnection(connection, true);
  return true;
}

ConnectionId Server::NewConnectionId() {
  ConnectionId id{};
  do {
    id = ConnectionId{rng_.NextU32()};
  } while (connections_.contains(id));
  return id;
}

Server::TcpConnection& Server::AddConnection(Relay& relay, const TransportAddress& peer) {
  auto connection = std::make_unique<TcpConnection>();
  connection->id = NewConnectionId();
  connection->relay = &relay;
  connection->peer = peer;
  relay.connections.push_back(connection->id);
  return *connections_.emplace(connection->id, std::move(connection)).first->second;
}

Server::TcpConnection* Server::FindConnection(ConnectionId id) const {
  const auto it = connections_.find(id);
  return it != connections_.end() ? it->second.get() : nullptr;
}

bool Server::HasConnection(const Relay& relay, const TransportAddress& peer) const {
  return std::any_of(relay.connections.begin(), relay.connections.end(),
                     [&](ConnectionId id) { return connections_.at(id)->peer == peer; });
}

void Server::SetExpiry(TcpConnection& connection, Timestamp expires) {
  connection_expiries_.erase({connection.expires, connection.id});
  connection.expires = expires;
  if (!expires.IsInfinite()) connection_expiries_.emplace(expires, connection.id);
}

// Sections 5.2 and 5.3: connecting took too long, or the client did not bind in time.
void Server::ExpireConnection(TcpConnection& connection) {
  SetExpiry(connection, Timestamp::PlusInfinity());
  const bool unbound = connection.state == TcpConnection::State::kPending;
  if (!unbound || !config_.quirks.unbound_connection_kept) CloseConnection(connection, true);
}

void Server::CloseConnection(TcpConnection& connection, bool client_is_there) {
  if (!connection.peer_gone) events_.Push(TcpClose{connection.id});
  if (connection.connect && client_is_there) {
    Reject(*connection.connect, stun::kErrorConnectionTimeoutOrFailure);
  }
  if (connection.client) stream_writes_.Push(StreamWrite{*connection.client, {}, true});
  RemoveConnection(connection);
}

void Server::RemoveConnection(TcpConnection& connection) {
  SetExpiry(connection, Timestamp::PlusInfinity());
  if (connection.client) data_connections_.erase(*connection.client);
  std::erase(connection.relay->connections, connection.id);
  connections_.erase(ConnectionId(connection.id));
}

}  // namespace rtclab::turn
