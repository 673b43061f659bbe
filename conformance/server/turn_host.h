// Puts the sans-IO STUN and TURN servers of stack/ on real sockets: `rtclab serve turn`. One thread, epoll, one clock.
#ifndef RTCLAB_CONFORMANCE_SERVER_TURN_HOST_H_
#define RTCLAB_CONFORMANCE_SERVER_TURN_HOST_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "conformance/server/tamper.h"
#include "conformance/socket/channel.h"
#include "conformance/socket/secure_stream.h"
#include "stack/base/error.h"
#include "stack/stun/server.h"
#include "stack/turn/server.h"

namespace rtclab::conformance {

struct HostConfig {
  // Addresses for UDP and TCP, and for DTLS and TLS. Port 0: a free one. DTLS is also answered on the UDP ports when there are
  // `identities` (RFC 7983 tells the two apart).
  std::vector<TransportAddress> listen;
  std::vector<TransportAddress> secure_listen;
  bool udp = true;
  bool tcp = true;
  std::vector<ServerIdentity>
      identities;  // for TLS and DTLS; without one `secure_listen` must be empty
  // `listening` is filled in by the host; `software`, credentials, relay addresses and all else is the caller's.
  turn::ServerConfig turn;
  // RFC 5780: each entry with an alternate adds the three other listening addresses of section 6.1 (UDP). Its primary must be in `listen`
  // with a port that is not 0.
  std::vector<stun::ServerAddresses> nat_discovery;
  // Connections of clients at a time, over TCP, TLS and DTLS together; one more is closed at once.
  std::size_t max_connections = 4'096;
  TimeDelta handshake_timeout =
      TimeDelta::Seconds(10);  // TLS and DTLS, from the first byte to the last
  // A connection without an allocation that brings no whole message for so long is closed. RFC 8489 section 6.2.2 leaves the time to the
  // server; DTLS associations cost more and cannot tell that they are gone.
  TimeDelta stream_idle = TimeDelta::Seconds(600);
  TimeDelta dtls_idle = TimeDelta::Seconds(120);
  // How long what is left to say to somebody who does not read is kept once the connection is to be closed.
  TimeDelta linger = TimeDelta::Seconds(10);
  // Whether Run() ends at an interrupt (real_clock.h); not for a server that a test runs beside what it interrupts.
  bool stop_at_interrupt = true;
  // The server's time runs so many times faster than the real one: a permission of 300 s ends after 3 s at 100. For tests.
  int clock_speed = 1;
  Tamper* tamper = nullptr;  // may change what goes in and out; must outlive the host
};

class TurnHost {
 public:
  struct Endpoint {
    Transport transport{};
    TransportAddress address;
  };

  // Opens every listening socket. `rng` must outlive the host. Fails with the address and the system's words.
  static Result<std::unique_ptr<TurnHost>> Start(HostConfig config, Rng& rng);
  ~TurnHost();
  TurnHost(const TurnHost&) = delete;
  TurnHost& operator=(const TurnHost&) = delete;

  // In the order of the configuration, UDP before TCP.
  const std::vector<Endpoint>& endpoints() const;
  const turn::Server& server() const;

  // Serves until Stop() or an interrupt.
  void Run();
  // From any thread.
  void Stop();

 private:
  struct Impl;
  explicit TurnHost(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SERVER_TURN_HOST_H_
