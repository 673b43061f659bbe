// `rtclab peer-echo`: UDP and TCP sockets on this host that a tester elsewhere uses as the peers behind a relay. The protocol stands in peer_echo.h.
#ifndef RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_SERVER_H_
#define RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_SERVER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/socket/channel.h"
#include "stack/base/error.h"
#include "stack/base/ip_address.h"

namespace rtclab::conformance {

struct IpPrefix {
  IpAddress network{};
  int length = 0;

  bool Contains(const IpAddress& ip) const { return ip.InPrefix(network, length); }
};
// "192.0.2.0/24", "2001:db8::/32", or one address.
Result<IpPrefix> ParsePrefix(std::string_view text);

struct EchoServerOptions {
  TransportAddress listen{};
  std::string token{};  // must not be empty
  // Where peers may send to, and whose TCP connections they take: the relay under test. Nothing is sent elsewhere, whoever asks.
  std::vector<IpPrefix> allow{};
  // Where peers may open TCP connections to; empty: nowhere.
  std::vector<IpPrefix> connect{};
  // Where peers are bound, one a family; without one of a family: the address that the tester connected to.
  std::vector<IpAddress> addresses{};
  int max_peers = 64;                              // at a time; further ones are refused
  int max_datagrams = 200'000;                     // that a peer sends in its life
  uint64_t max_bytes = 256 << 20;                  // of a TCP peer, both ways
  TimeDelta max_life = TimeDelta::Seconds(1'800);  // of a peer
};

class EchoServer {
 public:
  static Result<EchoServer> Listen(EchoServerOptions options);
  EchoServer(EchoServer&&) noexcept;
  ~EchoServer();  // ends its threads

  const TransportAddress& address() const;
  // Serves until `stop` or an interrupt.
  void Run(const std::atomic<bool>& stop);

 private:
  struct Impl;
  explicit EchoServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_SERVER_H_
