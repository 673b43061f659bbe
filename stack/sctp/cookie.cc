#include "stack/sctp/cookie.h"

#include <array>

#include "stack/crypto/constant_time.h"

namespace rtclab::sctp {
namespace {

constexpr std::size_t kCookieBody = 8 + 8 + 7 * 4 + 4 * 2 + 4;
constexpr std::size_t kCookieMac = 32;

crypto::HmacSha256 DrawKey(Rng& rng) {
  std::array<uint8_t, 32> key;
  rng.Fill(key);
  return crypto::HmacSha256(key);
}

}  // namespace

CookieJar::CookieJar(Rng& rng) : mac_(DrawKey(rng)) {}

Bytes CookieJar::Seal(const StateCookie& c) const {
  ByteWriter out(kCookieBody + kCookieMac);
  out.WriteU64(static_cast<uint64_t>(c.created.nanos()));
  out.WriteU64(static_cast<uint64_t>(c.lifetime.nanos()));
  for (const uint32_t v : {c.local_tag, c.peer_tag, c.local_tie_tag, c.peer_tie_tag,
                           c.local_initial_tsn, c.peer_initial_tsn, c.peer_window}) {
    out.WriteU32(v);
  }
  for (const uint16_t v : {c.outbound_streams, c.inbound_streams, c.local_port, c.peer_port}) {
    out.WriteU16(v);
  }
  out.WriteU32((c.features.partial_reliability ? 1u : 0u) | (c.features.interleaving ? 2u : 0u) |
               (c.features.reconfig ? 4u : 0u) | (c.features.zero_checksum ? 8u : 0u));
  out.WriteBytes(mac_.Compute(out.view()));
  return out.Take();
}

std::optional<StateCookie> CookieJar::Open(ByteView sealed) const {
  if (sealed.size() != kCookieBody + kCookieMac) return std::nullopt;
  const ByteView body = sealed.first(kCookieBody);
  if (!crypto::ConstantTimeEqual(mac_.Compute(body), sealed.subspan(kCookieBody))) {
    return std::nullopt;
  }
  ByteReader in(body);
  StateCookie c;
  c.created = Timestamp::Nanos(static_cast<int64_t>(*in.ReadU64()));
  c.lifetime = TimeDelta::Nanos(static_cast<int64_t>(*in.ReadU64()));
  for (uint32_t* v : {&c.local_tag, &c.peer_tag, &c.local_tie_tag, &c.peer_tie_tag,
                      &c.local_initial_tsn, &c.peer_initial_tsn, &c.peer_window}) {
    *v = *in.ReadU32();
  }
  for (uint16_t* v : {&c.outbound_streams, &c.inbound_streams, &c.local_port, &c.peer_port}) {
    *v = *in.ReadU16();
  }
  const uint32_t bits = *in.ReadU32();
  c.features = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
  return c;
}

}  // namespace rtclab::sctp
