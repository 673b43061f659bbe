// RFC 7635 section 7: the checks of a server on a request with ACCESS-TOKEN.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "conformance/cases/rfc7635/oauth_steps.h"
#include "conformance/cases/sections.h"
#include "stack/stun/integrity.h"

namespace rtclab::conformance {
namespace {

void OauthTokenGood(Test& t) {
  const OauthToken token = MakeOauthToken(t, {.key_used = kOauthMacKeySize});
  Client client = OauthConnect(t);
  t.ExpectSuccess(OauthCall(client, OauthAllocate(t, token)), "Allocate with a good token");
}

void OauthResponseIntegrity(Test& t) {
  const OauthToken token = MakeOauthToken(t);
  const OauthAllocated open = OauthOpen(t, token);
  const stun::IntegrityKey key = stun::IntegrityKey::FromBytes(token.mac_key);
  const stun::MessageView& view = open.response.view();
  t.Expect(view.HasIntegrity() || view.HasIntegritySha256(),
           "MESSAGE-INTEGRITY in the response to a request with token", "none");
  t.Expect(!view.HasIntegrity() || view.VerifyIntegrity(key),
           "MESSAGE-INTEGRITY made with the mac_key", "it does not match");
  t.Expect(!view.HasIntegritySha256() || view.VerifyIntegritySha256(key, 16),
           "MESSAGE-INTEGRITY-SHA256 made with the mac_key", "it does not match");
}

void OauthRefused(Test& t, const OauthTokenSpec& spec, std::string_view what) {
  {  // Else a refusal says nothing.
    const OauthToken good = MakeOauthToken(t);
    OauthOpen(t, good);
  }
  const OauthToken token = MakeOauthToken(t, spec);
  Client client = OauthConnect(t);
  t.ExpectError(OauthCall(client, OauthAllocate(t, token)), 401, what);
}

void OauthExpired(Test& t) {
  OauthRefused(t, {.issued_s = -7'200, .lifetime_s = 3'600}, "a token that expired an hour ago");
}

void OauthFromFuture(Test& t) {
  OauthRefused(t, {.issued_s = 7'200, .lifetime_s = 3'600}, "a token of two hours from now");
}

void OauthOtherServer(Test& t) {
  OauthRefused(t, {.server_name = "another.example"}, "a token for another server");
}

void OauthOtherKey(Test& t) {
  OauthRefused(t, {.other_key = true}, "a token sealed under another key");
}

void OauthBadTag(Test& t) {
  OauthToken token = MakeOauthToken(t);
  token.value.back() ^= 0x01;
  Client client = OauthConnect(t);
  t.ExpectError(OauthCall(client, OauthAllocate(t, token)), 401, "a token with one bit changed");
}

void OauthUnknownKid(Test& t) {
  const OauthToken token = MakeOauthToken(t);
  Signing signing = OauthSigning(t, token);
  signing.credentials = Credentials{t.rng().IceString(24), {}};
  Client client = OauthConnect(t);
  t.ExpectError(OauthCall(client, OauthAllocate(t, token).Sign(signing)), 401,
                "a kid that the server does not know");
}

void OauthWrongMacKey(Test& t) {
  const OauthToken token = MakeOauthToken(t);
  Signing signing = OauthSigning(t, token);
  Bytes other = token.mac_key;
  other[0] ^= 0x80;
  signing.key = other;
  Client client = OauthConnect(t);
  t.ExpectError(OauthCall(client, OauthAllocate(t, token).Sign(signing)), 401,
                "MESSAGE-INTEGRITY under another key than the token's");
}

void OauthNoIntegrity(Test& t) {
  const OauthToken token = MakeOauthToken(t);
  Signing signing = OauthSigning(t, token);
  signing.omit_integrity = true;
  Client client = OauthConnect(t);
  t.ExpectError(OauthCall(client, OauthAllocate(t, token).Sign(signing)), {400, 401},
                "a token without MESSAGE-INTEGRITY");
}

void OauthMalformed(Test& t) {
  const OauthToken good = MakeOauthToken(t);
  const auto with_nonce_length = [&](uint16_t length) {
    Bytes value = good.value;
    StoreU16(value.data(), length);
    return value;
  };
  const auto first = [&](std::size_t size) {
    return Bytes(good.value.begin(), good.value.begin() + static_cast<std::ptrdiff_t>(size));
  };
  const std::vector<std::pair<std::string_view, Bytes>> tokens = {
      {"nonce_length 0", with_nonce_length(0)},
      {"nonce_length 65535", with_nonce_length(0xffff)},
      {"a nonce_length that reaches beyond the attribute",
       with_nonce_length(static_cast<uint16_t>(good.value.size()))},
      {"a nonce_length that leaves nothing to decrypt",
       with_nonce_length(static_cast<uint16_t>(good.value.size() - 2))},
      {"a token that ends within the tag", first(good.value.size() - 3)},
      {"a token that is only a nonce", first(14)},
      {"a token of one byte", first(1)},
      {"an empty token", {}},
  };
  for (const auto& [what, value] : tokens) {
    Client client = OauthConnect(t);
    OauthToken token{value, good.mac_key};
    t.ExpectError(OauthCall(client, OauthAllocate(t, token)), {400, 401}, what);
  }
  Client client = OauthConnect(t);
  t.ExpectSuccess(OauthCall(client, OauthAllocate(t, good)), "a good token after the malformed");
}

}  // namespace

void AddRfc7635Section07(CaseList& cases) {
  constexpr std::string_view kRfc = "7635";
  const auto add = [&](std::string_view id, std::string_view title, std::vector<Clause> clauses,
                       void (*run)(Test&)) {
    cases.push_back({.id = id,
                     .title = title,
                     .clauses = std::move(clauses),
                     .needs = OauthNeeds(),
                     .run = run});
  };
  const Clause fails{kRfc, "7", Level::kProse,
                     "the STUN server rejects the request with an error response 401 "
                     "(Unauthorized)."};
  const Clause window{kRfc, "7", Level::kProse,
                      "If the timestamp is NOT within the boundaries, then the STUN server "
                      "discards the request with error response 401 (Unauthorized)."};
  const Clause mac{kRfc, "7", Level::kProse,
                   "contents of the MESSAGE-INTEGRITY attribute, then it rejects the request with "
                   "an error response 401 (Unauthorized)."};
  add("oauth.token-ok", "A good token with a session key of 160 bits is taken",
      {{kRfc, "6.2", Level::kMust, "The key length of 160 bits MUST be supported"},
       {kRfc, "7", Level::kProse,
        "If all the checks pass, the STUN server continues to process the request."}},
      OauthTokenGood);
  add("oauth.response-integrity", "The response is signed with the token's session key",
      {{kRfc, "7", Level::kMust,
        "Any response generated by the server MUST include the MESSAGE- INTEGRITY attribute, "
        "computed using the mac_key."}},
      OauthResponseIntegrity);
  add("oauth.token-expired", "An expired token gives 401", {window}, OauthExpired);
  add("oauth.token-future", "A token from far in the future gives 401", {window}, OauthFromFuture);
  add("oauth.token-bad-tag", "A token with a bit changed gives 401", {fails}, OauthBadTag);
  add("oauth.token-other-key", "A token under another key gives 401", {fails}, OauthOtherKey);
  add("oauth.token-other-server", "A token for another server gives 401",
      {{kRfc, "6.2", Level::kMust, "The associated data (A) MUST be the STUN server name."}},
      OauthOtherServer);
  add("oauth.token-unknown-kid", "An unknown kid gives 401",
      {{kRfc, "7", Level::kProse,
        "The STUN server selects the keying material based on kid signaled in the USERNAME "
        "attribute."}},
      OauthUnknownKid);
  add("oauth.mi-wrong-key", "MESSAGE-INTEGRITY under another key than the token's gives 401", {mac},
      OauthWrongMacKey);
  add("oauth.mi-required", "A token without MESSAGE-INTEGRITY gives 401", {mac}, OauthNoIntegrity);
  add("oauth.token-format", "Malformed tokens are refused, and the server lives on", {fails},
      OauthMalformed);
}

}  // namespace rtclab::conformance
