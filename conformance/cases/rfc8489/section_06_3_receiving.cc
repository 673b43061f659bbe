// RFC 8489 sections 6.3, 6.3.1 and 6.3.2: what a server does with methods, classes and attributes that it does not expect.
#include <fmt/format.h>

#include <algorithm>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::MessageClass;
using stun::Method;

void RecvUnknownMethod(Test& t) {
  Client client = t.Connect();
  client.SendRaw(RawStun(t, 0x02ef));  // request, method 0x0ff: not assigned
  t.ExpectSilence(client, "a request of the unassigned method 0x0ff");
}

void RecvIndicationMethodAsRequest(Test& t) {
  Client client = t.Connect();
  client.SendRaw(RawStun(t, 0x0006));
  client.SendRaw(RawStun(t, 0x0007));
  t.ExpectSilence(client, "Send and Data requests");
}

void RecvRequestMethodAsIndication(Test& t) {
  Client client = t.Connect();
  const Bytes transport = {0x00, 0x19, 0x00, 0x04, 0x11, 0x00, 0x00, 0x00};
  client.SendRaw(RawStun(t, 0x0013, transport));  // Allocate
  client.SendRaw(RawStun(t, 0x0014));             // Refresh
  client.SendRaw(RawStun(t, 0x0018));             // CreatePermission
  client.SendRaw(RawStun(t, 0x0019));             // ChannelBind
  t.ExpectSilence(client, "Allocate, Refresh, CreatePermission and ChannelBind indications");
}

void RecvUnsolicitedResponse(Test& t) {
  Client client = t.Connect();
  const Bytes mapped = {0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0x21, 0x13, 0x5e, 0x12, 0xa4, 0x43};
  client.SendRaw(RawStun(t, 0x0101, mapped));
  const Bytes error = {0x00, 0x09, 0x00, 0x04, 0x00, 0x00, 0x04, 0x01};
  client.SendRaw(RawStun(t, 0x0111, error));
  client.SendRaw(RawStun(t, 0x0113, error));
  t.ExpectSilence(client, "responses that answer nothing");
}

void RecvUnknownRequired(Test& t) {
  Client client = t.Connect();
  const Response response = AskBinding(t, client, BindingRequest().Attribute(kUnknownRequired, {}));
  t.ExpectError(response, 420, "a Binding request with attribute 0x7ffe");
}

void RecvUnknownRequiredList(Test& t) {
  Client client = t.Connect();
  const Bytes value = {1, 2, 3};
  const Response response = AskBinding(t, client,
                                       BindingRequest()
                                           .Attribute(0x7ffc, value)
                                           .Attribute(kUnknownOptional, value)
                                           .Attribute(0x7ffd, {})
                                           .Attribute(kUnknownRequired, value));
  if (response.code() != 420) t.Block("no 420 but " + response.Describe());
  const auto list = response.view().Find(AttributeType::kUnknownAttributes);
  if (!list) t.Fail("UNKNOWN-ATTRIBUTES in the 420", "none");
  std::vector<uint16_t> types;
  for (std::size_t at = 0; at + 2 <= list->size(); at += 2) {
    types.push_back(LoadU16(list->data() + at));
  }
  std::sort(types.begin(), types.end());
  t.Expect(types == std::vector<uint16_t>{0x7ffc, 0x7ffd, 0x7ffe} && list->size() == 6,
           "UNKNOWN-ATTRIBUTES with 7ffc, 7ffd and 7ffe, in 6 bytes",
           fmt::format("{} bytes: {}", list->size(), ToHex(*list)));
}

void RecvUnknownOptional(Test& t) {
  Client client = t.Connect();
  const Bytes value = {1, 2, 3, 4, 5};
  const Response response = AskBinding(
      t, client, BindingRequest().Attribute(kUnknownOptional, value).Attribute(0xbffd, {}));
  t.ExpectSuccess(response, "a Binding request with attributes 0xbffe and 0xbffd");
}

void RecvKnownUnexpected(Test& t) {
  Client client = t.Connect();
  const Bytes mapped = {0x00, 0x01, 0x21, 0x13, 0x5e, 0x12, 0xa4, 0x43};
  t.ExpectSuccess(
      AskBinding(t, client, BindingRequest().Attribute(AttributeType::kXorMappedAddress, mapped)),
      "a Binding request with XOR-MAPPED-ADDRESS");
  if (!HasTurn(t)) return;
  t.ExpectSuccess(AskBinding(t, client, BindingRequest().Lifetime(600)),
                  "a Binding request with LIFETIME");
}

// An authenticated request with an unknown attribute, of each method; it changes nothing.
void RecvUnknownRequiredMethods(Test& t) {
  Client client = t.Connect();
  const Peer peer = t.OpenPeer();
  client.Challenge();
  t.ExpectError(client.Call(AllocateRequest().Attribute(kUnknownRequired, {})), 420,
                "an Allocate request with attribute 0x7ffe");
  client.Allocate();
  const Response refresh =
      client.Call(Request(Method::kRefresh).Lifetime(0).Attribute(kUnknownRequired, {}));
  t.ExpectError(refresh, 420, "a Refresh request with attribute 0x7ffe");
  t.ExpectError(client.Call(Request(Method::kCreatePermission)
                                .PeerAddress(peer.address())
                                .Attribute(kUnknownRequired, {})),
                420, "a CreatePermission request with attribute 0x7ffe");
  t.ExpectError(client.Call(Request(Method::kChannelBind)
                                .ChannelNumber(0x4000)
                                .PeerAddress(peer.address())
                                .Attribute(kUnknownRequired, {})),
                420, "a ChannelBind request with attribute 0x7ffe");
  t.ExpectSuccess(client.Call(Request(Method::kRefresh).Lifetime(600)),
                  "the allocation still there after a Refresh with LIFETIME 0 that got a 420");
}

void RecvIndicationUnknownRequired(Test& t) {
  Client client = t.Connect();
  Peer peer = t.OpenPeer();
  client.Allocate();
  client.CreatePermission(peer.address());
  client.SendIndication(peer.address(), t.Payload(24));
  if (!peer.Receive(t.target().answer_timeout)) t.Block("no data reaches the peer");
  t.Note("The same with the comprehension-required attribute 0x7ffe.");
  client.Send(Request(Method::kSend, MessageClass::kIndication)
                  .PeerAddress(peer.address())
                  .Data(t.Payload(24))
                  .Attribute(kUnknownRequired, {})
                  .Unsigned());
  t.ExpectNothingAtPeer(peer, "a Send indication with attribute 0x7ffe");
}

void RecvIndicationSilent(Test& t) {
  Client client = t.Connect();
  client.SendRaw(RawStun(t, 0x0011));
  const Bytes unknown = {0x7f, 0xfe, 0x00, 0x00};
  client.SendRaw(RawStun(t, 0x0011, unknown));
  t.ExpectSilence(client, "Binding indications, one of them with an unknown attribute");
}

constexpr std::string_view kRecvDiscard =
    "If any errors are detected, the message is silently discarded.";

void AddRecvDiscards(CaseList& cases) {
  cases.push_back({.id = "stun.method.unknown",
                   .title = "A request of an unknown method is discarded",
                   .clauses = {{"8489", "6.3", Level::kProse, kRecvDiscard},
                               {"8489", "6.3", Level::kProse,
                                "that the message length is sensible, and that the method value "
                                "is a supported method"}},
                   .run = RecvUnknownMethod});
  cases.push_back({.id = "stun.class.not-allowed",
                   .title = "Send and Data requests are discarded: both are indications only",
                   .clauses = {{"8489", "6.3", Level::kProse, kRecvDiscard},
                               {"8489", "6.3", Level::kProse,
                                "It checks that the message class is allowed for the particular "
                                "method."}},
                   .run = RecvIndicationMethodAsRequest});
  cases.push_back(
      {.id = "stun.class.request-as-indication",
       .title = "Indications of methods that have none are discarded",
       .clauses = {{"8489", "6.3", Level::kProse, kRecvDiscard},
                   {"8489", "6.3.2", Level::kProse, "No response is generated for an indication."}},
       .run = RecvRequestMethodAsIndication});
  cases.push_back({.id = "stun.class.unsolicited-response",
                   .title = "A response that answers nothing is discarded",
                   .clauses = {{"8489", "6.3", Level::kProse, kRecvDiscard},
                               {"8489", "6.3", Level::kProse,
                                "the agent checks that the transaction ID matches a transaction "
                                "that is still in progress"}},
                   .run = RecvUnsolicitedResponse});
  cases.push_back(
      {.id = "stun.ind.no-response",
       .title = "A Binding indication gets no response",
       .clauses = {{"8489", "6.3.2", Level::kProse, "No response is generated for an indication."}},
       .run = RecvIndicationSilent});
  cases.push_back(
      {.id = "stun.ind.unknown-required",
       .title = "An indication with an unknown comprehension-required attribute is discarded",
       .clauses = {{"8489", "6.3.2", Level::kProse,
                    "the indication is discarded and processing ceases"}},
       .needs = {.features = {Feature::kTurn}, .peer = PeerNeed::kAny, .credentials = true},
       .run = RecvIndicationUnknownRequired});
}

void AddRecvAttributes(CaseList& cases) {
  cases.push_back(
      {.id = "stun.req.unknown-required",
       .title = "An unknown comprehension-required attribute makes a 420",
       .clauses = {{"8489", "6.3.1", Level::kProse,
                    "the server replies with an error response with an error code of 420 (Unknown "
                    "Attribute)"}},
       .run = RecvUnknownRequired});
  cases.push_back(
      {.id = "stun.req.unknown-required-list",
       .title = "The 420 lists the unknown attributes, those and no others",
       .clauses = {{"8489", "6.3.1.1", Level::kMust,
                    "the server MUST include an UNKNOWN- ATTRIBUTES attribute"},
                   {"8489", "14.8", Level::kMust,
                    "The server MUST put this unknown attribute in the UNKNOWN- ATTRIBUTE "
                    "attribute of its error response."},
                   {"8489", "14.13", Level::kProse,
                    "the normal padding rules for attributes are used instead"}},
       .run = RecvUnknownRequiredList});
  cases.push_back(
      {.id = "stun.req.unknown-required-methods",
       .title = "Authenticated requests of every TURN method with an unknown attribute get a 420",
       .clauses = {{"8489", "6.3.1", Level::kProse,
                    "the server replies with an error response with an error code of 420 (Unknown "
                    "Attribute)"}},
       .needs = {.features = {Feature::kTurn}, .peer = PeerNeed::kAny, .credentials = true},
       .run = RecvUnknownRequiredMethods});
  cases.push_back({.id = "stun.req.unknown-optional",
                   .title = "Unknown comprehension-optional attributes are ignored",
                   .clauses = {{"8489", "6.3", Level::kMust,
                                "Unknown comprehension-optional attributes MUST be ignored by the "
                                "agent."}},
                   .run = RecvUnknownOptional});
  cases.push_back({.id = "stun.req.known-unexpected",
                   .title = "A known attribute in the wrong place is ignored",
                   .clauses = {{"8489", "6.3", Level::kShould,
                                "Known-but-unexpected attributes SHOULD be ignored by the agent."}},
                   .run = RecvKnownUnexpected});
}

}  // namespace

void AddRfc8489Section06_3(CaseList& cases) {
  AddRecvDiscards(cases);
  AddRecvAttributes(cases);
}

}  // namespace rtclab::conformance
