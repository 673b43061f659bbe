// UDP sockets of an IpNode as ns-3 sockets, so that any ns-3 application runs on it, with a way in
// and out for spans that skips ns-3's packets and addresses.
#ifndef RTCLAB_SIM_IP_UDP_SOCKET_H_
#define RTCLAB_SIM_IP_UDP_SOCKET_H_

#include <deque>
#include <optional>
#include <utility>

#include "ns3/socket.h"
#include "ns3/udp-socket-factory.h"
#include "sim/ip/ip_node.h"
#include "stack/base/datagram.h"
#include "stack/base/units.h"

namespace rtclab::sim {

// Who gets a socket's datagrams by the fast way.
class UdpReceiver {
 public:
  virtual ~UdpReceiver() = default;
  // `packet.destination` is the local address. The payload is valid during the call.
  virtual void OnDatagram(Timestamp now, const Datagram& packet) = 0;
  virtual void OnIcmpError(Timestamp now, const IcmpError& error) = 0;
};

// Not implemented, as nothing here needs it: multicast groups, ancillary data (packet information,
// TTL and TOS tags on receive), binding to a device.
class UdpSocket final : public ns3::Socket, private UdpEndpoint {
 public:
  static ns3::TypeId GetTypeId();

  UdpSocket();
  ~UdpSocket() override;

  void Setup(ns3::Ptr<IpNode> ip, ns3::Ptr<ns3::Node> node);

  // --- the fast way ---
  // Binds to an address of the node, or 0.0.0.0 or ::; port 0 takes the next ephemeral one. False
  // when it is taken or the socket is bound already.
  bool BindLocal(const TransportAddress& local);
  const TransportAddress& local() const { return local_; }
  // Datagrams and ICMP errors go there from now on instead of to the receive queue; nullptr: back.
  void SetReceiver(UdpReceiver* receiver) { receiver_ = receiver; }
  // False, with nothing sent, without a route. `payload` is at most MaxUdpPayload() bytes.
  bool SendSpan(const TransportAddress& destination, ByteView payload, bool dont_fragment);

  // --- ns3::Socket ---
  enum SocketErrno GetErrno() const override { return errno_; }
  enum SocketType GetSocketType() const override { return NS3_SOCK_DGRAM; }
  ns3::Ptr<ns3::Node> GetNode() const override { return node_; }
  int Bind(const ns3::Address& address) override;
  int Bind() override;
  int Bind6() override;
  int Close() override;
  int ShutdownSend() override;
  int ShutdownRecv() override;
  int Connect(const ns3::Address& address) override;
  int Listen() override { return Fail(ERROR_OPNOTSUPP); }
  uint32_t GetTxAvailable() const override { return 65507; }
  int Send(ns3::Ptr<ns3::Packet> packet, uint32_t flags) override;
  int SendTo(ns3::Ptr<ns3::Packet> packet, uint32_t flags, const ns3::Address& to) override;
  uint32_t GetRxAvailable() const override { return queued_bytes_; }
  ns3::Ptr<ns3::Packet> Recv(uint32_t max_size, uint32_t flags) override;
  ns3::Ptr<ns3::Packet> RecvFrom(uint32_t max_size, uint32_t flags, ns3::Address& from) override;
  int GetSockName(ns3::Address& address) const override;
  int GetPeerName(ns3::Address& address) const override;
  bool SetAllowBroadcast(bool allow) override { return !allow; }
  bool GetAllowBroadcast() const override { return false; }
  using ns3::Socket::Recv;
  using ns3::Socket::RecvFrom;
  using ns3::Socket::Send;
  using ns3::Socket::SendTo;

 protected:
  void DoDispose() override;

 private:
  // As ns-3's UdpSocketImpl has it by default.
  static constexpr uint32_t kReceiveBufferBytes = 131072;

  bool Deliver(const Datagram& packet, const ns3::Packet& whole) override;
  void DeliverIcmp(const IcmpError& error) override;
  int Fail(enum SocketErrno error) const;
  int SendBytes(ns3::Ptr<ns3::Packet> packet, const TransportAddress& to);

  ns3::Ptr<IpNode> ip_;
  ns3::Ptr<ns3::Node> node_;
  TransportAddress local_;
  TransportAddress peer_;  // none: not connected
  UdpReceiver* receiver_ = nullptr;
  std::deque<std::pair<ns3::Ptr<ns3::Packet>, TransportAddress>> queue_;
  uint32_t queued_bytes_ = 0;
  bool send_shut_ = false;
  bool receive_shut_ = false;
  mutable enum SocketErrno errno_ = ERROR_NOTERROR;
};

// Aggregated to a node beside its IpNode; ns3::Socket::CreateSocket() finds it as the node's
// ns3::UdpSocketFactory.
class UdpSocketFactory final : public ns3::UdpSocketFactory {
 public:
  static ns3::TypeId GetTypeId();
  void Setup(ns3::Ptr<IpNode> ip, ns3::Ptr<ns3::Node> node);
  ns3::Ptr<ns3::Socket> CreateSocket() override;

 protected:
  void DoDispose() override;

 private:
  ns3::Ptr<IpNode> ip_;
  ns3::Ptr<ns3::Node> node_;
};

// ns-3's address of a transport address and back; none for an address of another kind.
ns3::Address ToNs3(const TransportAddress& address);
TransportAddress FromNs3(const ns3::Address& address);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_IP_UDP_SOCKET_H_
