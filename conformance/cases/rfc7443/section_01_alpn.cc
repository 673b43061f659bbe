// RFC 7443: the ALPN names of STUN and TURN over TLS and DTLS (RFC 7301).
#include <fmt/format.h>

#include "conformance/cases/sections.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {
namespace {

struct AlpnOutcome {
  bool open = false;
  std::string selected;  // when open; empty: no ALPN
  std::string reason;    // when not
  // RFC 7301 section 3.2: what a server says that has none of the protocols offered.
  bool refused = false;
};

AlpnOutcome AlpnOffer(Test& t, std::string_view protocol) {
  ConnectOptions options;
  options.secure.alpn = {std::string(protocol)};
  options.must_open = false;
  Client client = t.Connect(options);
  AlpnOutcome outcome;
  outcome.open = client.open();
  if (outcome.open) {
    const SecureInfo* info = client.channel().secure();
    if (info != nullptr) outcome.selected = info->alpn;
    return outcome;
  }
  outcome.reason = t.exchange().empty() ? "not connected" : t.exchange().back().note;
  outcome.refused = outcome.reason.find("no application protocol") != std::string::npos;
  return outcome;
}

// That a handshake works at all is not the point here.
void AlpnExpect(Test& t, std::string_view protocol) {
  t.Connect();
  const AlpnOutcome outcome = AlpnOffer(t, protocol);
  const std::string expected =
      fmt::format("a handshake that offers {} ends with {} or without ALPN", protocol, protocol);
  if (outcome.refused) t.Info(fmt::format("refused: {}", outcome.reason));
  if (!outcome.open) t.Fail(expected, outcome.reason);
  t.Expect(outcome.selected.empty() || outcome.selected == protocol, expected,
           outcome.selected + " was selected");
}

void AlpnTurn(Test& t) { AlpnExpect(t, "stun.turn"); }
void AlpnNatDiscovery(Test& t) { AlpnExpect(t, "stun.nat-discovery"); }

void AlpnUnknown(Test& t) {
  t.Connect();
  const AlpnOutcome outcome = AlpnOffer(t, "h2");
  if (!outcome.open) t.Info("a client that offers h2 alone is refused: " + outcome.reason);
  t.Info(outcome.selected.empty()
             ? "a client that offers h2 alone is served without ALPN"
             : "for a client that offers h2 alone it selects " + outcome.selected);
}

Case AlpnCase(std::string_view id, std::string_view title, Transport transport, Clause clause,
              void (*run)(Test&)) {
  Case test_case{.id = id, .title = title, .clauses = {clause}, .run = run};
  test_case.needs.transport = transport;
  test_case.needs.features = {transport == Transport::kTls ? Feature::kTlsTransport
                                                           : Feature::kDtlsTransport};
  return test_case;
}

}  // namespace

void AddRfc7443(CaseList& cases) {
  const Clause turn{
      "7443", "1", Level::kProse,
      "Label to identify the specific use of STUN over (D)TLS for TURN (Section 4.6 of "
      "[RFC7350])."};
  const Clause discovery{"7443", "1", Level::kProse,
                         "Label to identify the specific use of STUN over (D)TLS for NAT discovery "
                         "(Section 4.1 of [RFC7350])."};
  const Clause unknown{"7301", "3.2", Level::kInfo,
                       "the server SHALL respond with a fatal \"no_application_protocol\" alert."};
  cases.push_back(
      AlpnCase("alpn.turn", "TLS with ALPN stun.turn", Transport::kTls, turn, AlpnTurn));
  cases.back().needs.features.push_back(Feature::kTurn);
  cases.push_back(
      AlpnCase("alpn.turn-dtls", "DTLS with ALPN stun.turn", Transport::kDtls, turn, AlpnTurn));
  cases.back().needs.features.push_back(Feature::kTurn);
  cases.push_back(AlpnCase("alpn.nat-discovery", "TLS with ALPN stun.nat-discovery",
                           Transport::kTls, discovery, AlpnNatDiscovery));
  cases.push_back(AlpnCase("alpn.nat-discovery-dtls", "DTLS with ALPN stun.nat-discovery",
                           Transport::kDtls, discovery, AlpnNatDiscovery));
  cases.push_back(AlpnCase("alpn.unknown", "What becomes of a client that offers another protocol",
                           Transport::kTls, unknown, AlpnUnknown));
}

}  // namespace rtclab::conformance
