#include "conformance/socket/secure_bio.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

// IP and UDP headers, by which OpenSSL works out the smallest MTU it accepts.
constexpr long kHeaderBytes = 28;

SecureBio& Self(BIO* bio) { return *static_cast<SecureBio*>(BIO_get_data(bio)); }

}  // namespace

const BIO_METHOD* SecureBio::Method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rtclab memory");
    CHECK(m != nullptr);
    BIO_meth_set_read(m, Read);
    BIO_meth_set_write(m, Write);
    BIO_meth_set_ctrl(m, Control);
    return m;
  }();
  return method;
}

BIO* SecureBio::MakeBio() {
  BIO* const bio = BIO_new(Method());
  CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

std::optional<Bytes> SecureBio::PopOutput() {
  if (output_.empty()) return std::nullopt;
  Bytes bytes = std::move(output_.front());
  output_.pop_front();
  return bytes;
}

int SecureBio::Read(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  SecureBio& self = Self(bio);
  if (self.input_.empty() || size <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(self.input_.size(), static_cast<std::size_t>(size));
  std::copy_n(self.input_.data(), count, reinterpret_cast<uint8_t*>(out));
  // What of a datagram does not fit is lost, as with a socket.
  self.input_ = self.datagrams_ ? ByteView{} : self.input_.subspan(count);
  return static_cast<int>(count);
}

int SecureBio::Write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  SecureBio& self = Self(bio);
  const auto* const begin = reinterpret_cast<const uint8_t*>(data);
  if (self.datagrams_ || self.output_.empty()) {
    self.output_.emplace_back(begin, begin + size);
  } else {
    self.output_.back().insert(self.output_.back().end(), begin, begin + size);
  }
  return size;
}

long SecureBio::Control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return Self(bio).mtu_;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      return kHeaderBytes;
    default:
      return 0;
  }
}

}  // namespace rtclab::conformance
