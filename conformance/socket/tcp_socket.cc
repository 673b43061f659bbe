#include "conformance/socket/tcp_socket.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "conformance/socket/system_address.h"

namespace rtclab::conformance {
namespace {

void ApplyTcpOptions(int descriptor, bool ipv6, const TcpOptions& options) {
  SetOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  const int level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
  if (options.marks.traffic_class() != 0) {
    SetOption(descriptor, level, ipv6 ? IPV6_TCLASS : IP_TOS, options.marks.traffic_class());
  }
  if (options.marks.hop_limit != 0) {
    SetOption(descriptor, level, ipv6 ? IPV6_UNICAST_HOPS : IP_TTL, options.marks.hop_limit);
  }
  if (options.buffer_size > 0) {
    SetOption(descriptor, SOL_SOCKET, SO_SNDBUF, options.buffer_size);
    SetOption(descriptor, SOL_SOCKET, SO_RCVBUF, options.buffer_size);
  }
}

int OpenTcp(const TransportAddress& address, const TcpOptions& options) {
  const bool ipv6 = address.ip.IsV6();
  const int descriptor =
      socket(SystemFamily(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  if (ipv6) SetOption(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  SetOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) SetOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
  ApplyTcpOptions(descriptor, ipv6, options);
  return descriptor;
}

bool BindTo(int descriptor, const TransportAddress& local) {
  const SystemAddress address = ToSystem(local);
  return bind(descriptor, address.get(), address.length) == 0;
}

}  // namespace

Result<TcpSocket> TcpSocket::Connect(const TransportAddress& remote, const TransportAddress& local,
                                     const TcpOptions& options) {
  const int descriptor = OpenTcp(remote, options);
  if (descriptor < 0) return Fail(SystemError("socket", remote));
  TcpSocket out(descriptor, remote);  // closes on the failures below
  if (!local.IsNone() && !BindTo(descriptor, local)) return Fail(SystemError("bind", local));
  const SystemAddress address = ToSystem(remote);
  if (connect(descriptor, address.get(), address.length) != 0 && errno != EINPROGRESS) {
    return Fail(SystemError("connect", remote));
  }
  out.local_ = BoundAddress(descriptor);
  return out;
}

TcpSocket::TcpSocket(TcpSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      local_(other.local_),
      remote_(other.remote_),
      error_(std::move(other.error_)),
      connected_(other.connected_) {}

TcpSocket& TcpSocket::operator=(TcpSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  local_ = other.local_;
  remote_ = other.remote_;
  error_.swap(other.error_);
  connected_ = other.connected_;
  return *this;
}

TcpSocket::~TcpSocket() { Close(); }

Result<bool> TcpSocket::FinishConnect() {
  if (connected_) return true;
  pollfd writable{descriptor_, POLLOUT, 0};
  if (poll(&writable, 1, 0) <= 0) return false;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return Fail(SystemError("connect", remote_, error));
  connected_ = true;
  return true;
}

TcpSocket::Io TcpSocket::Broken() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {Status::kBlocked, 0};
  error_ = std::strerror(errno);
  return {Status::kReset, 0};
}

TcpSocket::Io TcpSocket::Read(std::span<uint8_t> buffer) {
  const ssize_t size = recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (size < 0) return Broken();
  if (size == 0 && !buffer.empty()) return {Status::kEnd, 0};
  return {Status::kOk, static_cast<std::size_t>(size)};
}

TcpSocket::Io TcpSocket::Write(ByteView bytes) {
  const ssize_t size = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (size < 0) return Broken();
  return {Status::kOk, static_cast<std::size_t>(size)};
}

void TcpSocket::ShutdownWrite() { shutdown(descriptor_, SHUT_WR); }

void TcpSocket::Reset() {
  if (descriptor_ < 0) return;
  const linger at_once{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  Close();
}

void TcpSocket::Close() {
  if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
}

Result<TcpListener> TcpListener::Listen(const TransportAddress& local, const TcpOptions& options) {
  const int descriptor = OpenTcp(local, options);
  if (descriptor < 0) return Fail(SystemError("socket", local));
  TcpListener out(descriptor, options);  // closes on the failures below
  if (!BindTo(descriptor, local)) return Fail(SystemError("bind", local));
  if (listen(descriptor, options.backlog) != 0) return Fail(SystemError("listen", local));
  out.local_ = BoundAddress(descriptor);
  return out;
}

TcpListener::TcpListener(TcpListener&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      options_(other.options_),
      local_(other.local_) {}

TcpListener& TcpListener::operator=(TcpListener&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  options_ = other.options_;
  local_ = other.local_;
  return *this;
}

TcpListener::~TcpListener() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::optional<TcpSocket> TcpListener::Accept() {
  SystemAddress remote;
  const int descriptor =
      accept4(descriptor_, remote.get(), &remote.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  exhausted_ =
      descriptor < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
  if (descriptor < 0) return std::nullopt;
  TcpSocket out(descriptor, FromSystem(remote.storage));
  out.local_ = BoundAddress(descriptor);
  out.connected_ = true;
  ApplyTcpOptions(descriptor, local_.ip.IsV6(), options_);
  return out;
}

}  // namespace rtclab::conformance
