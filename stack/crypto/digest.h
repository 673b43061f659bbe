// Message digests and keyed HMACs: what STUN's MESSAGE-INTEGRITY, USERHASH and password algorithms are made of.
#ifndef RTCLAB_STACK_CRYPTO_DIGEST_H_
#define RTCLAB_STACK_CRYPTO_DIGEST_H_

#include <array>
#include <cstdint>

#include "stack/base/bytes.h"

namespace rtclab::crypto {

using Md5Digest = std::array<uint8_t, 16>;
using Sha1Digest = std::array<uint8_t, 20>;
using Sha256Digest = std::array<uint8_t, 32>;

Md5Digest Md5(ByteView data);        // RFC 1321
Sha1Digest Sha1(ByteView data);      // FIPS 180-4
Sha256Digest Sha256(ByteView data);  // FIPS 180-4

// HMAC-SHA1 (RFC 2104) with the key's two compression states kept: a message costs only its own blocks and one more. A
// plain value of 40 bytes without pointers. The default is the HMAC of an empty key.
class HmacSha1 {
 public:
  HmacSha1() : HmacSha1(ByteView()) {}
  // A key of any length; one longer than a block (64 bytes) is hashed first, as RFC 2104 section 2 says.
  explicit HmacSha1(ByteView key);
  // The HMAC of `first` followed by `second`.
  Sha1Digest Compute(ByteView first, ByteView second = {}) const;

 private:
  std::array<uint32_t, 5> inner_;  // SHA-1 state after key xor ipad
  std::array<uint32_t, 5> outer_;  // SHA-1 state after key xor opad
};

// HMAC-SHA-256 (RFC 2104, RFC 4868), kept the same way.
class HmacSha256 {
 public:
  HmacSha256() : HmacSha256(ByteView()) {}
  explicit HmacSha256(ByteView key);
  Sha256Digest Compute(ByteView first, ByteView second = {}) const;

 private:
  std::array<uint32_t, 8> inner_;
  std::array<uint32_t, 8> outer_;
};

}  // namespace rtclab::crypto

#endif  // RTCLAB_STACK_CRYPTO_DIGEST_H_
