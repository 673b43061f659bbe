// RFC 8489 sections 9.2.2, 9.2.4 (its end) and 18.5: keys, and how the responses to authenticated requests are protected.
#include <fmt/format.h>

#include <algorithm>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;
using stun::PasswordAlgorithm;

void LtrExpectSigned(Test& t, Client& client, const Response& response, std::string_view what) {
  if (!response) t.Block(fmt::format("no answer to {}", what));
  const bool has = response.view().HasIntegrity() || response.view().HasIntegritySha256();
  t.Expect(has, fmt::format("an integrity attribute in the answer to {}", what),
           response.Describe() + " without one");
  t.Expect(client.Authentic(response),
           fmt::format("an integrity that holds in the answer to {}", what),
           response.Describe() + " with one that does not");
}

void LtrSuccessSigned(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  const Response allocate = client.Once(AllocateRequest());
  if (!allocate.success()) t.Block("Allocate: " + allocate.Describe());
  LtrExpectSigned(t, client, allocate, "Allocate");
  const Response refresh = client.Once(Request(Method::kRefresh).Lifetime(600));
  LtrExpectSigned(t, client, refresh, "Refresh");
}

// What is refused after the checks of section 9.2.4 have passed. A 400 is left out: section 14.8 allows it to go unsigned. So is a 437
// where there is no allocation: RFC 8656 section 5 lets a server say so before it looks at credentials.
void LtrErrorsSigned(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  const auto judge = [&](const Request& request, std::string_view what) {
    const Response response = client.Once(request);
    if (!response) t.Block(fmt::format("no answer to {}", what));
    const int code = response.code();
    if (code == 400 || code == 401 || code == 438 || code <= 0) return false;
    LtrExpectSigned(t, client, response, what);
    return true;
  };
  int judged = 0;
  judged += judge(Request(Method::kAllocate).RequestedTransport(0xfe), "Allocate for protocol 254");
  judged += judge(AllocateRequest().Attribute(kUnknownRequired, {}), "Allocate with 0x7ffe");
  client.Allocate();
  judged += judge(AllocateRequest(), "a second Allocate");
  if (judged == 0) t.Block("no error response but 400 and 401 came");
}

void LtrNoIdentity(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  const Response response = client.Once(AllocateRequest().Sign(Md5Signing()));
  if (!response.success()) t.Block("Allocate: " + response.Describe());
  for (const AttributeType type : {AttributeType::kRealm, AttributeType::kNonce,
                                   AttributeType::kUsername, AttributeType::kUserhash}) {
    t.Expect(!response.Has(type), fmt::format("no {} in a success response", stun::ToString(type)),
             "one");
  }
}

// As a client of RFC 5389: the key is MD5, the answer is signed with MESSAGE-INTEGRITY.
void LtrMd5Key(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  const Response response = client.Once(AllocateRequest().Sign(Md5Signing()));
  t.ExpectSuccess(response, "Allocate signed with the MD5 key and MESSAGE-INTEGRITY");
  const stun::IntegrityKey key = LongTermKey(t, client, PasswordAlgorithm::kMd5);
  t.Expect(response.view().HasIntegrity(), "MESSAGE-INTEGRITY in the answer", "none");
  t.Expect(response.view().VerifyIntegrity(key),
           "MESSAGE-INTEGRITY with the key MD5(username:realm:password) in the answer",
           "one that does not hold");
}

Response LtrAllocateWith(Test& t, Client& client, PasswordAlgorithm algorithm) {
  client.Challenge();
  const Bytes& offered = client.offered_algorithms();
  bool listed = false;
  for (std::size_t at = 0; at + 4 <= offered.size();
       at += 4 + ((std::size_t{LoadU16(offered.data() + at + 2)} + 3) & ~std::size_t{3})) {
    listed = listed || LoadU16(offered.data() + at) == static_cast<uint16_t>(algorithm);
  }
  if (!listed) {
    t.Skip(fmt::format("the server does not offer algorithm {}", static_cast<int>(algorithm)));
  }
  Signing signing;
  signing.algorithm = algorithm;
  signing.sha256 = true;
  Response response = client.Once(AllocateRequest().Sign(signing));
  t.ExpectSuccess(response, fmt::format("Allocate with PASSWORD-ALGORITHM {} and "
                                        "MESSAGE-INTEGRITY-SHA256",
                                        static_cast<int>(algorithm)));
  return response;
}

void LtrSha256Key(Test& t) {
  Client client = t.Connect();
  const Response response = LtrAllocateWith(t, client, PasswordAlgorithm::kSha256);
  const stun::IntegrityKey key = LongTermKey(t, client, PasswordAlgorithm::kSha256);
  t.Expect(!response.view().HasIntegritySha256() || response.view().VerifyIntegritySha256(key),
           "an answer signed with the key SHA-256(username:realm:password)",
           "one that does not hold");
}

void LtrSha256Response(Test& t) {
  for (const auto algorithm : {PasswordAlgorithm::kSha256, PasswordAlgorithm::kMd5}) {
    Client client = t.Connect();
    const Response response = LtrAllocateWith(t, client, algorithm);
    t.Expect(response.view().HasIntegritySha256(),
             fmt::format("MESSAGE-INTEGRITY-SHA256 in the answer to PASSWORD-ALGORITHM {}",
                         static_cast<int>(algorithm)),
             response.view().HasIntegrity() ? "only MESSAGE-INTEGRITY" : "no integrity attribute");
    t.Expect(response.view().VerifyIntegritySha256(LongTermKey(t, client, algorithm)),
             "a MESSAGE-INTEGRITY-SHA256 that holds", "one that does not");
  }
}

bool LtrBeyondAscii(const Credentials& user) {
  const std::string all = user.username + user.password;
  return std::any_of(all.begin(), all.end(), [](char c) { return (c & 0x80) != 0; });
}

void LtrOpaqueString(Test& t) {
  for (const auto& user : {t.target().user, t.target().second_user}) {
    if (!user || !LtrBeyondAscii(*user)) continue;
    Client client = t.ConnectAs(*user);
    client.Challenge();
    t.ExpectSuccess(client.Once(AllocateRequest()),
                    "Allocate with credentials beyond ASCII, prepared as OpaqueString");
    return;
  }
  t.Skip("neither user of the target has a name or password beyond ASCII");
}

Needs LtrNeeds() { return {.features = {Feature::kTurn}, .credentials = true}; }
Needs LtrSha256Needs() {
  return {.features = {Feature::kTurn, Feature::kSecurityFeatures}, .credentials = true};
}

void AddLtrProtection(CaseList& cases) {
  const Clause signed_always = {"8489", "9.2.4", Level::kMust,
                                "Any response generated by the server MUST include the MESSAGE- "
                                "INTEGRITY-SHA256 attribute, computed using the username and "
                                "password utilized to authenticate the request"};
  const Clause signed_5389 = {"5389", "10.2.2", Level::kMust,
                              "MUST include the MESSAGE-INTEGRITY attribute, computed using the "
                              "username and password utilized to authenticate the request"};
  cases.push_back({.id = "stun.lt.resp-integrity",
                   .title = "Success responses to authenticated requests are signed",
                   .clauses = {signed_always, signed_5389},
                   .needs = LtrNeeds(),
                   .run = LtrSuccessSigned});
  cases.push_back({.id = "stun.lt.resp-integrity-errors",
                   .title = "Error responses to authenticated requests are signed",
                   .clauses = {signed_always, signed_5389},
                   .needs = LtrNeeds(),
                   .run = LtrErrorsSigned});
  cases.push_back({.id = "stun.lt.resp-sha256",
                   .title = "PASSWORD-ALGORITHM is answered with MESSAGE-INTEGRITY-SHA256",
                   .clauses = {signed_always},
                   .needs = LtrSha256Needs(),
                   .edition = Edition::kCurrent,
                   .run = LtrSha256Response});
  cases.push_back({.id = "stun.lt.resp-no-identity",
                   .title = "A success response repeats neither realm and nonce nor the user",
                   .clauses = {{"8489", "9.2.4", Level::kShouldNot,
                                "the REALM, NONCE, USERNAME, and USERHASH attributes SHOULD NOT be "
                                "included"}},
                   .needs = LtrNeeds(),
                   .run = LtrNoIdentity});
}

void AddLtrKeys(CaseList& cases) {
  cases.push_back({.id = "stun.lt.md5-key",
                   .title = "The key is MD5(username:realm:password)",
                   .clauses = {{"8489", "9.2.2", Level::kProse,
                                "For long-term credentials that do not use a different algorithm, "
                                "as specified by the PASSWORD-ALGORITHM attribute, the key is 16 "
                                "bytes"}},
                   .needs = LtrNeeds(),
                   .run = LtrMd5Key});
  cases.push_back(
      {.id = "stun.lt.pwalg-absent-md5",
       .title = "A client that ignores PASSWORD-ALGORITHMS is served as of old",
       .clauses = {{"8489", "9.2.4", Level::kProse,
                    "then the request is processed as though PASSWORD-ALGORITHM were MD5"},
                   {"8489", "9.2.4", Level::kMust,
                    "In that case, the MESSAGE-INTEGRITY attribute MUST be used instead of the "
                    "MESSAGE-INTEGRITY-SHA256 attribute"}},
       .needs = LtrSha256Needs(),
       .edition = Edition::kCurrent,
       .run = LtrMd5Key});
  cases.push_back({.id = "stun.lt.sha256-key",
                   .title = "The key is SHA-256(username:realm:password) where the client says so",
                   .clauses = {{"8489", "18.5.1.2", Level::kProse,
                                "The key length is 32 bytes, and the parameters value is empty."}},
                   .needs = LtrSha256Needs(),
                   .edition = Edition::kCurrent,
                   .run = LtrSha256Key});
  cases.push_back({.id = "stun.lt.opaquestring",
                   .title = "Credentials beyond ASCII are prepared as OpaqueString",
                   .clauses = {{"8489", "14.3", Level::kMust,
                                "MUST have been processed using the OpaqueString profile "
                                "[RFC8265]"}},
                   .needs = LtrNeeds(),
                   .edition = Edition::kCurrent,
                   .run = LtrOpaqueString});
}

}  // namespace

void AddRfc8489Section09_2Responses(CaseList& cases) {
  AddLtrProtection(cases);
  AddLtrKeys(cases);
}

}  // namespace rtclab::conformance
