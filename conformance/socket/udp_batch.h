// Many datagrams a system call: recvmmsg(2) and sendmmsg(2).
#ifndef RTCLAB_CONFORMANCE_SOCKET_UDP_BATCH_H_
#define RTCLAB_CONFORMANCE_SOCKET_UDP_BATCH_H_

#include <cstddef>
#include <memory>

#include "conformance/socket/ip_marks.h"
#include "conformance/socket/udp_socket.h"
#include "stack/base/datagram.h"

namespace rtclab::conformance {

// Room for some datagrams of any length, used again for every socket and round.
class ReceiveBatch {
 public:
  static constexpr std::size_t kCapacity = 32;

  ReceiveBatch();
  ~ReceiveBatch();

  // Reads what is waiting, at most kCapacity datagrams; returns how many.
  std::size_t Receive(UdpSocket& socket);
  // Valid until the next Receive(); i < what it returned.
  const Datagram& datagram(std::size_t i) const;
  // All zero unless the socket tells marks (UdpSocket::TellMarks).
  IpMarks marks(std::size_t i) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Collects datagrams and sends those of one socket together, with one system call as long as DF is the same. The order of what goes out of
// a socket is kept.
class SendBatch {
 public:
  static constexpr std::size_t kCapacity = 64;

  SendBatch();
  ~SendBatch();

  // Keeps the datagram; sends what is kept first when the batch is full. `socket` must live until Flush().
  void Add(UdpSocket& socket, const TransportAddress& destination, Bytes payload,
           const IpMarks& marks = {});
  // Sends what is kept. What the system refuses is lost, as on any UDP path.
  void Flush();
  // Datagrams that the system refused (full buffers, too long with DF), since the start.
  std::size_t refused() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_UDP_BATCH_H_
