#include "conformance/socket/udp_batch.h"

#include <array>
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
  std::array<mmsghdr, kCapacity> headers{};
  std::array<iovec, kCapacity> vectors{};
  std::array<sockaddr_storage, kCapacity> destinations{};
  std::array<ControlBuffer, kCapacity> controls{};
  std::array<Bytes, kCapacity> payloads;
  UdpSocket* socket = nullptr;
  bool dont_fragment = false;
  std::size_t count = 0;
  std::size_t refused = 0;
};

SendBatch::SendBatch() : impl_(std::make_unique<Impl>()) {}

SendBatch::~SendBatch() = default;

void SendBatch::Add(UdpSocket& socket, const TransportAddress& destination, Bytes payload,
                    const IpMarks& marks) {
  Impl& s = *impl_;
  if (s.count == kCapacity ||
      (s.count > 0 && (s.socket != &socket || s.dont_fragment != marks.dont_fragment))) {
    Flush();
  }
  s.socket = &socket;
  s.dont_fragment = marks.dont_fragment;
  const std::size_t i = s.count++;
  s.payloads[i] = std::move(payload);
  s.vectors[i] = {s.payloads[i].data(), s.payloads[i].size()};
  msghdr& message = s.headers[i].msg_hdr;
  message.msg_name = &s.destinations[i];
  message.msg_namelen = StoreAddress(destination, s.destinations[i]);
  message.msg_iov = &s.vectors[i];
  message.msg_iovlen = 1;
  StoreMarks(marks, socket.local().ip.IsV6(), s.controls[i], message);
}

void SendBatch::Flush() {
  Impl& s = *impl_;
  if (s.count == 0) return;
  s.socket->SetDontFragment(s.dont_fragment);
  std::size_t sent = 0;
  bool again = true;
  while (sent < s.count) {
    const int done = sendmmsg(s.socket->descriptor(), s.headers.data() + sent,
                              static_cast<unsigned>(s.count - sent), 0);
    if (done > 0) {
      sent += static_cast<std::size_t>(done);
      again = true;
    } else if (again) {
      again = false;  // perhaps an ICMP error about an earlier datagram: ask once more
    } else {
      ++sent;
      ++s.refused;
      again = true;
    }
  }
  s.count = 0;
}

std::size_t SendBatch::refused() const { return impl_->refused; }

}  // namespace rtclab::conformance
