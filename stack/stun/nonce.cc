#include "stack/stun/nonce.h"

#include <algorithm>
#include <array>

#include "stack/base/bytes.h"
#include "stack/crypto/base64.h"
#include "stack/crypto/constant_time.h"

namespace rtclab::stun {
namespace {

constexpr std::string_view kCookiePrefix = "obMatJos2";  // RFC 8489 section 9.2
constexpr std::size_t kCookieSize = 13;
constexpr std::size_t kTimeSize = 16;  // 8 bytes in hexadecimal
constexpr std::size_t kMacSize = 32;   // 16 bytes in hexadecimal

constexpr uint8_t kPasswordAlgorithmsBit = 0x80;  // bit 0 of 24, RFC 8489 section 18.1
constexpr uint8_t kUsernameAnonymityBit = 0x40;   // bit 1

}  // namespace

std::string NonceCookie(const SecurityFeatures& features) {
  const std::array<uint8_t, 3> bits = {
      static_cast<uint8_t>((features.password_algorithms ? kPasswordAlgorithmsBit : 0) |
                           (features.username_anonymity ? kUsernameAnonymityBit : 0)),
      0, 0};
  return std::string(kCookiePrefix) + crypto::Base64Encode(bits);
}

std::optional<SecurityFeatures> ParseNonceCookie(std::string_view nonce) {
  if (!nonce.starts_with(kCookiePrefix) || nonce.size() < kCookieSize) return std::nullopt;
  const auto bits = crypto::Base64Decode(nonce.substr(kCookiePrefix.size(), 4));
  if (!bits || bits->size() != 3) return std::nullopt;
  return SecurityFeatures{((*bits)[0] & kPasswordAlgorithmsBit) != 0,
                          ((*bits)[0] & kUsernameAnonymityBit) != 0};
}

NonceFactory::NonceFactory(const SecurityFeatures& features, TimeDelta lifetime, Rng& rng,
                           const NonceStyle& style)
    : cookie_(style.cookie ? NonceCookie(features) : std::string()),
      lifetime_(lifetime),
      per_client_(style.per_client) {
  std::array<uint8_t, 32> secret;
  rng.Fill(secret);
  secret_ = crypto::HmacSha256(secret);
  // A key of its own for the mask, made from the first so that it takes nothing from `rng`.
  mask_secret_ = crypto::HmacSha256(secret_.Compute(AsBytes("mask")));
}

NonceFactory::Mac NonceFactory::Sign(ByteView time, const TransportAddress& client) const {
  ByteWriter who;
  if (per_client_) {
    who.WriteBytes(client.ip.bytes());
    who.WriteU16(client.port);
  }
  const crypto::Sha256Digest digest = secret_.Compute(time, who.view());
  Mac mac;
  std::copy_n(digest.begin(), mac.size(), mac.begin());
  return mac;
}

uint64_t NonceFactory::Mask(uint64_t time, const Mac& mac) const {
  return time ^ LoadU64(mask_secret_.Compute(mac).data());
}

std::string NonceFactory::Make(Timestamp now, const TransportAddress& client) const {
  const auto nanos = static_cast<uint64_t>(now.nanos());
  std::array<uint8_t, 8> time;
  StoreU64(time.data(), nanos);
  const Mac mac = Sign(time, client);
  StoreU64(time.data(), Mask(nanos, mac));
  return cookie_ + ToHex(time) + ToHex(mac);
}

NonceFactory::Verdict NonceFactory::Check(Timestamp now, const TransportAddress& client,
                                          std::string_view nonce) const {
  if (nonce.size() != cookie_.size() + kTimeSize + kMacSize || !nonce.starts_with(cookie_)) {
    return Verdict::kForeign;
  }
  auto bytes = FromHex(nonce.substr(cookie_.size()));
  if (!bytes || bytes->size() != (kTimeSize + kMacSize) / 2) return Verdict::kForeign;
  Mac mac;
  std::copy_n(bytes->begin() + kTimeSize / 2, mac.size(), mac.begin());
  const uint64_t nanos = Mask(LoadU64(bytes->data()), mac);
  std::array<uint8_t, 8> time;
  StoreU64(time.data(), nanos);
  if (!crypto::ConstantTimeEqual(mac, Sign(time, client))) return Verdict::kForeign;
  const Timestamp made = Timestamp::Nanos(static_cast<int64_t>(nanos));
  return now - made < lifetime_ ? Verdict::kValid : Verdict::kStale;
}

}  // namespace rtclab::stun
