// RFC 8489 section 14: how attributes are written and read.
#include <fmt/format.h>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;

void AttrExpectOfAll(Test& t, MessageCheck check, std::string_view expected) {
  Tour(t);
  CheckEach(t, check, expected);
}

void AttrPadZero(Test& t) { AttrExpectOfAll(t, PaddingFault, "attributes padded with zeros"); }
void AttrErrorClass(Test& t) {
  AttrExpectOfAll(t, ErrorClassFault, "error classes 3 to 6 and numbers 0 to 99");
}
void AttrErrorReserved(Test& t) {
  AttrExpectOfAll(t, ErrorReservedFault, "ERROR-CODE with 21 zero bits before the class");
}
void AttrReason(Test& t) {
  AttrExpectOfAll(t, ReasonFault, "reason phrases of fewer than 128 UTF-8 characters");
}
void AttrSoftware(Test& t) {
  AttrExpectOfAll(t, SoftwareFault, "SOFTWARE of fewer than 128 UTF-8 characters");
}
void AttrFirstByte(Test& t) {
  AttrExpectOfAll(t, FirstByteFault, "address attributes whose first byte is 0");
}
void AttrUnknownListPlace(Test& t) {
  AttrExpectOfAll(t, UnknownListFault, "UNKNOWN-ATTRIBUTES in 420s alone");
}

void AttrPadIgnored(Test& t) {
  Client client = t.Connect();
  const Response response =
      AskBinding(t, client,
                 BindingRequest().Attribute(static_cast<uint16_t>(AttributeType::kSoftware),
                                            AsBytes("probe"), 0xff));
  t.ExpectSuccess(response, "a Binding request with SOFTWARE padded with ff");
}

// Padding is covered by the HMAC, so that a server that reads it as zeros refuses the request.
void AttrPadIgnoredSigned(Test& t) {
  Client client = t.Connect();
  client.Challenge();
  const Response response = client.Once(AllocateRequest().Attribute(
      static_cast<uint16_t>(AttributeType::kSoftware), AsBytes("probe"), 0xff));
  t.ExpectSuccess(response, "a signed Allocate request with SOFTWARE padded with ff");
}

void AttrOverrun(Test& t) {
  const Bytes bodies[] = {{0x80, 0x22, 0xff, 0xff, 't', 'e', 's', 't'},  // SOFTWARE of 65,535 bytes
                          {0x00, 0x06, 0x00, 0x40, 'u', 's', 'e', 'r'},  // USERNAME of 64
                          {0x7f, 0xfe, 0x00, 0x05, 1, 2, 3, 4},          // one byte too many
                          {0x80, 0x22, 0x00, 0x00, 0x7f, 0xfe, 0x00, 0x01}};
  Client client = t.Connect();
  for (const Bytes& body : bodies) {
    const stun::TransactionId id = stun::NewTransactionId(t.rng());
    client.SendRaw(RawStun(t, kBindingRequestType, body, {}, stun::kMagicCookie, id));
    const Response response = client.Await(id, t.target().silence);
    if (!response) continue;
    t.Note("Answered with " + response.Describe() + ".");
    t.Expect(response.bytes().size() < 548, "no answer, or one of ordinary size",
             fmt::format("{} bytes", response.bytes().size()));
  }
  const Response alive = AskBinding(t, client);
  t.Expect(alive.received(), "a server that lives on", "no answer to a proper Binding request");
}

void AttrDuplicate(Test& t) {
  Client client = t.Connect();
  client.Allocate();
  const Response response = client.Call(Request(Method::kRefresh).Lifetime(700).Lifetime(900));
  if (!response.success()) t.Info("Refresh with two LIFETIMEs: " + response.Describe());
  const auto granted = response.view().GetU32(AttributeType::kLifetime);
  t.Info(fmt::format("Refresh with LIFETIME 700 and then 900 is granted {} s",
                     granted ? std::to_string(*granted) : "?"));
}

constexpr std::string_view kAttrPadding =
    "The padding bits MUST be set to zero on sending and MUST be ignored by the receiver.";

void AddAttrWriting(CaseList& cases) {
  cases.push_back({.id = "stun.attr.pad-zero",
                   .title = "Padding is sent as zeros",
                   .clauses = {{"8489", "14", Level::kMust, kAttrPadding}},
                   .edition = Edition::kCurrent,
                   .run = AttrPadZero});
  cases.push_back({.id = "stun.bind.xma-first-byte",
                   .title = "Address attributes begin with a zero byte",
                   .clauses = {{"8489", "14.1", Level::kMust,
                                "The first 8 bits of the MAPPED-ADDRESS MUST be set to 0 and MUST "
                                "be ignored by receivers."},
                               {"8489", "14.2", Level::kProse,
                                "The rules for encoding and processing the first 8 bits of the "
                                "attribute's value"}},
                   .run = AttrFirstByte});
  cases.push_back(
      {.id = "stun.err.class-range",
       .title = "Error codes are of classes 3 to 6",
       .clauses = {{"8489", "14.8", Level::kMust, "The value MUST be between 3 and 6."},
                   {"8489", "14.8", Level::kMust, "and its value MUST be between 0 and 99"}},
       .run = AttrErrorClass});
  cases.push_back({.id = "stun.err.reserved-zero",
                   .title = "The reserved bits of ERROR-CODE are zero",
                   .clauses = {{"8489", "14.8", Level::kShould,
                                "The Reserved bits SHOULD be 0 and are for alignment on 32-bit "
                                "boundaries."}},
                   .run = AttrErrorReserved});
  cases.push_back({.id = "stun.err.reason",
                   .title = "Reason phrases are short UTF-8 texts",
                   .clauses = {{"8489", "14.8", Level::kMust,
                                "The reason phrase MUST be a UTF-8-encoded [RFC3629] sequence of "
                                "fewer than 128 characters"}},
                   .run = AttrReason});
  cases.push_back({.id = "stun.err.unknown-only-420",
                   .title = "UNKNOWN-ATTRIBUTES is in 420s alone",
                   .clauses = {{"8489", "14.13", Level::kProse,
                                "The UNKNOWN-ATTRIBUTES attribute is present only in an error "
                                "response when the response code in the ERROR-CODE attribute is "
                                "420"}},
                   .run = AttrUnknownListPlace});
  cases.push_back({.id = "stun.resp.software-format",
                   .title = "SOFTWARE is a short UTF-8 text",
                   .clauses = {{"8489", "14.14", Level::kMust,
                                "It MUST be a UTF-8-encoded [RFC3629] sequence of fewer than 128 "
                                "characters"}},
                   .run = AttrSoftware});
}

void AddAttrReading(CaseList& cases) {
  cases.push_back({.id = "stun.attr.pad-ignored",
                   .title = "Padding that is not zero is ignored",
                   .clauses = {{"8489", "14", Level::kMust, kAttrPadding}},
                   .run = AttrPadIgnored});
  cases.push_back({.id = "stun.attr.pad-ignored-signed",
                   .title = "Padding that is not zero is ignored, and covered by the integrity",
                   .clauses = {{"8489", "14", Level::kMust, kAttrPadding}},
                   .needs = {.features = {Feature::kTurn}, .credentials = true},
                   .run = AttrPadIgnoredSigned});
  cases.push_back({.id = "stun.attr.overrun",
                   .title = "Attributes that reach past the message do no harm",
                   .clauses = {{"8489", "6.3", Level::kProse,
                                "If any errors are detected, the message is silently discarded."}},
                   .needs = {.transport = Transport::kUdp},
                   .run = AttrOverrun});
  cases.push_back({.id = "stun.attr.duplicate",
                   .title = "Which of two attributes of a type counts",
                   .clauses = {{"8489", "14", Level::kInfo,
                                "only the first occurrence needs to be processed by a receiver"}},
                   .needs = {.features = {Feature::kTurn}, .credentials = true},
                   .run = AttrDuplicate});
}

}  // namespace

void AddRfc8489Section14(CaseList& cases) {
  AddAttrWriting(cases);
  AddAttrReading(cases);
}

}  // namespace rtclab::conformance
