// Certificate fingerprints as SDP carries them (RFC 8122 section 5).
#ifndef RTCLAB_STACK_DTLS_FINGERPRINT_H_
#define RTCLAB_STACK_DTLS_FINGERPRINT_H_

#include <span>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/error.h"

namespace rtclab::dtls {

struct Fingerprint {
  std::string algorithm;  // the hash's textual name in lower case, such as "sha-256"
  Bytes value;

  // The value of an a=fingerprint line: hash-func SP fingerprint. The name's case does not matter (RFC 8122 section 5 takes the
  // names as ABNF strings), and lower-case digits are read too. Fails with the offset of what is wrong: no name, no or broken
  // digits, a length that a known hash does not have.
  static Result<Fingerprint> Parse(std::string_view text);
  // "sha-256 12:AB:..." with upper-case digits.
  std::string ToString() const;

  bool operator==(const Fingerprint&) const = default;
};

// The length of a hash's value in bytes: 20 for sha-1, 28, 32, 48, 64 for the SHA-2 ones; 0 for every other, also for md5 and md2,
// which RFC 8122 section 5 forbids to use.
std::size_t FingerprintLength(std::string_view algorithm);

// The most preferred hash among `offered`: sha-256 is what RFC 8122 section 5 prefers, then the stronger, then the weaker ones.
// Empty when there is none that may be used.
std::string_view PreferredAlgorithm(std::span<const Fingerprint> offered);

}  // namespace rtclab::dtls

#endif  // RTCLAB_STACK_DTLS_FINGERPRINT_H_
