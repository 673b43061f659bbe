#include "stack/crypto/memory_bio.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::crypto {
namespace {

// What OpenSSL takes for IP and UDP when it works out the smallest MTU it accepts.
constexpr long kIpUdpOverhead = 28;

MemoryBio& Self(BIO* bio) { return *static_cast<MemoryBio*>(BIO_get_data(bio)); }

}  // namespace

const BIO_METHOD* MemoryBio::Method() {
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

BIO* MemoryBio::MakeBio() {
  BIO* const bio = BIO_new(Method());
  CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

std::optional<Bytes> MemoryBio::PopOutput() {
  if (output_.empty()) return std::nullopt;
  Bytes bytes = std::move(output_.front());
  output_.pop_front();
  return bytes;
}

bool MemoryBio::Joins(std::size_t, std::size_t) { return kind_ == Kind::kStream; }

long MemoryBio::OtherControl(int, void*) { return 0; }

int MemoryBio::Read(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  MemoryBio& self = Self(bio);
  if (self.input_.empty() || size <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(self.input_.size(), static_cast<std::size_t>(size));
  std::copy_n(self.input_.data(), count, reinterpret_cast<uint8_t*>(out));
  self.input_ = self.kind_ == Kind::kDatagrams ? ByteView{} : self.input_.subspan(count);
  return static_cast<int>(count);
}

int MemoryBio::Write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  MemoryBio& self = Self(bio);
  const auto* const begin = reinterpret_cast<const uint8_t*>(data);
  const std::size_t last = self.output_.empty() ? 0 : self.output_.back().size();
  // Asked each time: whether the next one joins may depend on this one.
  const bool joins = self.Joins(last, static_cast<std::size_t>(size));
  if (joins && !self.output_.empty()) {
    self.output_.back().insert(self.output_.back().end(), begin, begin + size);
  } else {
    self.output_.emplace_back(begin, begin + size);
  }
  return size;
}

long MemoryBio::Control(BIO* bio, int command, long, void* pointer) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return static_cast<long>(Self(bio).mtu_);
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      return kIpUdpOverhead;
    default:
      return Self(bio).OtherControl(command, pointer);
  }
}

}  // namespace rtclab::crypto
