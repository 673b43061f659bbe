// RFC 8489 sections 9.2 and 9.2.4, first check: the challenge, its nonce, and what the nonce cookie announces.
#include <fmt/format.h>

#include <algorithm>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"
#include "stack/stun/nonce.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;

constexpr std::string_view kLtCookiePrefix = "obMatJos2";  // RFC 8489 section 9.2

// The 401 that answers an unsigned Allocate request; blocked when the server asks for nothing.
Response LtUnsigned(Test& t, Client& client, const Request& request) {
  Request plain = request;
  Response response = client.Once(plain.Unsigned());
  if (!response) t.Block("no answer to an unsigned request");
  return response;
}

std::string LtNonceOf(Test& t, Client& client) {
  const Response response = LtUnsigned(t, client, AllocateRequest());
  const auto nonce = response.view().GetString(AttributeType::kNonce);
  if (response.code() != 401 || !nonce) t.Block("no challenge but " + response.Describe());
  return std::string(*nonce);
}

// The 24 feature bits behind the cookie's prefix, bit 0 the most significant; nullopt: no cookie.
std::optional<uint32_t> LtFeatureBits(std::string_view nonce) {
  if (!nonce.starts_with(kLtCookiePrefix) || nonce.size() < 13) return std::nullopt;
  uint32_t bits = 0;
  for (const char c : nonce.substr(kLtCookiePrefix.size(), 4)) {
    const std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t digit = alphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
  }
  return bits;
}
constexpr uint32_t kLtPasswordAlgorithmsBit = 0x800000;
constexpr uint32_t kLtAnonymityBit = 0x400000;

void LtChallenge(Test& t) {
  Client client = t.Connect();
  const Response response = LtUnsigned(t, client, AllocateRequest());
  t.ExpectError(response, 401, "an unsigned Allocate request");
  const auto realm = response.view().GetString(AttributeType::kRealm);
  const auto nonce = response.view().GetString(AttributeType::kNonce);
  t.Expect(realm && !realm->empty(), "a REALM in the 401", "none");
  t.Expect(nonce && !nonce->empty(), "a NONCE in the 401", "none");
}

// With an allocation, because without one a server may say 437 before it looks at credentials (RFC 8656 section 5).
void LtChallengeEveryMethod(Test& t) {
  Client client = t.Connect();
  const Peer peer = t.OpenPeer();
  client.Allocate();
  const auto expect_challenge = [&](const Request& request) {
    const Response response = LtUnsigned(t, client, request);
    const auto what = fmt::format("an unsigned {} request", stun::ToString(request.method()));
    t.ExpectError(response, 401, what);
    ExpectChallenge(t, client, response, what);
  };
  expect_challenge(Request(Method::kRefresh).Lifetime(0));
  expect_challenge(Request(Method::kCreatePermission).PeerAddress(peer.address()));
  expect_challenge(Request(Method::kChannelBind).ChannelNumber(0x4000).PeerAddress(peer.address()));
  t.ExpectSuccess(client.Call(Request(Method::kRefresh).Lifetime(600)),
                  "the allocation still there after an unsigned Refresh with LIFETIME 0");
}

void LtChallengeNoIdentity(Test& t) {
  Client client = t.Connect();
  const Response response = LtUnsigned(t, client, AllocateRequest());
  if (response.code() != 401) t.Block("no challenge but " + response.Describe());
  for (const AttributeType type : {AttributeType::kUsername, AttributeType::kUserhash}) {
    t.Expect(!response.Has(type), fmt::format("no {} in the 401", stun::ToString(type)), "one");
  }
  t.Expect(!response.view().HasIntegrity() && !response.view().HasIntegritySha256(),
           "no integrity attribute in the 401", "one");
}

void LtNoncePerSource(Test& t) {
  std::vector<std::string> nonces;
  for (int i = 0; i < 3; ++i) {
    Client client = t.Connect();
    nonces.push_back(LtNonceOf(t, client));
    t.Expect(std::count(nonces.begin(), nonces.end(), nonces.back()) == 1,
             "another NONCE for another source port", "the same: " + nonces.back());
  }
}

void LtNonceOtherSource(Test& t) {
  Client first = t.Connect();
  first.Challenge();
  Client second = t.Connect();
  second.TakeChallenge(first);
  const Response response = second.Once(AllocateRequest());
  t.Info(response.success()
             ? "a NONCE given to another source port is accepted"
             : "a NONCE given to another source port is refused: " + response.Describe());
}

void LtNonceCookie(Test& t) {
  Client client = t.Connect();
  const std::string nonce = LtNonceOf(t, client);
  t.Expect(nonce.starts_with(kLtCookiePrefix), "a NONCE that begins with obMatJos2", nonce);
  t.Expect(LtFeatureBits(nonce).has_value(), "four base64 characters behind obMatJos2", nonce);
}

void LtNonceCookieZero(Test& t) {
  Client client = t.Connect();
  const Response response = LtUnsigned(t, client, AllocateRequest());
  const auto nonce = response.view().GetString(AttributeType::kNonce);
  const auto bits = nonce ? LtFeatureBits(*nonce) : std::nullopt;
  if (!bits) t.Skip("the nonce has no cookie, which stun.lt.nonce-cookie judges");
  t.Expect((*bits & ~(kLtPasswordAlgorithmsBit | kLtAnonymityBit)) == 0,
           "zero in the feature bits that nothing is assigned to", fmt::format("{:06x}", *bits));
  const bool listed = response.Has(AttributeType::kPasswordAlgorithms);
  t.Expect(listed || (*bits & kLtPasswordAlgorithmsBit) == 0,
           "a zero bit for a feature that is not used: there are no PASSWORD-ALGORITHMS",
           fmt::format("{:06x}", *bits));
}

void LtAlgorithmsBit(Test& t) {
  Client client = t.Connect();
  const Response response = LtUnsigned(t, client, AllocateRequest());
  if (!response.Has(AttributeType::kPasswordAlgorithms)) {
    t.Skip("the challenge has no PASSWORD-ALGORITHMS");
  }
  const auto nonce = response.view().GetString(AttributeType::kNonce);
  const uint32_t bits = nonce ? LtFeatureBits(*nonce).value_or(0) : 0;
  t.Expect((bits & kLtPasswordAlgorithmsBit) != 0,
           "bit 0 of the nonce cookie set beside PASSWORD-ALGORITHMS",
           "NONCE " + std::string(nonce.value_or("absent")));
}

void LtBitImpliesAlgorithms(Test& t) {
  Client client = t.Connect();
  const std::string nonce = LtNonceOf(t, client);
  if ((LtFeatureBits(nonce).value_or(0) & kLtPasswordAlgorithmsBit) == 0) {
    t.Skip("bit 0 of the nonce cookie is not set");
  }
  const Response challenge = LtUnsigned(t, client, AllocateRequest());
  t.Expect(challenge.Has(AttributeType::kPasswordAlgorithms),
           "PASSWORD-ALGORITHMS in the 401: its nonce cookie announces them", "none");
  client.Challenge();
  client.SetNonce(AlteredNonce(client.nonce()));
  const Response stale = client.Once(AllocateRequest());
  if (stale.code() != 438) t.Skip("no 438 to look at but " + stale.Describe());
  const auto renewed = stale.view().GetString(AttributeType::kNonce);
  const bool announced =
      renewed && (LtFeatureBits(*renewed).value_or(0) & kLtPasswordAlgorithmsBit) != 0;
  t.Expect(!announced || stale.Has(AttributeType::kPasswordAlgorithms),
           "PASSWORD-ALGORITHMS in the 438: its nonce cookie announces them", "none");
}

void LtAnonymityBit(Test& t) {
  Client client = t.Connect();
  const std::string nonce = LtNonceOf(t, client);
  if ((LtFeatureBits(nonce).value_or(0) & kLtAnonymityBit) != 0) {
    t.Note("Bit 1 is set, so that USERHASH has to be taken.");
  }
  client.Challenge();
  Signing signing;
  signing.userhash = true;
  const Response response = client.Once(AllocateRequest().Sign(signing));
  const bool set = (LtFeatureBits(nonce).value_or(0) & kLtAnonymityBit) != 0;
  if (set) {
    t.ExpectSuccess(response, "Allocate with USERHASH, which bit 1 of the nonce cookie announces");
  } else {
    t.Expect(!response.success(), "bit 1 of the nonce cookie set where USERHASH is accepted",
             "accepted, and the NONCE is " + nonce);
  }
}

void LtTexts(Test& t, MessageCheck check, std::string_view expected) {
  Client client = t.Connect();
  LtNonceOf(t, client);
  Client wrong = t.Connect();
  wrong.Challenge();
  wrong.Once(AllocateRequest().Sign(CorruptSigning()));
  CheckEach(t, check, expected);
}

void LtTextSizes(Test& t) {
  LtTexts(t, RealmNonceSizeFault, "REALM and NONCE of fewer than 128 characters");
}
void LtTextGrammar(Test& t) {
  LtTexts(t, RealmNonceGrammarFault, "REALM and NONCE of qdtext and quoted-pairs, without quotes");
}
void LtAlgorithmsForm(Test& t) {
  LtTexts(t, AlgorithmsFault, "PASSWORD-ALGORITHMS that list algorithms with their parameters");
}

Needs LtTurnNeeds() { return {.features = {Feature::kTurn}, .credentials = true}; }

void AddLtChallenges(CaseList& cases) {
  const Clause unsigned_401 = {"8489", "9.2.4", Level::kMust,
                               "the server MUST generate an error response with an error code of "
                               "401 (Unauthenticated)"};
  cases.push_back({.id = "stun.lt.no-mi-401",
                   .title = "An unsigned Allocate request is challenged with REALM and NONCE",
                   .clauses = {unsigned_401,
                               {"8489", "9.2.4", Level::kMust,
                                "This response MUST include a REALM value. The response MUST "
                                "include a NONCE, selected by the server."}},
                   .needs = LtTurnNeeds(),
                   .run = LtChallenge});
  cases.push_back(
      {.id = "stun.lt.no-mi-401-methods",
       .title = "Unsigned requests of the other TURN methods are challenged too",
       .clauses = {unsigned_401},
       .needs = {.features = {Feature::kTurn}, .peer = PeerNeed::kAny, .credentials = true},
       .run = LtChallengeEveryMethod});
  cases.push_back({.id = "stun.lt.401-no-identity",
                   .title = "The challenge names nobody and is not signed",
                   .clauses = {{"8489", "9.2.4", Level::kShouldNot,
                                "The response SHOULD NOT contain a USERNAME, USERHASH, "
                                "MESSAGE-INTEGRITY, or MESSAGE- INTEGRITY-SHA256 attribute."}},
                   .needs = LtTurnNeeds(),
                   .run = LtChallengeNoIdentity});
  cases.push_back({.id = "stun.lt.realm-nonce-size",
                   .title = "REALM and NONCE have fewer than 128 characters",
                   .clauses = {{"8489", "14.10", Level::kMust,
                                "The NONCE attribute MUST be fewer than 128 characters"},
                               {"8489", "14.9", Level::kMust,
                                "It MUST be a UTF-8-encoded [RFC3629] sequence of fewer than 128 "
                                "characters"}},
                   .needs = LtTurnNeeds(),
                   .run = LtTextSizes});
  cases.push_back({.id = "stun.lt.realm-nonce-grammar",
                   .title = "REALM and NONCE are what may stand between quotes, without them",
                   .clauses = {{"8489", "14.10", Level::kProse,
                                "It contains a sequence of qdtext or quoted-pair, which are "
                                "defined in [RFC3261]."},
                               {"8489", "14.9", Level::kProse,
                                "it is an unquoted realm-value (and is therefore a sequence of "
                                "qdtext or quoted-pair)"}},
                   .needs = LtTurnNeeds(),
                   .run = LtTextGrammar});
}

void AddLtNonces(CaseList& cases) {
  cases.push_back(
      {.id = "stun.lt.nonce-per-source",
       .title = "Clients at different ports get different nonces",
       .clauses = {{"8489", "9.2.4", Level::kMustNot,
                    "The server MUST NOT choose the same NONCE for two requests unless they have "
                    "the same source IP address and port."}},
       .needs = LtTurnNeeds(),
       .edition = Edition::kCurrent,
       .run = LtNoncePerSource});
  cases.push_back(
      {.id = "stun.lt.nonce-replay-other-source",
       .title = "Whether a nonce is good for another client",
       .clauses = {{"8489", "9.2", Level::kInfo,
                    "encoded in such a way as to indicate a duration of validity or client "
                    "identity from which it is valid"}},
       .needs = LtTurnNeeds(),
       .run = LtNonceOtherSource});
  cases.push_back({.id = "stun.lt.nonce-cookie",
                   .title = "The nonce begins with the nonce cookie",
                   .clauses = {{"8489", "9.2", Level::kMust,
                                "To indicate that it supports this specification, a server MUST "
                                "prepend the NONCE attribute value with the character string"}},
                   .needs = LtTurnNeeds(),
                   .edition = Edition::kCurrent,
                   .run = LtNonceCookie});
  cases.push_back({.id = "stun.lt.nonce-cookie-zero",
                   .title = "Features that are not used are zero bits of the nonce cookie",
                   .clauses = {{"8489", "9.2", Level::kMust,
                                "then a byte array with all 24 bits set to zero MUST be encoded "
                                "instead"}},
                   .needs = LtTurnNeeds(),
                   .edition = Edition::kCurrent,
                   .run = LtNonceCookieZero});
  cases.push_back({.id = "stun.lt.pwalgs-bit",
                   .title = "PASSWORD-ALGORITHMS goes with bit 0 of the nonce cookie",
                   .clauses = {{"8489", "9.2.4", Level::kMust,
                                "it MUST set the STUN Security Feature \"Password algorithms\" bit "
                                "to 1"}},
                   .needs = LtTurnNeeds(),
                   .edition = Edition::kCurrent,
                   .run = LtAlgorithmsBit});
  cases.push_back(
      {.id = "stun.lt.bit-implies-pwalgs",
       .title = "Bit 0 of the nonce cookie goes with PASSWORD-ALGORITHMS",
       .clauses = {{"8489", "9.2.5", Level::kProse,
                    "bit set to 1 but no PASSWORD-ALGORITHMS attribute is present"},
                   {"8489", "9.2.4", Level::kMust,
                    "This response MUST include NONCE, REALM, and PASSWORD-ALGORITHMS attributes"}},
       .needs = LtTurnNeeds(),
       .edition = Edition::kCurrent,
       .run = LtBitImpliesAlgorithms});
  cases.push_back(
      {.id = "stun.lt.pwalgs-form",
       .title = "PASSWORD-ALGORITHMS is well formed",
       .clauses = {{"8489", "14.11", Level::kProse,
                    "The attribute contains a list of algorithm numbers and variable "
                    "length parameters."}},
       .needs = {.features = {Feature::kTurn, Feature::kSecurityFeatures}, .credentials = true},
       .edition = Edition::kCurrent,
       .run = LtAlgorithmsForm});
  cases.push_back({.id = "stun.lt.anon-bit",
                   .title = "Bit 1 of the nonce cookie says whether USERHASH is accepted",
                   .clauses = {{"8489", "9.2.4", Level::kMust,
                                "The server MAY support anonymous username, in which case it MUST "
                                "set the STUN Security Feature \"Username anonymity\" bit set to "
                                "1."}},
                   .needs = LtTurnNeeds(),
                   .edition = Edition::kCurrent,
                   .run = LtAnonymityBit});
}

}  // namespace

void AddRfc8489Section09_2Challenge(CaseList& cases) {
  AddLtChallenges(cases);
  AddLtNonces(cases);
}

}  // namespace rtclab::conformance
