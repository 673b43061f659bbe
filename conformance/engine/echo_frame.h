// What `rtclab peer-echo` and a tester say to each other once they know each other (peer_echo.h): length of what follows (16 bits), an address
// (family, port, 4 or 16 bytes of IP), and a datagram: from the client one to send there, from the server one that came from there.
#ifndef RTCLAB_CONFORMANCE_ENGINE_ECHO_FRAME_H_
#define RTCLAB_CONFORMANCE_ENGINE_ECHO_FRAME_H_

#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/ip_address.h"

namespace rtclab::conformance {

struct EchoFrame {
  TransportAddress address;
  Bytes datagram;
};
Bytes EncodeEchoFrame(const TransportAddress& address, ByteView datagram);
// Takes a whole frame off the front of `buffer`; nullopt when it is not all there. Fails on one that is malformed.
Result<std::optional<EchoFrame>> TakeEchoFrame(Bytes& buffer);
// An address as frames carry it.
void WriteEchoAddress(ByteWriter& out, const TransportAddress& address);
std::optional<TransportAddress> ReadEchoAddress(ByteReader& in);
// Of the address that begins with this byte: its family.
std::size_t EchoAddressSize(uint8_t family);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_ECHO_FRAME_H_
