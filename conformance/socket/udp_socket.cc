#include "conformance/socket/udp_socket.h"

#include <sys/time.h>
#include <unistd.h>

#include "conformance/socket/ip_control.h"
#include "conformance/socket/system_address.h"

// After the C library's socket headers, which it redefines parts of otherwise.
#include <linux/errqueue.h>

#include <array>
#include <cerrno>
#include <utility>

namespace rtclab::conformance {

Result<UdpSocket> UdpSocket::Bind(const TransportAddress& wanted) {
  const int family = wanted.ip.IsV6() ? AF_INET6 : AF_INET;
  const int descriptor = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return Fail(SystemError("socket", wanted));
  UdpSocket out(descriptor, wanted);  // closes on the failures below
  if (family == AF_INET6) {
    SetOption(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    SetOption(descriptor, IPPROTO_IPV6, IPV6_RECVERR, 1);
  } else {
    SetOption(descriptor, IPPROTO_IP, IP_RECVERR, 1);
    SetOption(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  }
  const SystemAddress address = ToSystem(wanted);
  if (bind(descriptor, address.get(), address.length) != 0) {
    return Fail(SystemError("bind", wanted));
  }
  out.local_ = BoundAddress(descriptor);
  return out;
}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      local_(other.local_),
      dont_fragment_(other.dont_fragment_) {}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  local_ = other.local_;
  dont_fragment_ = other.dont_fragment_;
  return *this;
}

UdpSocket::~UdpSocket() {
  if (descriptor_ >= 0) close(descriptor_);
}

void UdpSocket::SetDontFragment(bool value) {
  if (value == dont_fragment_) return;
  dont_fragment_ = value;
  if (local_.ip.IsV6()) {
    SetOption(descriptor_, IPPROTO_IPV6, IPV6_DONTFRAG, value ? 1 : 0);
  } else {
    SetOption(descriptor_, IPPROTO_IP, IP_MTU_DISCOVER, value ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
  }
}

void UdpSocket::Send(const TransportAddress& destination, ByteView payload, bool dont_fragment) {
  (void)SendMarked(destination, payload, {.dont_fragment = dont_fragment});
}

Result<void> UdpSocket::SendMarked(const TransportAddress& destination, ByteView payload,
                                   const IpMarks& marks) {
  SetDontFragment(marks.dont_fragment);
  SystemAddress address = ToSystem(destination);
  ControlBuffer control;
  iovec vector{const_cast<uint8_t*>(payload.data()), payload.size()};
  msghdr message{};
  message.msg_name = address.get();
  message.msg_namelen = address.length;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  StoreMarks(marks, local_.ip.IsV6(), control, message);
  // An ICMP error about an earlier datagram is reported by the next call, which then sends nothing: ask once more.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (sendmsg(descriptor_, &message, 0) >= 0) return {};
  }
  return Fail(SystemError("send to", destination));
}

void UdpSocket::TellMarks() {
  if (local_.ip.IsV6()) {
    SetOption(descriptor_, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    SetOption(descriptor_, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  } else {
    SetOption(descriptor_, IPPROTO_IP, IP_RECVTOS, 1);
    SetOption(descriptor_, IPPROTO_IP, IP_RECVTTL, 1);
  }
}

void UdpSocket::SetBuffers(int bytes) {
  SetOption(descriptor_, SOL_SOCKET, SO_SNDBUF, bytes);
  SetOption(descriptor_, SOL_SOCKET, SO_RCVBUF, bytes);
}

std::optional<Datagram> UdpSocket::Receive(std::span<uint8_t> buffer) {
  auto marked = ReceiveMarked(buffer);
  if (!marked) return std::nullopt;
  return marked->datagram;
}

std::optional<UdpSocket::Marked> UdpSocket::ReceiveMarked(std::span<uint8_t> buffer) {
  SystemAddress source;
  ControlBuffer control;
  iovec vector{buffer.data(), buffer.size()};
  for (;;) {
    msghdr message{};
    message.msg_name = source.get();
    message.msg_namelen = sizeof source.storage;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t size = recvmsg(descriptor_, &message, 0);
    if (size >= 0) {
      return Marked{{FromSystem(source.storage), local_,
                     ByteView(buffer.data(), static_cast<std::size_t>(size))},
                    LoadMarks(message)};
    }
    // A pending ICMP error is reported here once and stays readable in the error queue.
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EBADF) return std::nullopt;
  }
}

std::optional<IcmpError> UdpSocket::ReceiveIcmp() {
  SystemAddress destination;
  std::array<uint8_t, 512> control{};
  std::array<uint8_t, 64> data{};
  iovec vector{data.data(), data.size()};
  msghdr message{};
  message.msg_name = &destination.storage;
  message.msg_namelen = sizeof destination.storage;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(descriptor_, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(c), sizeof error);
    if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
    const bool too_big = v4 ? error.ee_type == 3 && error.ee_code == 4 : error.ee_type == 2;
    return IcmpError{local_, FromSystem(destination.storage), error.ee_type, error.ee_code,
                     too_big ? error.ee_info : 0};
  }
  return std::nullopt;
}

bool IsPortUnreachable(const IcmpError& error) {
  return error.destination.ip.IsV4() ? error.type == 3 && error.code == 3
                                     : error.type == 1 && error.code == 4;
}

}  // namespace rtclab::conformance
