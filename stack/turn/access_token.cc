#include "stack/turn/access_token.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::turn {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kNanosPerTick = kNanosPerSecond / 64'000;
constexpr uint64_t kFarSeconds = uint64_t{200} * 365 * 86'400;

}  // namespace

TokenTime TokenTime::FromUnix(TimeDelta unix_time) {
  CHECK(unix_time >= TimeDelta::Zero());
  const int64_t seconds = unix_time.nanos() / kNanosPerSecond;
  const int64_t ticks = unix_time.nanos() % kNanosPerSecond / kNanosPerTick;
  return TokenTime(static_cast<uint64_t>(seconds) << 16 | static_cast<uint64_t>(ticks));
}

TimeDelta TokenTime::DistanceTo(TimeDelta unix_time) const {
  const uint64_t seconds = raw_ >> 16;
  if (seconds > kFarSeconds) return TimeDelta::PlusInfinity();
  const TimeDelta self = TimeDelta::Seconds(static_cast<int64_t>(seconds)) +
                         TimeDelta::Nanos(static_cast<int64_t>(raw_ & 0xffff) * kNanosPerTick);
  return self > unix_time ? self - unix_time : unix_time - self;
}

//  nonce_length (16) | nonce | sealed { key_length (16) | mac_key | timestamp (64) | lifetime (32) } and tag
Bytes MakeAccessToken(const AccessTokenKey& key, std::string_view server_name,
                      const AccessToken& token, ByteView nonce) {
  CHECK(token.mac_key.size() <= 0xffff);
  ByteWriter block;
  block.WriteU16(static_cast<uint16_t>(token.mac_key.size()));
  block.WriteBytes(token.mac_key);
  block.WriteU64(token.timestamp.raw());
  block.WriteU32(token.lifetime_s);
  ByteWriter out;
  out.WriteU16(static_cast<uint16_t>(nonce.size()));
  out.WriteBytes(nonce);
  out.WriteBytes(
      crypto::AeadSeal(key.algorithm, key.key, nonce, AsBytes(server_name), block.view()));
  return out.Take();
}

Result<AccessToken> OpenAccessToken(const AccessTokenKey& key, std::string_view server_name,
                                    ByteView value) {
  ByteReader reader(value);
  const auto nonce_length = reader.ReadU16();
  if (!nonce_length) return Fail("expected the nonce's length", reader.offset());
  if (*nonce_length != crypto::kAeadNonceSize) return Fail("the nonce has not 12 bytes", 0);
  const auto nonce = reader.ReadBytes(*nonce_length);
  if (!nonce) return Fail("the nonce is cut off", reader.offset());
  const auto block = crypto::AeadOpen(key.algorithm, key.key, *nonce, AsBytes(server_name),
                                      value.subspan(reader.offset()));
  if (!block) return Fail("not sealed for this server with this key", reader.offset());
  ByteReader inner(*block);
  const auto key_length = inner.ReadU16();
  const auto mac_key = key_length ? inner.ReadBytes(*key_length) : std::nullopt;
  if (!mac_key || mac_key->empty()) return Fail("no session key in the block", inner.offset());
  const auto timestamp = inner.ReadU64();
  const auto lifetime_s = inner.ReadU32();
  if (!timestamp || !lifetime_s) return Fail("timestamp or lifetime is missing", inner.offset());
  if (!inner.empty()) return Fail("bytes behind the lifetime", inner.offset());
  return AccessToken{Bytes(mac_key->begin(), mac_key->end()), TokenTime(*timestamp), *lifetime_s};
}

bool IsCurrent(const AccessToken& token, TimeDelta unix_now, TimeDelta delta) {
  return TimeDelta::Seconds(token.lifetime_s) + delta > token.timestamp.DistanceTo(unix_now);
}

TimeDelta LifetimeLeft(const AccessToken& token, TimeDelta unix_now, TimeDelta delta) {
  if (!IsCurrent(token, unix_now, delta)) return TimeDelta::Zero();
  const TimeDelta lifetime = TimeDelta::Seconds(token.lifetime_s);
  return std::min(lifetime, lifetime + delta - token.timestamp.DistanceTo(unix_now));
}

}  // namespace rtclab::turn
