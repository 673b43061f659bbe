#include "conformance/engine/features.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <thread>

#include "conformance/engine/test.h"
#include "stack/stun/nonce.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;

constexpr TimeDelta kProbeLimit = TimeDelta::Seconds(15);

FeatureState Present(const std::string& how) { return {true, "probed: " + how}; }
FeatureState Absent(const std::string& how) { return {false, "probed: " + how}; }
FeatureState Unknown(const std::string& how) { return {false, "unknown: " + how, false}; }

// An Allocate with something in it: a success means that it is understood, 420 and `no` that it is not.
FeatureState AllocateWith(Test& t, const Request& request, std::string_view what, int no = 420) {
  Client client = t.Connect();
  const Response response = client.Call(request);
  if (response.success()) return Present(fmt::format("Allocate with {} succeeds", what));
  const std::string how = fmt::format("{} to Allocate with {}", response.Describe(), what);
  return response.code() == no || response.code() == 420 ? Absent(how) : Unknown(how);
}

FeatureState ProbeTurn(Test& t) {
  if (t.target().stun_only) return {false, "declared by the stun: URI"};
  Client client = t.Connect();
  Response response = client.Call(AllocateRequest());
  // A server without IPv4 addresses says so to a client that names no family (RFC 8656 section 7.2).
  if (response.code() == stun::kErrorAddressFamilyNotSupported) {
    response = client.Call(AllocateRequest().RequestedFamily(2));
  }
  if (response.success()) {
    return Present(t.target().user ? "it allocates for the user" : "it allocates for anyone");
  }
  if (!t.target().user && response.code() == 401) {
    return Unknown("it asks for credentials, and none were given");
  }
  return Absent(response.Describe() + " to Allocate");
}

FeatureState ProbeEndpoint(Test& t, Transport transport, std::optional<AddressFamily> family) {
  ConnectOptions options;
  options.transport = transport;
  options.family = family;
  options.must_open = false;
  for (const AddressFamily f : {t.target().family, AddressFamily::kIpv4, AddressFamily::kIpv6}) {
    if (!family && t.target().endpoints.contains({transport, f})) {
      options.family = f;
      break;
    }
  }
  Client client = t.Connect(options);
  if (!client.open()) return Absent(t.exchange().back().note);
  Response answer = client.Once(Request(Method::kBinding).Unsigned());
  if (!answer) answer = client.Once(AllocateRequest().Unsigned());
  const std::string where =
      fmt::format("{} over {}", client.server().ToString(), ToString(transport));
  return answer ? Present(where + " answers") : Absent(where + " does not answer");
}
FeatureState ProbeUdp(Test& t) { return ProbeEndpoint(t, Transport::kUdp, {}); }
FeatureState ProbeTcp(Test& t) { return ProbeEndpoint(t, Transport::kTcp, {}); }
FeatureState ProbeTls(Test& t) { return ProbeEndpoint(t, Transport::kTls, {}); }
FeatureState ProbeDtls(Test& t) { return ProbeEndpoint(t, Transport::kDtls, {}); }
FeatureState ProbeIpv6Transport(Test& t) {
  for (const Transport transport : {t.target().transport, Transport::kUdp, Transport::kTcp,
                                    Transport::kTls, Transport::kDtls}) {
    if (t.target().endpoints.contains({transport, AddressFamily::kIpv6})) {
      return ProbeEndpoint(t, transport, AddressFamily::kIpv6);
    }
  }
  return Unknown("no IPv6 address of the server is known");
}

FeatureState ProbeIpv6Relay(Test& t) {
  return AllocateWith(t, AllocateRequest().RequestedFamily(2), "REQUESTED-ADDRESS-FAMILY IPv6",
                      440);
}
FeatureState ProbeIpv4Relay(Test& t) {
  return AllocateWith(t, AllocateRequest(), "nothing else", 440);
}

FeatureState ProbeDual(Test& t) {
  Client client = t.Connect();
  const Response response = client.Call(AllocateRequest().AdditionalFamily(2));
  if (!response.success()) {
    return Unknown(response.Describe() + " to Allocate with ADDITIONAL-ADDRESS-FAMILY");
  }
  const auto relayed = response.view().GetXorAddresses(AttributeType::kXorRelayedAddress);
  const std::size_t count = relayed ? relayed->size() : 0;
  const std::string how = fmt::format("ADDITIONAL-ADDRESS-FAMILY IPv6 gives {} relayed address{}",
                                      count, count == 1 ? "" : "es");
  return count >= 2 ? Present(how) : Absent(how);
}

FeatureState ProbeEvenPort(Test& t) {
  return AllocateWith(t, AllocateRequest().EvenPort(false), "EVEN-PORT");
}
FeatureState ProbeReservation(Test& t) {
  return AllocateWith(t, AllocateRequest().EvenPort(true), "EVEN-PORT and its R bit");
}
FeatureState ProbeDontFragment(Test& t) {
  return AllocateWith(t, AllocateRequest().DontFragment(), "DONT-FRAGMENT");
}

FeatureState ProbeSecurity(Test& t, bool userhash) {
  Client client = t.Connect();
  client.Challenge();
  const auto features = stun::ParseNonceCookie(client.nonce());
  if (!features) return Absent("the nonce has no cookie of RFC 8489");
  const bool set = userhash ? features->username_anonymity : features->password_algorithms;
  return (set ? Present : Absent)(
      fmt::format("bit {} of the nonce cookie is {}", userhash ? 1 : 0, set ? "set" : "clear"));
}
FeatureState ProbeSecurityFeatures(Test& t) { return ProbeSecurity(t, false); }
FeatureState ProbeUserhash(Test& t) { return ProbeSecurity(t, true); }

FeatureState ProbeTcpRelay(Test& t) {
  ConnectOptions options;
  options.transport = Transport::kTcp;
  if (!t.target().endpoints.contains({Transport::kTcp, t.target().family})) {
    if (!t.target().endpoints.contains({Transport::kTls, t.target().family})) {
      return Unknown("no TCP or TLS endpoint of the server is known");
    }
    options.transport = Transport::kTls;
  }
  Client client = t.Connect(options);
  const Response response = client.Call(Request(Method::kAllocate).RequestedTransport(6));
  const std::string how = response.Describe() + " to REQUESTED-TRANSPORT TCP";
  if (response.success()) return Present(how);
  return response.code() == 442 || response.code() == 400 ? Absent(how) : Unknown(how);
}

FeatureState ProbeMobility(Test& t) {
  Client client = t.Connect();
  const Response response = client.Call(AllocateRequest().MobilityTicket({}));
  if (response.code() == 405) return Absent("405 to Allocate with MOBILITY-TICKET");
  if (!response.success())
    return Unknown(response.Describe() + " to Allocate with MOBILITY-TICKET");
  if (response.Has(AttributeType::kMobilityTicket)) return Present("it gives a MOBILITY-TICKET");
  return Absent("it gives no MOBILITY-TICKET");
}

FeatureState ProbeOauth(Test& t) {
  Client client = t.Connect();
  const Response response = client.Once(AllocateRequest().Unsigned());
  if (!response.Has(AttributeType::kThirdPartyAuthorization)) {
    return Absent("no THIRD-PARTY-AUTHORIZATION in its 401 response");
  }
  if (!t.target().oauth)
    return Unknown("it offers THIRD-PARTY-AUTHORIZATION, and no key was given");
  return Present("THIRD-PARTY-AUTHORIZATION in its 401 response");
}

FeatureState BindingWith(Test& t, const Request& request, std::string_view what) {
  Client client = t.Connect();
  const Response response = client.Once(Request(request).Unsigned());
  const std::string how = fmt::format("{} to Binding with {}", response.Describe(), what);
  if (response.success()) return Present(how);
  return response.code() == 420 ? Absent(how) : Unknown(how);
}

FeatureState ProbeNatDiscovery(Test& t) {
  ConnectOptions udp;
  udp.transport = Transport::kUdp;
  Client client = t.Connect(udp);
  const Response response = client.Once(Request(Method::kBinding).Unsigned());
  if (!response) return Unknown("no answer to Binding");
  const auto other = response.view().GetAddress(AttributeType::kOtherAddress);
  if (!other) return Absent("no OTHER-ADDRESS in its Binding response");
  if (other->ip == client.server().ip) return Absent("OTHER-ADDRESS has the same IP address");
  return Present("OTHER-ADDRESS " + other->ToString());
}

FeatureState ProbeResponsePort(Test& t) {
  ConnectOptions udp;
  udp.transport = Transport::kUdp;
  Client client = t.Connect(udp);
  const Response response =
      client.Once(Request(Method::kBinding).ResponsePort(client.local().port).Unsigned());
  const std::string how = response.Describe() + " to Binding with RESPONSE-PORT";
  if (response.success()) return Present(how);
  return response.code() == 420 ? Absent(how) : Unknown(how);
}
FeatureState ProbePadding(Test& t) {
  return BindingWith(t, Request(Method::kBinding).Padding(64), "PADDING");
}

FeatureState ProbeClassicStun(Test& t) {
  ConnectOptions udp;
  udp.transport = Transport::kUdp;
  Client client = t.Connect(udp);
  Bytes request(20);
  t.rng().Fill(request);
  request[0] = 0x00, request[1] = 0x01, request[2] = 0, request[3] = 0;
  request[4] = 0x5a;  // no magic cookie
  for (int i = 0; i < 3; ++i) {
    client.SendRaw(request);
    const auto answer = client.ReceiveRaw(TimeDelta::Millis(500));
    if (answer && answer->bytes.size() >= 20 && LoadU16(answer->bytes.data()) == 0x0101) {
      return Present("a Binding without magic cookie is answered");
    }
  }
  return Absent("a Binding without magic cookie is not answered");
}

FeatureState ProbeAlpn(Test& t) {
  ConnectOptions options;
  options.transport = Transport::kTls;
  options.secure.alpn = {"stun.turn", "stun.nat-discovery"};
  Client client = t.Connect(options);
  const SecureInfo* info = client.channel().secure();
  if (!info || info->alpn.empty()) return Absent("no ALPN protocol was selected");
  return Present("ALPN " + info->alpn);
}

FeatureState ProbeIcmp(Test& t) {
  const bool v6 = !t.Supports(Feature::kIpv4Relay);
  const AddressFamily family = v6 ? AddressFamily::kIpv6 : AddressFamily::kIpv4;
  Client client = t.Connect();
  client.Allocate(v6 ? AllocateRequest().RequestedFamily(2) : AllocateRequest());
  const TransportAddress closed = t.ClosedPort({.family = family});
  client.CreatePermission(closed);
  for (int i = 0; i < 3; ++i) {
    client.SendIndication(closed, t.Payload(20));
    while (auto data = client.ReceiveData(TimeDelta::Millis(400))) {
      if (data->icmp) return Present("a Data indication with ICMP for a closed port");
    }
  }
  return Absent("no ICMP for a closed port");
}

FeatureState ProbeRest(Test& t) {
  if (t.target().rest_secret.empty()) return Unknown("no secret was given");
  Client client = t.ConnectAs(t.RestUser(TimeDelta::Seconds(3'600)));
  const Response response = client.Call(AllocateRequest());
  const std::string how = response.Describe() + " with time-limited credentials";
  return response.success() ? Present(how) : Absent(how);
}

FeatureState ProbeRedirect(Test& t) {
  if (!t.target().redirecting) return Unknown("no listener that redirects was named");
  ConnectOptions options;
  options.server = t.target().redirecting;
  Client client = t.Connect(options);
  const Response response = client.Call(AllocateRequest());
  const std::string how = response.Describe() + " from the listener named for it";
  return response.code() == 300 ? Present(how) : Absent(how);
}

struct FeatureProbe {
  FeatureState (*run)(Test&);
  bool turn;  // makes no sense without TURN
};
// In the order of Feature.
constexpr std::array<FeatureProbe, kFeatureCount> kFeatureProbes = {{
    {ProbeTurn, false},
    {ProbeUdp, false},
    {ProbeTcp, false},
    {ProbeTls, false},
    {ProbeDtls, false},
    {ProbeIpv6Transport, false},
    {ProbeIpv6Relay, true},
    {ProbeIpv4Relay, true},
    {ProbeDual, true},
    {ProbeEvenPort, true},
    {ProbeReservation, true},
    {ProbeDontFragment, true},
    {ProbeSecurityFeatures, true},
    {ProbeUserhash, true},
    {ProbeTcpRelay, true},
    {ProbeMobility, true},
    {ProbeOauth, false},
    {ProbeNatDiscovery, false},
    {ProbeResponsePort, false},
    {ProbePadding, false},
    {ProbeClassicStun, false},
    {ProbeAlpn, false},
    {ProbeIcmp, true},
    {ProbeRest, true},
    {ProbeRedirect, true},
}};

FeatureState ProbeOne(RunContext& run, Feature feature) {
  static const Case kCase = {.id = "feature", .title = "feature"};
  const std::string id = fmt::format("feature/{}", ToString(feature));
  Session session(run, id, 0, run.target().transport, run.target().family, kProbeLimit);
  try {
    Test t(kCase, session);
    return kFeatureProbes[static_cast<std::size_t>(feature)].run(t);
  } catch (const Stop& stop) {
    return Unknown(stop.verdict.reason.empty() ? stop.verdict.actual : stop.verdict.reason);
  } catch (const Interruption&) {
    return Unknown("stopped");
  }
}

}  // namespace

void ProbeFeatures(RunContext& run, int jobs) {
  const auto declared = [&](Feature feature) -> std::optional<FeatureState> {
    const auto found = run.target().declared.find(feature);
    if (found == run.target().declared.end()) return std::nullopt;
    return FeatureState{found->second, "declared"};
  };
  run.features[Feature::kTurn] = declared(Feature::kTurn).value_or(FeatureState{});
  if (run.features[Feature::kTurn].how.empty()) {
    run.features[Feature::kTurn] = ProbeOne(run, Feature::kTurn);
  }
  const bool turn = run.Supports(Feature::kTurn);
  // ICMP asks which families there are, so it comes last.
  std::vector<Feature> first;
  std::map<Feature, FeatureState> found;
  for (std::size_t i = 1; i < kFeatureCount; ++i) {
    const auto feature = static_cast<Feature>(i);
    if (auto state = declared(feature)) {
      found[feature] = *state;
    } else if (kFeatureProbes[i].turn && !turn) {
      const FeatureState& relay = run.features[Feature::kTurn];
      found[feature] = {false, "no TURN: " + relay.how, relay.known};
    } else if (feature != Feature::kIcmp) {
      first.push_back(feature);
    }
  }
  std::vector<FeatureState> states(first.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> workers;
  workers.reserve(static_cast<std::size_t>(jobs));
  for (int i = 0; i < jobs; ++i) {
    workers.emplace_back([&] {
      for (std::size_t at = next++; at < first.size(); at = next++) {
        states[at] = ProbeOne(run, first[at]);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (std::size_t i = 0; i < first.size(); ++i) found[first[i]] = std::move(states[i]);
  run.features.merge(found);
  if (!run.features.contains(Feature::kIcmp)) {
    run.features[Feature::kIcmp] = ProbeOne(run, Feature::kIcmp);
  }
}

}  // namespace rtclab::conformance
