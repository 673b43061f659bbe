#include "stack/dtls/datagram_bio.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::dtls {
namespace {

// Past every clock, and without overflow where OpenSSL subtracts the present.
constexpr time_t kFarFuture = time_t{1} << 40;
// What OpenSSL takes for IP and UDP when it works out the smallest MTU it accepts.
constexpr long kIpUdpOverhead = 28;

DatagramBio* Self(BIO* bio) { return static_cast<DatagramBio*>(BIO_get_data(bio)); }

}  // namespace

BIO_METHOD* DatagramBio::Method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rtclab datagrams in memory");
    CHECK(m != nullptr);
    BIO_meth_set_read(m, Read);
    BIO_meth_set_write(m, Write);
    BIO_meth_set_ctrl(m, Control);
    return m;
  }();
  return method;
}

BIO* DatagramBio::MakeBio() {
  BIO* const bio = BIO_new(Method());
  CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

std::optional<Bytes> DatagramBio::PopOutput() {
  if (output_.empty()) return std::nullopt;
  Bytes datagram = std::move(output_.front());
  output_.pop_front();
  return datagram;
}

void DatagramBio::ExpireTimer() {
  if (next_timeout_ == nullptr) return;
  // Not zero: that means "no timer".
  *next_timeout_ = {.tv_sec = 1, .tv_usec = 0};
}

int DatagramBio::Read(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  DatagramBio& self = *Self(bio);
  if (self.input_.empty() || size <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(self.input_.size(), static_cast<std::size_t>(size));
  std::copy_n(self.input_.data(), count, reinterpret_cast<uint8_t*>(out));
  self.input_ = {};
  return static_cast<int>(count);
}

int DatagramBio::Write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  DatagramBio& self = *Self(bio);
  const auto* const begin = reinterpret_cast<const uint8_t*>(data);
  const auto count = static_cast<std::size_t>(size);
  // A flight sent again comes message by message; RFC 6347 section 4.1.1 lets records share a datagram.
  if (self.joining_ && self.join_next_ && self.output_.back().size() + count <= self.mtu_) {
    self.output_.back().insert(self.output_.back().end(), begin, begin + count);
  } else {
    self.output_.emplace_back(begin, begin + count);
  }
  self.join_next_ = self.joining_;
  return size;
}

void DatagramBio::OnTimer(timeval* next) {
  next_timeout_ = next;
  if (next->tv_sec == 0 && next->tv_usec == 0) {
    timer_wanted_ = false;
    ++timer_stops_;
    return;
  }
  timer_wanted_ = true;
  ++timer_starts_;
  *next = {.tv_sec = kFarFuture, .tv_usec = 0};
}

long DatagramBio::Control(BIO* bio, int command, long, void* pointer) {
  DatagramBio& self = *Self(bio);
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return static_cast<long>(self.mtu_);
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      return kIpUdpOverhead;
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
      self.OnTimer(static_cast<timeval*>(pointer));
      return 1;
    default:
      return 0;
  }
}

}  // namespace rtclab::dtls
