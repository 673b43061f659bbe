// What a TURN server is told, and what it tells: configuration, events, counters.
#ifndef RTCLAB_STACK_TURN_SERVER_CONFIG_H_
#define RTCLAB_STACK_TURN_SERVER_CONFIG_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/ip_address.h"
#include "stack/base/units.h"
#include "stack/stun/credentials.h"
#include "stack/stun/long_term_authenticator.h"
#include "stack/turn/access_token.h"
#include "stack/turn/allocation.h"
#include "stack/turn/peer_policy.h"
#include "stack/turn/server_quirks.h"

namespace rtclab::turn {

// Access tokens of an authorization server, accepted beside passwords (RFC 7635).
struct ThirdPartyAuthorization {
  std::string server_name;  // in THIRD-PARTY-AUTHORIZATION; tokens are sealed for this name
  std::vector<AccessTokenKey> keys;
  TimeDelta delta = TimeDelta::Seconds(5);  // section 7: how far the clocks may be apart
};

// Long-term credentials (RFC 8489 section 9.2). Time-limited ones are a matter of the store (stun::RestCredentials).
struct ServerAuthentication {
  stun::LongTermConfig long_term;  // an empty `software` takes the server's
  std::shared_ptr<const stun::CredentialStore> credentials;  // null: no passwords, only tokens
  // Usernames are "expiry:user" (draft-uberti-behave-turn-rest): quotas count the user, whatever the expiry.
  bool time_limited = false;
  std::optional<ThirdPartyAuthorization> third_party;
};

struct ServerConfig {
  // Where clients reach the server; at least one. The driver hands in what arrives there.
  std::vector<TransportAddress> listening;
  // Where relayed addresses come from, IPv4 and IPv6 in any mixture; at least one. A family without an address is one the
  // server does not support (440). Addresses of one family are tried in this order.
  std::vector<IpAddress> relay_addresses;
  // Absent: everybody may allocate (RFC 8656 section 7.2, check 1).
  std::optional<ServerAuthentication> authentication;
  PeerPolicyConfig peer_policy;

  // RFC 8656 section 7.2: the dynamic range; both included, and min_port <= max_port.
  uint16_t min_port = 49152;
  uint16_t max_port = 65535;
  TimeDelta default_lifetime = TimeDelta::Seconds(600);  // RFC 8656 section 6
  TimeDelta max_lifetime = TimeDelta::Seconds(3600);  // RFC 8656 section 7.2; >= default_lifetime
  // RFC 8656 section 7.2: how long the odd port of EVEN-PORT is held, at least 30 s.
  TimeDelta reservation_lifetime = TimeDelta::Seconds(30);
  // How many other ports to try when the driver cannot bind one, before 508.
  int bind_attempts = 8;

  std::size_t max_allocations_per_user = 100;  // beyond: 486 (RFC 8656 section 7.2, check 10)
  std::size_t max_allocations = 100'000;       // beyond: 300 with an alternate server, else 508
  std::size_t max_permissions = 512;           // an address of an allocation; beyond: 508
  std::size_t max_channels = 512;              // an allocation; beyond: 508

  // REQUESTED-TRANSPORT UDP; off: 403 (RFC 6062 section 5.1).
  bool udp_relay = true;
  // TCP allocations (RFC 6062), for a driver that handles the Tcp events; off: 442, and Connect and ConnectionBind are unknown methods.
  bool tcp_relay = false;
  TimeDelta tcp_connect_timeout = TimeDelta::Seconds(30);  // RFC 6062 section 5.2: at least 30 s
  TimeDelta tcp_bind_timeout = TimeDelta::Seconds(30);     // RFC 6062 sections 5.2 and 5.3
  // Bytes of a peer that wait for ConnectionBind; a peer that gets more in is cut off (RFC 6062 section 7).
  std::size_t tcp_buffer = 65'536;
  std::size_t max_connections = 64;  // peer connections an allocation; beyond: 508

  // RFC 8016. Off: 405. On, without `authentication`, only for clients over TLS and DTLS (section 5).
  bool mobility = false;

  // What UNIX time it is at Timestamp::Zero(): access tokens carry an absolute time.
  TimeDelta unix_time_at_zero = TimeDelta::Zero();

  // RFC 8656 section 12: 0x4000 to this one can be bound. RFC 5766 section 11 ends at 0x7FFE.
  uint16_t max_channel_number = kMaxChannelNumber;

  // Whether the driver can set the IPv4 DF bit. If not, DONT-FRAGMENT is an unknown attribute (420).
  bool dont_fragment = true;
  // Where to send clients with 300 (RFC 8656 section 7.2, check 11): the first of the client's address family. Used when full,
  // or always with `redirect_all`.
  std::vector<TransportAddress> alternate_servers;
  bool redirect_all = false;
  std::string alternate_domain;  // ALTERNATE-DOMAIN of a 300 (RFC 8489 section 14.16); empty: none

  // Answer STUN Binding requests on the listening addresses, as TURN servers do in practice.
  bool answer_binding = true;
  // And Binding requests without the magic cookie, as RFC 3489 clients send, over UDP and TCP (RFC 5389 section 12.2).
  bool answer_classic = true;
  std::string software = "rtclab";  // SOFTWARE (RFC 8656 section 5); empty: not sent
  bool fingerprint = true;          // FINGERPRINT in everything but Data indications
  bool report_drops =
      false;  // PacketDropped events: to explain, at the price of one event a dropped packet
  ServerQuirks quirks;
};

// The comprehension-required attributes that a server with this configuration knows.
std::vector<stun::AttributeType> KnownAttributes(const ServerConfig& config);

// Turns `config` into a server of RFC 5389 and RFC 5766: nonces without cookie, no PASSWORD-ALGORITHMS, no USERHASH, channels up to
// 0x7FFE.
void UseRfc5766(ServerConfig& config);

// Why the server dropped something without an answer.
enum class DropReason : uint8_t {
  kMalformed,         // not STUN, not ChannelData, or broken
  kUnexpected,        // a method or class that a TURN server does not take
  kNoAllocation,      // for this 5-tuple
  kUnknownAttribute,  // comprehension-required, in an indication
  kNoPermission,      // for the peer's IP address
  kPeerRefused,       // by the peer-address policy
  kPeerFamily,        // the allocation has no relayed address of the peer's family
  kUnboundChannel,
  kUnknownDestination,  // neither a listening nor a relayed address
  kTooLarge,            // does not fit a Data indication or ChannelData message
  kIcmpType,            // not one that RFC 8656 section 11.5 relays
};
inline constexpr std::size_t kDropReasonCount = 11;
// A stable identifier: "malformed", "no-permission", ...
std::string_view ToString(DropReason reason);

enum class EndReason : uint8_t { kDeleted, kExpired, kDisconnected };
std::string_view ToString(EndReason reason);  // "deleted", "expired", "disconnected"

// The driver has to bind a UDP socket to `address` and answer with RelayBound() or RelayBindFailed().
struct RelayWanted {
  RelayId id{};
  TransportAddress address;
};
// The driver has to listen for TCP connections at `address`, such that it can also connect from it, and answer with RelayBound() or
// RelayBindFailed(). For each connection that it accepts it calls TcpAccepted(). Relayed addresses of UDP and TCP never coincide.
struct TcpListenWanted {
  RelayId id{};
  TransportAddress address;
};
// The driver closes the socket of RelayWanted or TcpListenWanted, if it could bind one; the connections accepted from a listening
// socket live on.
struct RelayReleased {
  RelayId id{};
  TransportAddress address;
};
// The driver has to connect from the relayed address `from` to the peer `to` and answer with TcpConnected() or TcpConnectFailed(),
// unless TcpClose comes first. (RFC 6062 section 5.2)
struct TcpConnectWanted {
  ConnectionId connection{};
  TransportAddress from;
  TransportAddress to;
};
// Bytes for the peer of a connection.
struct TcpData {
  ConnectionId connection{};
  Bytes payload;
};
// The driver closes the connection with the peer, once it has sent what TcpData gave, or gives up connecting. Its id means nothing any
// more: the driver makes no further call with it.
struct TcpClose {
  ConnectionId connection{};
};
// The client's connection `tuple` has become the data connection of `connection` (RFC 6062 section 5.4). What StreamWrite has for it
// from now on is raw, and what arrives on it goes to HandleClientData(), beginning with the bytes behind the ConnectionBind request.
// To keep flow control end to end (section 3), a driver that can't write to one of the two stops reading from the other.
struct DataConnectionBound {
  FiveTuple tuple;
  ConnectionId connection{};
};
struct AllocationCreated {
  FiveTuple tuple;
  std::string username;
  std::vector<TransportAddress> relayed;
  bool tcp = false;  // RFC 6062
};
// The client moved to another 5-tuple (RFC 8016) and uses it now.
struct AllocationMoved {
  FiveTuple from;
  FiveTuple to;
};
// One relayed address of an allocation is gone; a dual allocation ends with two such events.
struct AllocationEnded {
  FiveTuple tuple;
  std::string username;
  TransportAddress relayed;
  EndReason reason{};
};
struct PacketDropped {
  DropReason reason{};
  TransportAddress source;
  TransportAddress destination;
};
using ServerEvent = std::variant<RelayWanted, RelayReleased, AllocationCreated, AllocationEnded,
                                 PacketDropped, TcpListenWanted, TcpConnectWanted, TcpData,
                                 TcpClose, DataConnectionBound, AllocationMoved>;

// Bytes for a client that is reached over a stream or DTLS instead of UDP.
struct StreamWrite {
  FiveTuple tuple;
  Bytes payload;
  // The driver closes the connection once all of it is written, and calls nothing more with this tuple.
  bool close = false;
};

struct ServerCounters {
  uint64_t allocations_created = 0;
  uint64_t packets_to_peers = 0;
  uint64_t bytes_to_peers = 0;  // application data
  uint64_t packets_to_clients = 0;
  uint64_t bytes_to_clients = 0;  // application data
  uint64_t icmp_to_clients = 0;
  uint64_t connections_bound = 0;                  // RFC 6062 data connections
  std::array<uint64_t, kDropReasonCount> drops{};  // by DropReason

  uint64_t dropped(DropReason reason) const { return drops[static_cast<std::size_t>(reason)]; }
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_SERVER_CONFIG_H_
