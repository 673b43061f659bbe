// RFC 8489 sections 6.1, 6.3.1, 6.3.1.1 and 6.3.1.2: responses, what is in them and where they go.
#include <fmt/format.h>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::MessageClass;
using stun::Method;

// The request's method, and one of the two response classes.
void RespExpectType(Test& t, Client& client, const Request& request) {
  const stun::TransactionId id = stun::NewTransactionId(t.rng());
  Request fixed = request;
  const Bytes bytes = client.Encode(fixed.TransactionId(id).Unsigned());
  const Bytes answer = RawAnswer(t, client, bytes);
  const std::string_view method = stun::ToString(request.method());
  if (answer.size() < stun::kHeaderSize) t.Block(fmt::format("no answer to {}", method));
  const uint16_t type = LoadU16(answer.data());
  const MessageClass response_class = stun::DecodeMessageClass(type);
  t.Expect(stun::DecodeMethod(type) == request.method() &&
               (response_class == MessageClass::kSuccessResponse ||
                response_class == MessageClass::kErrorResponse),
           fmt::format("a response of the method {}", method),
           fmt::format("a message of type 0x{:04x}", type));
}

void RespMethod(Test& t) {
  Client client = t.Connect();
  RespExpectType(t, client, BindingRequest());
  RespExpectType(t, client, BindingRequest().Attribute(kUnknownRequired, {}));
  if (!HasTurn(t)) return;
  RespExpectType(t, client, AllocateRequest());
  RespExpectType(t, client, Request(Method::kRefresh));
  RespExpectType(t, client, Request(Method::kCreatePermission));
  RespExpectType(t, client, Request(Method::kChannelBind));
}

void RespErrorCode(Test& t) {
  Tour(t);
  const int errors = CheckEach(t, ErrorCodeMissing, "ERROR-CODE in every error response");
  if (errors == 0) t.Block("no error response");
}

void RespSoftware(Test& t) {
  Tour(t);
  const int having = CheckEach(
      t, [](const LenientMessage&, ByteView) -> std::optional<std::string> { return std::nullopt; },
      "", AttributeType::kSoftware);
  t.Expect(having > 0, "SOFTWARE in responses (section 16.1.2 lets an operator switch it off)",
           "none has it");
}

void RespMtu(Test& t) {
  Tour(t);
  const std::size_t limit = t.target().family == AddressFamily::kIpv6 ? 1280 - 48 : 576 - 28;
  for (const Packet& packet : t.exchange()) {
    if (packet.sent || !LooksLikeStun(packet.bytes)) continue;
    t.Expect(packet.bytes.size() < limit, fmt::format("messages of fewer than {} bytes", limit),
             fmt::format("one of {} bytes", packet.bytes.size()));
  }
}

void RespRetransmission(Test& t) {
  Client client = t.Connect();
  const stun::TransactionId id = stun::NewTransactionId(t.rng());
  const Bytes request = RawStun(t, kBindingRequestType, {}, 0, stun::kMagicCookie, id);
  const Response first = client.OnceRaw(request, id, true);
  if (!first) t.Block("no answer to a Binding request");
  if (!first.success()) t.Skip("Binding is answered with " + first.Describe());
  const Response second = client.OnceRaw(request, id, true);
  t.ExpectSuccess(second, "the same Binding request again");
  t.Expect(first.view().GetXorAddress(AttributeType::kXorMappedAddress) ==
               second.view().GetXorAddress(AttributeType::kXorMappedAddress),
           "the same XOR-MAPPED-ADDRESS as the first time", "another one");
}

void RespMapped(Test& t) {
  // Two clients, so that an address that does not depend on the request shows behind a NAT as well.
  std::optional<TransportAddress> seen;
  for (int i = 0; i < 2; ++i) {
    Client client = t.Connect();
    const Response response = AskBinding(t, client);
    t.ExpectSuccess(response, "a Binding request");
    const auto value = response.view().Find(AttributeType::kXorMappedAddress);
    if (!value) t.Fail("XOR-MAPPED-ADDRESS in the success response", "none");
    const bool v6 = client.local().family() == AddressFamily::kIpv6;
    t.Expect(value->size() == (v6 ? 20U : 8U),
             fmt::format("XOR-MAPPED-ADDRESS of {} bytes", v6 ? 20 : 8),
             fmt::format("{} bytes: {}", value->size(), ToHex(*value)));
    const auto mapped = response.view().GetXorAddress(AttributeType::kXorMappedAddress);
    ExpectMapped(t, client, mapped, "XOR-MAPPED-ADDRESS");
    t.Expect(!seen || *seen != *mapped, "another XOR-MAPPED-ADDRESS for another client",
             mapped->ToString() + " again");
    seen = mapped;
    if (client.transport() == Transport::kTcp || client.transport() == Transport::kTls) break;
  }
}

void RespSource(Test& t) {
  for (const auto& [where, endpoint] : t.target().endpoints) {
    if (where.first != Transport::kUdp || where.second != t.target().family) continue;
    Client client = t.Connect({.server = endpoint});
    client.SendRaw(RawStun(t, kBindingRequestType));
    auto received = client.ReceiveRaw(t.target().answer_timeout / 3);
    if (!received) {
      client.SendRaw(RawStun(t, kBindingRequestType));
      received = client.ReceiveRaw(t.target().answer_timeout);
    }
    if (!received) t.Block("no answer to a Binding request");
    t.Expect(received->from == endpoint, "the answer from " + endpoint.ToString(),
             "from " + received->from.ToString());
  }
}

constexpr std::string_view kRespMappedUdp =
    "For UDP or DTLS-over-UDP, this is the source IP address and source UDP port of the request "
    "message.";
constexpr std::string_view kRespMappedTcp =
    "For TCP and TLS-over-TCP, this is the source IP address and source TCP port of the TCP "
    "connection as seen by the server.";
constexpr std::string_view kRespXor =
    "X-Port is computed by XOR'ing the mapped port with the most significant 16 bits of the magic "
    "cookie.";

void AddRespMapped(CaseList& cases) {
  cases.push_back({.id = "stun.bind.xma-udp",
                   .title = "XOR-MAPPED-ADDRESS is where the request came from, over UDP",
                   .clauses = {{"8489", "6.3.1.1", Level::kProse, kRespMappedUdp},
                               {"8489", "14.2", Level::kProse, kRespXor}},
                   .needs = {.transport = Transport::kUdp},
                   .run = RespMapped});
  cases.push_back({.id = "stun.bind.xma-tcp",
                   .title = "XOR-MAPPED-ADDRESS is the connection's far end, over TCP",
                   .clauses = {{"8489", "6.3.1.1", Level::kProse, kRespMappedTcp},
                               {"8489", "14.2", Level::kProse, kRespXor}},
                   .needs = {.transport = Transport::kTcp, .features = {Feature::kTcpTransport}},
                   .run = RespMapped});
  cases.push_back({.id = "stun.bind.xma-tls",
                   .title = "XOR-MAPPED-ADDRESS is the connection's far end, over TLS",
                   .clauses = {{"8489", "6.3.1.1", Level::kProse, kRespMappedTcp},
                               {"8489", "14.2", Level::kProse, kRespXor}},
                   .needs = {.transport = Transport::kTls, .features = {Feature::kTlsTransport}},
                   .run = RespMapped});
  cases.push_back({.id = "stun.bind.xma-dtls",
                   .title = "XOR-MAPPED-ADDRESS is where the request came from, over DTLS",
                   .clauses = {{"8489", "6.3.1.1", Level::kProse, kRespMappedUdp},
                               {"8489", "14.2", Level::kProse, kRespXor}},
                   .needs = {.transport = Transport::kDtls, .features = {Feature::kDtlsTransport}},
                   .run = RespMapped});
  cases.push_back(
      {.id = "stun.bind.xma-ipv6",
       .title = "XOR-MAPPED-ADDRESS over IPv6 is XORed with cookie and transaction id",
       .clauses = {{"8489", "14.2", Level::kProse,
                    "X-Address is computed by XOR'ing the mapped IP address with the concatenation "
                    "of the magic cookie and the 96-bit transaction ID."}},
       .needs = {.transport = Transport::kUdp,
                 .family = AddressFamily::kIpv6,
                 .features = {Feature::kIpv6Transport}},
       .run = RespMapped});
}

void AddRespForm(CaseList& cases) {
  cases.push_back({.id = "stun.resp.method",
                   .title = "A response has its request's method and a response's class",
                   .clauses = {{"8489", "6.3.1.1", Level::kProse,
                                "The method of the response is the same as that of the request"}},
                   .run = RespMethod});
  cases.push_back({.id = "stun.err.error-code",
                   .title = "Every error response carries ERROR-CODE",
                   .clauses = {{"8489", "6.3.1.1", Level::kMust,
                                "For an error response, the server MUST add an ERROR-CODE "
                                "attribute"}},
                   .run = RespErrorCode});
  cases.push_back({.id = "stun.resp.software",
                   .title = "Responses carry SOFTWARE",
                   .clauses = {{"8489", "6.3.1.1", Level::kShould,
                                "In addition, the server SHOULD add a SOFTWARE attribute to the "
                                "message."}},
                   .run = RespSoftware});
  cases.push_back({.id = "stun.bind.mtu",
                   .title = "Messages fit the smallest path MTU",
                   .clauses = {{"8489", "6.1", Level::kShould,
                                "messages SHOULD be the smaller of 576 bytes and the first-hop MTU "
                                "for IPv4 [RFC1122] and 1280 bytes for IPv6"}},
                   .needs = {.transport = Transport::kUdp},
                   .run = RespMtu});
  cases.push_back(
      {.id = "stun.bind.idempotent",
       .title = "A retransmitted Binding request is answered like the first",
       .clauses = {{"8489", "6.3.1", Level::kMust,
                    "The server MUST respond to retransmissions such that the following property "
                    "is preserved"}},
       .needs = {.transport = Transport::kUdp},
       .run = RespRetransmission});
  cases.push_back(
      {.id = "stun.bind.response-path",
       .title = "The response comes from where the request went",
       .clauses = {{"8489", "6.3.1.2", Level::kProse,
                    "the source IP address and port of the response are equal to the destination "
                    "IP address and port of the received request message"}},
       .needs = {.transport = Transport::kUdp},
       .run = RespSource});
}

}  // namespace

void AddRfc8489Section06_3_1(CaseList& cases) {
  AddRespMapped(cases);
  AddRespForm(cases);
}

}  // namespace rtclab::conformance
