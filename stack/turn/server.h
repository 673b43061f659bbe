// A TURN server (RFC 8656), sans-IO. It answers clients on its listening addresses and relays between them and their peers
// through relay sockets that its driver binds and closes on request:
//
//   RelayWanted{id, address} -> the driver binds a UDP socket -> RelayBound(now, id) or RelayBindFailed(now, id)
//   RelayReleased{id, address} -> the driver closes it
//
// TCP allocations (RFC 6062) have a listening socket instead, TcpListenWanted{id, address}, and connections with peers:
//
//   TcpConnectWanted{connection, from, to} -> the driver connects -> TcpConnected(now, connection) or TcpConnectFailed(...)
//   the driver accepts at a relayed address -> TcpAccepted(now, id, peer), which names the connection
//   HandleTcpData(), HandleTcpClosed() <- the peer;  TcpData, TcpClose -> the peer
//   DataConnectionBound{tuple, connection}: the client's connection `tuple` is raw from now on: HandleClientData()
//
// An Allocate request is answered once its relay sockets are bound. A driver that binds while it handles the event has the
// answer in the same drain.
#ifndef RTCLAB_STACK_TURN_SERVER_H_
#define RTCLAB_STACK_TURN_SERVER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/sans_io.h"
#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"
#include "stack/turn/allocation.h"
#include "stack/turn/fifo.h"
#include "stack/turn/server_config.h"

namespace rtclab::turn {

class Server {
 public:
  using Event = ServerEvent;

  // `rng` makes nonces, ports and tokens and must outlive the server. The configuration's ranges are CHECKed.
  Server(ServerConfig config, Rng& rng);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const ServerConfig& config() const { return config_; }
  const ServerCounters& counters() const { return counters_; }
  std::size_t allocation_count() const { return allocations_.size(); }

  // A UDP datagram that arrived at a listening address (from a client) or at a relayed one (from a peer).
  void HandlePacket(Timestamp now, const Datagram& packet);
  // One message of a client over another transport: over TCP and TLS what stun::StreamFramer cut out, over DTLS one record.
  // Answers come from PollStreamWrite().
  void HandleClientMessage(Timestamp now, const FiveTuple& tuple, ByteView message);
  // Bytes of a client's data connection, after DataConnectionBound.
  void HandleClientData(Timestamp now, const FiveTuple& tuple, ByteView bytes);
  // Whether `tuple` is a data connection: a driver asks after each message that it cut out of a stream.
  bool IsDataConnection(const FiveTuple& tuple) const { return data_connections_.contains(tuple); }
  // The client's connection is gone: an allocation ends (a mobile one waits for its client to return), of a data connection the
  // peer's half is closed.
  void HandleDisconnect(Timestamp now, const FiveTuple& tuple);
  // An ICMP error about a datagram that left from a relayed address (RFC 8656 section 11.5).
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);

  void RelayBound(Timestamp now, RelayId id);
  void RelayBindFailed(Timestamp now, RelayId id);

  // The answers to TcpConnectWanted.
  void TcpConnected(Timestamp now, ConnectionId connection);
  void TcpConnectFailed(Timestamp now, ConnectionId connection);
  // A peer's connection was accepted at the TCP relayed address `relay`. Its name from now on; TcpClose may follow at once.
  ConnectionId TcpAccepted(Timestamp now, RelayId relay, const TransportAddress& peer);
  // Bytes from a peer: at most ReceiveRoom() of them, else the connection is closed.
  void HandleTcpData(Timestamp now, ConnectionId connection, ByteView bytes);
  // How many bytes of this peer the server takes for now: until the client binds the connection, what is left of
  // ServerConfig::tcp_buffer, and then SIZE_MAX. A driver reads no more from the socket, so that TCP's window closes.
  std::size_t ReceiveRoom(ConnectionId connection) const;
  // The peer closed the connection, or it broke.
  void HandleTcpClosed(Timestamp now, ConnectionId connection);

  std::optional<Transmit> PollTransmit() { return transmits_.Pop(); }
  std::optional<StreamWrite> PollStreamWrite() { return stream_writes_.Pop(); }
  std::optional<ServerEvent> PollEvent() { return events_.Pop(); }
  Timestamp NextTimeout() const;

 private:
  // All that it takes to answer a request, now or once sockets are bound.
  struct Responder {
    FiveTuple tuple;
    stun::Method method{};
    stun::TransactionId id{};
    std::optional<stun::Authenticated> client;  // absent: no authentication, responses go unsigned
    std::optional<TokenSession> token;          // RFC 7635: how `client` was authenticated

    std::string_view username() const {
      return client ? std::string_view(client->username) : std::string_view();
    }
  };
  // What an Allocate request asks for, once it is known to be sound.
  struct Plan {
    std::vector<AddressFamily> families;
    bool tcp = false;     // RFC 6062
    bool mobile = false;  // RFC 8016
    bool even = false;
    bool reserve = false;
    Relay* reserved = nullptr;  // from RESERVATION-TOKEN
    AddressFamily refused = AddressFamily::kNone;
    int refused_code = 0;
    TimeDelta lifetime;
  };
  // An Allocate request that waits for its relay sockets.
  struct Pending;
  // One connection with a peer (RFC 6062).
  struct TcpConnection;

  void MakeAuthenticator();

  // Packets (server.cc).
  void HandleClient(Timestamp now, const FiveTuple& tuple, ByteView message);
  void HandleChannelData(Timestamp now, const FiveTuple& tuple, ByteView message);
  void HandleSend(Timestamp now, const FiveTuple& tuple, const stun::MessageView& message);
  void HandlePeer(Timestamp now, const Relay& relay, const Datagram& packet);
  void SendToPeer(Timestamp now, Relay& relay, const TransportAddress& peer, ByteView data,
                  bool dont_fragment);
  bool Permits(Timestamp now, const Relay& relay, const TransportAddress& peer) const;
  bool AnyPermits(Timestamp now, const IpAddress& peer) const;
  std::vector<stun::AttributeType> UnknownAttributes(const stun::MessageView& message) const;
  void SendToClient(const FiveTuple& tuple, Bytes message);
  void Drop(DropReason reason, const TransportAddress& source, const TransportAddress& destination);

  // Binding (server_binding.cc).
  void HandleBinding(const FiveTuple& tuple, const stun::MessageView& message);
  void HandleClassic(const FiveTuple& tuple, ByteView message);

  // The life of relays and allocations (server_allocation.cc).
  Allocation* FindAllocation(const FiveTuple& tuple) const;
  // For data on `tuple`: a client that was moving has arrived.
  Allocation* FindForData(const FiveTuple& tuple);
  Relay& AddRelay(const TransportAddress& address, bool tcp);
  void SetExpiry(Relay& relay, Timestamp expires);
  void ExpireAllocation(Relay& relay, Timestamp expires);
  void EndRelay(Relay& relay, EndReason reason);
  void EndAllocation(Allocation& allocation, EndReason reason);
  void RemoveRelay(Relay& relay);
  void RemoveAllocation(const FiveTuple& tuple);
  // Not between the end of a mobile client's connection and its return.
  static bool IsReachable(const Allocation& allocation) {
    return !allocation.mobility || allocation.mobility->reachable;
  }

  // Requests (server_requests.cc).
  void HandleRequest(Timestamp now, const FiveTuple& tuple, const stun::MessageView& message);
  bool TakesRequest(stun::Method method) const;
  bool AnswerRetransmission(Timestamp now, const FiveTuple& tuple,
                            const stun::MessageView& message);
  bool Authenticate(Timestamp now, const stun::MessageView& message, Responder& responder);
  bool IsOwner(const Responder& responder, const Allocation& allocation) const;
  void HandleRefresh(Timestamp now, const Responder& responder, const stun::MessageView& message,
                     Allocation& allocation);
  void HandleCreatePermission(Timestamp now, const Responder& responder,
                              const stun::MessageView& message, Allocation& allocation);
  void HandleChannelBind(Timestamp now, const Responder& responder,
                         const stun::MessageView& message, Allocation& allocation);
  std::string QuotaKey(const Responder& responder) const;
  TimeDelta GrantLifetime(Timestamp now, std::optional<uint32_t> requested_s,
                          const Responder& responder) const;
  void Reject(const Responder& responder, int code);
  static stun::MessageBuilder Success(const Responder& responder);
  Bytes Finish(stun::MessageBuilder& builder, const Responder& responder) const;

  // Allocating (server_allocate.cc). The checks return 0 or the error code to answer.
  void HandleAllocate(Timestamp now, const Responder& responder, const stun::MessageView& message);
  int CheckAllocate(Timestamp now, const Responder& responder, const stun::MessageView& message,
                    Plan& plan);
  int CheckFamilies(const stun::MessageView& message, Plan& plan) const;
  bool Supports(AddressFamily family) const;
  bool RejectWhenFull(const Responder& responder);
  bool HasAlternate(AddressFamily family) const;
  void Redirect(const Responder& responder);
  void StartAllocation(Timestamp now, const Responder& responder, const Plan& plan);
  bool WantRelay(Pending& pending, std::size_t slot);
  std::optional<TransportAddress> PickAddress(AddressFamily family, bool even, bool pair);
  bool IsFree(const TransportAddress& address) const;
  void CompleteIfBound(Timestamp now, Pending& pending);
  void Establish(Timestamp now, Pending& pending);
  uint64_t Reserve(Timestamp now, Relay& relay);
  void AbandonPending(Pending& pending);

  // TCP allocations, RFC 6062 (server_tcp.cc).
  int CheckTcpAllocate(const Responder& responder, const stun::MessageView& message) const;
  void HandleConnect(Timestamp now, const Responder& responder, const stun::MessageView& message,
                     const Allocation& allocation);
  void HandleConnectionBind(const Responder& responder, const stun::MessageView& message);
  ConnectionId NewConnectionId();
  TcpConnection& AddConnection(Relay& relay, const TransportAddress& peer);
  TcpConnection* FindConnection(ConnectionId id) const;
  bool HasConnection(const Relay& relay, const TransportAddress& peer) const;
  void SetExpiry(TcpConnection& connection, Timestamp expires);
  void ExpireConnection(TcpConnection& connection);
  // Closes both halves, as far as they are open.
  void CloseConnection(TcpConnection& connection, bool client_is_there);
  void RemoveConnection(TcpConnection& connection);
  bool HandleDataDisconnect(const FiveTuple& tuple);

  // Mobility, RFC 8016 (server_mobility.cc).
  bool AllowsMobility(const FiveTuple& tuple) const;
  int CheckMobileAllocate(const Responder& responder, const stun::MessageView& message) const;
  void HandleMove(Timestamp now, const Responder& responder, const stun::MessageView& message);
  void GiveTicket(Allocation& allocation, stun::MessageBuilder& builder);
  void StartMove(const Responder& responder, Allocation& allocation, stun::MessageBuilder& builder);
  void CompleteMove(Allocation& allocation);
  Allocation* FindByTicket(ByteView ticket, int& code) const;

  // Credentials with third-party authorization, RFC 7635 (server_oauth.cc).
  tl::expected<stun::Authenticated, stun::Rejection> CheckCredentials(
      Timestamp now, const stun::MessageView& message, Responder& responder) const;
  tl::expected<stun::Authenticated, stun::Rejection> CheckToken(Timestamp now,
                                                                const stun::MessageView& message,
                                                                Responder& responder) const;
  const TokenSession* FindTokenSession(const stun::MessageView& message,
                                       const FiveTuple& tuple) const;

  ServerConfig config_;
  Rng& rng_;
  PeerPolicy policy_;
  std::optional<stun::LongTermAuthenticator> authenticator_;
  std::vector<stun::AttributeType> known_;  // comprehension-required attributes
  std::array<uint8_t, 16> ticket_key_{};

  // Hashed containers are only looked up, never walked: their order shows nowhere.
  std::unordered_map<FiveTuple, std::unique_ptr<Allocation>, FiveTupleHash> allocations_;
  std::unordered_map<FiveTuple, std::unique_ptr<Pending>, FiveTupleHash> pending_;
  // By the 5-tuple that a client is moving to, until it uses it, and by Allocation::serial.
  std::unordered_map<FiveTuple, Allocation*, FiveTupleHash> moving_;
  std::unordered_map<uint64_t, Allocation*> mobile_;
  std::unordered_map<ConnectionId, std::unique_ptr<TcpConnection>> connections_;
  std::unordered_map<FiveTuple, TcpConnection*, FiveTupleHash> data_connections_;  // by client
  std::unordered_map<RelayId, std::unique_ptr<Relay>> relays_;
  std::unordered_map<TransportAddress, Relay*, AddressHash> relay_by_address_;
  std::unordered_map<uint64_t, Relay*> relay_by_token_;
  std::unordered_map<std::string, std::size_t> allocations_of_user_;
  std::set<std::pair<Timestamp, RelayId>> expiries_;
  std::set<std::pair<Timestamp, ConnectionId>> connection_expiries_;
  uint64_t next_relay_id_ = 1;
  uint64_t next_serial_ = 1;

  ServerCounters counters_;
  Fifo<Transmit> transmits_;
  Fifo<StreamWrite> stream_writes_;
  Fifo<ServerEvent> events_;
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_SERVER_H_
