#include "conformance/engine/encode.h"

#include <algorithm>

#include "stack/crypto/crc32.h"
#include "stack/stun/nonce.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

// Appends attributes behind a header whose length follows them.
class Encoder {
 public:
  Encoder(const Request& request, const stun::TransactionId& id) {
    out_.WriteU16(stun::EncodeMessageType(request.message_class(), request.method()));
    out_.WriteU16(0);
    out_.WriteU32(stun::kMagicCookie);
    out_.WriteBytes(id);
  }

  void Add(uint16_t type, ByteView value, uint8_t padding = 0) {
    out_.WriteU16(type);
    out_.WriteU16(static_cast<uint16_t>(value.size()));
    out_.WriteBytes(value);
    while (out_.size() % 4 != 0) out_.WriteU8(padding);
    SetLength(0);
  }
  void Add(AttributeType type, ByteView value) { Add(static_cast<uint16_t>(type), value); }

  // RFC 8489 sections 14.5 and 14.6: the HMAC covers what is before it, with the length reaching to its own end.
  void AddIntegrity(const stun::IntegrityKey& key, bool corrupt) {
    SetLength(4 + stun::kIntegritySize);
    auto digest = key.sha1().Compute(out_.view());
    if (corrupt) digest[7] ^= 0x10;
    Add(AttributeType::kMessageIntegrity, digest);
  }
  void AddIntegritySha256(const stun::IntegrityKey& key, std::size_t length, bool corrupt) {
    SetLength(4 + ((length + 3) & ~std::size_t{3}));
    auto digest = key.sha256().Compute(out_.view());
    if (corrupt) digest[7] ^= 0x10;
    Add(AttributeType::kMessageIntegritySha256,
        ByteView(digest).first(std::min(length, digest.size())));
  }
  void AddFingerprint(bool corrupt) {
    SetLength(8);
    uint32_t crc = crypto::Crc32(out_.view()) ^ stun::kFingerprintXor;
    if (corrupt) crc ^= 1;
    std::array<uint8_t, 4> value{};
    StoreU32(value.data(), crc);
    Add(AttributeType::kFingerprint, value);
  }
  Bytes Take() { return out_.Take(); }

 private:
  void SetLength(std::size_t more) {
    out_.PatchU16(2, static_cast<uint16_t>(out_.size() + more - stun::kHeaderSize));
  }
  ByteWriter out_;
};

// RFC 8489 section 14.2: the port XORed with the cookie's upper half, the address with cookie and transaction id.
Bytes XorAddress(const TransportAddress& address, const stun::TransactionId& id) {
  std::array<uint8_t, 16> mask{};
  StoreU32(mask.data(), stun::kMagicCookie);
  std::copy(id.begin(), id.end(), mask.begin() + 4);
  ByteWriter out;
  out.WriteU8(0);
  out.WriteU8(address.ip.IsV6() ? 2 : 1);
  out.WriteU16(static_cast<uint16_t>(address.port ^ (stun::kMagicCookie >> 16)));
  std::size_t i = 0;
  for (const uint8_t byte : address.ip.bytes()) {
    out.WriteU8(static_cast<uint8_t>(byte ^ mask[i++]));
  }
  return out.Take();
}

Bytes AlgorithmValue(stun::PasswordAlgorithm algorithm) {
  Bytes out(4);
  StoreU16(out.data(), static_cast<uint16_t>(algorithm));
  return out;
}

void AddName(Encoder& out, const Signing& signing, const Credentials& user,
             const std::string& realm, bool userhash) {
  if (signing.omit_username) return;
  if (signing.raw_userhash) {
    out.Add(AttributeType::kUserhash, *signing.raw_userhash);
  } else if (userhash) {
    out.Add(AttributeType::kUserhash, stun::Userhash(user.username, realm));
  } else {
    out.Add(AttributeType::kUsername, AsBytes(user.username));
  }
}

void AddAlgorithms(Encoder& out, const Signing& signing, const ServerChallenge& challenge,
                   stun::PasswordAlgorithm algorithm) {
  const bool offered = !challenge.offered.empty();
  if (!signing.omit_algorithms) {
    if (signing.raw_algorithms) {
      out.Add(AttributeType::kPasswordAlgorithms, *signing.raw_algorithms);
    } else if (offered) {
      out.Add(AttributeType::kPasswordAlgorithms, challenge.offered);
    }
  }
  if (!signing.omit_algorithm) {
    if (signing.raw_algorithm) {
      out.Add(AttributeType::kPasswordAlgorithm, *signing.raw_algorithm);
    } else if (offered || signing.algorithm) {
      out.Add(AttributeType::kPasswordAlgorithm, AlgorithmValue(algorithm));
    }
  }
}

void AddSigning(Encoder& out, const Signing& signing, const Credentials& user,
                const ServerChallenge& challenge) {
  const bool long_term = signing.kind == Signing::Kind::kLongTerm;
  const std::string& realm = signing.realm ? *signing.realm : challenge.realm;
  const std::string& nonce = signing.nonce ? *signing.nonce : challenge.nonce;
  const auto algorithm = signing.algorithm.value_or(challenge.algorithm);
  // A key of its own goes with an access token, whose USERNAME names the key of the authorization server (RFC 7635 section 4).
  const bool userhash = signing.userhash || (challenge.userhash && !signing.key);
  AddName(out, signing, user, realm, long_term && userhash);
  if (long_term) {
    if (!signing.omit_realm && (signing.realm || !realm.empty())) {
      out.Add(AttributeType::kRealm, AsBytes(realm));
    }
    if (!signing.omit_nonce && (signing.nonce || !nonce.empty())) {
      out.Add(AttributeType::kNonce, AsBytes(nonce));
    }
    AddAlgorithms(out, signing, challenge, algorithm);
  }
  if (signing.omit_integrity) return;
  const stun::IntegrityKey key =
      signing.key ? stun::IntegrityKey::FromBytes(*signing.key)
      : long_term ? stun::IntegrityKey::LongTerm(user.username, realm, user.password, algorithm)
                  : stun::IntegrityKey::ShortTerm(user.password);
  const bool sha256 = signing.sha256.value_or(long_term && !challenge.offered.empty());
  if (!sha256 || signing.both_integrities) out.AddIntegrity(key, signing.corrupt_integrity);
  if (sha256 || signing.both_integrities) {
    out.AddIntegritySha256(key, signing.sha256_length, signing.corrupt_integrity_sha256);
  }
}

}  // namespace

std::optional<ServerChallenge> ReadChallenge(const stun::MessageView& response,
                                             const std::optional<ServerChallenge>& last,
                                             bool classic) {
  const auto realm = response.GetString(AttributeType::kRealm);
  const auto nonce = response.GetString(AttributeType::kNonce);
  if (!nonce || (!realm && !last)) return std::nullopt;
  ServerChallenge out;
  out.realm = realm ? std::string(*realm) : last->realm;
  out.nonce = *nonce;
  if (classic) return out;
  if (const auto value = response.Find(AttributeType::kPasswordAlgorithms)) {
    out.offered.assign(value->begin(), value->end());
    for (const stun::PasswordAlgorithmEntry& entry :
         response.GetPasswordAlgorithms().value_or(std::vector<stun::PasswordAlgorithmEntry>())) {
      if (entry.algorithm == stun::PasswordAlgorithm::kMd5 ||
          entry.algorithm == stun::PasswordAlgorithm::kSha256) {
        out.algorithm = entry.algorithm;
        break;
      }
    }
  }
  const auto features = stun::ParseNonceCookie(out.nonce);
  out.userhash = features && features->username_anonymity;
  return out;
}

stun::IntegrityKey KeyFor(const Credentials& credentials, const ServerChallenge& challenge) {
  return stun::IntegrityKey::LongTerm(credentials.username, challenge.realm, credentials.password,
                                      challenge.algorithm);
}

Bytes EncodeRequest(const Request& request, const stun::TransactionId& id,
                    const std::optional<Credentials>& credentials,
                    const std::optional<ServerChallenge>& challenge) {
  Encoder out(request, id);
  for (const Request::Item& item : request.items()) {
    out.Add(item.type, item.xor_address ? XorAddress(*item.xor_address, id) : item.value,
            item.padding);
  }
  const std::optional<Signing>& wanted = request.signing();
  const bool by_default = !wanted && challenge && credentials &&
                          request.message_class() == stun::MessageClass::kRequest &&
                          request.method() != stun::Method::kBinding;
  const Signing signing = wanted.value_or(Signing{});
  // Long-term credentials say nothing before a challenge, unless the request brings what they need itself.
  const bool can = signing.kind == Signing::Kind::kShortTerm || challenge || signing.realm ||
                   signing.nonce || signing.key;
  if (by_default || (wanted && can && wanted->kind != Signing::Kind::kNone)) {
    const Credentials user =
        signing.credentials ? *signing.credentials : credentials.value_or(Credentials{});
    AddSigning(out, signing, user, challenge.value_or(ServerChallenge{}));
  }
  for (const auto& [type, value] : signing.trailing) out.Add(type, value);
  if (signing.fingerprint) out.AddFingerprint(signing.corrupt_fingerprint);
  return out.Take();
}

}  // namespace rtclab::conformance
