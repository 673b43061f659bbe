// RFC 8656 section 9: permissions: whose data is let in.
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void PermissionIpOnly(Test& t) {
  Peer named = t.OpenPeer();
  Peer neighbour = t.OpenPeer();
  if (named.address().ip != neighbour.address().ip)
    t.Skip("the peers at hand have different addresses");
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(named.address());
  const Bytes data = t.Payload(33);
  neighbour.Send(allocation.relayed, data);
  const RelayedData received =
      t.ExpectAtClient(client, data, "data from another port of a permitted address");
  t.Expect(received.peer == neighbour.address(), "from " + neighbour.address().ToString(),
           received.peer.ToString());
}

void PermissionOtherIp(Test& t) {
  Peer permitted = t.OpenPeer();
  Peer stranger = t.OpenPeer({.which_address = 1});
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(permitted.address());
  stranger.Send(allocation.relayed, t.Payload(34));
  t.ExpectNothingAtClient(client, "data from an address without a permission");
  const Bytes data = t.Payload(35);
  permitted.Send(allocation.relayed, data);
  ExpectNextAtClient(t, client, data, "data from an address without a permission");
}

void PermissionIsolation(Test& t) {
  Peer peer = t.OpenPeer();
  Allocated with = ConnectAndAllocate(t);
  Allocated without = ConnectAndAllocate(t);
  with.client.CreatePermission(peer.address());
  peer.Send(without.allocation.relayed, t.Payload(36));
  t.ExpectNothingAtClient(without.client, "data of a peer that another allocation permits");
  without.client.SendIndication(peer.address(), t.Payload(37));
  t.ExpectNothingAtPeer(peer, "data to a peer that another allocation permits");
  ExpectBothWays(t, with.client, with.allocation, peer);
}

// A new allocation on the same 5-tuple starts without what the deleted one had.
void PermissionDiesWithAllocation(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(peer.address());
  client.BindChannel(kFirstChannel, peer.address());
  const Allocation second = ReleaseAndAllocate(t, client);
  peer.Send(second.relayed, t.Payload(38));
  t.ExpectNothingAtClient(client, "data of a peer that only the deleted allocation permits");
  client.SendRaw(PaddedChannelData(kFirstChannel, t.Payload(39)));
  t.ExpectNothingAtPeer(peer, "data on a channel of the deleted allocation");
  client.CreatePermission(peer.address());
  ExpectBothWays(t, client, second, peer);
}

}  // namespace

void AddRfc8656Section09(CaseList& cases) {
  cases.push_back({.id = "turn.perm.ip-only",
                   .title = "A permission is for an address, whatever the port",
                   .clauses = {{"8656", "9", Level::kProse,
                                "Note that only addresses are compared and port numbers are not "
                                "considered."}},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = PermissionIpOnly});
  cases.push_back({.id = "turn.perm.other-ip",
                   .title = "Data from an address without a permission is dropped",
                   .clauses = {{"8656", "9", Level::kProse,
                                "If no match is found, relaying is not permitted and the server "
                                "silently discards the UDP datagram."}},
                   .needs = TurnNeeds(PeerNeed::kTwoLocal),
                   .run = PermissionOtherIp});
  cases.push_back({.id = "turn.perm.isolation",
                   .title = "A permission of one allocation is none of another",
                   .clauses = {{"8656", "9", Level::kProse,
                                "The permissions for one allocation are totally unrelated to the "
                                "permissions for a different allocation."}},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = PermissionIsolation});
  cases.push_back({.id = "turn.perm.ends-with-allocation",
                   .title = "Permissions and channels end with their allocation",
                   .clauses = {{"8656", "9", Level::kProse,
                                "If an allocation expires, all its permissions expire with it."},
                               {"8656", "12", Level::kProse,
                                "If an allocation expires, all its channel bindings expire with "
                                "it."}},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = PermissionDiesWithAllocation});
}

}  // namespace rtclab::conformance
