// A TURN server (RFC 8656), sans-IO. It answers clients on its listening addresses and relays between them and their peers
// through relay sockets that its driver binds and closes on request:
//
//   RelayWanted{id, address} -> the driver binds a UDP socket -> RelayBound(now, id) or RelayBindFailed(now, id)
//   RelayReleased{id, address} -> the driver closes it
//
// An Allocate request is answered once its relay sockets are bound. A driver that binds while it handles the event has the
// answer in the same drain.
#ifndef RTCLAB_STACK_TURN_SERVER_H_
#define RTCLAB_STACK_TURN_SERVER_H_

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
  // The client's connection is gone: its allocation ends.
  void HandleDisconnect(Timestamp now, const FiveTuple& tuple);
  // An ICMP error about a datagram that left from a relayed address (RFC 8656 section 11.5).
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);

  void RelayBound(Timestamp now, RelayId id);
  void RelayBindFailed(Timestamp now, RelayId id);

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

    std::string_view username() const {
      return client ? std::string_view(client->username) : std::string_view();
    }
  };
  // What an Allocate request asks for, once it is known to be sound.
  struct Plan {
    std::vector<AddressFamily> families;
    bool even = false;
    bool reserve = false;
    Relay* reserved = nullptr;  // from RESERVATION-TOKEN
    AddressFamily refused = AddressFamily::kNone;
    int refused_code = 0;
    TimeDelta lifetime;
  };
  // An Allocate request that waits for its relay sockets.
  struct Pending;

  // Packets (server.cc).
  void HandleClient(Timestamp now, const FiveTuple& tuple, ByteView message);
  void HandleChannelData(Timestamp now, const FiveTuple& tuple, ByteView message);
  void HandleSend(Timestamp now, const FiveTuple& tuple, const stun::MessageView& message);
  void HandleBinding(const FiveTuple& tuple, const stun::MessageView& message);
  void HandlePeer(Timestamp now, const Relay& relay, const Datagram& packet);
  std::vector<stun::AttributeType> UnknownAttributes(const stun::MessageView& message) const;
  void SendToClient(const FiveTuple& tuple, Bytes message);
  void Drop(DropReason reason, const TransportAddress& source, const TransportAddress& destination);

  // The life of relays and allocations (server.cc).
  Allocation* FindAllocation(const FiveTuple& tuple) const;
  Relay& AddRelay(const TransportAddress& address);
  void SetExpiry(Relay& relay, Timestamp expires);
  void EndRelay(Relay& relay, EndReason reason);
  void RemoveRelay(Relay& relay);
  void RemoveAllocation(const FiveTuple& tuple);

  // Requests (server_requests.cc).
  void HandleRequest(Timestamp now, const FiveTuple& tuple, const stun::MessageView& message);
  bool Authenticate(Timestamp now, const stun::MessageView& message, Responder& responder);
  void HandleRefresh(Timestamp now, const Responder& responder, const stun::MessageView& message,
                     Allocation& allocation);
  void HandleCreatePermission(Timestamp now, const Responder& responder,
                              const stun::MessageView& message, Allocation& allocation);
  void HandleChannelBind(Timestamp now, const Responder& responder,
                         const stun::MessageView& message, Allocation& allocation);
  std::string QuotaKey(const Responder& responder) const;
  TimeDelta GrantLifetime(std::optional<uint32_t> requested_s) const;
  void Reject(const Responder& responder, int code);
  static stun::MessageBuilder Success(const Responder& responder);
  Bytes Finish(stun::MessageBuilder& builder, const Responder& responder) const;

  // Allocating (server_allocate.cc). The checks return 0 or the error code to answer.
  void HandleAllocate(Timestamp now, const Responder& responder, const stun::MessageView& message);
  int CheckAllocate(Timestamp now, const stun::MessageView& message, Plan& plan);
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

  ServerConfig config_;
  Rng& rng_;
  PeerPolicy policy_;
  std::optional<stun::LongTermAuthenticator> authenticator_;

  // Hashed containers are only looked up, never walked: their order shows nowhere.
  std::unordered_map<FiveTuple, std::unique_ptr<Allocation>, FiveTupleHash> allocations_;
  std::unordered_map<FiveTuple, std::unique_ptr<Pending>, FiveTupleHash> pending_;
  std::unordered_map<RelayId, std::unique_ptr<Relay>> relays_;
  std::unordered_map<TransportAddress, Relay*, AddressHash> relay_by_address_;
  std::unordered_map<uint64_t, Relay*> relay_by_token_;
  std::unordered_map<std::string, std::size_t> allocations_of_user_;
  std::set<std::pair<Timestamp, RelayId>> expiries_;
  uint64_t next_relay_id_ = 1;

  ServerCounters counters_;
  Fifo<Transmit> transmits_;
  Fifo<StreamWrite> stream_writes_;
  Fifo<ServerEvent> events_;
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_SERVER_H_
