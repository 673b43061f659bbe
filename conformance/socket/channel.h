// What a conformance case sends and receives through: one client 5-tuple over UDP, TCP, TLS or DTLS, and the peers behind a relay.
// Blocking, with a deadline on every wait; one thread a channel. An interrupt (real_clock.h) ends every wait early.
#ifndef RTCLAB_CONFORMANCE_SOCKET_CHANNEL_H_
#define RTCLAB_CONFORMANCE_SOCKET_CHANNEL_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/socket/ip_marks.h"
#include "conformance/socket/real_clock.h"
#include "conformance/socket/secure_stream.h"
#include "conformance/socket/udp_socket.h"
#include "stack/base/bytes.h"
#include "stack/base/datagram.h"
#include "stack/base/error.h"

namespace rtclab::conformance {

enum class Transport : uint8_t { kUdp, kTcp, kTls, kDtls };
// "udp", "tcp", "tls", "dtls".
std::string_view ToString(Transport transport);

struct ChannelOptions {
  TransportAddress server;
  // Where to bind. Without it, or with an any-address: the address that the system's routes choose for the server, and a free port.
  std::optional<TransportAddress> local;
  // Whom a certificate must name: a DNS name or an IP address. Empty: the server's IP address.
  std::string server_name;
  SecureOptions secure;
  // Made of `secure` by the caller, for many channels; without it each channel makes its own (0.3 ms, and the CA file is read).
  std::optional<SecureContext> context;
  // Of the TCP connection and the handshake together.
  TimeDelta connect_timeout = TimeDelta::Seconds(5);
  // How long Send() may wait for a peer that does not read.
  TimeDelta send_timeout = TimeDelta::Seconds(5);
  // DSCP and ECN of all that is sent, and the hop limit when it is not 0. UDP and DTLS: also DF. ECN on TCP is the system's own.
  IpMarks marks;
  // TCP and TLS: several sockets may bind `local` (SO_REUSEADDR and SO_REUSEPORT), as RFC 6062 needs of one address.
  bool reuse_local = false;
};

// A datagram or record, or a piece of a stream.
struct Received {
  Bytes bytes;
  TransportAddress from;
  Timestamp at;   // RealNow() when it was read
  IpMarks marks;  // UDP only
};

class Channel {
 public:
  // How far opening came.
  enum class Stage : uint8_t {
    kOpen,
    kSocket,  // this host refused: an address that cannot be bound, no route, a CA file that cannot be read
    kConnect,  // TCP: refused, unreachable or no answer in time
    kHandshake,  // TLS or DTLS failed: an alert, a certificate that does not hold, garbage, or no answer in time
    kInterrupted,  // the user wants to stop
  };
  struct Attempt {
    std::unique_ptr<Channel> channel;  // when stage is kOpen
    Stage stage = Stage::kSocket;
    std::string reason;  // in words, with the address; empty when open
    SecureInfo secure;   // what the handshake had shown when it failed
    bool timed_out = false;
  };

  // Opens a channel: binds, connects and shakes hands as far as the transport has that. Never throws.
  static Attempt TryOpen(Transport transport, const ChannelOptions& options);
  // The same for whom the reason is enough.
  static Result<std::unique_ptr<Channel>> Open(Transport transport, const ChannelOptions& options);

  virtual ~Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  Transport transport() const { return transport_; }
  const TransportAddress& local() const { return local_; }
  const TransportAddress& remote() const { return remote_; }
  bool is_stream() const { return transport_ == Transport::kTcp || transport_ == Transport::kTls; }

  // Raw bytes: one datagram (UDP) or record (DTLS) as it is, also an empty one (UDP), or so many bytes of the stream, sent at once
  // (TCP_NODELAY). Fails when the channel is closed (not by a mere FIN of the peer: TCP goes on in the other direction), the datagram is too
  // long for the path with DF, or the peer has not read for send_timeout; what of the stream was not sent then goes before the next bytes.
  virtual Result<void> Send(ByteView bytes) = 0;
  // UDP only: the same to another address, and with other marks, from the same 5-tuple's near end.
  virtual Result<void> SendTo(const TransportAddress& destination, ByteView bytes,
                              const IpMarks& marks);

  // The next datagram or record, or what a stream has at hand (at least one byte); nullopt when `limit` has passed, the channel is closed
  // or the wait was interrupted. UDP takes datagrams from ANY source; `from` says whence. A zero limit takes what is there.
  virtual std::optional<Received> Receive(TimeDelta limit) = 0;
  // UDP and DTLS: the next ICMP error about what was sent from here; nullopt when none has come.
  virtual std::optional<IcmpError> ReceiveIcmp();

  // Whether the peer has ended the channel and everything before that was received. Found out by Receive() and Send().
  virtual bool closed() const = 0;
  // "closed" (FIN, or close_notify), "reset", "closed without close_notify", "alert received: ...", "closed here"; empty while it is open.
  virtual std::string_view close_reason() const = 0;

  // Ends our half of a stream: FIN; TLS says close_notify before. DTLS: close_notify. UDP: nothing.
  virtual void CloseWrite();
  // TCP and TLS: RST (RFC 9293 section 3.10.5) instead of FIN; the channel is closed. UDP and DTLS: closes without a word.
  virtual void Reset() = 0;

  // TLS and DTLS: what was negotiated; otherwise nullptr.
  virtual const SecureInfo* secure() const;

  // False: waits go on through an interrupt, for cleaning up after one.
  void set_interruptible(bool value) { interruptible_ = value; }

 protected:
  Channel(Transport transport, const TransportAddress& local, const TransportAddress& remote)
      : transport_(transport), local_(local), remote_(remote) {}

  bool interruptible() const { return interruptible_; }

 private:
  Transport transport_;
  TransportAddress local_;
  TransportAddress remote_;
  bool interruptible_ = true;
};

// A UDP peer behind a relay.
class PeerSocket {
 public:
  // Port 0: a free one. Fails with the system's words.
  static Result<PeerSocket> Bind(const TransportAddress& local);

  const TransportAddress& local() const { return socket_.local(); }
  // Fails with the system's words, as for a datagram too long for the path with DF.
  Result<void> SendTo(const TransportAddress& destination, ByteView bytes,
                      const IpMarks& marks = {});
  std::optional<Received> Receive(TimeDelta limit);
  // The next ICMP error about what was sent from here, waiting for it.
  std::optional<IcmpError> ReceiveIcmp(TimeDelta limit);

 private:
  explicit PeerSocket(UdpSocket socket) : socket_(std::move(socket)) {}
  UdpSocket socket_;
  std::unique_ptr<uint8_t[]> buffer_;  // made when first needed
  std::deque<IcmpError> icmp_;
};

// A TCP peer behind a relay, that waits for connections.
class PeerListener {
 public:
  // Port 0: a free one. `backlog`: how many connections may wait for Accept() (listen(2)); with 0 the system drops the SYNs of all but the
  // first or two. Fails with the system's words.
  static Result<PeerListener> Listen(const TransportAddress& local, int backlog = 512);
  ~PeerListener();
  PeerListener(PeerListener&&) noexcept;
  PeerListener& operator=(PeerListener&&) noexcept;

  const TransportAddress& local() const;
  // The next connection, as a TCP channel; nullptr when `limit` has passed.
  std::unique_ptr<Channel> Accept(TimeDelta limit);

 private:
  struct Impl;
  explicit PeerListener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The address that the system's routes choose to reach `destination` from; port 0. Sends nothing.
Result<TransportAddress> LocalAddressFor(const TransportAddress& destination);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_CHANNEL_H_
