// The two kinds of channel: on datagrams (UDP, DTLS) and on streams (TCP, TLS). For this folder only.
#ifndef RTCLAB_CONFORMANCE_SOCKET_CHANNEL_IMPL_H_
#define RTCLAB_CONFORMANCE_SOCKET_CHANNEL_IMPL_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "conformance/socket/channel.h"
#include "conformance/socket/tcp_socket.h"

namespace rtclab::conformance {

// How opening a channel goes on: empty reason means open.
struct Opening {
  Channel::Stage stage = Channel::Stage::kOpen;
  std::string reason;
  bool timed_out = false;
};

class DatagramChannel final : public Channel {
 public:
  DatagramChannel(UdpSocket socket, const ChannelOptions& options,
                  std::optional<SecureStream> secure);
  ~DatagramChannel() override;

  // DTLS: until the association is open, it fails or the deadline passes.
  Opening Handshake(Timestamp deadline);

  Result<void> Send(ByteView bytes) override;
  Result<void> SendTo(const TransportAddress& destination, ByteView bytes,
                      const IpMarks& marks) override;
  std::optional<Received> Receive(TimeDelta limit) override;
  std::optional<IcmpError> ReceiveIcmp() override;
  bool closed() const override;
  std::string_view close_reason() const override;
  void CloseWrite() override;
  void Reset() override;
  const SecureInfo* secure() const override;

 private:
  // Takes one datagram from the socket; false when none is there. DTLS: what it brings is in `secure_`.
  bool Take(std::optional<Received>& out);
  // Waits for the next datagram, ICMP error, retransmission or the deadline; false at the deadline or an interrupt.
  bool Wait(Timestamp deadline);
  void Flush();
  void TakeIcmp();

  UdpSocket socket_;
  IpMarks marks_;
  std::optional<SecureStream> secure_;
  std::unique_ptr<uint8_t[]> buffer_;
  std::deque<IcmpError> icmp_;
  std::string close_reason_;
  bool reset_ = false;
};

class StreamChannel final : public Channel {
 public:
  StreamChannel(Transport transport, TcpSocket socket, TimeDelta send_timeout);
  ~StreamChannel() override;

  Opening FinishConnect(Timestamp deadline);
  // TLS: until the association is open, it fails or the deadline passes.
  Opening Handshake(SecureStream secure, Timestamp deadline);

  Result<void> Send(ByteView bytes) override;
  std::optional<Received> Receive(TimeDelta limit) override;
  bool closed() const override;
  std::string_view close_reason() const override;
  void CloseWrite() override;
  void Reset() override;
  const SecureInfo* secure() const override;

 private:
  // Reads once what is at hand into `incoming_`; false when nothing was.
  bool Pull();
  // Writes what TLS wants to send; false when the deadline passed or the connection broke.
  bool Flush(Timestamp deadline);
  // Writes all of the bytes, and reads in the meantime, so that two ends that write do not wait for each other.
  bool WriteAll(ByteView bytes, Timestamp deadline);
  bool WriteUnsent(Timestamp deadline);
  void TakeSecure();
  void End(std::string why);

  TcpSocket socket_;
  TimeDelta send_timeout_;
  std::optional<SecureStream> secure_;
  std::unique_ptr<uint8_t[]> buffer_;
  std::deque<Received> incoming_;
  Bytes unsent_;  // of a write whose deadline passed
  bool flushing_ = false;
  std::string close_reason_;
  bool read_ended_ = false;  // the peer's FIN or RST, or our own reset
  bool write_ended_ = false;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_CHANNEL_IMPL_H_
