// RFC 8489 sections 7 and 14.7: FINGERPRINT.
#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

Request FpBinding(bool corrupt) {
  Signing signing{.kind = Signing::Kind::kNone};
  signing.fingerprint = true;
  signing.corrupt_fingerprint = corrupt;
  return BindingRequest().Sign(signing);
}

void FpNotRequired(Test& t) {
  Client client = t.Connect();
  const Response response = AskBinding(t, client);
  t.Expect(response.received(), "an answer to a Binding request without FINGERPRINT", "none");
}

void FpAccepted(Test& t) {
  Client client = t.Connect();
  const Response response = client.Once(FpBinding(false));
  t.Expect(response.received() && response.code() != 420,
           "a Binding request with FINGERPRINT treated like one without", response.Describe());
}

// Only a server that uses the extension has to look at it; its own responses show whether it does.
void FpWrong(Test& t) {
  Client client = t.Connect();
  const Response good = client.Once(FpBinding(false));
  if (!good) t.Block("no answer to a Binding request with FINGERPRINT");
  const bool used = good.Has(AttributeType::kFingerprint);
  if (used) {
    client.SendRaw(client.Encode(FpBinding(true)));
    t.ExpectSilence(client, "a Binding request whose FINGERPRINT is wrong in one bit");
    return;
  }
  const Response bad = client.Once(FpBinding(true), false);
  t.Info(bad ? "the server does not use FINGERPRINT, and answers a wrong one"
             : "the server does not send FINGERPRINT, and discards a wrong one");
}

void FpResponses(Test& t, MessageCheck check, std::string_view expected) {
  Tour(t);
  if (CheckEach(t, check, expected, AttributeType::kFingerprint) == 0) {
    t.Info("no response has a FINGERPRINT, which is optional");
  }
}

void FpLast(Test& t) {
  FpResponses(t, FingerprintPlaceFault, "FINGERPRINT behind all other attributes");
}

void FpValue(Test& t) {
  FpResponses(t, FingerprintValueFault, "the CRC-32 of what precedes it, XORed with 5354554e");
}

}  // namespace

void AddRfc8489Section07(CaseList& cases) {
  cases.push_back(
      {.id = "stun.fp.not-required",
       .title = "A request without FINGERPRINT is answered",
       .clauses = {{"8489", "12", Level::kMustNot,
                    "It MAY utilize the FINGERPRINT mechanism but MUST NOT require it."}},
       .run = FpNotRequired});
  cases.push_back({.id = "stun.fp.accepted",
                   .title = "A request with a right FINGERPRINT is answered",
                   .clauses = {{"8489", "6.3", Level::kMust,
                                "Unknown comprehension-optional attributes MUST be ignored by the "
                                "agent."},
                               {"8489", "14.7", Level::kMay,
                                "The FINGERPRINT attribute MAY be present in all STUN messages."}},
                   .run = FpAccepted});
  cases.push_back({.id = "stun.fp.bad",
                   .title = "A wrong FINGERPRINT is discarded by a server that uses the extension",
                   .clauses = {{"8489", "6.3", Level::kProse,
                                "If the FINGERPRINT extension is being used, the agent checks that "
                                "the FINGERPRINT attribute is present and contains the correct "
                                "value."}},
                   .run = FpWrong});
  cases.push_back(
      {.id = "stun.fp.resp-last",
       .title = "FINGERPRINT is the last attribute of a response",
       .clauses = {{"8489", "14.7", Level::kMust,
                    "When present, the FINGERPRINT attribute MUST be the last attribute "
                    "in the message"}},
       .run = FpLast});
  cases.push_back({.id = "stun.fp.resp-value",
                   .title = "FINGERPRINT in a response is right",
                   .clauses = {{"8489", "14.7", Level::kProse,
                                "The value of the attribute is computed as the CRC-32 of the STUN "
                                "message up to (but excluding) the FINGERPRINT attribute itself"}},
                   .run = FpValue});
}

}  // namespace rtclab::conformance
