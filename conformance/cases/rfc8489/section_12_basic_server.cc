// RFC 8489 sections 11 and 12: the basic STUN server, and clients of RFC 3489.
#include <fmt/format.h>

#include <algorithm>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

// What every client of RFC 3489 sends in the place of the magic cookie: random bits.
constexpr uint32_t kBasicClassicId = 0x5a17c0de;

void BasicBinding(Test& t) {
  Client client = t.Connect();
  t.ExpectSuccess(AskBinding(t, client), "a Binding request");
}

void BasicUdpAndTcp(Test& t) {
  for (const Transport transport : {Transport::kUdp, Transport::kTcp}) {
    Client client = t.Connect({.transport = transport});
    t.ExpectSuccess(AskBinding(t, client),
                    fmt::format("a Binding request over {}", ToString(transport)));
  }
}

void BasicNoCredentials(Test& t) {
  Client client = t.Connect();
  const Response response = client.Once(BindingRequest().Unsigned());
  t.ExpectSuccess(response, "a Binding request without credentials");
}

bool BasicEchoesId(const Bytes& answer, const Bytes& request) {
  return answer.size() >= 20 &&
         std::equal(request.begin() + 4, request.begin() + 20, answer.begin() + 4);
}

void BasicClassicClient(Test& t) {
  Client client = t.Connect();
  const Bytes request = RawStun(t, kBindingRequestType, {}, 0, kBasicClassicId);
  const Bytes answer = RawAnswer(t, client, request);
  if (answer.empty()) {
    const Response alive = AskBinding(t, client);
    if (!alive) t.Block("no answer to a Binding request");
    if (HasTurn(t)) {
      t.Info("not answered: RFC 8656 section 5 has TURN do without this compatibility");
    }
    t.Fail("an answer to a Binding request of RFC 3489", "none");
  }
  t.Expect(BasicEchoesId(answer, request), "all 128 bits of the transaction id in the answer",
           ToHex(ByteView(answer).first(std::min<std::size_t>(20, answer.size()))));
}

// A server that answers clients of RFC 3489 answers them in their own terms.
void BasicClassicMapped(Test& t) {
  Client client = t.Connect();
  const Bytes request = RawStun(t, kBindingRequestType, {}, 0, kBasicClassicId);
  const Bytes answer = RawAnswer(t, client, request);
  const auto message = ReadLeniently(answer);
  if (!message) t.Block("no answer to a Binding request of RFC 3489");
  t.Expect(message->type == 0x0101, "a Binding success response",
           fmt::format("a message of type 0x{:04x}", message->type));
  const LenientAttribute* mapped = message->Find(AttributeType::kMappedAddress);
  if (mapped == nullptr) t.Fail("MAPPED-ADDRESS in the answer", "none");
  const auto address = stun::ParseAddress(mapped->value);
  ExpectMapped(t, client, address ? std::optional(*address) : std::nullopt, "MAPPED-ADDRESS");
}

void BasicClassicOverDtls(Test& t) {
  Client client = t.Connect();
  const Bytes request = RawStun(t, kBindingRequestType, {}, 0, kBasicClassicId);
  const Bytes answer = RawAnswer(t, client, request);
  const std::string_view expected = "a 500 to a request without the magic cookie over DTLS";
  if (answer.empty()) t.Fail(std::string(expected), "no answer");
  const auto message = ReadLeniently(answer);
  const LenientAttribute* code = message ? message->Find(AttributeType::kErrorCode) : nullptr;
  const bool is_500 = message && message->IsError() && code != nullptr && code->value.size() >= 4 &&
                      (code->value[2] & 7) == 5 && code->value[3] == 0;
  t.Expect(is_500, expected,
           code != nullptr && code->value.size() >= 4
               ? fmt::format("error {}{:02}", code->value[2] & 7, code->value[3])
           : message ? fmt::format("a message of type 0x{:04x}", message->type)
                     : "a few bytes");
}

void BasicClassicIndicationOverDtls(Test& t) {
  Client client = t.Connect();
  client.SendRaw(RawStun(t, 0x0011, {}, 0, kBasicClassicId));
  t.ExpectSilence(client, "a Binding indication without the magic cookie over DTLS");
}

void AddBasicBinding(CaseList& cases) {
  cases.push_back({.id = "stun.bind.support",
                   .title = "Binding is served",
                   .clauses = {{"8489", "12", Level::kMust,
                                "The STUN server MUST support the Binding method."}},
                   .run = BasicBinding});
  cases.push_back({.id = "stun.bind.udp-and-tcp",
                   .title = "Binding is served over UDP and over TCP",
                   .clauses = {{"8489", "12", Level::kMust, "It MUST support UDP and TCP."}},
                   .needs = {.features = {Feature::kUdpTransport, Feature::kTcpTransport}},
                   .run = BasicUdpAndTcp});
  cases.push_back({.id = "stun.bind.no-auth",
                   .title = "Binding is served without credentials",
                   .clauses = {{"8489", "12", Level::kShouldNot,
                                "It SHOULD NOT utilize the short-term or long-term credential "
                                "mechanism."}},
                   .run = BasicNoCredentials});
}

void AddBasicClassic(CaseList& cases) {
  const Clause invalid = {"8489", "11", Level::kMust,
                          "all requests MUST generate a 500 (Server Error) error response, and "
                          "indications MUST be ignored"};
  cases.push_back({.id = "stun.compat.3489",
                   .title = "Clients of RFC 3489 are answered",
                   .clauses = {{"8489", "12", Level::kShould,
                                "Stand-alone STUN servers SHOULD support backwards compatibility "
                                "with clients using [RFC3489]"}},
                   .needs = {.transport = Transport::kUdp},
                   .run = BasicClassicClient});
  cases.push_back(
      {.id = "stun.compat.3489-mapped",
       .title = "A client of RFC 3489 gets MAPPED-ADDRESS",
       .clauses = {{"5389", "12.2", Level::kShould,
                    "it SHOULD copy the value seen in the magic cookie field in the Binding "
                    "request to the magic cookie field in the Binding response message"},
                   {"8489", "14.1", Level::kProse,
                    "This attribute is used only by servers for achieving backwards compatibility "
                    "with [RFC3489] clients."}},
       .needs = {.transport = Transport::kUdp, .features = {Feature::kClassicStun}},
       .run = BasicClassicMapped});
  cases.push_back({.id = "stun.compat.3489-dtls-request",
                   .title = "A request of RFC 3489 over DTLS gets a 500",
                   .clauses = {invalid},
                   .needs = {.transport = Transport::kDtls, .features = {Feature::kDtlsTransport}},
                   .edition = Edition::kCurrent,
                   .run = BasicClassicOverDtls});
  cases.push_back({.id = "stun.compat.3489-dtls-indication",
                   .title = "An indication of RFC 3489 over DTLS is ignored",
                   .clauses = {invalid},
                   .needs = {.transport = Transport::kDtls, .features = {Feature::kDtlsTransport}},
                   .edition = Edition::kCurrent,
                   .run = BasicClassicIndicationOverDtls});
}

}  // namespace

void AddRfc8489Section12(CaseList& cases) {
  AddBasicBinding(cases);
  AddBasicClassic(cases);
}

}  // namespace rtclab::conformance
