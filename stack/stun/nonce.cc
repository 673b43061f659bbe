#include "stack/stun/nonce.h"

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

NonceFactory::NonceFactory(const SecurityFeatures& features, TimeDelta lifetime, Rng& rng)
    : cookie_(NonceCookie(features)), lifetime_(lifetime) {
  std::array<uint8_t, 32> secret;
  rng.Fill(secret);
  secret_ = crypto::HmacSha256(secret);
}

std::string NonceFactory::Sign(std::string_view prefix, const TransportAddress& client) const {
  ByteWriter who;
  who.WriteBytes(client.ip.bytes());
  who.WriteU16(client.port);
  const crypto::Sha256Digest mac = secret_.Compute(AsBytes(prefix), who.view());
  return ToHex(ByteView(mac).first(kMacSize / 2));
}

std::string NonceFactory::Make(Timestamp now, const TransportAddress& client) const {
  std::array<uint8_t, 8> time;
  StoreU64(time.data(), static_cast<uint64_t>(now.nanos()));
  std::string nonce = cookie_ + ToHex(time);
  nonce += Sign(nonce, client);
  return nonce;
}

NonceFactory::Verdict NonceFactory::Check(Timestamp now, const TransportAddress& client,
                                          std::string_view nonce) const {
  if (nonce.size() != kCookieSize + kTimeSize + kMacSize) return Verdict::kForeign;
  const std::string_view prefix = nonce.substr(0, kCookieSize + kTimeSize);
  if (!crypto::ConstantTimeEqual(AsBytes(nonce.substr(prefix.size())),
                                 AsBytes(Sign(prefix, client)))) {
    return Verdict::kForeign;
  }
  const auto time = FromHex(prefix.substr(kCookieSize));
  const Timestamp made = Timestamp::Nanos(static_cast<int64_t>(LoadU64(time->data())));
  return now - made < lifetime_ ? Verdict::kValid : Verdict::kStale;
}

}  // namespace rtclab::stun
