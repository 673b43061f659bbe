// Two ends of an association in memory.
#ifndef RTCLAB_CONFORMANCE_SOCKET_SECURE_TEST_UTIL_H_
#define RTCLAB_CONFORMANCE_SOCKET_SECURE_TEST_UTIL_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/socket/secure_stream.h"
#include "conformance/socket/socket_test_util.h"

namespace rtclab::conformance {

inline SecureStream ClientOf(SecureProtocol protocol, const SecureOptions& options,
                             std::string_view name = "localhost") {
  auto context = SecureContext::Client(protocol, options);
  CHECK(context.has_value());
  return SecureStream::Client(*context, name);
}

// Everything that `stream` wants to send.
inline std::vector<Bytes> TransmitsOf(SecureStream& stream) {
  std::vector<Bytes> out;
  while (auto bytes = stream.PollTransmit()) out.push_back(*std::move(bytes));
  return out;
}

// Everything that `stream` has received, as text.
inline std::string TextOf(SecureStream& stream) {
  std::string out;
  while (auto bytes = stream.PollReceived()) out += AsString(*bytes);
  return out;
}

// Carries what both want to send until neither does.
inline void Exchange(SecureStream& a, SecureStream& b) {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      for (const Bytes& bytes : TransmitsOf(*from)) {
        to->HandleBytes(bytes);
        moved = true;
      }
    }
  }
}

// A file with the certificate of TestIdentity().
inline const TemporaryFile& TrustIn(ServerIdentity::Key key) {
  static const TemporaryFile ecdsa(TestIdentity(ServerIdentity::Key::kEcdsa).CertificatePem());
  static const TemporaryFile rsa(TestIdentity(ServerIdentity::Key::kRsa).CertificatePem());
  return key == ServerIdentity::Key::kRsa ? rsa : ecdsa;
}

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_SECURE_TEST_UTIL_H_
