#include "sim/ip/udp_socket.h"

#include "ns3/inet-socket-address.h"
#include "ns3/inet6-socket-address.h"
#include "sim/ip/ip_rules.h"

namespace rtclab::sim {

ns3::Address ToNs3(const TransportAddress& address) {
  if (address.ip.IsV4()) {
    return ns3::InetSocketAddress(ns3::Ipv4Address(address.ip.ToV4HostOrder()), address.port);
  }
  uint8_t bytes[16] = {};
  std::copy(address.ip.bytes().begin(), address.ip.bytes().end(), bytes);
  return ns3::Inet6SocketAddress(ns3::Ipv6Address(bytes), address.port);
}

TransportAddress FromNs3(const ns3::Address& address) {
  if (ns3::InetSocketAddress::IsMatchingType(address)) {
    const auto inet = ns3::InetSocketAddress::ConvertFrom(address);
    return {IpAddress::V4(inet.GetIpv4().Get()), inet.GetPort()};
  }
  if (ns3::Inet6SocketAddress::IsMatchingType(address)) {
    const auto inet = ns3::Inet6SocketAddress::ConvertFrom(address);
    std::array<uint8_t, 16> bytes;
    inet.GetIpv6().GetBytes(bytes.data());
    return {IpAddress::V6(bytes), inet.GetPort()};
  }
  return {};
}

NS_OBJECT_ENSURE_REGISTERED(UdpSocket);
NS_OBJECT_ENSURE_REGISTERED(UdpSocketFactory);

ns3::TypeId UdpSocket::GetTypeId() {
  static ns3::TypeId tid = ns3::TypeId("rtclab::UdpSocket").SetParent<ns3::Socket>();
  return tid;
}

UdpSocket::UdpSocket() = default;

UdpSocket::~UdpSocket() {
  if (ip_ && !local_.IsNone()) ip_->UnbindUdp(local_);
}

void UdpSocket::Setup(ns3::Ptr<IpNode> ip, ns3::Ptr<ns3::Node> node) {
  ip_ = ip;
  node_ = node;
}

void UdpSocket::DoDispose() {
  Close();
  ip_ = nullptr;
  node_ = nullptr;
  queue_.clear();
  ns3::Socket::DoDispose();
}

int UdpSocket::Fail(enum SocketErrno error) const {
  errno_ = error;
  return -1;
}

bool UdpSocket::BindLocal(const TransportAddress& local) {
  if (!local_.IsNone()) return false;
  TransportAddress wanted = local;
  if (wanted.port == 0) wanted.port = ip_->NextEphemeralPort(wanted.ip);
  if (wanted.port == 0 || !ip_->BindUdp(wanted, *this)) return false;
  local_ = wanted;
  return true;
}

bool UdpSocket::SendSpan(const TransportAddress& destination, ByteView payload,
                         bool dont_fragment) {
  TransportAddress source = local_;
  if (source.ip.IsAny()) source.ip = ip_->SourceFor(destination.ip);
  if (source.ip.IsNone()) return false;
  IpOptions options;
  options.dont_fragment = dont_fragment;
  const bool v4 = source.ip.IsV4();
  options.tos = v4 ? GetIpTos() : GetIpv6Tclass();
  if (v4 && IsManualIpTtl()) options.ttl = GetIpTtl();
  if (!v4 && IsManualIpv6HopLimit()) options.ttl = GetIpv6HopLimit();
  return ip_->SendUdp(source, destination, payload, options);
}

bool UdpSocket::Deliver(const Datagram& packet, const ns3::Packet& whole) {
  if (!peer_.IsNone() && packet.source != peer_) return false;
  const ns3::Ptr<UdpSocket> keep_alive(this);  // the receiver may close and forget the socket
  if (receiver_ != nullptr) {
    receiver_->OnDatagram(SimulatorNow(), packet);
    return true;
  }
  if (receive_shut_) return true;
  const uint32_t size = static_cast<uint32_t>(packet.payload.size());
  if (queued_bytes_ + size > kReceiveBufferBytes) {
    ip_->fabric().Drop(whole, ip_->where(), ip_rule::kUdpBufferFull,
                       "The socket at " + local_.ToString() + " has no room left.", true);
    return true;
  }
  // Tags of an application's own travel with the packet.
  ns3::Ptr<ns3::Packet> payload = whole.Copy();
  uint8_t first = 0;
  payload->CopyData(&first, 1);
  const std::size_t ip_header = first >> 4 == 4 ? std::size_t{4} * (first & 0x0f) : kIpv6HeaderSize;
  payload->RemoveAtStart(static_cast<uint32_t>(ip_header + kUdpHeaderSize));
  if (payload->GetSize() > size) payload->RemoveAtEnd(payload->GetSize() - size);
  queue_.emplace_back(payload, packet.source);
  queued_bytes_ += size;
  NotifyDataRecv();
  return true;
}

void UdpSocket::DeliverIcmp(const IcmpError& error) {
  const ns3::Ptr<UdpSocket> keep_alive(this);
  if (receiver_ != nullptr) receiver_->OnIcmpError(SimulatorNow(), error);
}

int UdpSocket::Bind(const ns3::Address& address) {
  const TransportAddress local = FromNs3(address);
  if (local.IsNone() || !local_.IsNone()) return Fail(ERROR_INVAL);
  if (!local.ip.IsAny() && !ip_->IsLocal(local.ip)) return Fail(ERROR_ADDRNOTAVAIL);
  return BindLocal(local) ? 0 : Fail(ERROR_ADDRINUSE);
}

int UdpSocket::Bind() {
  return BindLocal({IpAddress::Any(AddressFamily::kIpv4), 0}) ? 0 : Fail(ERROR_ADDRINUSE);
}

int UdpSocket::Bind6() {
  return BindLocal({IpAddress::Any(AddressFamily::kIpv6), 0}) ? 0 : Fail(ERROR_ADDRINUSE);
}

int UdpSocket::Close() {
  if (send_shut_ && receive_shut_) return Fail(ERROR_BADF);
  send_shut_ = receive_shut_ = true;
  if (ip_ && !local_.IsNone()) ip_->UnbindUdp(local_);
  local_ = {};
  return 0;
}

int UdpSocket::ShutdownSend() {
  send_shut_ = true;
  return 0;
}

int UdpSocket::ShutdownRecv() {
  receive_shut_ = true;
  return 0;
}

int UdpSocket::Connect(const ns3::Address& address) {
  peer_ = FromNs3(address);
  if (peer_.IsNone()) {
    NotifyConnectionFailed();
    return Fail(ERROR_AFNOSUPPORT);
  }
  NotifyConnectionSucceeded();
  return 0;
}

int UdpSocket::SendBytes(ns3::Ptr<ns3::Packet> packet, const TransportAddress& to) {
  if (send_shut_) return Fail(ERROR_SHUTDOWN);
  if (to.IsNone()) return Fail(ERROR_AFNOSUPPORT);
  const uint32_t size = packet->GetSize();
  if (size > MaxUdpPayload(to.family())) return Fail(ERROR_MSGSIZE);
  if (local_.IsNone() && (to.ip.IsV4() ? Bind() : Bind6()) != 0) return -1;
  if (!SendSpan(to, ip_->fabric().Flatten(*packet), false)) return Fail(ERROR_NOROUTETOHOST);
  NotifyDataSent(size);
  NotifySend(GetTxAvailable());
  return static_cast<int>(size);
}

int UdpSocket::Send(ns3::Ptr<ns3::Packet> packet, uint32_t) {
  return peer_.IsNone() ? Fail(ERROR_NOTCONN) : SendBytes(packet, peer_);
}

int UdpSocket::SendTo(ns3::Ptr<ns3::Packet> packet, uint32_t, const ns3::Address& to) {
  return SendBytes(packet, FromNs3(to));
}

ns3::Ptr<ns3::Packet> UdpSocket::Recv(uint32_t max_size, uint32_t flags) {
  ns3::Address from;
  return RecvFrom(max_size, flags, from);
}

ns3::Ptr<ns3::Packet> UdpSocket::RecvFrom(uint32_t max_size, uint32_t, ns3::Address& from) {
  if (queue_.empty()) {
    Fail(ERROR_AGAIN);
    return nullptr;
  }
  const auto [packet, source] = queue_.front();
  if (packet->GetSize() > max_size) {
    Fail(ERROR_MSGSIZE);
    return nullptr;
  }
  queue_.pop_front();
  queued_bytes_ -= packet->GetSize();
  from = ToNs3(source);
  return packet;
}

int UdpSocket::GetSockName(ns3::Address& address) const {
  address =
      ToNs3(local_.IsNone() ? TransportAddress{IpAddress::Any(AddressFamily::kIpv4), 0} : local_);
  return 0;
}

int UdpSocket::GetPeerName(ns3::Address& address) const {
  if (peer_.IsNone()) return Fail(ERROR_NOTCONN);
  address = ToNs3(peer_);
  return 0;
}

ns3::TypeId UdpSocketFactory::GetTypeId() {
  static ns3::TypeId tid =
      ns3::TypeId("rtclab::UdpSocketFactory").SetParent<ns3::UdpSocketFactory>();
  return tid;
}

void UdpSocketFactory::Setup(ns3::Ptr<IpNode> ip, ns3::Ptr<ns3::Node> node) {
  ip_ = ip;
  node_ = node;
}

ns3::Ptr<ns3::Socket> UdpSocketFactory::CreateSocket() {
  ns3::Ptr<UdpSocket> socket = ns3::CreateObject<UdpSocket>();
  socket->Setup(ip_, node_);
  return socket;
}

void UdpSocketFactory::DoDispose() {
  ip_ = nullptr;
  node_ = nullptr;
  ns3::UdpSocketFactory::DoDispose();
}

}  // namespace rtclab::sim
