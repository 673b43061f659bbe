// A TURN client (RFC 8656): one allocation on one server, with its permissions and channels, kept alive by itself.
#ifndef RTCLAB_STACK_TURN_CLIENT_H_
#define RTCLAB_STACK_TURN_CLIENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/sans_io.h"
#include "stack/stun/alternate_server.h"
#include "stack/stun/long_term_client.h"
#include "stack/stun/message.h"
#include "stack/stun/transaction.h"
#include "stack/turn/client_config.h"
#include "stack/turn/fifo.h"

namespace rtclab::turn {

// Sans-IO as stack/base/sans_io.h has it. The local address may be shared with other protocols, such as ICE's Binding
// requests: HandlePacket() says what was its own.
class Client {
 public:
  using Event = ClientEvent;
  enum class State { kIdle, kAllocating, kAllocated, kClosing, kEnded };

  // `rng` makes transaction ids and must outlive the client.
  Client(ClientConfig config, Rng& rng);

  State state() const { return state_; }
  const ClientConfig& config() const { return config_; }
  // Where the client talks to: config().server, or where a 300 sent it.
  const TransportAddress& server() const { return server_; }
  // The relayed addresses of the allocation; empty without one.
  const std::vector<TransportAddress>& relayed() const { return relayed_; }
  // When the allocation ends unless refreshed.
  Timestamp expires() const { return expires_; }
  bool HasPermission(Timestamp now, const IpAddress& peer) const;
  // The channel confirmed for `peer`, if any.
  std::optional<ChannelNumber> FindChannel(Timestamp now, const TransportAddress& peer) const;
  // Datagrams from the server that were dropped for want of a permission or for being malformed.
  uint64_t dropped() const { return dropped_; }

  // Asks for the allocation. Only in kIdle; ends in Allocated or AllocateFailed.
  void Allocate(Timestamp now);
  // Installs permissions and keeps them (RFC 8656 section 10). Each peer ends in PermissionCreated or PermissionFailed; one
  // that is in force is reported at once. Only in kAllocated; else PermissionFailed with code 437.
  void CreatePermission(Timestamp now, std::span<const IpAddress> peers);
  // Binds a channel and keeps it, and with it the permission (section 12). Ends in ChannelBound or ChannelFailed.
  void BindChannel(Timestamp now, const TransportAddress& peer);
  // Stops refreshing the permission and the channels of this IP address; they run out on the server.
  void Forget(const IpAddress& peer);
  // Queues application data for a peer: ChannelData when a channel is bound and DF not wanted, else a Send indication. Fails
  // without allocation or permission, and above 65,000 bytes.
  Result<void> Send(Timestamp now, const TransportAddress& peer, ByteView payload,
                    bool dont_fragment = false);
  // Asks for another lifetime (whole seconds, above zero) now; ends in AllocationRefreshed or AllocationLost.
  void Refresh(Timestamp now, TimeDelta lifetime);
  // Deletes the allocation on the server; ends in Closed, at the latest when the request has timed out.
  void Close(Timestamp now);

  // A datagram, or over streams one framed message. False: not a TURN message of this client's server, nothing changed.
  bool HandlePacket(Timestamp now, const Datagram& packet);
  // An ICMP error about what we sent to the server: a hard error fails the requests under way (RFC 8489 section 6.2.1).
  void HandleIcmp(Timestamp now, const IcmpError& error);
  void HandleTimeout(Timestamp now);
  std::optional<Transmit> PollTransmit() { return transmits_.Pop(); }
  std::optional<ClientEvent> PollEvent() { return events_.Pop(); }
  Timestamp NextTimeout() const { return next_timeout_; }

 private:
  // What is asked for, so that it can be asked again.
  struct Request {
    stun::Method method{};
    TimeDelta lifetime{};            // Refresh; zero deletes
    std::vector<IpAddress> peers{};  // CreatePermission
    TransportAddress peer{};         // ChannelBind
    ChannelNumber number{};
  };
  struct Transaction {
    Request request;
    stun::TransactionId id{};
    Bytes bytes;
    stun::LongTermClient::Signature signature;
    stun::RetransmitTimer timer;
    bool integrity_violated = false;  // an answer came whose integrity was wrong
  };
  struct Permission {
    bool requested = false;  // a request is under way
    bool keep = true;
    Timestamp expires{};  // <= now: not installed
    Timestamp refresh_at = Timestamp::PlusInfinity();
  };
  struct Channel {
    ChannelNumber number{};
    bool requested = false;
    bool keep = true;
    Timestamp expires{};
    Timestamp refresh_at = Timestamp::PlusInfinity();
  };

  // Requests.
  void Start(Timestamp now, Request request);
  Transaction Build(Timestamp now, Request request);
  void AddAllocateAttributes(stun::MessageBuilder& builder) const;
  void RequestPermissions(Timestamp now, const std::vector<IpAddress>& peers);
  void RequestChannel(Timestamp now, const TransportAddress& peer, Channel& channel);
  void Queue(Bytes payload);

  // Answers.
  bool HandleResponse(Timestamp now, const stun::MessageView& message);
  void HandleSuccess(Timestamp now, const Request& request, const stun::MessageView& message);
  void HandleError(Timestamp now, const Request& request, const stun::MessageView& message);
  void HandleAllocated(Timestamp now, const stun::MessageView& message);
  bool ReadAddresses(const stun::MessageView& message, Allocated& allocated) const;
  void HandleRefreshed(Timestamp now, const Request& request, const stun::MessageView& message);
  void HandlePermissionsCreated(Timestamp now, const Request& request);
  void HandleChannelBound(Timestamp now, const Request& request);
  void HandleFailure(Timestamp now, const Request& request, int code, std::string_view reason);
  void HandleAllocateFailure(AllocateFailed failed);
  void HandlePermissionFailure(Timestamp now, const Request& request, int code,
                               std::string_view reason);
  void HandleChannelFailure(Timestamp now, const Request& request, int code,
                            std::string_view reason);
  bool RelaxAndRetry(Timestamp now, const stun::MessageView& message);
  void Redirect(Timestamp now, const TransportAddress& server);
  void Lose(int code, std::string_view reason);
  void Delete(Timestamp now, bool report);
  void End();

  // Data.
  void HandleDataIndication(Timestamp now, const stun::MessageView& message);
  void HandleChannelData(Timestamp now, ByteView payload);
  const TransportAddress* RelayedFor(const IpAddress& peer) const;

  // Time.
  Timestamp RefreshTime(Timestamp now, TimeDelta lifetime) const;
  void RefreshDue(Timestamp now);
  std::optional<ChannelNumber> FreeChannelNumber(Timestamp now);
  void UpdateTimeout();

  ClientConfig config_;
  Rng& rng_;
  stun::LongTermClient credentials_;
  TransportAddress server_;
  stun::RedirectGuard redirects_;
  int redirects_followed_ = 0;
  State state_ = State::kIdle;
  bool report_closed_ = false;
  bool dont_fragment_;  // still asked for

  std::vector<TransportAddress> relayed_;
  Timestamp expires_;
  Timestamp refresh_at_ = Timestamp::PlusInfinity();
  TimeDelta lifetime_;  // asked for at each refresh; zero: the server's default

  std::vector<Transaction> transactions_;
  std::map<IpAddress, Permission> permissions_;
  std::map<TransportAddress, Channel> channels_;
  std::unordered_map<uint16_t, TransportAddress> peer_of_channel_;
  uint16_t next_channel_ = kMinChannelNumber;

  uint64_t dropped_ = 0;
  Fifo<Transmit> transmits_;
  Fifo<ClientEvent> events_;
  Timestamp next_timeout_ = Timestamp::PlusInfinity();
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_CLIENT_H_
