// The certificate that a peer makes for itself: ECDSA on P-256, self-signed (RFC 8827 section 6.5).
#ifndef RTCLAB_STACK_DTLS_CERTIFICATE_H_
#define RTCLAB_STACK_DTLS_CERTIFICATE_H_

#include <memory>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/dtls/fingerprint.h"

namespace rtclab::dtls {

// A value: copies share one immutable key and certificate, also several transports may. Not to be used by two threads at once.
class Certificate {
 public:
  // Where a run's time zero is on a certificate's calendar: 2020-01-01T00:00:00Z, as in captures.
  static constexpr int64_t kEpochSeconds = 1'577'836'800;

  // Key, serial number, name and signature all come from `rng`: the same state gives the same bytes. Valid from a day before `now`
  // (a peer's clock may be slow) until 30 days after it, which is how long the W3C's RTCPeerConnection lets a certificate live
  // unless told otherwise. One key and one signature, about 0.1 ms.
  static Certificate Generate(Rng& rng, Timestamp now);
  // The same with the system's randomness, for real peers: valid around `unix_seconds`.
  static Certificate GenerateFromSystem(int64_t unix_seconds);
  // Reads a certificate and its private key, both PEM, of any kind that OpenSSL signs with. Fails when either cannot be read or
  // they do not belong together.
  static Result<Certificate> FromPem(std::string_view certificate_pem, std::string_view key_pem);

  // The hash of the DER certificate (RFC 8122 section 5). `algorithm` is one that FingerprintLength() knows.
  Fingerprint fingerprint(std::string_view algorithm = "sha-256") const;
  // X.509, DER.
  const Bytes& der() const;
  std::string ToPem() const;
  // The unencrypted private key (PKCS #8), for the tests and tools that start other programs with it.
  std::string PrivateKeyToPem() const;

  // OpenSSL's objects; for this room only.
  struct Native;
  const Native& native() const { return *native_; }

 private:
  explicit Certificate(std::shared_ptr<const Native> native) : native_(std::move(native)) {}

  std::shared_ptr<const Native> native_;
};

// The fingerprint of any certificate, DER. `algorithm` is one that FingerprintLength() knows.
Fingerprint FingerprintOfDer(ByteView der, std::string_view algorithm);

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_CERTIFICATE_H_
