#include "conformance/socket/udp_batch.h"

#include <array>
#include <bit>
#include <cerrno>
#include <utility>

#include "conformance/socket/ip_control.h"
#include "conformance/socket/system_address.h"

namespace rtclab::conformance {
namespace {

// The largest datagram, and one cache line more so that the first bytes of all do not fall into one set of the cache.
constexpr std::size_t kSlotBytes = 65'536 + 64;

}  // namespace

struct ReceiveBatch::Impl {
  std::array<mmsghdr, kCapacity> headers{};
  std::array<iovec, kCapacity> vectors{};
  std::array<sockaddr_storage, kCapacity> sources{};
  std::array<ControlBuffer, kCapacity> controls{};
  std::array<Datagram, kCapacity> datagrams{};
  // Not touched, so not in memory, before a datagram needs it.
  std::unique_ptr<uint8_t[]> buffer{new uint8_t[kCapacity * kSlotBytes]};
};

ReceiveBatch::ReceiveBatch() : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < kCapacity; ++i) {
    impl_->vectors[i] = {impl_->buffer.get() + i * kSlotBytes, kSlotBytes};
    msghdr& message = impl_->headers[i].msg_hdr;
    message.msg_name = &impl_->sources[i];
    message.msg_iov = &impl_->vectors[i];
    message.msg_iovlen = 1;
    message.msg_control = impl_->controls[i].bytes.data();
  }
}

ReceiveBatch::~ReceiveBatch() = default;

std::size_t ReceiveBatch::Receive(UdpSocket& socket) {
  for (mmsghdr& header : impl_->headers) {
    header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    header.msg_hdr.msg_controllen = sizeof(ControlBuffer);
  }
  int count = -1;
  do {
    count = recvmmsg(socket.descriptor(), impl_->headers.data(), kCapacity, 0, nullptr);
    // A pending ICMP error is reported here once and stays readable in the error queue.
  } while (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EBADF);
  if (count < 0) return 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    impl_->datagrams[i] = {
        FromSystem(impl_->sources[i]), socket.local(),
        ByteView(impl_->buffer.get() + i * kSlotBytes, impl_->headers[i].msg_len)};
  }
  return static_cast<std::size_t>(count);
}

const Datagram& ReceiveBatch::datagram(std::size_t i) const { return impl_->datagrams[i]; }

IpMarks ReceiveBatch::marks(std::size_t i) const { return LoadMarks(impl_->headers[i].msg_hdr); }

struct SendBatch::Impl {
  // Sends what `ready` holds, all of one socket.
  void SendReady(UdpSocket& socket, std::size_t size);

  std::array<mmsghdr, kCapacity> headers{};
  std::array<iovec, kCapacity> vectors{};
  std::array<sockaddr_storage, kCapacity> destinations{};
  std::array<ControlBuffer, kCapacity> controls{};
  std::array<Bytes, kCapacity> payloads;
  std::array<UdpSocket*, kCapacity> sockets{};
  std::array<bool, kCapacity> dont_fragment{};
  std::array<mmsghdr, kCapacity> ready{};
  std::size_t count = 0;
  std::size_t refused = 0;
};

SendBatch::SendBatch() : impl_(std::make_unique<Impl>()) {}

SendBatch::~SendBatch() = default;

void SendBatch::Add(UdpSocket& socket, const TransportAddress& destination, Bytes payload,
                    const IpMarks& marks) {
  Impl& s = *impl_;
  if (s.count == kCapacity) Flush();
  const std::size_t i = s.count++;
  s.sockets[i] = &socket;
  s.dont_fragment[i] = marks.dont_fragment;
  s.payloads[i] = std::move(payload);
  s.vectors[i] = {s.payloads[i].data(), s.payloads[i].size()};
  msghdr& message = s.headers[i].msg_hdr;
  message.msg_name = &s.destinations[i];
  message.msg_namelen = StoreAddress(destination, s.destinations[i]);
  message.msg_iov = &s.vectors[i];
  message.msg_iovlen = 1;
  StoreMarks(marks, socket.local().ip.IsV6(), s.controls[i], message);
}

void SendBatch::Impl::SendReady(UdpSocket& socket, std::size_t size) {
  std::size_t sent = 0;
  bool again = true;
  while (sent < size) {
    const int done =
        sendmmsg(socket.descriptor(), ready.data() + sent, static_cast<unsigned>(size - sent), 0);
    if (done > 0) {
      sent += static_cast<std::size_t>(done);
      again = true;
    } else if (again) {
      again = false;  // perhaps an ICMP error about an earlier datagram: ask once more
    } else {
      ++sent;
      ++refused;
      again = true;
    }
  }
}

void SendBatch::Flush() {
  static_assert(kCapacity <= 64);
  Impl& s = *impl_;
  uint64_t left = s.count == 64 ? ~uint64_t{0} : (uint64_t{1} << s.count) - 1;
  while (left != 0) {
    // The first that is left and all of its socket behind it, as long as DF, an option of the socket, need not change.
    const auto first = static_cast<std::size_t>(std::countr_zero(left));
    UdpSocket& socket = *s.sockets[first];
    std::size_t size = 0;
    for (uint64_t rest = left; rest != 0; rest &= rest - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(rest));
      if (s.sockets[i] != &socket) continue;
      if (s.dont_fragment[i] != s.dont_fragment[first]) break;
      s.ready[size++] = s.headers[i];
      left &= ~(uint64_t{1} << i);
    }
    socket.SetDontFragment(s.dont_fragment[first]);
    s.SendReady(socket, size);
  }
  s.count = 0;
}

std::size_t SendBatch::refused() const { return impl_->refused; }

}  // namespace rtclab::conformance
