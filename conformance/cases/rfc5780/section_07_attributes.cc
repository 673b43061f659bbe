// RFC 5780 sections 6.1, 7.5 and 7.6: RESPONSE-PORT and PADDING; and what RFC 3489 had in their place.
#include <fmt/format.h>

#include "conformance/cases/rfc5780/nat_steps.h"
#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

constexpr int kNatTries = 3;
constexpr TimeDelta kNatTryTime = TimeDelta::Millis(500);
// Of the response's PADDING: every interface of IPv4 hosts takes datagrams of this size (RFC 791 section 3.1).
constexpr std::size_t kNatLeastMtu = 576;

// RFC 5780 section 7.5 has a 16-bit number "followed by 2 bytes of padding": servers read that as a value of 4 bytes, or of 2.
Bytes NatPortValue(uint16_t port, std::size_t size) {
  Bytes value(size);
  StoreU16(value.data(), port);
  return value;
}

struct NatPortAnswer {
  Response at_port;    // where RESPONSE-PORT says
  Response at_source;  // where the request came from
};

NatPortAnswer NatAskForPort(Test& t, Client& asking, Client& waiting, ByteView value) {
  const stun::TransactionId id = stun::NewTransactionId(t.rng());
  const Bytes request = asking.Encode(
      BindingRequest().Attribute(AttributeType::kResponsePort, value).TransactionId(id));
  NatPortAnswer answer;
  for (int i = 0; i < kNatTries && !answer.at_port && !answer.at_source; ++i) {
    asking.SendRaw(request);
    answer.at_port = waiting.Await(id, kNatTryTime);
    answer.at_source = asking.Await(id, TimeDelta::Millis(20));
  }
  return answer;
}

void NatResponsePort(Test& t) {
  Client asking = t.Connect(), waiting = t.Connect();
  const TransportAddress source = NatMapped(t, asking);
  const TransportAddress wanted = NatMapped(t, waiting);
  if (source.ip != wanted.ip) t.Skip("a NAT before us gives our ports different addresses");
  const bool discovery = NatIsDiscovery(NatBinding(t, asking));
  NatPortAnswer answer;
  for (const std::size_t size : {4, 2}) {
    answer = NatAskForPort(t, asking, waiting, NatPortValue(wanted.port, size));
    if (answer.at_port.success()) break;
  }
  const std::string expected =
      fmt::format("a success response at port {} of the request's address", wanted.port);
  // RFC 8489 section 6.3: what is known and not expected is ignored.
  if (answer.at_source.success() && !discovery) t.Info("RESPONSE-PORT is ignored");
  if (answer.at_source) {
    t.Fail(expected, answer.at_source.Describe() + " where the request came from");
  }
  t.ExpectSuccess(answer.at_port, expected);
}

// RFC 3489 section 11.2.2 let a request name the address that its answer goes to; RFC 5389 took that away.
void NatResponseAddress(Test& t) {
  Client asking = t.Connect(), other = t.Connect();
  NatBinding(t, asking);
  const TransportAddress named = NatMapped(t, other);
  ByteWriter value;
  value.WriteU16(named.ip.IsV4() ? 1 : 2);
  value.WriteU16(named.port);
  value.WriteBytes(named.ip.bytes());
  ByteWriter attribute;
  attribute.WriteU16(static_cast<uint16_t>(AttributeType::kResponseAddress));
  attribute.WriteU16(static_cast<uint16_t>(value.size()));
  attribute.WriteBytes(value.view());
  for (const uint32_t cookie : {stun::kMagicCookie, uint32_t{0x3489c0de}}) {
    asking.SendRaw(RawStun(t, kBindingRequestType, attribute.view(), {}, cookie));
    const auto got = other.ReceiveRaw(TimeDelta::Millis(300));
    t.Expect(!got, "nothing at the address that RESPONSE-ADDRESS names",
             got ? fmt::format("{} bytes came there", got->bytes.size()) : "");
  }
}

void NatPadding(Test& t) {
  Client client = t.Connect();
  const Response response = client.Call(BindingRequest().Padding(64));
  t.ExpectSuccess(response, "a Binding request with PADDING");
  if (!NatIsDiscovery(response) && !response.Has(AttributeType::kPadding)) {
    t.Info("PADDING is ignored");  // as RESPONSE-PORT above
  }
  t.Expect(response.Has(AttributeType::kPadding), "PADDING in the response", "none");
}

// The interface's MTU is not known here: what no interface has is told.
void NatPaddingSize(Test& t) {
  Client client = t.Connect();
  const Response response = client.Call(BindingRequest().Padding(64));
  if (!response.success()) t.Block("Binding with PADDING: " + response.Describe());
  if (!NatIsDiscovery(response)) t.Info("no server of RFC 5780");
  const ByteView padding = response.view().Find(AttributeType::kPadding).value_or(ByteView());
  t.Expect(padding.size() % 4 == 0 && padding.size() >= kNatLeastMtu,
           "PADDING of the size of an interface's MTU, a multiple of 4",
           fmt::format("{} bytes", padding.size()));
}

// The answer may come to the port that is named or to the request's: here they are the same.
void NatPaddingResponsePort(Test& t) {
  Client client = t.Connect();
  const uint16_t port = NatMapped(t, client).port;
  const Response response = client.Call(BindingRequest().ResponsePort(port).Padding(64));
  if (response.success() && !NatIsDiscovery(response)) t.Info("both are ignored");
  t.ExpectError(response, 400, "RESPONSE-PORT together with PADDING");
}

Case NatAttributeCase(std::string_view id, std::string_view title, Clause clause,
                      std::vector<Feature> features, void (*run)(Test&)) {
  Case test_case{.id = id, .title = title, .clauses = {clause}, .run = run};
  test_case.needs.transport = Transport::kUdp;
  test_case.needs.features = std::move(features);
  return test_case;
}

}  // namespace

void AddRfc5780Section07(CaseList& cases) {
  cases.push_back(NatAttributeCase(
      "nat.response-port", "The response goes to the port that RESPONSE-PORT names",
      {"5780", "7.5", Level::kMust,
       "the Binding Response MUST be transmitted to the source IP address of the Binding Request "
       "and the port contained in RESPONSE-PORT."},
      {Feature::kResponsePort}, NatResponsePort));
  cases.back().covers = {"nat.response-port-same-ip"};
  cases.push_back(NatAttributeCase(
      "nat.response-address", "No response goes to an address that the request names",
      {"RFC 3489 section 12.1", "", Level::kPolicy,
       "a server that sends where a request says lends itself to floods; RFC 5389 removed "
       "RESPONSE-ADDRESS"},
      {Feature::kUdpTransport}, NatResponseAddress));
  cases.push_back(NatAttributeCase("nat.padding", "PADDING is answered with PADDING",
                                   {"5780", "6.1", Level::kMust,
                                    "If the Request contained a PADDING attribute, PADDING MUST be "
                                    "included in the Binding Response."},
                                   {Feature::kPadding}, NatPadding));
  cases.push_back(NatAttributeCase(
      "nat.padding-size", "PADDING has the size of the outgoing interface's MTU",
      {"5780", "6.1", Level::kShould,
       "The server SHOULD use a length of PADDING equal to the MTU on the outgoing interface, "
       "rounded up to an even multiple of four bytes."},
      {Feature::kPadding}, NatPaddingSize));
  cases.push_back(NatAttributeCase(
      "nat.padding-response-port", "PADDING with RESPONSE-PORT gets a 400",
      {"5780", "6.1", Level::kMust,
       "If the Request also contains the RESPONSE-PORT attribute the server MUST return an error "
       "response of type 400."},
      {Feature::kPadding, Feature::kResponsePort}, NatPaddingResponsePort));
}

}  // namespace rtclab::conformance
