// stun:, stuns:, turn: and turns: URIs (RFC 7064 section 3.1, RFC 7065 section 3.1).
#ifndef RTCLAB_CONFORMANCE_ENGINE_URI_H_
#define RTCLAB_CONFORMANCE_ENGINE_URI_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "conformance/engine/target.h"
#include "conformance/socket/channel.h"
#include "stack/base/error.h"

namespace rtclab::conformance {

struct ServerUri {
  bool turn = false;    // turn: or turns:
  bool secure = false;  // stuns: or turns:
  std::string host{};   // a name or an IP address; an IPv6 literal without its brackets
  uint16_t port =
      3478;  // RFC 7064 section 3.2, RFC 7065 section 3.2: 3478, or 5349 when secure, unless named
  Transport transport = Transport::kUdp;
  bool transport_named = false;  // by ?transport= (RFC 7065), or by the scheme

  std::string ToString() const;
  bool operator==(const ServerUri&) const = default;
};

// Fails with the offset of what is wrong. Schemes and the transport's name are read in any case. turn: and stun: are UDP, or TCP with
// ?transport=tcp; turns: and stuns: are TLS over TCP, or DTLS with ?transport=udp. stun: takes ?transport=
// as well, which RFC 7064 has not, to say over which transport to test.
Result<ServerUri> ParseServerUri(std::string_view text);

// Puts the server of `uri` into `target`: its endpoints by family, resolved. The first URI names the transport, the host and the family
// (IPv4 where there is a choice) that cases run over, and with turn: or stun: without ?transport= also the same port over TCP. Fails when
// the name has no address.
Result<void> AddServer(Target& target, const ServerUri& uri);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_URI_H_
