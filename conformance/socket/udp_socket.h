// A non-blocking UDP socket of the operating system. This folder is the only one that opens real sockets.
#ifndef RTCLAB_CONFORMANCE_SOCKET_UDP_SOCKET_H_
#define RTCLAB_CONFORMANCE_SOCKET_UDP_SOCKET_H_

#include <optional>
#include <span>

#include "conformance/socket/ip_marks.h"
#include "stack/base/datagram.h"
#include "stack/base/error.h"

namespace rtclab::conformance {

// ICMP destination unreachable, port unreachable: RFC 792 and RFC 4443 section 3.1.
bool IsPortUnreachable(const IcmpError& error);

// Owns one file descriptor; movable.
class UdpSocket {
 public:
  // Binds to `wanted`; port 0 lets the system choose. IPv6 sockets carry IPv6 only. ICMP errors are queued for
  // ReceiveIcmp() (Linux IP_RECVERR). Fails with the system's words.
  static Result<UdpSocket> Bind(const TransportAddress& wanted);

  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket();

  int descriptor() const { return descriptor_; }
  const TransportAddress& local() const { return local_; }

  // Sends one datagram; what the system refuses (full buffers, a pending ICMP error) is lost, as on any UDP path.
  void Send(const TransportAddress& destination, ByteView payload, bool dont_fragment);
  // The same with all of the marks; fails with the system's words, as for a datagram too long for the path with DF.
  Result<void> SendMarked(const TransportAddress& destination, ByteView payload,
                          const IpMarks& marks);
  // From now on ReceiveMarked() and ReceiveBatch know DSCP, ECN and hop limit of what comes (IP_RECVTOS, IPV6_RECVTCLASS, IP_RECVTTL,
  // IPV6_RECVHOPLIMIT).
  void TellMarks();
  // Asks for send and receive buffers of so many bytes each (SO_SNDBUF, SO_RCVBUF); the system may give less.
  void SetBuffers(int bytes);
  // The next datagram, its payload inside `buffer`; nullopt when none is waiting.
  std::optional<Datagram> Receive(std::span<uint8_t> buffer);
  struct Marked {
    Datagram datagram;
    IpMarks marks;
  };
  std::optional<Marked> ReceiveMarked(std::span<uint8_t> buffer);
  // The next ICMP error about a datagram sent from here; nullopt when none is waiting.
  std::optional<IcmpError> ReceiveIcmp();

 private:
  friend class SendBatch;
  UdpSocket(int descriptor, const TransportAddress& local)
      : descriptor_(descriptor), local_(local) {}

  void SetDontFragment(bool value);

  int descriptor_ = -1;
  TransportAddress local_;
  bool dont_fragment_ = false;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_UDP_SOCKET_H_
