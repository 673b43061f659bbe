// RFC 8489 section 9.2.4: what is missing, wrong or stale in an authenticated request, in the order of the checks there.
#include <fmt/format.h>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;

Signing RejWithout(AttributeType type) {
  Signing signing;
  signing.omit_username = type == AttributeType::kUsername;
  signing.omit_realm = type == AttributeType::kRealm;
  signing.omit_nonce = type == AttributeType::kNonce;
  return signing;
}

void RejMissing(Test& t, AttributeType type) {
  Client client = t.Connect();
  client.Challenge();
  const Response response = client.Once(AllocateRequest().Sign(RejWithout(type)));
  t.ExpectError(response, 400,
                fmt::format("a signed Allocate request without {}", stun::ToString(type)));
}

void RejMissingUsername(Test& t) { RejMissing(t, AttributeType::kUsername); }
void RejMissingRealm(Test& t) { RejMissing(t, AttributeType::kRealm); }
void RejMissingNonce(Test& t) { RejMissing(t, AttributeType::kNonce); }

void RejBadRequestBare(Test& t) {
  int judged = 0;
  for (const AttributeType missing :
       {AttributeType::kUsername, AttributeType::kRealm, AttributeType::kNonce}) {
    Client client = t.Connect();
    client.Challenge();
    const Response response = client.Once(AllocateRequest().Sign(RejWithout(missing)));
    if (response.code() != 400) continue;
    ++judged;
    for (const AttributeType type : {AttributeType::kUsername, AttributeType::kUserhash,
                                     AttributeType::kNonce, AttributeType::kRealm}) {
      t.Expect(!response.Has(type), fmt::format("no {} in the 400", stun::ToString(type)),
               fmt::format("one, where {} was missing", stun::ToString(missing)));
    }
  }
  // Whether a 400 is due is for the cases above.
  if (judged == 0) t.Info("no 400 came, so there is none to look at");
}

void RejBadUser(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.credentials = UnknownUser(t);
  const Response response = client.Once(AllocateRequest().Sign(signing));
  t.ExpectError(response, 401, "Allocate as an unknown user");
  ExpectChallenge(t, client, response, "Allocate as an unknown user");
}

void RejNoIdentityIn401(Test& t) {
  for (const bool unknown_user : {true, false}) {
    Client client = t.Connect();
    client.Challenge();
    Signing signing;
    if (unknown_user) {
      signing.credentials = UnknownUser(t);
    } else {
      signing = CorruptSigning();
    }
    const Response response = client.Once(AllocateRequest().Sign(signing));
    if (response.code() != 401) t.Block("no 401 but " + response.Describe());
    for (const AttributeType type : {AttributeType::kUsername, AttributeType::kUserhash}) {
      t.Expect(!response.Has(type), fmt::format("no {} in the 401", stun::ToString(type)), "one");
    }
    // An unknown user's 401 may be signed with a previous key, a wrong integrity's should not.
    t.Expect(
        unknown_user || (!response.view().HasIntegrity() && !response.view().HasIntegritySha256()),
        "no integrity attribute in the 401 to a wrong one", "one");
  }
}

void RejBadIntegrity(Test& t) {
  Signing signing = Md5Signing();
  signing.corrupt_integrity = true;
  Client client = t.Connect();
  client.Challenge();
  const Response response = client.Once(AllocateRequest().Sign(signing));
  t.ExpectError(response, 401, "Allocate with a wrong MESSAGE-INTEGRITY");
  ExpectChallenge(t, client, response, "Allocate with a wrong MESSAGE-INTEGRITY");
}

void RejWrongPassword(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.credentials = Credentials{t.target().user->username, t.target().user->password + "x"};
  const Response response = client.Once(AllocateRequest().Sign(signing));
  t.ExpectError(response, 401, "Allocate with a wrong password");
  ExpectChallenge(t, client, response, "Allocate with a wrong password");
}

void RejBadIntegrityMethods(Test& t) {
  Client client = t.Connect();
  const Peer peer = t.OpenPeer();
  client.Allocate();
  const Request refresh = Request(Method::kRefresh).Lifetime(0).Sign(CorruptSigning());
  t.ExpectError(client.Once(refresh), 401, "Refresh with a wrong integrity");
  t.ExpectError(
      client.Once(
          Request(Method::kCreatePermission).PeerAddress(peer.address()).Sign(CorruptSigning())),
      401, "CreatePermission with a wrong integrity");
  t.ExpectError(client.Once(Request(Method::kChannelBind)
                                .ChannelNumber(0x4000)
                                .PeerAddress(peer.address())
                                .Sign(CorruptSigning())),
                401, "ChannelBind with a wrong integrity");
  t.ExpectSuccess(client.Call(Request(Method::kRefresh).Lifetime(600)),
                  "the allocation still there after a forged Refresh with LIFETIME 0");
}

// The challenges in 401s to an unknown user and to a wrong password, side by side.
void RejUserOracle(Test& t) {
  std::vector<std::string> shapes;
  for (const bool unknown_user : {true, false}) {
    Client client = t.Connect();
    client.Challenge();
    Signing signing;
    if (unknown_user) {
      signing.credentials = Credentials{std::string(t.target().user->username.size(), 'q'), "x"};
    } else {
      signing.credentials = Credentials{t.target().user->username, "x" + t.target().user->password};
    }
    const Response response = client.Once(AllocateRequest().Sign(signing));
    if (!response) t.Block("no answer");
    std::string shape = fmt::format("{}:", response.code());
    const auto message = ReadLeniently(response.bytes());
    for (const LenientAttribute& attribute : message->attributes) {
      const auto name = stun::ToString(static_cast<AttributeType>(attribute.type));
      shape += fmt::format(" {}({})", name, attribute.value.size());
    }
    shapes.push_back(std::move(shape));
  }
  t.Info(shapes[0] == shapes[1]
             ? "an unknown user and a wrong password are answered alike: " + shapes[0]
             : "an unknown user is answered " + shapes[0] + ", a wrong password " + shapes[1]);
}

void RejStale(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  client.SetNonce(AlteredNonce(client.nonce()));
  const Response response = client.Once(AllocateRequest());
  t.ExpectError(response, 438, "Allocate, rightly signed, with a NONCE that the server never made");
  ExpectChallenge(t, client, response, "Allocate with a NONCE that is not valid");
}

void RejStaleNewNonce(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  const std::string old = client.nonce();
  client.SetNonce(AlteredNonce(old));
  const Response response = client.Once(AllocateRequest());
  if (response.code() != 438) t.Block("no 438 but " + response.Describe());
  const auto nonce = response.view().GetString(AttributeType::kNonce);
  if (!nonce) t.Block("the 438 has no NONCE");
  client.SetNonce(std::string(*nonce));
  t.ExpectSuccess(client.Once(AllocateRequest()), "Allocate with the NONCE of the 438");
}

void RejStaleNoIdentity(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  client.SetNonce(AlteredNonce(client.nonce()));
  const Response response = client.Once(AllocateRequest());
  if (response.code() != 438) t.Block("no 438 but " + response.Describe());
  for (const AttributeType type : {AttributeType::kUsername, AttributeType::kUserhash}) {
    t.Expect(!response.Has(type), fmt::format("no {} in the 438", stun::ToString(type)), "one");
  }
}

void RejStaleMethods(Test& t) {
  Client client = t.Connect();
  const Peer peer = t.OpenPeer();
  client.Allocate();
  const std::string good = client.nonce();
  const auto expect_stale = [&](const Request& request, std::string_view what) {
    client.SetNonce(AlteredNonce(good));
    t.ExpectError(client.Once(request), 438, what);
  };
  expect_stale(Request(Method::kRefresh).Lifetime(0), "Refresh with a NONCE that is not valid");
  expect_stale(Request(Method::kCreatePermission).PeerAddress(peer.address()),
               "CreatePermission with a NONCE that is not valid");
  expect_stale(Request(Method::kChannelBind).ChannelNumber(0x4000).PeerAddress(peer.address()),
               "ChannelBind with a NONCE that is not valid");
  t.ExpectSuccess(client.Call(Request(Method::kRefresh).Lifetime(600)),
                  "the allocation still there after a Refresh with LIFETIME 0 that got a 438");
}

void RejStaleExpired(Test& t) {
  if (!t.target().nonce_lifetime_s) t.Skip("the target's profile has no nonce lifetime");
  Client client = t.Connect();
  client.Allocate();
  t.Sleep(TimeDelta::Seconds(*t.target().nonce_lifetime_s + 2));
  const Response response = client.Once(Request(Method::kRefresh).Lifetime(600));
  t.ExpectError(response, 438, "Refresh with a NONCE whose lifetime is over");
  ExpectChallenge(t, client, response, "Refresh with a NONCE whose lifetime is over");
  t.ExpectSuccess(client.Call(Request(Method::kRefresh).Lifetime(600)),
                  "Refresh with the new NONCE");
}

void RejOrderMissingBeforeUser(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing = RejWithout(AttributeType::kRealm);
  signing.credentials = UnknownUser(t);
  t.ExpectError(client.Once(AllocateRequest().Sign(signing)), 400,
                "Allocate as an unknown user and without REALM");
}

void RejOrderAuthBeforeUnknown(Test& t) {
  Client client = t.Connect();
  const Request request = AllocateRequest().Attribute(kUnknownRequired, {});
  Request plain = request;
  t.ExpectError(client.Once(plain.Unsigned()), 401,
                "an unsigned Allocate request with attribute 0x7ffe");
  client.Challenge();
  Request wrong = request;
  t.ExpectError(client.Once(wrong.Sign(CorruptSigning())), 401,
                "a wrongly signed Allocate request with attribute 0x7ffe");
  client.Challenge();
  t.ExpectError(client.Once(request), 420, "the same, rightly signed");
}

// RFC 8489 put the nonce last; RFC 5389 has it before user and integrity.
void RejOrderNonce(Test& t, int code) {
  Client client = t.Connect();
  client.Challenge();
  const std::string stale = AlteredNonce(client.nonce());
  Signing wrong = CorruptSigning();
  wrong.nonce = stale;
  t.ExpectError(client.Once(AllocateRequest().Sign(wrong)), code,
                "Allocate with a wrong integrity and a NONCE that is not valid");
}

void RejOrderNonceUser(Test& t, int code) {
  Client client = t.Connect();
  client.Challenge();
  Signing nobody;
  nobody.credentials = UnknownUser(t);
  nobody.nonce = AlteredNonce(client.nonce());
  t.ExpectError(client.Once(AllocateRequest().Sign(nobody)), code,
                "Allocate as an unknown user with a NONCE that is not valid");
}

void RejOrderIntegrityFirst(Test& t) { RejOrderNonce(t, 401); }
void RejOrderNonceFirst(Test& t) { RejOrderNonce(t, 438); }
void RejOrderUserFirst(Test& t) { RejOrderNonceUser(t, 401); }
void RejOrderNonceBeforeUser(Test& t) { RejOrderNonceUser(t, 438); }

void RejLongUsername(Test& t) {
  // 763 bytes: 254 characters of three bytes and one of one, which OpaqueString leaves as they are.
  std::string name;
  for (int i = 0; i < 254; ++i) name += "\xe6\xb0\xb4";
  name += "w";
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.credentials = Credentials{name, "secret"};
  t.ExpectError(client.Once(AllocateRequest().Sign(signing)), 401,
                "Allocate with a USERNAME of 763 bytes");
}

Needs RejNeeds() { return {.features = {Feature::kTurn}, .credentials = true}; }
Needs RejPeerNeeds() {
  return {.features = {Feature::kTurn}, .peer = PeerNeed::kAny, .credentials = true};
}

void AddRejMissing(CaseList& cases) {
  const Clause missing = {"8489", "9.2.4", Level::kMust,
                          "the server MUST generate an error response with an error code of 400 "
                          "(Bad Request)"};
  cases.push_back({.id = "stun.lt.missing-username",
                   .title = "Message integrity without USERNAME or USERHASH is a bad request",
                   .clauses = {missing},
                   .needs = RejNeeds(),
                   .run = RejMissingUsername});
  cases.push_back({.id = "stun.lt.missing-realm",
                   .title = "Message integrity without REALM is a bad request",
                   .clauses = {missing},
                   .needs = RejNeeds(),
                   .run = RejMissingRealm});
  cases.push_back({.id = "stun.lt.missing-nonce",
                   .title = "Message integrity without NONCE is a bad request",
                   .clauses = {missing},
                   .needs = RejNeeds(),
                   .run = RejMissingNonce});
  cases.push_back({.id = "stun.lt.400-no-challenge",
                   .title = "That 400 has no REALM, NONCE or user",
                   .clauses = {{"8489", "9.2.4", Level::kShouldNot,
                                "This response SHOULD NOT include a USERNAME, USERHASH, NONCE, or "
                                "REALM attribute."}},
                   .needs = RejNeeds(),
                   .run = RejBadRequestBare});
  cases.push_back({.id = "stun.lt.username-763",
                   .title = "A USERNAME of 763 bytes is parsed",
                   .clauses = {{"8489", "14.3", Level::kMust,
                                "A compliant implementation MUST be able to parse a UTF-8-encoded "
                                "sequence of 763 or fewer octets"}},
                   .needs = RejNeeds(),
                   .edition = Edition::kCurrent,
                   .run = RejLongUsername});
}

void AddRejWrong(CaseList& cases) {
  const Clause bad_user = {"8489", "9.2.4", Level::kMust,
                           "the server MUST generate an error response with an error code of 401 "
                           "(Unauthenticated). This response MUST include a REALM value."};
  const Clause bad_integrity = {"8489", "9.2.4", Level::kMust,
                                "This response MUST use an error code of 401 (Unauthenticated). It "
                                "MUST include the REALM and NONCE attributes"};
  cases.push_back({.id = "stun.lt.bad-user",
                   .title = "An unknown user is challenged again",
                   .clauses = {bad_user,
                               {"8489", "9.2.4", Level::kMust,
                                "The response MUST include a PASSWORD-ALGORITHMS attribute."}},
                   .needs = RejNeeds(),
                   .run = RejBadUser});
  cases.push_back({.id = "stun.lt.bad-mi",
                   .title = "A wrong MESSAGE-INTEGRITY is challenged again",
                   .clauses = {bad_integrity},
                   .needs = RejNeeds(),
                   .run = RejBadIntegrity});
  cases.push_back({.id = "stun.lt.wrong-password",
                   .title = "A wrong password is challenged again",
                   .clauses = {bad_integrity},
                   .needs = RejNeeds(),
                   .run = RejWrongPassword});
  cases.push_back({.id = "stun.lt.bad-mi-methods",
                   .title = "A wrong integrity is refused on every method and changes nothing",
                   .clauses = {bad_integrity},
                   .needs = RejPeerNeeds(),
                   .run = RejBadIntegrityMethods});
  cases.push_back({.id = "stun.lt.401-bad-no-identity",
                   .title = "The 401 to wrong credentials names nobody",
                   .clauses = {{"8489", "9.2.4", Level::kShouldNot,
                                "SHOULD NOT include the USERNAME, USERHASH, MESSAGE-INTEGRITY, or "
                                "MESSAGE-INTEGRITY-SHA256 attribute"}},
                   .needs = RejNeeds(),
                   .run = RejNoIdentityIn401});
  cases.push_back({.id = "stun.lt.user-oracle",
                   .title = "Whether an unknown user and a wrong password can be told apart",
                   .clauses = {{"8489", "9.2.4", Level::kInfo,
                                "If the value of the USERNAME or USERHASH attribute is not valid"}},
                   .needs = RejNeeds(),
                   .run = RejUserOracle});
}

void AddRejStale(CaseList& cases) {
  const Clause stale = {"8489", "9.2.4", Level::kMust,
                        "the server MUST generate an error response with an error code of 438 "
                        "(Stale Nonce)"};
  cases.push_back({.id = "stun.lt.stale",
                   .title = "A nonce that is not valid makes a 438 with REALM and NONCE",
                   .clauses = {stale,
                               {"8489", "9.2.4", Level::kMust,
                                "This response MUST include NONCE, REALM, and PASSWORD-ALGORITHMS "
                                "attributes"}},
                   .needs = RejNeeds(),
                   .run = RejStale});
  cases.push_back(
      {.id = "stun.lt.stale-new-nonce-valid",
       .title = "The nonce of a 438 is valid",
       .clauses = {{"8489", "9.2.4", Level::kMust, "The NONCE attribute value MUST be valid."}},
       .needs = RejNeeds(),
       .run = RejStaleNewNonce});
  cases.push_back({.id = "stun.lt.438-no-identity",
                   .title = "A 438 names nobody",
                   .clauses = {{"8489", "9.2.4", Level::kShouldNot,
                                "SHOULD NOT include the USERNAME and USERHASH attributes"}},
                   .needs = RejNeeds(),
                   .run = RejStaleNoIdentity});
  cases.push_back({.id = "stun.lt.stale-all-methods",
                   .title = "Every method answers 438, and the allocation lives on",
                   .clauses = {stale},
                   .needs = RejPeerNeeds(),
                   .run = RejStaleMethods});
  cases.push_back({.id = "stun.lt.stale-expired",
                   .title = "A nonce whose lifetime is over makes a 438",
                   .clauses = {stale},
                   .needs = RejNeeds(),
                   .slow = true,
                   .run = RejStaleExpired});
}

void AddRejOrder(CaseList& cases) {
  const Clause order = {"8489", "9.2.4", Level::kProse,
                        "it performs the checks listed below in the order specified"};
  const Clause order_5389 = {"5389", "10.2.2", Level::kProse,
                             "it performs the checks listed below in the order specified"};
  cases.push_back({.id = "stun.lt.order-missing-before-user",
                   .title = "What is missing is looked for before the user",
                   .clauses = {order},
                   .needs = RejNeeds(),
                   .run = RejOrderMissingBeforeUser});
  cases.push_back(
      {.id = "stun.lt.order-auth-before-420",
       .title = "Unknown attributes are looked for after the credentials are checked",
       .clauses = {{"8489", "6.3", Level::kProse,
                    "Once the authentication checks are done, the STUN agent checks for unknown "
                    "attributes"}},
       .needs = RejNeeds(),
       .run = RejOrderAuthBeforeUnknown});
  cases.push_back({.id = "stun.lt.order-mi-before-stale",
                   .title = "A wrong integrity counts before a stale nonce",
                   .clauses = {order},
                   .needs = RejNeeds(),
                   .edition = Edition::kCurrent,
                   .run = RejOrderIntegrityFirst});
  cases.push_back({.id = "stun.lt.order-user-before-stale",
                   .title = "An unknown user counts before a stale nonce",
                   .clauses = {order},
                   .needs = RejNeeds(),
                   .edition = Edition::kCurrent,
                   .run = RejOrderUserFirst});
  cases.push_back({.id = "stun.lt.order-stale-before-mi",
                   .title = "A stale nonce counts before a wrong integrity",
                   .clauses = {order_5389},
                   .needs = RejNeeds(),
                   .edition = Edition::kClassic,
                   .run = RejOrderNonceFirst});
  cases.push_back({.id = "stun.lt.order-stale-before-user",
                   .title = "A stale nonce counts before an unknown user",
                   .clauses = {order_5389},
                   .needs = RejNeeds(),
                   .edition = Edition::kClassic,
                   .run = RejOrderNonceBeforeUser});
}

}  // namespace

void AddRfc8489Section09_2Rejections(CaseList& cases) {
  AddRejMissing(cases);
  AddRejWrong(cases);
  AddRejStale(cases);
  AddRejOrder(cases);
}

}  // namespace rtclab::conformance
