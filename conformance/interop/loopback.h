// What the interoperability tests share: addresses on loopback, free ports, an echoing peer.
#ifndef RTCLAB_CONFORMANCE_INTEROP_LOOPBACK_H_
#define RTCLAB_CONFORMANCE_INTEROP_LOOPBACK_H_

#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/socket/udp_socket.h"
#include "stack/base/check.h"
#include "stack/base/datagram.h"
#include "stack/base/units.h"

namespace rtclab::conformance {

inline IpAddress Loopback(AddressFamily family) {
  return family == AddressFamily::kIpv6 ? *IpAddress::Parse("::1") : IpAddress::V4(127, 0, 0, 1);
}

// A port that is free on 127.0.0.1 now and was not given out before. Below the range that the system gives to others, so that it stays
// free for the moment until the program under test binds it.
inline uint16_t FreePort() {
  static uint16_t next = static_cast<uint16_t>(12'000 + getpid() % 4'000 * 5);
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    const uint16_t port = next++;
    if (UdpSocket::Bind({IpAddress::V4(127, 0, 0, 1), port})) return port;
  }
  CHECK(false);
}

// Sends back whatever comes.
class EchoPeer {
 public:
  struct Event {};
  void HandlePacket(Timestamp, const Datagram& packet) {
    received.emplace_back(packet.payload.begin(), packet.payload.end());
    replies_.push_back(
        {packet.destination, packet.source, Bytes(packet.payload.begin(), packet.payload.end())});
  }
  void HandleTimeout(Timestamp) {}
  std::optional<Transmit> PollTransmit() {
    if (replies_.empty()) return std::nullopt;
    Transmit reply = std::move(replies_.back());
    replies_.pop_back();
    return reply;
  }
  std::optional<Event> PollEvent() { return std::nullopt; }
  Timestamp NextTimeout() const { return Timestamp::PlusInfinity(); }

  std::vector<Bytes> received;

 private:
  std::vector<Transmit> replies_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_INTEROP_LOOPBACK_H_
