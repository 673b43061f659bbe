// Which peers a TURN server relays to. An open relay into the operator's own network is the classic TURN mistake, so
// everything that is not a plain global unicast address is refused unless the configuration says otherwise.
#ifndef RTCLAB_STACK_TURN_PEER_POLICY_H_
#define RTCLAB_STACK_TURN_PEER_POLICY_H_

#include <optional>
#include <string_view>
#include <vector>

#include "stack/base/ip_address.h"

namespace rtclab::turn {

struct IpPrefix {
  IpAddress network;
  int length = 0;  // 0..32 or 0..128

  // "192.0.2.0/24", "2001:db8::/32" or a single address; nullopt for anything else.
  static std::optional<IpPrefix> Parse(std::string_view text);
  bool Contains(const IpAddress& ip) const { return ip.InPrefix(network, length); }
  bool operator==(const IpPrefix&) const = default;
};

struct PeerPolicyConfig {
  bool allow_loopback = false;    // 127.0.0.0/8, ::1
  bool allow_private = false;     // RFC 1918, RFC 6598, fc00::/7, fec0::/10, 64:ff9b:1::/48
  bool allow_link_local = false;  // 169.254.0.0/16, fe80::/10
  // Override the classes above, deny before allow. Unspecified, multicast, broadcast, reserved and tunnel addresses stay
  // refused whatever `allow` says. A list entry for IPv4 also judges the IPv4 address embedded in an IPv6 one.
  std::vector<IpPrefix> allow;
  std::vector<IpPrefix> deny;
  // Off: addresses that hide an IPv4 one are judged as IPv6 only. A deviation, to reproduce faulty servers.
  bool judge_embedded = true;
};

enum class PeerVerdict : uint8_t {
  kAllowed,
  kUnspecified,  // 0.0.0.0/8, ::
  kLoopback,
  kPrivate,
  kLinkLocal,
  kMulticast,
  kReserved,    // 240.0.0.0/4 with the limited broadcast address
  kTunnel,      // Teredo and 6to4: RFC 8656 section 21.4 forbids them
  kDenied,      // by the deny list
  kOwnAddress,  // the server's own listening address
  kPort,        // port 0
};
// A stable identifier: "allowed", "loopback", ...
std::string_view ToString(PeerVerdict verdict);

class PeerPolicy {
 public:
  // `listening`: the server's own addresses. `relay`: the addresses it relays from. An IP address that is both can be a
  // peer (two clients of one server meet there), but not with a listening port.
  PeerPolicy(PeerPolicyConfig config, std::vector<TransportAddress> listening,
             std::vector<IpAddress> relay);

  // For CreatePermission, where the port means nothing (RFC 8656 section 10.2).
  PeerVerdict CheckIp(const IpAddress& ip) const;
  // For ChannelBind and Send, which name a port as well (sections 11.2 and 12.2).
  PeerVerdict Check(const TransportAddress& peer) const;
  // Whether requests from this client address have to be refused: section 21.4 (Teredo, 6to4).
  static bool IsTunnel(const IpAddress& ip);

 private:
  PeerVerdict Classify(const IpAddress& ip) const;
  IpAddress Judged(const IpAddress& ip) const;

  PeerPolicyConfig config_;
  std::vector<TransportAddress> listening_;
  std::vector<IpAddress> relay_;
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_PEER_POLICY_H_
