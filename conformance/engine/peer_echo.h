// Peers on another host: the protocol between a tester and `rtclab peer-echo`, and the tester's end of it (the other is
// peer_echo_server.h). One TCP connection a peer:
//
//   server -> client   'R' 'P' 'E' '1', 32 random bytes
//   client -> server   HMAC-SHA-256(token, those 36 bytes and the request), the request: kind and family (EchoKind) in a byte, for
//                      kConnect then the address to connect to
//   server -> client   0 and the peer's address, or 1 (refused) or 2 (could not connect) and a reason in words
//
// After that, of a UDP peer: frames both ways (echo_frame.h). Of one that listens: when the relay has connected, 0 and the address that it
// came from, and from then on the bytes of that connection both ways, the end of each direction as the end of ours, RST as RST. Of one that
// connects: the bytes at once.
#ifndef RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_H_
#define RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_H_

#include <memory>
#include <optional>
#include <string>
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
// What the answer begins with when it is no.
inline constexpr uint8_t kEchoRefused = 1, kEchoNotConnected = 2;
// How long the peer tries to connect.
inline constexpr TimeDelta kEchoConnect = TimeDelta::Seconds(5);

// What a peer is to do; the family, 4 or 6, is added.
enum class EchoKind : uint8_t {
  kUdp = 0x00,      // send and receive datagrams
  kListen = 0x10,   // accept one TCP connection
  kConnect = 0x20,  // open one
};

// What proves to know `token`.
crypto::Sha256Digest EchoProof(std::string_view token, ByteView challenge, ByteView request);

// The connection to peer-echo, and what it said to the request.
struct EchoControl {
  std::unique_ptr<Channel> channel;
  Bytes buffer;  // came, and was not looked at

  struct Failure {
    std::string reason;
    bool refused = false;        // peer-echo does not do that, for anyone or for this address
    bool not_connected = false;  // kConnect: it tried
  };
  // Asks for `kind`; `to` is for kConnect. `own`: the address of the peer.
  static tl::expected<EchoControl, Failure> Open(const TransportAddress& control,
                                                 std::string_view token, EchoKind kind,
                                                 AddressFamily family, const TransportAddress& to,
                                                 TransportAddress& own);
  // Until `size` bytes are buffered.
  bool Fill(std::size_t size, TimeDelta limit);
  // A 0 and an address.
  std::optional<TransportAddress> TakeAddress(TimeDelta limit);
};

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
  EchoPeer(EchoControl control, const TransportAddress& address)
      : control_(std::move(control)), address_(address) {}

  EchoControl control_;
  TransportAddress address_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_H_
