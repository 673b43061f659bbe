// RFC 5780 section 6.1: the addresses in a response, where it comes from, and what a server with one address does.
#include <fmt/format.h>

#include "conformance/cases/rfc5780/nat_steps.h"
#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

constexpr std::string_view kNatFiltered =
    "no answer, and a NAT or firewall before us may have kept it away: name the server's second "
    "address, or run closer to it";

void NatBothAddresses(Test& t) {
  Client client = t.Connect();
  const Response response = NatBinding(t, client);
  if (!NatIsDiscovery(response)) {
    t.Unsupported("neither RESPONSE-ORIGIN nor OTHER-ADDRESS: no server of RFC 5780");
  }
  const bool xored = response.view().GetXorAddress(AttributeType::kXorMappedAddress).has_value();
  const bool plain = response.view().GetAddress(AttributeType::kMappedAddress).has_value();
  t.Expect(xored && plain, "MAPPED-ADDRESS and XOR-MAPPED-ADDRESS",
           xored   ? "no MAPPED-ADDRESS"
           : plain ? "no XOR-MAPPED-ADDRESS"
                   : "neither");
}

// With every kind of CHANGE-REQUEST that gets an answer through.
void NatResponseOrigin(Test& t) {
  Client client = t.Connect();
  const TransportAddress other = NatOther(t, client);
  for (const NatFlags flags : kNatAllFlags) {
    const auto response = NatChange(t, client, other, flags);
    if (!response || !response->success()) continue;  // nat.change-* judge that
    const auto origin = response->view().GetAddress(AttributeType::kResponseOrigin);
    if (!origin) {
      t.Fail("RESPONSE-ORIGIN in the answer to " + flags.Text(),
             response->Has(AttributeType::kResponseOrigin) ? "a malformed one" : "none");
    }
    if (*origin == response->from()) continue;
    const std::string actual = fmt::format("{} in an answer that came from {}", origin->ToString(),
                                           response->from().ToString());
    // A server behind a NAT of its own can't know better.
    if (origin->ip.IsPrivate() && !response->from().ip.IsPrivate()) {
      t.Info("RESPONSE-ORIGIN is " + actual + ": a NAT stands between");
    }
    t.Fail("RESPONSE-ORIGIN says where the answer to " + flags.Text() + " comes from", actual);
  }
}

void NatOtherAddress(Test& t) {
  Client client = t.Connect();
  const Response response = NatBinding(t, client);
  const auto other = response.view().GetAddress(AttributeType::kOtherAddress);
  if (!other) t.Fail("OTHER-ADDRESS in a Binding response", "none");
  const TransportAddress& from = response.from();
  t.Expect(other->family() == from.family() && other->ip != from.ip && other->port != from.port,
           fmt::format("OTHER-ADDRESS with another IP address and another port than {}",
                       from.ToString()),
           other->ToString());
}

void NatOtherAddressAbsent(Test& t) {
  Client client = t.Connect();
  const Response response = NatBinding(t, client);
  if (!response.Has(AttributeType::kOtherAddress)) return;
  const auto other = response.view().GetAddress(AttributeType::kOtherAddress);
  if (!other) t.Fail("OTHER-ADDRESS with an address, or none", "a malformed one");
  t.Expect(other->ip != response.from().ip, "OTHER-ADDRESS with a second IP address, or none",
           fmt::format("OTHER-ADDRESS {} in an answer from {}", other->ToString(),
                       response.from().ToString()));
}

void NatExpectChange(Test& t, Client& client, const TransportAddress& other, NatFlags flags) {
  const auto response = NatChange(t, client, other, flags);
  if (!response) t.Skip(std::string(kNatFiltered));
  t.ExpectSuccess(*response, flags.Text());
  const TransportAddress source = NatSource(client, other, flags);
  t.Expect(response->from() == source,
           fmt::format("the answer to {} from {}", flags.Text(), source.ToString()),
           "it came from " + response->from().ToString());
}

template <bool kIp, bool kPort>
void NatChangeCase(Test& t) {
  Client client = t.Connect();
  const TransportAddress other = NatOther(t, client);
  NatExpectChange(t, client, other, {kIp, kPort});
}

// Without the attribute as with no flag.
void NatChangeNone(Test& t) {
  Client client = t.Connect();
  const Response plain = NatBinding(t, client);
  t.Expect(plain.from() == client.server(), "the answer from " + client.server().ToString(),
           "it came from " + plain.from().ToString());
  NatExpectChange(t, client, NatOther(t, client), {false, false});
}

void NatChangeUnsupported(Test& t) {
  if (t.Supports(Feature::kNatDiscovery)) t.Skip("the server has a second address");
  for (const NatFlags flags : {NatFlags{true, true}, {true, false}, {false, true}}) {
    Client client = t.Connect();
    NatBinding(t, client);
    t.ExpectError(client.Call(BindingRequest().ChangeRequest(flags.ip, flags.port)), 420,
                  flags.Text());
  }
}

// A server that is none of RFC 5780 may know the attribute and not expect it: RFC 8489 section 6.3 has it ignored then.
void NatChangeUnsupportedNoFlag(Test& t) {
  if (t.Supports(Feature::kNatDiscovery)) t.Skip("the server has a second address");
  Client client = t.Connect();
  const bool discovery = NatIsDiscovery(NatBinding(t, client));
  const Response response = client.Call(BindingRequest().ChangeRequest(false, false));
  if (response.success() && !discovery)
    t.Info("a CHANGE-REQUEST that asks for no change is ignored");
  t.ExpectError(response, 420, NatFlags{}.Text());
}

void NatOtherConstant(Test& t) {
  Client client = t.Connect();
  const TransportAddress other = NatOther(t, client);
  for (const NatFlags flags : kNatAllFlags) {
    const auto response = NatChange(t, client, other, flags);
    if (!response || !response->success()) continue;
    const auto now = response->view().GetAddress(AttributeType::kOtherAddress);
    t.Expect(now && *now == other,
             fmt::format("OTHER-ADDRESS {} in the answer to {}", other.ToString(), flags.Text()),
             now ? now->ToString() : "none");
  }
}

// The case is skipped where the second address was not named.
void NatOtherMutual(Test& t) {
  Client first = t.Connect();
  const TransportAddress other = NatOther(t, first);
  Client second = t.Connect({.server = other});
  const TransportAddress back = NatOther(t, second);
  t.Expect(back == first.server(),
           fmt::format("OTHER-ADDRESS {} in a response from {}", first.server().ToString(),
                       other.ToString()),
           back.ToString());
  NatExpectChange(t, second, back, {true, true});
}

bool NatIsOfDiscovery(uint16_t type) {
  switch (static_cast<AttributeType>(type)) {
    case AttributeType::kChangeRequest:
    case AttributeType::kResponseOrigin:
    case AttributeType::kOtherAddress:
    case AttributeType::kResponsePort:
    case AttributeType::kPadding:
      return true;
    default:
      return false;
  }
}

std::optional<std::string> NatAlternateServerFault(const LenientMessage& message, ByteView) {
  if (message.Find(AttributeType::kAlternateServer) == nullptr) return std::nullopt;
  for (const LenientAttribute& attribute : message.attributes) {
    if (!NatIsOfDiscovery(attribute.type)) continue;
    return fmt::format("ALTERNATE-SERVER together with {}",
                       stun::ToString(static_cast<AttributeType>(attribute.type)));
  }
  return std::nullopt;
}

void NatAlternateServer(Test& t) {
  Client client = t.Connect();
  client.Call(BindingRequest());
  client.Call(BindingRequest().ChangeRequest(false, true));
  if (t.Supports(Feature::kPadding)) client.Call(BindingRequest().Padding(64));
  if (t.target().redirecting) {
    Client redirected = t.Connect({.server = t.target().redirecting});
    redirected.Once(BindingRequest());
    redirected.Once(AllocateRequest().Unsigned());
  }
  CheckEach(t, NatAlternateServerFault, "ALTERNATE-SERVER stands alone");
}

void NatTlsPorts(Test& t) {
  const auto& endpoints = t.target().endpoints;
  const AddressFamily family = t.target().family;
  const auto tcp = endpoints.find({Transport::kTcp, family});
  const auto tls = endpoints.find({Transport::kTls, family});
  if (tcp == endpoints.end() || tls == endpoints.end()) t.Skip("the two are of different families");
  t.Connect({.transport = Transport::kTcp});
  t.Connect({.transport = Transport::kTls});
  t.Expect(tcp->second.port != tls->second.port, "TCP and TLS on different ports",
           fmt::format("both on port {}", tcp->second.port));
}

Case NatCase(std::string_view id, std::string_view title, Clause clause, void (*run)(Test&),
             std::vector<Feature> features = {Feature::kNatDiscovery}) {
  Case test_case{.id = id, .title = title, .clauses = {clause}, .run = run};
  test_case.needs.transport = Transport::kUdp;
  test_case.needs.features = std::move(features);
  return test_case;
}

Clause NatMust(std::string_view section, std::string_view quote) {
  return {"5780", section, Level::kMust, quote};
}

// What a response says of the server's addresses.
void AddNatAddresses(CaseList& cases) {
  cases.push_back(NatCase(
      "nat.both-addresses", "Responses carry MAPPED-ADDRESS and XOR-MAPPED-ADDRESS",
      NatMust(
          "6.1",
          "The server MUST include both MAPPED-ADDRESS and XOR-MAPPED-ADDRESS in its Response."),
      NatBothAddresses, {Feature::kUdpTransport}));
  cases.push_back(
      NatCase("nat.response-origin", "RESPONSE-ORIGIN is where the response comes from",
              NatMust("6.1",
                      "The server MUST add a RESPONSE-ORIGIN attribute to the Binding Response, "
                      "containing the source address and port used to send the Binding Response."),
              NatResponseOrigin));
  cases.push_back(NatCase(
      "nat.other-address", "OTHER-ADDRESS is another IP address with another port",
      NatMust("6.1",
              "If the server supports an alternate address and port, the server MUST add an "
              "OTHER-ADDRESS attribute to the Binding Response."),
      NatOtherAddress));
  cases.push_back(NatCase("nat.other-address-absent",
                          "OTHER-ADDRESS never names the address that answers",
                          {"5780", "7.4", Level::kMustNot,
                           "OTHER-ADDRESS MUST NOT be inserted into a Binding Response unless the "
                           "server has a second IP address."},
                          NatOtherAddressAbsent, {Feature::kUdpTransport}));
}

// CHANGE-REQUEST: where the response comes from, and what stays the same.
void AddNatChanges(CaseList& cases) {
  cases.push_back(NatCase(
      "nat.change-none", "Without a flag the response comes from where the request went",
      NatMust("6.1",
              "If neither flag is set, or if the CHANGE-REQUEST attribute is absent entirely, "
              "the source IP address of the Binding Response MUST be Da"),
      NatChangeNone));
  cases.push_back(NatCase(
      "nat.change-port", "\"Change port\": the response comes from the other port",
      NatMust("6.1",
              "the source IP address of the Binding Response MUST be Da and the source port of "
              "the Binding Response MUST be Cp."),
      NatChangeCase<false, true>));
  cases.push_back(NatCase(
      "nat.change-ip", "\"Change IP\": the response comes from the other IP address",
      NatMust("6.1",
              "the source IP address of the Binding Response MUST be Ca and the source port of "
              "the Binding Response MUST be Dp."),
      NatChangeCase<true, false>));
  cases.push_back(NatCase(
      "nat.change-both", "Both flags: the response comes from the other IP address and port",
      NatMust("6.1",
              "the source IP address of the Binding Response MUST be Ca and the source port of "
              "the Binding Response MUST be Cp."),
      NatChangeCase<true, true>));
  cases.push_back(NatCase("nat.change-unsupported",
                          "Without a second address CHANGE-REQUEST gets a 420",
                          NatMust("6.1", "the server MUST generate an error response of type 420."),
                          NatChangeUnsupported, {Feature::kUdpTransport}));
  cases.push_back(NatCase(
      "nat.change-unsupported-no-flag",
      "Without a second address CHANGE-REQUEST gets a 420 also when it asks for no change",
      NatMust("6",
              "MUST respond with a 420 (Unknown Attribute) to any Request with a CHANGE-REQUEST "
              "attribute."),
      NatChangeUnsupportedNoFlag, {Feature::kUdpTransport}));
  cases.push_back(NatCase("nat.other-constant", "OTHER-ADDRESS is the same whatever the flags",
                          {"5780", "6.1", Level::kProse,
                           "respectively, regardless of the value of the CHANGE-REQUEST flags."},
                          NatOtherConstant));
  cases.push_back(NatCase("nat.other-mutual",
                          "At the second address the first one is the other one",
                          {"5780", "6.1", Level::kProse,
                           "Let Ca represent the other address, so that if Da is A1, Ca is A2. If "
                           "Da is A2, Ca is A1."},
                          NatOtherMutual));
}

}  // namespace

void AddRfc5780Section06(CaseList& cases) {
  AddNatAddresses(cases);
  AddNatChanges(cases);
  cases.push_back(NatCase(
      "nat.alternate-server", "ALTERNATE-SERVER does not stand with attributes of RFC 5780",
      {"5780", "6.1", Level::kMustNot,
       "An ALTERNATE-SERVER attribute MUST NOT be included with any other attribute defined "
       "in this specification."},
      NatAlternateServer));
  Case tls_ports =
      NatCase("nat.tls-ports", "TCP and TLS have different ports",
              NatMust("6", "TCP and TCP/TLS MUST use different ports."), NatTlsPorts,
              {Feature::kNatDiscovery, Feature::kTcpTransport, Feature::kTlsTransport});
  tls_ports.needs.transport = Transport::kTcp;
  cases.push_back(std::move(tls_ports));
}

}  // namespace rtclab::conformance
