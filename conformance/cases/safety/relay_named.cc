// Probes that may make the server send: only to destinations that the user named, or to addresses of our own.
#include <array>
#include <string>

#include "conformance/cases/rfc6062/tcp_steps.h"
#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr std::size_t kMostDestinations = 16;

const std::vector<IpAddress>& SecDestinations(Test& t) {
  const auto& named = t.target().safety.destinations;
  if (named.empty()) t.Skip("no destination was named");
  if (named.size() > kMostDestinations) t.Skip("more than 16 destinations were named");
  return named;
}

// A STUN server on the destination, or the TURN server itself on that address of its host, would answer this.
Bytes SecInnerBinding(Test& t) {
  Bytes out = {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42};
  const auto id = stun::NewTransactionId(t.rng());
  out.insert(out.end(), id.begin(), id.end());
  return out;
}

bool SecSupportsFamily(Test& t, const IpAddress& ip) {
  return t.Supports(ip.IsV6() ? Feature::kIpv6Relay : Feature::kIpv4Relay);
}

void SecSendNamed(Test& t) {
  std::vector<std::string> faults;
  int tried = 0;
  for (const IpAddress& ip : SecDestinations(t)) {
    if (!SecSupportsFamily(t, ip)) continue;
    t.RequireDestination(ip);
    t.SpendProbe(6);
    ++tried;
    Client client = t.Connect();
    client.Allocate(AllocateRequest().RequestedFamily(SafetyFamily(ip)));
    const TransportAddress peer{ip, client.server().port};
    client.SendIndication(peer, SecInnerBinding(t));
    const Response bound =
        client.Call(Request(stun::Method::kChannelBind).ChannelNumber(0x4000).PeerAddress(peer));
    if (bound.success()) {
      faults.push_back(ip.ToString() + " by ChannelBind");
      client.SendChannelData(0x4000, SecInnerBinding(t));
    }
    const Response permitted =
        client.Call(Request(stun::Method::kCreatePermission).PeerAddress(peer));
    if (permitted.success()) faults.push_back(ip.ToString() + " by CreatePermission");
    client.SendIndication(peer, SecInnerBinding(t));
    while (const auto data = client.ReceiveData(t.target().silence)) {
      faults.push_back(ip.ToString() + (data->has_data ? " answered through the relay"
                                                       : " was tried: an ICMP error came back"));
      if (faults.size() > 2 * kMostDestinations) break;
    }
  }
  if (tried == 0) t.Skip("no destination of a family that the server relays to was named");
  t.Expect(faults.empty(), "nothing is relayed to the destinations named", SafetyJoin(faults));
}

void SecTcpConnectNamed(Test& t) {
  // Services that live on internal addresses.
  constexpr std::array<uint16_t, 3> kPorts = {22, 80, 6379};
  std::vector<std::string> faults;
  int tried = 0;
  for (const IpAddress& ip : SecDestinations(t)) {
    if (!ip.IsV4()) continue;
    t.RequireDestination(ip);
    t.SpendProbe(2 + static_cast<int>(kPorts.size()));
    TcpControl control = TcpOpenControl(t);
    for (const uint16_t port : kPorts) {
      ++tried;
      const Response response = control.client.Call(TcpConnect({ip, port}));
      if (response.code() == 403 || response.code() == 400) continue;
      faults.push_back(TransportAddress{ip, port}.ToString() + ": " + response.Describe());
      if (!control.client.open() || !response) break;
    }
  }
  if (tried == 0) t.Skip("no IPv4 destination was named");
  t.Expect(faults.empty(), "403 to Connect for each destination named", SafetyJoin(faults));
}

// The peer that the server refuses has to be one of ours, or we could not see what reaches it.
void SecSendBypass(Test& t) {
  const TransportAddress denied = *t.target().denied_peer;
  auto watch = PeerSocket::Bind({denied.ip, 0});
  if (!watch) t.Skip(denied.ip.ToString() + ", which the server refuses, is no address of ours");
  const TransportAddress there = watch->local();
  Peer peer = t.OpenPeer();
  Client client = t.Connect();
  t.SpendProbe(6);
  client.Allocate();
  client.CreatePermission(peer.address());
  const Bytes bytes = t.Payload(40);
  client.SendIndication(there, bytes);
  const Response bound =
      client.Call(Request(stun::Method::kChannelBind).ChannelNumber(0x4000).PeerAddress(there));
  client.SendChannelData(0x4000, bytes);
  t.Note("a Send indication to a peer that is allowed, behind those to the one that is not");
  const Bytes fence = t.Payload(41);
  client.SendIndication(peer.address(), fence);
  t.ExpectAtPeer(peer, fence);
  t.Expect(!bound.success(), "no channel to the refused peer", bound.Describe());
  const auto leaked = watch->Receive(t.target().silence);
  t.Expect(!leaked.has_value(), "nothing reaches the refused peer",
           leaked ? std::to_string(leaked->bytes.size()) + " bytes did" : "");
}

void SecRelayToSelf(Test& t) {
  Client client = t.Connect();
  t.SpendProbe(4);
  client.Allocate();
  const TransportAddress self = client.server();
  const Response permitted =
      client.Call(Request(stun::Method::kCreatePermission).PeerAddress(self));
  if (!permitted.success())
    t.Info("no permission for the server's own address: " + permitted.Describe());
  client.SendIndication(self, SecInnerBinding(t));
  const auto data = client.ReceiveData(t.target().silence);
  t.Info(data ? "the server relays to its own listening port, and answers itself"
              : "permission for the server's own address, but nothing came back from its port");
}

}  // namespace

void AddSafetyRelayNamed(CaseList& cases) {
  cases.push_back({.id = "sec.relay.send",
                   .title = "Nothing is relayed to the destinations that the user named",
                   .clauses = {SafetyRule("RFC 8656 section 21.1.4",
                                          "A relay sends only where its policy lets it, whichever "
                                          "way it is asked.")},
                   .needs = SafetyNeeds({Feature::kTurn}),
                   .safety = true,
                   .run = SecSendNamed});
  cases.push_back({.id = "sec.relay.tcp-connect",
                   .title = "Connect to the destinations that the user named gives 403",
                   .clauses = {SafetyRule("RFC 6062 section 5.2",
                                          "What UDP may not reach TCP may not either.")},
                   .needs = SafetyNeeds({Feature::kTurn, Feature::kTcpRelay}, Transport::kTcp),
                   .safety = true,
                   .run = SecTcpConnectNamed});
  Needs bypass = SafetyNeeds({Feature::kTurn, Feature::kIpv4Relay});
  bypass.denied_peer = true;
  bypass.peer = PeerNeed::kLocal;
  cases.push_back({.id = "sec.relay.send-bypass",
                   .title = "What policy refuses is also refused to Send and ChannelData",
                   .clauses = {SafetyRule("RFC 8656 section 11.2",
                                          "Without a permission nothing is relayed, and a refused "
                                          "peer gets none.")},
                   .needs = bypass,
                   .safety = true,
                   .run = SecSendBypass});
  cases.push_back({.id = "sec.relay.self",
                   .title = "Whether the server relays to its own listening address",
                   .clauses = {{"8656", "21.1.7", Level::kInfo,
                                "An attacker might attempt to cause data packets to loop "
                                "indefinitely between two TURN servers."}},
                   .needs = SafetyNeeds({Feature::kTurn, Feature::kIpv4Relay}, Transport::kUdp),
                   .safety = true,
                   .run = SecRelayToSelf});
}

}  // namespace rtclab::conformance
