// RFC 8656 section 21: what a server must refuse so that it is no tool of an attack. Only requests: nothing is sent through the relay.
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void SecurityTunnel(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t, AllocateRequest().RequestedFamily(kFamilyIpv6));
  uint16_t number = kFirstChannel;
  // 6to4 (RFC 3056) and Teredo (RFC 4380) forms of documentation addresses.
  for (const std::string_view text : {"[2002:c000:0201::1]:3478", "[2001:0:c000:201::1]:3478"}) {
    const Response response =
        client.Call(TurnChannelBind(number++, *TransportAddress::Parse(text)));
    t.Expect(!response.success(), "ChannelBind to " + std::string(text) + " is refused",
             response.Describe());
  }
}

void SecurityOwnAddress(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  if (client.server().family() != AddressFamily::kIpv4)
    t.Skip("the server's address is not of the allocation's family");
  const Response listener = client.Call(TurnChannelBind(kFirstChannel, client.server()));
  const Response relay = client.Call(TurnChannelBind(kFirstChannel + 1, allocation.relayed));
  t.Info("a channel to the server's own listener: " + listener.Describe() +
         "; to the allocation's own relayed address: " + relay.Describe());
}

}  // namespace

void AddRfc8656Section21(CaseList& cases) {
  cases.push_back({.id = "turn.sec.tunnel",
                   .title = "Channels to 6to4 and Teredo addresses are refused",
                   .clauses = {{"8656", "21.4", Level::kMustNot,
                                "a TURN server MUST NOT accept Teredo or 6to4 addresses in these "
                                "requests."},
                               {"6156", "9.1", Level::kMustNot,
                                "a TURN relay MUST NOT accept Teredo or 6to4 addresses in these "
                                "requests."}},
                   .needs = {.features = {Feature::kTurn, Feature::kIpv6Relay}},
                   .edition = Edition::kCurrent,
                   .run = SecurityTunnel});
  cases.push_back({.id = "turn.sec.loop",
                   .title = "Whether the server relays to itself",
                   .clauses = {{"8656", "21.1.7", Level::kInfo,
                                "An attacker might attempt to cause data packets to loop "
                                "indefinitely between two TURN servers."}},
                   .needs = TurnNeeds(),
                   .run = SecurityOwnAddress});
}

}  // namespace rtclab::conformance
