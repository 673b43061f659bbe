// What a TURN server remembers about a client: its allocation, with one or two relayed transport addresses, their
// permissions and the channels (RFC 8656 sections 6, 9 and 12). Pure bookkeeping in pushed time; no messages.
#ifndef RTCLAB_STACK_TURN_ALLOCATION_H_
#define RTCLAB_STACK_TURN_ALLOCATION_H_

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "stack/base/units.h"
#include "stack/stun/message.h"
#include "stack/turn/channel_data.h"
#include "stack/turn/five_tuple.h"
#include "stack/turn/lifetimes.h"

namespace rtclab::turn {

// Names one relay socket between the server and its driver. Never reused.
enum class RelayId : uint64_t {};

struct Allocation;

// Whether a peer of one IP address may send to the client. It has expired from `expires` on.
struct Permission {
  Timestamp expires;
  int channels = 0;  // how many channels point here
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
  bool bound = false;
  Allocation* owner = nullptr;  // none while only reserved
  Timestamp expires = Timestamp::PlusInfinity();
  uint64_t token = 0;  // RESERVATION-TOKEN while reserved, else 0
  std::unordered_map<IpAddress, Permission, IpHash> permissions;
  std::unordered_map<TransportAddress, Channel*, AddressHash> channels;  // by peer

  // The permission for `peer` that is in force, or null.
  const Permission* FindPermission(Timestamp now, const IpAddress& peer) const;
  // Creates or refreshes (section 9), making room by forgetting expired ones; null when `limit` are in force already.
  Permission* InstallPermission(Timestamp now, const IpAddress& peer, std::size_t limit);
  // Permissions in force.
  std::size_t CountPermissions(Timestamp now) const;
};

enum class ChannelBindResult : uint8_t {
  kBound,
  kNumberTaken,  // bound to another peer
  kPeerTaken,    // bound to another number
  kNoCapacity,   // of permissions or channels
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
  std::unordered_map<uint16_t, Channel> channels;  // by number

  Relay* FindRelay(AddressFamily family) const;
  // The channel bound to `number` now, or null.
  const Channel* FindChannel(Timestamp now, ChannelNumber number) const;
  // Section 12.2's rules for numbers and peers; `relay` is of the peer's family. Refreshes the permission as well.
  ChannelBindResult BindChannel(Timestamp now, ChannelNumber number, const TransportAddress& peer,
                                Relay& relay, std::size_t permission_limit,
                                std::size_t channel_limit);
  // Forgets the channels of one relay, as when one half of a dual allocation ends (section 8.1).
  void DropChannels(const Relay& relay);

 private:
  void Unbind(uint16_t number);
  void ForgetExpiredChannels(Timestamp now);
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_ALLOCATION_H_
