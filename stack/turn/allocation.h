// What a TURN server remembers about a client: its allocation, with one or two relayed transport addresses, their
// permissions and the channels (RFC 8656 sections 6, 9 and 12). Pure bookkeeping in pushed time; no messages.
#ifndef RTCLAB_STACK_TURN_ALLOCATION_H_
#define RTCLAB_STACK_TURN_ALLOCATION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "stack/base/units.h"
#include "stack/stun/message.h"
#include "stack/turn/channel_data.h"
#include "stack/turn/five_tuple.h"
#include "stack/turn/lifetimes.h"

namespace rtclab::turn {

// Names one relay socket between the server and its driver. Never reused.
enum class RelayId : uint64_t {};

// Names one TCP connection between the server and a peer: the CONNECTION-ID of RFC 6062 section 6.2.1. Random, unique among those that
// exist.
enum class ConnectionId : uint32_t {};

struct Allocation;

// Whether a peer of one IP address may send to the client. It has expired from `expires` on.
struct Permission {
  Timestamp expires;
  int channels = 0;  // how many channels point here
  uint16_t port =
      0;  // of the request; means nothing (section 9), but to ServerQuirks::permission_by_port
};

struct Relay;

// A channel binding. It has expired from `expires` on.
struct Channel {
  ChannelNumber number{};
  TransportAddress peer;
  Timestamp expires;
  Relay* relay = nullptr;
  Permission* permission = nullptr;  // of the peer's IP address, in `relay`
};

// One relayed transport address: being bound by the driver, in use by an allocation, or held for a reservation token.
struct Relay {
  RelayId id{};
  TransportAddress address;
  bool tcp = false;  // RFC 6062
  bool bound = false;
  Allocation* owner = nullptr;  // none while only reserved
  Timestamp expires = Timestamp::PlusInfinity();
  uint64_t token = 0;  // RESERVATION-TOKEN while reserved, else 0
  TimeDelta permission_lifetime = kPermissionLifetime;
  bool permission_refresh = true;  // off: ServerQuirks::permission_not_refreshed
  std::unordered_map<IpAddress, Permission, IpHash> permissions;
  std::unordered_map<TransportAddress, Channel*, AddressHash> channels;  // by peer
  std::vector<ConnectionId> connections;  // in the order they were made

  // The permission for `peer` that is in force, or null.
  const Permission* FindPermission(Timestamp now, const IpAddress& peer) const;
  // Creates or refreshes (section 9), making room by forgetting expired ones; null when `limit` are in force already.
  Permission* InstallPermission(Timestamp now, const TransportAddress& peer, std::size_t limit);
  // Permissions in force.
  std::size_t CountPermissions(Timestamp now) const;
};

enum class ChannelBindResult : uint8_t {
  kBound,
  kNumberTaken,  // bound to another peer
  kPeerTaken,    // bound to another number
  kNoCapacity,   // of permissions or channels
};

// A client that an access token authenticated (RFC 7635).
struct TokenSession {
  std::string kid;
  Bytes mac_key;
  Timestamp expires;  // the token's end: no lifetime is granted beyond
};

// A mobile client's whereabouts (RFC 8016).
struct Mobility {
  uint64_t serial = 0;      // what a ticket names
  uint32_t generation = 0;  // of the one ticket that is good
  Bytes ticket;
  std::optional<FiveTuple>
      next;               // where it is moving to, until data comes from there (section 3.2.2)
  bool reachable = true;  // off once its connection is gone
  // The last Refresh that moved it, for retransmissions.
  stun::TransactionId transaction_id{};
  Bytes response;
  Timestamp answered;
};

struct Allocation {
  FiveTuple tuple;
  std::string username;   // as authenticated; empty without authentication
  std::string quota_key;  // whom the allocation counts for
  // The relay of each family asked for, the first in the order of the request. Null: none, or deleted.
  std::array<Relay*, 2> relays{};
  bool established = false;              // all relays are bound and the client was told
  stun::TransactionId transaction_id{};  // of the Allocate request (section 7.2: retransmissions)
  Bytes response;                        // and what it was answered
  Timestamp created;
  std::optional<TokenSession> token;
  std::optional<Mobility> mobility;
  TimeDelta channel_lifetime = kChannelLifetime;
  bool channel_refresh = true;                     // off: ServerQuirks::channel_not_refreshed
  std::unordered_map<uint16_t, Channel> channels;  // by number

  Relay* FindRelay(AddressFamily family) const;
  // The channel bound to `number` now, or null.
  const Channel* FindChannel(Timestamp now, ChannelNumber number) const;
  // Section 12.2's rules for numbers and peers; `relay` is of the peer's family. Refreshes the permission as well.
  ChannelBindResult BindChannel(Timestamp now, ChannelNumber number, const TransportAddress& peer,
                                Relay& relay, std::size_t permission_limit,
                                std::size_t channel_limit);
  // Forgets the channel of this number or with this peer.
  void UnbindNumber(ChannelNumber number);
  void UnbindPeer(Relay& relay, const TransportAddress& peer);
  // Forgets the channels of one relay, as when one half of a dual allocation ends (section 8.1).
  void DropChannels(const Relay& relay);

 private:
  void Unbind(uint16_t number);
  void ForgetExpiredChannels(Timestamp now);
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_ALLOCATION_H_
