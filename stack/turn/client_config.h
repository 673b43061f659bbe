// What a TURN client is told, and what it tells.
#ifndef RTCLAB_STACK_TURN_CLIENT_CONFIG_H_
#define RTCLAB_STACK_TURN_CLIENT_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/ip_address.h"
#include "stack/base/units.h"
#include "stack/stun/transaction.h"
#include "stack/turn/channel_data.h"
#include "stack/turn/five_tuple.h"

namespace rtclab::turn {

struct ClientConfig {
  TransportAddress local;  // the client's own address; every Transmit leaves from it
  TransportAddress server;
  ClientTransport transport =
      ClientTransport::kUdp;  // over TCP and TLS: one message a Datagram (stun::StreamFramer)
  // Long-term credentials, used once the server asks for them. Empty: none, and a 401 ends the attempt.
  std::string username;
  std::string password;

  // REQUESTED-ADDRESS-FAMILY; kNone leaves it out, which means IPv4 (RFC 8656 section 7.2, check 7).
  AddressFamily family = AddressFamily::kNone;
  // ADDITIONAL-ADDRESS-FAMILY: one IPv4 and one IPv6 address. Excludes `family`, `reserve_next` and `reservation_token`.
  bool dual = false;
  bool even_port = false;                     // EVEN-PORT
  bool reserve_next = false;                  // EVEN-PORT with the R bit: implies even_port
  std::optional<uint64_t> reservation_token;  // of an earlier Allocated; excludes the four above
  // DONT-FRAGMENT: asks whether the server can set DF. A server that can't is asked again without it.
  bool dont_fragment = false;
  std::optional<TimeDelta>
      lifetime;  // LIFETIME, whole seconds; absent: the server's default (600 s)

  stun::RetransmitPolicy retransmit;
  int max_redirects =
      3;  // how many 300 answers to follow (RFC 8489 section 10); 0: report the first
  std::string software =
      "rtclab";  // SOFTWARE in Allocate and Refresh (RFC 8656 section 5); empty: not sent
  bool fingerprint = true;  // FINGERPRINT in requests
  // How long before its end a permission, a channel or the allocation is refreshed (RFC 8656 section 8: roughly a minute);
  // at most half its lifetime.
  TimeDelta refresh_margin = TimeDelta::Seconds(60);
};

// No answer came: the pseudo error code of RFC 8656 section 7.4.
inline constexpr int kRequestTimedOut = 408;
// The server answered something that cannot be used: reported with this code.
inline constexpr int kBadAnswer = 500;

// What RFC 8656 section 7.4 lets a client do after a failed Allocate.
enum class Advice : uint8_t {
  kGiveUp,             // not again before the cause is fixed
  kOtherTransport,     // 408: for example TCP
  kAlternateServer,    // 300
  kOtherLocalAddress,  // 437: up to three, then not for two minutes
  kRetryLater,         // 486, 508: not before a minute
  kRelaxRequest,       // 508 with EVEN-PORT or RESERVATION-TOKEN: at once, without
};
std::string_view ToString(Advice advice);  // "give-up", "other-transport", ...

struct Allocated {
  std::vector<TransportAddress> relayed;  // one, or one of each family
  TransportAddress mapped;                // our address as the server sees it
  TimeDelta lifetime;
  std::optional<uint64_t> reservation_token;
  bool dont_fragment = false;  // the server honours DONT-FRAGMENT
  // ADDRESS-ERROR-CODE: the family of a dual request that was not allocated, and why (440 or 508).
  AddressFamily refused_family = AddressFamily::kNone;
  int refused_code = 0;
};
struct AllocateFailed {
  int code = 0;  // the STUN error code, or kRequestTimedOut, or kBadAnswer
  std::string reason;
  std::optional<TransportAddress> alternate_server;  // not followed: beyond max_redirects
  Advice advice = Advice::kGiveUp;
};
struct Redirected {  // 300: the Allocate request goes on to another server
  TransportAddress from;
  TransportAddress to;
};
struct PermissionCreated {
  IpAddress peer;
};
struct PermissionFailed {  // at first or at a refresh; the permission is forgotten
  IpAddress peer;
  int code = 0;
  std::string reason;
};
struct ChannelBound {
  TransportAddress peer;
  ChannelNumber number{};
};
struct ChannelFailed {
  TransportAddress peer;
  int code = 0;
  std::string reason;
};
struct DataReceived {
  TransportAddress relayed;  // where the peer sent it
  TransportAddress peer;
  Bytes payload;
};
struct IcmpReceived {  // RFC 8656 section 11.6; type and code by the peer's family
  TransportAddress relayed;
  TransportAddress peer;
  uint8_t type = 0;
  uint8_t code = 0;
  uint32_t mtu = 0;  // Error Data
};
struct AllocationRefreshed {
  TimeDelta lifetime;
};
struct AllocationLost {  // everything is gone; the client is done
  int code = 0;
  std::string reason;
};
struct Closed {};  // the answer to Close()

using ClientEvent = std::variant<Allocated, AllocateFailed, Redirected, PermissionCreated,
                                 PermissionFailed, ChannelBound, ChannelFailed, DataReceived,
                                 IcmpReceived, AllocationRefreshed, AllocationLost, Closed>;

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_CLIENT_CONFIG_H_
