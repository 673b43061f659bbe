#include "conformance/socket/udp_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// After the C library's socket headers, which it redefines parts of otherwise.
#include <linux/errqueue.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace rtclab::conformance {
namespace {

struct SystemAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SystemAddress ToSystem(const TransportAddress& address) {
  SystemAddress out;
  const ByteView ip = address.ip.bytes();
  if (address.ip.IsV4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, ip.data(), ip.size());
    out.length = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, ip.data(), ip.size());
    out.length = sizeof v6;
  }
  return out;
}

TransportAddress FromSystem(const SystemAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    return {IpAddress::V4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
  }
  if (address.storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return {IpAddress::V6(bytes), ntohs(v6.sin6_port)};
  }
  return {};
}

std::string SystemError(const char* call, const TransportAddress& address) {
  return std::string(call) + " " + address.ToString() + ": " + std::strerror(errno);
}

bool SetOption(int descriptor, int level, int option, int value) {
  return setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

}  // namespace

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
  SystemAddress bound;
  if (getsockname(descriptor, bound.get(), &bound.length) != 0) {
    return Fail(SystemError("getsockname", wanted));
  }
  out.local_ = FromSystem(bound);
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

void UdpSocket::Send(const TransportAddress& destination, ByteView payload, bool dont_fragment) {
  if (local_.ip.IsV4() && dont_fragment != dont_fragment_) {
    dont_fragment_ = dont_fragment;
    SetOption(descriptor_, IPPROTO_IP, IP_MTU_DISCOVER,
              dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
  }
  const SystemAddress address = ToSystem(destination);
  // An ICMP error about an earlier datagram is reported by the next call, which then sends nothing: ask once more.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (sendto(descriptor_, payload.data(), payload.size(), 0, address.get(), address.length) >=
        0) {
      return;
    }
  }
}

std::optional<Datagram> UdpSocket::Receive(std::span<uint8_t> buffer) {
  for (;;) {
    SystemAddress source;
    const ssize_t size =
        recvfrom(descriptor_, buffer.data(), buffer.size(), 0, source.get(), &source.length);
    if (size >= 0) {
      return Datagram{FromSystem(source), local_,
                      ByteView(buffer.data(), static_cast<std::size_t>(size))};
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
    return IcmpError{local_, FromSystem(destination), error.ee_type, error.ee_code,
                     too_big ? error.ee_info : 0};
  }
  return std::nullopt;
}

}  // namespace rtclab::conformance
