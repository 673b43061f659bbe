// The nonces of the long-term credential mechanism: the cookie that says what the server can do (RFC 8489 section 9.2), and nonces that
// a server recognises without keeping them (RFC 7616 section 5.4).
#ifndef RTCLAB_STACK_STUN_NONCE_H_
#define RTCLAB_STACK_STUN_NONCE_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"
#include "stack/base/ip_address.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/crypto/digest.h"

namespace rtclab::stun {

// RFC 8489 section 18.1. Bit 0 is the leftmost of 24.
struct SecurityFeatures {
  bool password_algorithms = false;  // bit 0
  bool username_anonymity = false;   // bit 1

  bool operator==(const SecurityFeatures&) const = default;
};

// The 13 characters that a nonce begins with: "obMatJos2" and the features in base64.
std::string NonceCookie(const SecurityFeatures& features);
// nullopt when the nonce does not begin with a nonce cookie: a server of RFC 5389. Unassigned bits are ignored.
std::optional<SecurityFeatures> ParseNonceCookie(std::string_view nonce);

struct NonceStyle {
  bool cookie = true;      // off: as RFC 5389 has nonces
  bool per_client = true;  // off: good for every client, against RFC 8489 section 9.2.4
};

// Makes nonces from when and for whom they are made and an HMAC under a secret of its own, so that no two transport addresses ever
// get the same one (RFC 8489 section 9.2.4) and nothing is stored. The time is masked: behind the cookie everything looks random.
class NonceFactory {
 public:
  enum class Verdict {
    kValid,
    kStale,    // made here for this client, but `lifetime` ago or more
    kForeign,  // not made here, or for another client, or altered
  };

  NonceFactory(const SecurityFeatures& features, TimeDelta lifetime, Rng& rng,
               const NonceStyle& style = {});

  // 61 characters of RFC 3261's qdtext, 48 without a cookie.
  std::string Make(Timestamp now, const TransportAddress& client) const;
  Verdict Check(Timestamp now, const TransportAddress& client, std::string_view nonce) const;

 private:
  using Mac = std::array<uint8_t, 16>;
  Mac Sign(ByteView time, const TransportAddress& client) const;
  // Masks and unmasks.
  uint64_t Mask(uint64_t time, const Mac& mac) const;

  std::string cookie_;
  TimeDelta lifetime_;
  bool per_client_;
  crypto::HmacSha256 secret_;
  crypto::HmacSha256 mask_secret_;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_NONCE_H_
