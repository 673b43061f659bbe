#include "stack/stun/integrity.h"

#include <string>

#include "stack/stun/precis.h"

namespace rtclab::stun {
namespace {

std::string PreparedOrAsIs(std::string_view text) {
  return PrepareOpaqueString(text).value_or(std::string(text));
}

}  // namespace

IntegrityKey IntegrityKey::FromBytes(ByteView key) {
  IntegrityKey out;
  out.sha1_ = crypto::HmacSha1(key);
  out.sha256_ = crypto::HmacSha256(key);
  return out;
}

IntegrityKey IntegrityKey::ShortTerm(std::string_view password) {
  return FromBytes(AsBytes(PreparedOrAsIs(password)));
}

IntegrityKey IntegrityKey::LongTerm(std::string_view username, std::string_view realm,
                                    std::string_view password, PasswordAlgorithm algorithm) {
  std::string text(username);
  text += ':';
  text += PreparedOrAsIs(realm);
  text += ':';
  text += PreparedOrAsIs(password);
  if (algorithm == PasswordAlgorithm::kSha256) return FromBytes(crypto::Sha256(AsBytes(text)));
  return FromBytes(crypto::Md5(AsBytes(text)));
}

crypto::Sha256Digest Userhash(std::string_view username, std::string_view realm) {
  std::string text = PreparedOrAsIs(username);
  text += ':';
  text += PreparedOrAsIs(realm);
  return crypto::Sha256(AsBytes(text));
}

}  // namespace rtclab::stun
