// RFC 8489 sections 9, 14.5 and 14.6: the integrity attributes and what stands behind them.
#include <fmt/format.h>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;

// A server may have no MD5 key for a user (SHA-256 alone). Then what is signed the old way can't be judged here.
void MiRequireOldWay(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  const Response response = client.Once(AllocateRequest().Sign(Md5Signing()));
  if (!response.success()) {
    t.Skip("MESSAGE-INTEGRITY with an MD5 key is not accepted at all: " + response.Describe());
  }
}

void MiTrailingIgnored(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing = Md5Signing();
  signing.trailing = {{kUnknownRequired, {}}};
  const Response response = client.Once(AllocateRequest().Sign(signing));
  if (!response.success()) MiRequireOldWay(t);
  t.ExpectSuccess(response, "Allocate with attribute 0x7ffe behind MESSAGE-INTEGRITY");
}

void MiSha256TrailingIgnored(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  Signing signing;
  signing.sha256 = true;
  signing.trailing = {{kUnknownRequired, {}}};
  t.ExpectSuccess(client.Once(AllocateRequest().Sign(signing)),
                  "Allocate with attribute 0x7ffe behind MESSAGE-INTEGRITY-SHA256");
}

// Someone on the path can append to a request; it must not matter.
void MiTrailingUnprotected(Test& t) {
  Client client = t.Connect();
  client.Allocate();
  Signing signing;
  signing.trailing = {{static_cast<uint16_t>(AttributeType::kLifetime), {0, 0, 0, 0}}};
  const Response response = client.Call(Request(Method::kRefresh).Sign(signing));
  t.ExpectSuccess(response, "Refresh with LIFETIME 0 behind the integrity attribute");
  const auto granted = response.view().GetU32(AttributeType::kLifetime);
  t.Expect(!granted || *granted > 0, "a Refresh that deletes nothing", "LIFETIME 0 in the answer");
  t.ExpectSuccess(client.Call(Request(Method::kRefresh).Lifetime(600)),
                  "the allocation still there");
}

void MiBeforeFingerprint(Test& t) {
  Signing signing;
  signing.fingerprint = true;
  Client client = t.Connect();
  client.Challenge();
  t.ExpectSuccess(client.Once(AllocateRequest().Sign(signing)),
                  "Allocate with FINGERPRINT behind the integrity attribute");
}

void MiBothThenFingerprint(Test& t) {
  Signing signing;
  signing.both_integrities = true;
  signing.fingerprint = true;
  Client client = t.Connect();
  client.Challenge();
  t.ExpectSuccess(client.Once(AllocateRequest().Sign(signing)),
                  "Allocate with both integrity attributes and FINGERPRINT");
}

void MiSha256Truncated(Test& t) {
  for (const std::size_t size : {16U, 28U, 12U, 0U}) {
    Client client = t.Connect();
    client.Challenge();
    Signing signing;
    signing.sha256 = true;
    signing.sha256_length = size;
    const Response response = client.Once(AllocateRequest().Sign(signing));
    t.ExpectError(response, {401, 400},
                  fmt::format("Allocate with {} bytes of MESSAGE-INTEGRITY-SHA256", size));
  }
}

Needs MiNeeds() { return {.features = {Feature::kTurn}, .credentials = true}; }
Needs MiSha256Needs() {
  return {.features = {Feature::kTurn, Feature::kSecurityFeatures}, .credentials = true};
}

void AddMiTrailing(CaseList& cases) {
  const Clause ignored = {"8489", "9", Level::kMust,
                          "agents MUST ignore all attributes that follow MESSAGE- INTEGRITY, with "
                          "the exception of the MESSAGE-INTEGRITY-SHA256 and FINGERPRINT "
                          "attributes"};
  const Clause classic = {"5389", "15.4", Level::kMust,
                          "agents MUST ignore all other attributes that follow "
                          "MESSAGE-INTEGRITY."};
  const Clause ignored_sha256 = {"8489", "9", Level::kMust,
                                 "agents MUST ignore all attributes that follow the "
                                 "MESSAGE-INTEGRITY-SHA256 attribute"};
  cases.push_back({.id = "stun.mi.trailing-ignored",
                   .title = "Attributes behind MESSAGE-INTEGRITY are ignored",
                   .clauses = {ignored, classic},
                   .needs = MiNeeds(),
                   .run = MiTrailingIgnored});
  cases.push_back({.id = "stun.mi.sha256-trailing-ignored",
                   .title = "Attributes behind MESSAGE-INTEGRITY-SHA256 are ignored",
                   .clauses = {ignored_sha256},
                   .needs = MiSha256Needs(),
                   .edition = Edition::kCurrent,
                   .run = MiSha256TrailingIgnored});
  cases.push_back({.id = "stun.mi.trailing-unprotected",
                   .title = "A LIFETIME 0 appended behind the integrity attribute deletes nothing",
                   .clauses = {ignored, ignored_sha256, classic},
                   .needs = MiNeeds(),
                   .run = MiTrailingUnprotected});
}

void AddMiLengths(CaseList& cases) {
  cases.push_back(
      {.id = "stun.mi.length-adjust",
       .title = "The HMAC ends at its own attribute, whatever follows",
       .clauses = {{"8489", "14.5", Level::kProse,
                    "the Length field in the STUN header must be adjusted to point to the end of "
                    "the MESSAGE-INTEGRITY attribute prior to calculating the HMAC"}},
       .needs = MiNeeds(),
       .run = MiBeforeFingerprint});
  cases.push_back(
      {.id = "stun.mi.length-adjust-both",
       .title = "Both integrity attributes and FINGERPRINT together",
       .clauses = {{"8489", "14.5", Level::kProse,
                    "Such adjustment is necessary when attributes, such as FINGERPRINT and "
                    "MESSAGE-INTEGRITY-SHA256, appear after MESSAGE-INTEGRITY."}},
       .needs = MiSha256Needs(),
       .edition = Edition::kCurrent,
       .run = MiBothThenFingerprint});
  cases.push_back(
      {.id = "stun.mi.sha256-full",
       .title = "A truncated MESSAGE-INTEGRITY-SHA256 is not accepted",
       .clauses = {{"8489", "14.6", Level::kProse,
                    "The value must be the full 32 bytes unless the STUN Usage explicitly "
                    "specifies that truncation is allowed."},
                   {"8489", "14.6", Level::kMust,
                    "it MUST be at least 16 bytes and MUST be a multiple of 4 bytes"}},
       .needs = MiSha256Needs(),
       .edition = Edition::kCurrent,
       .run = MiSha256Truncated});
}

}  // namespace

void AddRfc8489Section09(CaseList& cases) {
  AddMiTrailing(cases);
  AddMiLengths(cases);
}

}  // namespace rtclab::conformance
