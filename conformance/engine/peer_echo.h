// Peers on another host: the protocol between a tester and `rtclab peer-echo`, and the tester's end of it (the other is
// peer_echo_server.h). One TCP connection a peer:
//
//   server -> client   'R' 'P' 'E' '1', 32 random bytes
//   client -> server   HMAC-SHA-256(token, those 36 bytes and what follows), family: 4 or 6
//   server -> client   0 and the peer's address, or 1 and a reason in words; then frames both ways (echo_frame.h)
#ifndef RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_H_
#define RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_H_

#include <memory>
#include <optional>
#include <string_view>

#include "conformance/engine/echo_frame.h"
#include "conformance/socket/channel.h"
#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/ip_address.h"
#include "stack/crypto/digest.h"

namespace rtclab::conformance {

inline constexpr std::string_view kEchoGreeting = "RPE1";
inline constexpr std::size_t kEchoChallengeSize = 36;  // the greeting and 32 random bytes

// What proves to know `token`.
crypto::Sha256Digest EchoProof(std::string_view token, ByteView challenge, uint8_t family);

// A UDP socket on the other host.
class EchoPeer {
 public:
  // Fails with the reason: no connection, a wrong token, no address of the family there.
  static Result<std::unique_ptr<EchoPeer>> Open(const TransportAddress& control,
                                                std::string_view token, AddressFamily family);

  const TransportAddress& address() const { return address_; }
  Result<void> Send(const TransportAddress& to, ByteView data);
  struct Received {
    Bytes bytes;
    TransportAddress from;
  };
  std::optional<Received> Receive(TimeDelta limit);

 private:
  explicit EchoPeer(std::unique_ptr<Channel> channel) : channel_(std::move(channel)) {}
  // Until `size` bytes are buffered.
  bool Fill(std::size_t size, TimeDelta limit);

  std::unique_ptr<Channel> channel_;
  TransportAddress address_;
  Bytes buffer_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_H_
