#include "conformance/cases/rfc7635/oauth_steps.h"

#include <utility>

#include "stack/crypto/aead.h"
#include "stack/crypto/base64.h"
#include "stack/turn/access_token.h"

namespace rtclab::conformance {

Needs OauthNeeds() {
  Needs needs;
  needs.features = {Feature::kOauth};
  return needs;
}

// Some servers sign with the beginning of a session key. What they make of a token is worth knowing all the same.
static std::size_t OauthKeyUsed(Test& t) {
  constexpr std::size_t kShorter = 16;
  for (const std::size_t size : {kOauthMacKeySize, kShorter}) {
    const OauthToken token = MakeOauthToken(t, {.key_used = size});
    Client client = OauthConnect(t);
    if (OauthCall(client, OauthAllocate(t, token)).success()) return size;
  }
  return kOauthMacKeySize;
}

OauthToken MakeOauthToken(Test& t, const OauthTokenSpec& spec) {
  const auto& shared = t.target().oauth;
  if (!shared) t.Skip("the target's profile has no key of an authorization server");
  turn::AccessTokenKey key;
  key.kid = shared->kid;
  key.algorithm =
      shared->algorithm == "A128GCM" ? crypto::Aead::kAes128Gcm : crypto::Aead::kAes256Gcm;
  const auto bytes = crypto::Base64Decode(shared->key);
  if (!bytes || bytes->size() != crypto::AeadKeySize(key.algorithm))
    t.Skip("the authorization server's key in the target's profile does not fit " +
           shared->algorithm);
  key.key = *bytes;
  if (spec.other_key) t.rng().Fill(key.key);
  OauthToken out;
  out.mac_key.resize(kOauthMacKeySize);
  t.rng().Fill(out.mac_key);
  Bytes nonce(crypto::kAeadNonceSize);
  t.rng().Fill(nonce);
  const turn::AccessToken token{
      out.mac_key, turn::TokenTime::FromUnix(TimeDelta::Seconds(t.UnixTime() + spec.issued_s)),
      spec.lifetime_s};
  out.value =
      turn::MakeAccessToken(key, spec.server_name.value_or(shared->server_name), token, nonce);
  out.mac_key.resize(spec.key_used != 0 ? spec.key_used : OauthKeyUsed(t));
  return out;
}

Signing OauthSigning(Test& t, const OauthToken& token) {
  Signing signing;
  signing.credentials = Credentials{t.target().oauth ? t.target().oauth->kid : std::string(), {}};
  signing.key = token.mac_key;
  signing.sha256 = false;
  return signing;
}

Request OauthAllocate(Test& t, const OauthToken& token) {
  return AllocateRequest()
      .Attribute(stun::AttributeType::kAccessToken, token.value)
      .Sign(OauthSigning(t, token));
}

Client OauthConnect(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  return client;
}

Response OauthCall(Client& client, const Request& request) {
  const Response response = client.Once(request);
  return response.code() == stun::kErrorStaleNonce ? client.Once(request) : response;
}

OauthAllocated OauthOpen(Test& t, const OauthToken& token) {
  Client client = OauthConnect(t);
  Response response = OauthCall(client, OauthAllocate(t, token));
  if (!response.success()) t.Block("Allocate with a good token: " + response.Describe());
  return {std::move(client), std::move(response)};
}

}  // namespace rtclab::conformance
