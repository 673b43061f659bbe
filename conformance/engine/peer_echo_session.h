// One tester's connection to `rtclab peer-echo`, on a thread of its own: who is there, what it asks for, and the peer that it gets.
#ifndef RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_SESSION_H_
#define RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_SESSION_H_

#include <atomic>
#include <memory>
#include <optional>

#include "conformance/engine/peer_echo.h"
#include "conformance/engine/peer_echo_server.h"

namespace rtclab::conformance {

class EchoSession {
 public:
  EchoSession(const EchoServerOptions& options, std::unique_ptr<Channel> channel)
      : options_(options), channel_(std::move(channel)) {}

  // Until the tester goes, `stop`, an interrupt, or the peer's life or amount is over. `full`: there are peers enough already.
  void Run(const std::atomic<bool>& stop, bool full);

 private:
  struct Request {
    EchoKind kind{};
    AddressFamily family{};
    TransportAddress to{};  // kConnect
  };
  // One direction of two connections that are joined.
  struct Half {
    Channel& from;
    Channel& to;
    bool ended = false;
    // What has come, and the end; false: an end that is none, or more than `left` bytes.
    bool Pass(TimeDelta limit, uint64_t& left);
  };
  // What is asked for, by one who knows the token.
  std::optional<Request> Handshake();
  // Until so much is buffered.
  bool Fill(std::size_t size, Timestamp deadline);
  void Refuse(uint8_t status, std::string_view why);
  bool Welcome(const TransportAddress& address);
  Result<IpAddress> Own(AddressFamily family) const;
  bool Over(const std::atomic<bool>& stop) const;

  void RunUdp(const std::atomic<bool>& stop, const IpAddress& own);
  // Sends what the tester wants sent; false when the peer is to end.
  bool Forward(PeerSocket& socket);
  void RunListener(const std::atomic<bool>& stop, const IpAddress& own);
  void RunConnection(const std::atomic<bool>& stop, const IpAddress& own,
                     const TransportAddress& to);
  // Bytes both ways, until both ends are closed or one is reset.
  void Join(const std::atomic<bool>& stop, Channel& relay);

  const EchoServerOptions& options_;
  std::unique_ptr<Channel> channel_;
  Bytes buffer_;
  int sent_ = 0;
  Timestamp end_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_PEER_ECHO_SESSION_H_
