#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <utility>

#include "conformance/socket/real_clock.h"
#include "conformance/socket/secure_stream_impl.h"
#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

// How long a cookie is made the same way; the one before is good for as long again. A client returns it within a round trip.
constexpr int64_t kCookiePeriodSeconds = 60;
constexpr std::size_t kCookieSize = 16;
// RFC 6347 sections 4.1 and 4.2.2: record header, handshake header, and the shortest ClientHello.
constexpr std::size_t kShortestHello = 13 + 12 + 42;
constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHello = 1;

using Cookie = std::array<uint8_t, kCookieSize>;

// RFC 6347 section 4.2.1: HMAC(secret, client's address and more); here the period is the more.
Cookie CookieFor(const SecureStream::Impl& hello, int64_t period) {
  std::array<uint8_t, 8 + 16 + 2> data{};
  StoreU64(data.data(), static_cast<uint64_t>(period));
  const ByteView ip = hello.hello_from.ip.bytes();
  std::copy(ip.begin(), ip.end(), data.begin() + 8);
  StoreU16(data.data() + 24, hello.hello_from.port);
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), hello.cookie_secret.data(), static_cast<int>(hello.cookie_secret.size()),
             data.data(), data.size(), digest.data(), &size) != nullptr);
  Cookie cookie{};
  std::copy_n(digest.begin(), kCookieSize, cookie.begin());
  return cookie;
}

int64_t CookiePeriod() { return RealNow().millis() / 1'000 / kCookiePeriodSeconds; }

}  // namespace

int MakeDtlsCookie(SSL* ssl, unsigned char* cookie, unsigned* size) {
  const auto& hello = *static_cast<const SecureStream::Impl*>(SSL_get_app_data(ssl));
  const Cookie made = CookieFor(hello, CookiePeriod());
  std::copy(made.begin(), made.end(), cookie);
  *size = kCookieSize;
  return 1;
}

int CheckDtlsCookie(SSL* ssl, const unsigned char* cookie, unsigned size) {
  const auto& hello = *static_cast<const SecureStream::Impl*>(SSL_get_app_data(ssl));
  if (size != kCookieSize || hello.cookie_secret.empty()) return 0;
  for (const int64_t age : {0, 1}) {
    const Cookie expected = CookieFor(hello, CookiePeriod() - age);
    if (CRYPTO_memcmp(expected.data(), cookie, kCookieSize) == 0) return 1;
  }
  return 0;
}

struct DtlsListener::Impl {
  explicit Impl(const SecureContext& of) : context(of), peer(BIO_ADDR_new()) {
    CHECK(peer != nullptr && RAND_bytes(secret.data(), static_cast<int>(secret.size())) == 1);
  }
  ~Impl() { BIO_ADDR_free(peer); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  SecureContext context;
  BIO_ADDR* peer;  // OpenSSL wants to write one; ours does not come from its sockets
  std::array<uint8_t, 32> secret{};
  // Answers hello after hello, and becomes the association of the first whose cookie holds.
  std::unique_ptr<SecureStream::Impl> next;
};

DtlsListener::DtlsListener(const SecureContext& context) : impl_(std::make_unique<Impl>(context)) {
  CHECK(context.is_server() && context.protocol() == SecureProtocol::kDtls);
}

DtlsListener::~DtlsListener() = default;

DtlsListener::Answer DtlsListener::HandleDatagram(const TransportAddress& from, ByteView datagram) {
  // Strays cost nothing: a first flight is a handshake record of epoch 0 that begins with a ClientHello.
  if (datagram.size() < kShortestHello || datagram[0] != kHandshakeRecord ||
      LoadU16(datagram.data() + 3) != 0 || datagram[13] != kClientHello) {
    return {};
  }
  if (impl_->next == nullptr) {
    impl_->next = std::make_unique<SecureStream::Impl>(impl_->context, nullptr);
    impl_->next->cookie_secret = impl_->secret;
  }
  SecureStream::Impl& next = *impl_->next;
  next.hello_from = from;
  ERR_clear_error();
  next.bio.SetInput(datagram);
  const int result = DTLSv1_listen(next.ssl.get(), impl_->peer);
  next.bio.ClearInput();
  ERR_clear_error();
  Answer answer;
  if (result != 1) {
    answer.transmit = next.bio.PopOutput();
    return answer;
  }
  answer.accepted = SecureStream(std::move(impl_->next));
  answer.accepted->HandleBytes({});  // OpenSSL has kept the hello, and checks the cookie again
  next.cookie_secret = {};
  return answer;
}

}  // namespace rtclab::conformance
