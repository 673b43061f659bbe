// The self-contained access token of RFC 7635 section 6.2: a session key and its validity, sealed by an authorization server under a
// key that it shares with the TURN server.
#ifndef RTCLAB_STACK_TURN_ACCESS_TOKEN_H_
#define RTCLAB_STACK_TURN_ACCESS_TOKEN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/units.h"
#include "stack/crypto/aead.h"

namespace rtclab::turn {

// The long-term key K of RFC 7635 section 4.1 and the kid that names it; `key` has exactly the algorithm's key size.
struct AccessTokenKey {
  std::string kid;  // goes into USERNAME
  Bytes key;
  crypto::Aead algorithm = crypto::Aead::kAes256Gcm;  // the one that section 4.1.1 demands
};

// Moments of UNIX time as the token has them: 48 bits of seconds and 16 bits of 1/64000 seconds.
class TokenTime {
 public:
  constexpr TokenTime() = default;
  constexpr explicit TokenTime(uint64_t raw) : raw_(raw) {}
  // `unix_time` since 1970, not negative; rounded down to 1/64000 s.
  static TokenTime FromUnix(TimeDelta unix_time);
  constexpr uint64_t raw() const { return raw_; }
  // The distance of the two, never negative; PlusInfinity() beyond 200 years.
  TimeDelta DistanceTo(TimeDelta unix_time) const;
  constexpr bool operator==(const TokenTime&) const = default;

 private:
  uint64_t raw_ = 0;
};

struct AccessToken {
  Bytes mac_key;  // the key of MESSAGE-INTEGRITY, as it is (section 5); 20 bytes for HMAC-SHA-1
  TokenTime timestamp;
  uint32_t lifetime_s = 0;

  bool operator==(const AccessToken&) const = default;
};

// The value of ACCESS-TOKEN. `server_name` is what THIRD-PARTY-AUTHORIZATION names; `nonce` has crypto::kAeadNonceSize bytes and is used
// once with a key. `token.mac_key` of at most 65,535 bytes, `key` and `nonce` of the right size: CHECKed.
Bytes MakeAccessToken(const AccessTokenKey& key, std::string_view server_name,
                      const AccessToken& token, ByteView nonce);

// The reverse. Fails, with the offset into `value` or into the decrypted block, on a nonce of another size, on what was not sealed for
// `server_name` under `key`, and on a block that does not hold exactly the four fields. Says nothing about the token's age.
Result<AccessToken> OpenAccessToken(const AccessTokenKey& key, std::string_view server_name,
                                    ByteView value);

// RFC 7635 section 7: lifetime + delta > |now - timestamp|. `unix_now` since 1970.
bool IsCurrent(const AccessToken& token, TimeDelta unix_now, TimeDelta delta);
// RFC 7635 section 9: the longest lifetime that Allocate and Refresh may grant: lifetime + delta - |now - timestamp|, and never more than
// the token's own. Zero for a token that is not current.
TimeDelta LifetimeLeft(const AccessToken& token, TimeDelta unix_now, TimeDelta delta);

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_ACCESS_TOKEN_H_
