// RFC 8489 section 9.2.4: PASSWORD-ALGORITHM(S), MESSAGE-INTEGRITY-SHA256 and USERHASH, for servers whose nonce cookie announces them.
#include <fmt/format.h>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;
using stun::PasswordAlgorithm;

constexpr uint8_t kAlgMd5Entry[] = {0x00, 0x01, 0x00, 0x00};

// The list that an attacker who wants MD5 would make of the server's; where that is the server's own list, a longer one.
Bytes AlgAlteredList(const Bytes& offered) {
  Bytes only_md5(std::begin(kAlgMd5Entry), std::end(kAlgMd5Entry));
  if (offered != only_md5) return only_md5;
  const Bytes with_sha256 = {0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00};
  return with_sha256;
}

void AlgExpectBadRequest(Test& t, const Signing& signing, std::string_view what) {
  Client client = t.Connect();
  client.Challenge();
  t.ExpectError(client.Once(AllocateRequest().Sign(signing)), 400, what);
}

void AlgHalf(Test& t) {
  Signing no_choice;
  no_choice.omit_algorithm = true;
  AlgExpectBadRequest(t, no_choice, "Allocate with PASSWORD-ALGORITHMS alone");
  Signing no_list;
  no_list.omit_algorithms = true;
  AlgExpectBadRequest(t, no_list, "Allocate with PASSWORD-ALGORITHM alone");
}

void AlgAltered(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.algorithm = PasswordAlgorithm::kMd5;
  signing.raw_algorithms = AlgAlteredList(client.offered_algorithms());
  t.ExpectError(client.Once(AllocateRequest().Sign(signing)), 400,
                "Allocate with other PASSWORD-ALGORITHMS than the server's");
}

void AlgReordered(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  const Bytes& offered = client.offered_algorithms();
  if (offered.size() != 8 || LoadU16(offered.data() + 2) != 0) {
    t.Skip("the server does not offer just two algorithms");
  }
  Bytes swapped(offered.begin() + 4, offered.end());
  swapped.insert(swapped.end(), offered.begin(), offered.begin() + 4);
  Signing signing;
  signing.raw_algorithms = swapped;
  t.ExpectError(client.Once(AllocateRequest().Sign(signing)), 400,
                "Allocate with the server's PASSWORD-ALGORITHMS in another order");
}

void AlgNotListed(Test& t) {
  Signing signing;
  signing.raw_algorithm = Bytes{0x00, 0x03, 0x00, 0x00};
  AlgExpectBadRequest(t, signing, "Allocate with the unassigned PASSWORD-ALGORITHM 3");
}

void AlgOrderBeforeUser(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.credentials = UnknownUser(t);
  signing.algorithm = PasswordAlgorithm::kMd5;
  signing.raw_algorithms = AlgAlteredList(client.offered_algorithms());
  t.ExpectError(client.Once(AllocateRequest().Sign(signing)), 400,
                "Allocate as an unknown user with other PASSWORD-ALGORITHMS than the server's");
}

void AlgBadSha256(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.sha256 = true;
  signing.corrupt_integrity_sha256 = true;
  const Response response = client.Once(AllocateRequest().Sign(signing));
  t.ExpectError(response, 401, "Allocate with a wrong MESSAGE-INTEGRITY-SHA256");
  ExpectChallenge(t, client, response, "Allocate with a wrong MESSAGE-INTEGRITY-SHA256");
}

void AlgSha256Wins(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.both_integrities = true;
  signing.corrupt_integrity_sha256 = true;
  t.ExpectError(client.Once(AllocateRequest().Sign(signing)), 401,
                "Allocate with a right MESSAGE-INTEGRITY and a wrong MESSAGE-INTEGRITY-SHA256");
}

void AlgSha1Ignored(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.both_integrities = true;
  signing.corrupt_integrity = true;
  t.ExpectSuccess(client.Once(AllocateRequest().Sign(signing)),
                  "Allocate with a wrong MESSAGE-INTEGRITY and a right MESSAGE-INTEGRITY-SHA256");
}

void HashAccepted(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.userhash = true;
  t.ExpectSuccess(client.Once(AllocateRequest().Sign(signing)), "Allocate with USERHASH");
  t.ExpectSuccess(client.Once(Request(Method::kRefresh).Lifetime(600).Sign(signing)),
                  "Refresh with USERHASH");
}

void HashUnknown(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Bytes noise(32);
  t.rng().Fill(noise);
  Signing signing;
  signing.raw_userhash = noise;
  const Response response = client.Once(AllocateRequest().Sign(signing));
  t.ExpectError(response, 401, "Allocate with a USERHASH of nobody's");
  ExpectChallenge(t, client, response, "Allocate with a USERHASH of nobody's");
}

// The same user by name and by hash: the allocation is one user's either way (441 otherwise, RFC 8656 section 5).
void HashSameUser(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing by_hash;
  by_hash.userhash = true;
  const Response allocate = client.Once(AllocateRequest().Sign(by_hash));
  if (!allocate.success()) t.Block("Allocate with USERHASH: " + allocate.Describe());
  t.ExpectSuccess(client.Once(Request(Method::kRefresh).Lifetime(600).Sign(Md5Signing())),
                  "Refresh with USERNAME, of an allocation made with USERHASH");
}

Needs AlgNeeds() {
  return {.features = {Feature::kTurn, Feature::kSecurityFeatures}, .credentials = true};
}
Needs HashNeeds() {
  return {.features = {Feature::kTurn, Feature::kUserhash}, .credentials = true};
}

void AddAlgLists(CaseList& cases) {
  const Clause both = {"8489", "9.2.4", Level::kMust,
                       "PASSWORD- ALGORITHMS, the server MUST generate an error response with an "
                       "error code of 400 (Bad Request)."};
  const Clause same = {"8489", "9.2.4", Level::kProse,
                       "PASSWORD-ALGORITHMS matches the value sent in the response that sent this "
                       "NONCE"};
  const auto add = [&](std::string_view id, std::string_view title, std::vector<Clause> clauses,
                       void (*run)(Test&)) {
    cases.push_back({.id = id,
                     .title = title,
                     .clauses = std::move(clauses),
                     .needs = AlgNeeds(),
                     .edition = Edition::kCurrent,
                     .run = run});
  };
  add("stun.lt.pwalg-half", "PASSWORD-ALGORITHM and -ALGORITHMS come together or not at all",
      {both}, AlgHalf);
  add("stun.lt.pwalgs-altered", "PASSWORD-ALGORITHMS that were altered on the way are refused",
      {both, same}, AlgAltered);
  add("stun.lt.pwalgs-reordered", "PASSWORD-ALGORITHMS in another order are refused", {both, same},
      AlgReordered);
  add("stun.lt.pwalg-not-listed", "A PASSWORD-ALGORITHM that is not in the list is refused",
      {both,
       {"8489", "9.2.4", Level::kProse,
        "PASSWORD-ALGORITHM matches one of the entries in PASSWORD- ALGORITHMS"}},
      AlgNotListed);
  add("stun.lt.order-pwalgs-before-user", "The algorithms are looked at before the user",
      {{"8489", "9.2.4", Level::kProse,
        "it performs the checks listed below in the order specified"}},
      AlgOrderBeforeUser);
}

void AddAlgIntegrity(CaseList& cases) {
  const Clause unauthenticated = {"8489", "9.2.4", Level::kMust,
                                  "This response MUST use an error code of 401 (Unauthenticated)."};
  const Clause sha256_first = {"8489", "9.2.4", Level::kProse,
                               "If the MESSAGE-INTEGRITY-SHA256 attribute is present, compute the "
                               "value for the message integrity as described in Section 14.6"};
  const auto add = [&](std::string_view id, std::string_view title, std::vector<Clause> clauses,
                       void (*run)(Test&)) {
    cases.push_back({.id = id,
                     .title = title,
                     .clauses = std::move(clauses),
                     .needs = AlgNeeds(),
                     .edition = Edition::kCurrent,
                     .run = run});
  };
  add("stun.lt.bad-mi-sha256", "A wrong MESSAGE-INTEGRITY-SHA256 is challenged again",
      {unauthenticated}, AlgBadSha256);
  add("stun.lt.sha256-first", "Of two integrity attributes SHA-256's counts, here a wrong one",
      {unauthenticated, sha256_first}, AlgSha256Wins);
  add("stun.lt.sha256-only", "Of two integrity attributes SHA-256's counts, here the right one",
      {sha256_first}, AlgSha1Ignored);
}

void AddAlgUserhash(CaseList& cases) {
  const auto add = [&](std::string_view id, std::string_view title, std::vector<Clause> clauses,
                       void (*run)(Test&)) {
    cases.push_back({.id = id,
                     .title = title,
                     .clauses = std::move(clauses),
                     .needs = HashNeeds(),
                     .edition = Edition::kCurrent,
                     .run = run});
  };
  const Clause replaces = {"8489", "14.4", Level::kProse,
                           "The USERHASH attribute is used as a replacement for the USERNAME "
                           "attribute when username anonymity is supported."};
  add("stun.lt.userhash", "USERHASH stands for the user", {replaces}, HashAccepted);
  add("stun.lt.userhash-same-user", "By name or by hash it is the same user", {replaces},
      HashSameUser);
  add("stun.lt.userhash-bad", "A USERHASH of nobody's is challenged again",
      {{"8489", "9.2.4", Level::kMust,
        "the server MUST generate an error response with an error code of 401 (Unauthenticated). "
        "This response MUST include a REALM value."}},
      HashUnknown);
}

}  // namespace

void AddRfc8489Section09_2Algorithms(CaseList& cases) {
  AddAlgLists(cases);
  AddAlgIntegrity(cases);
  AddAlgUserhash(cases);
}

}  // namespace rtclab::conformance
