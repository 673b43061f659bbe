// TLS and DTLS 1.2 ClientHellos as raw bytes, and what comes back, for what a TLS library would not offer by itself: suites long
// abandoned, compression, a hello without a cookie.
#ifndef RTCLAB_CONFORMANCE_CASES_RFC8489_CLIENT_HELLO_H_
#define RTCLAB_CONFORMANCE_CASES_RFC8489_CLIENT_HELLO_H_

#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/bytes.h"
#include "stack/base/rng.h"

namespace rtclab::conformance {

// RFC 5246 section 7.4.1.2 in a record of its own; `compression` are the methods offered, 0 = none, 1 = DEFLATE (RFC 3749).
Bytes TlsClientHello(Rng& rng, std::span<const uint16_t> suites, ByteView compression);
// RFC 6347 section 4.2.2, one datagram, without a cookie.
Bytes DtlsClientHello(Rng& rng, std::span<const uint16_t> suites);

// The first handshake message or alert of a server's bytes.
struct HelloAnswer {
  enum class Kind : uint8_t {
    kServerHello,
    kHelloVerifyRequest,
    kHelloRetryRequest,
    kAlert,
    kOther
  };
  Kind kind = Kind::kOther;
  uint16_t suite = 0;       // kServerHello
  uint8_t compression = 0;  // kServerHello
  uint8_t alert = 0;        // kAlert: its description
};
// nullopt: not enough bytes yet.
std::optional<HelloAnswer> ReadTlsAnswer(ByteView stream);
std::optional<HelloAnswer> ReadDtlsAnswer(ByteView datagram);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_RFC8489_CLIENT_HELLO_H_
