// The key of MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256, made once for a credential and used for every message.
#ifndef RTCLAB_STACK_STUN_INTEGRITY_H_
#define RTCLAB_STACK_STUN_INTEGRITY_H_

#include <cstdint>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/crypto/digest.h"

namespace rtclab::stun {

// RFC 8489 section 18.5: how a long-term key is made from a password.
enum class PasswordAlgorithm : uint16_t { kMd5 = 0x0001, kSha256 = 0x0002 };

// Both HMACs, ready to use. A plain value of about 100 bytes: copy it freely.
class IntegrityKey {
 public:
  // The key of an empty password: it verifies nothing that another password signed.
  IntegrityKey() = default;
  // These bytes are the HMAC key. For keys that come from elsewhere, such as RFC 7635's access tokens.
  static IntegrityKey FromBytes(ByteView key);
  // RFC 8489 section 9.1.1: OpaqueString(password). A password that the OpaqueString profile rejects is used as it is; where a
  // credential is configured, reject it with PrepareOpaqueString() (precis.h).
  static IntegrityKey ShortTerm(std::string_view password);
  // RFC 8489 section 9.2.2 and 18.5.1: a digest of username ":" OpaqueString(realm) ":" OpaqueString(password). The username is
  // as it stands in USERNAME. What the profile rejects is used as it is.
  static IntegrityKey LongTerm(std::string_view username, std::string_view realm,
                               std::string_view password,
                               PasswordAlgorithm algorithm = PasswordAlgorithm::kMd5);

  const crypto::HmacSha1& sha1() const { return sha1_; }
  const crypto::HmacSha256& sha256() const { return sha256_; }

 private:
  crypto::HmacSha1 sha1_;
  crypto::HmacSha256 sha256_;
};

// RFC 8489 section 14.4: SHA-256(OpaqueString(username) ":" OpaqueString(realm)).
crypto::Sha256Digest Userhash(std::string_view username, std::string_view realm);

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_INTEGRITY_H_
