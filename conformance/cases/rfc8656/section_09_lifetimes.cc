// RFC 8656 sections 9, 11.2 and 12.6: what lets a permission live on, and what does not. Slow cases.
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

// RFC 8656 section 9: the Permission Lifetime is 300 s. We look a little earlier and a little later: the server's clock started when it
// answered, and it may look at its clock seldom.
constexpr TimeDelta kStillPermitted = TimeDelta::Seconds(294);
constexpr TimeDelta kNoLongerPermitted = TimeDelta::Seconds(308);
constexpr TimeDelta kHalfWay = TimeDelta::Seconds(200);
constexpr TimeDelta kDataInterval = TimeDelta::Seconds(1);

// Nothing passes in either direction, and everything after a new CreatePermission.
void ExpectPermissionGone(Test& t, Client& client, const Allocation& allocation, Peer& peer) {
  while (client.ReceiveData(TimeDelta::Zero())) {
  }
  while (peer.Receive(TimeDelta::Zero())) {
  }
  peer.Send(allocation.relayed, t.Payload(21));
  t.ExpectNothingAtClient(client, "data from a peer whose permission has expired");
  client.SendIndication(peer.address(), t.Payload(22));
  t.ExpectNothingAtPeer(peer, "data of a Send indication to a peer whose permission has expired");
  client.CreatePermission(peer.address());
  ExpectBothWays(t, client, allocation, peer);
}

void PermissionLifetime(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(peer.address());
  const Timestamp start = t.Now();
  IdleUntil(t, {&client}, start + kStillPermitted);
  ExpectBothWays(t, client, allocation, peer);
  IdleUntil(t, {&client}, start + kNoLongerPermitted);
  ExpectPermissionGone(t, client, allocation, peer);
}

void PermissionRefreshed(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(peer.address());
  const Timestamp start = t.Now();
  IdleUntil(t, {&client}, start + kHalfWay);
  client.CreatePermission(peer.address());
  IdleUntil(t, {&client}, start + kNoLongerPermitted);
  ExpectBothWays(t, client, allocation, peer);
  IdleUntil(t, {&client}, start + kHalfWay + kNoLongerPermitted);
  ExpectPermissionGone(t, client, allocation, peer);
}

// One permission made by CreatePermission and refreshed by ChannelBind, and one the other way round.
void PermissionMixed(Test& t) {
  Peer peer = t.OpenPeer();
  Allocated created = ConnectAndAllocate(t);
  Allocated bound = ConnectAndAllocate(t);
  created.client.CreatePermission(peer.address());
  bound.client.BindChannel(kFirstChannel, peer.address());
  const Timestamp start = t.Now();
  IdleUntil(t, {&created.client, &bound.client}, start + kHalfWay);
  created.client.BindChannel(kFirstChannel, peer.address());
  bound.client.CreatePermission(peer.address());
  IdleUntil(t, {&created.client, &bound.client}, start + kNoLongerPermitted);
  ExpectBothWays(t, created.client, created.allocation, peer);
  ExpectBothWays(t, bound.client, bound.allocation, peer);
}

// Also the permission that a ChannelBind gives.
void PermissionOfChannel(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, peer.address());
  const Timestamp start = t.Now();
  IdleUntil(t, {&client}, start + kStillPermitted);
  ExpectBothWays(t, client, allocation, peer);
  IdleUntil(t, {&client}, start + kNoLongerPermitted);
  ExpectPermissionGone(t, client, allocation, peer);
}

void SendDoesNotRefresh(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(peer.address());
  const Timestamp start = t.Now();
  while (t.Now() < start + kNoLongerPermitted) {
    client.SendIndication(peer.address(), t.Payload(20));
    if (t.Now() < start + kStillPermitted && !peer.Receive(t.target().answer_timeout))
      t.Block("a Send indication was not relayed while the permission was there");
    t.Sleep(kDataInterval);
  }
  ExpectPermissionGone(t, client, allocation, peer);
}

// Data from the peer is relayed for 300 s, however much of it comes.
void DataDoesNotRefresh(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(peer.address());
  const Timestamp start = t.Now();
  while (t.Now() < start + kNoLongerPermitted) {
    peer.Send(allocation.relayed, t.Payload(20));
    if (t.Now() < start + kStillPermitted && !client.ReceiveData(t.target().answer_timeout))
      t.Block("a peer's data was not relayed while the permission was there");
    t.Sleep(kDataInterval);
  }
  ExpectPermissionGone(t, client, allocation, peer);
}

}  // namespace

void AddRfc8656Section09Lifetimes(CaseList& cases) {
  const Needs needs = TurnNeeds(PeerNeed::kLocal);
  cases.push_back({.id = "turn.perm.lifetime",
                   .title = "A permission lives for 300 s",
                   .clauses = {{"8656", "9", Level::kMust,
                                "The Permission Lifetime MUST be 300 seconds (= 5 minutes)."}},
                   .needs = needs,
                   .slow = true,
                   .run = PermissionLifetime});
  cases.push_back({.id = "turn.perm.refresh",
                   .title = "A second CreatePermission gives a permission another 300 s",
                   .clauses = {{"8656", "9", Level::kProse,
                                "then the time-to-expiry for that permission is reset to "
                                "Permission Lifetime."}},
                   .needs = needs,
                   .slow = true,
                   .run = PermissionRefreshed});
  cases.push_back({.id = "turn.perm.mixed-refresh",
                   .title = "CreatePermission and ChannelBind refresh each other's permissions",
                   .clauses = {{"8656", "9", Level::kProse,
                                "CreatePermission and ChannelBind requests may be freely "
                                "intermixed on a permission."}},
                   .needs = needs,
                   .slow = true,
                   .run = PermissionMixed});
  cases.push_back({.id = "turn.perm.lifetime-channel",
                   .title = "The permission that a ChannelBind gives lives for 300 s",
                   .clauses = {{"8656", "9", Level::kMust,
                                "The Permission Lifetime MUST be 300 seconds (= 5 minutes)."},
                               {"8656", "12.1", Level::kProse,
                                "Note, however, that permissions need to be refreshed more "
                                "frequently than channels."}},
                   .needs = needs,
                   .slow = true,
                   .run = PermissionOfChannel});
  cases.push_back({.id = "turn.send.no-refresh",
                   .title = "Send indications do not refresh a permission",
                   .clauses = {{"8656", "11.2", Level::kProse,
                                "Note that a Send indication never causes the server to refresh "
                                "the permission."}},
                   .needs = needs,
                   .slow = true,
                   .run = SendDoesNotRefresh});
  cases.push_back({.id = "turn.data.no-refresh",
                   .title = "Data from the peer does not refresh a permission",
                   .clauses = {{"8656", "9", Level::kMust,
                                "The Permission Lifetime MUST be 300 seconds (= 5 minutes)."},
                               {"8656", "9", Level::kProse,
                                "By sending either CreatePermission requests or ChannelBind "
                                "requests, the client can cause the server to install or refresh a "
                                "permission"}},
                   .needs = needs,
                   .slow = true,
                   .run = DataDoesNotRefresh});
}

}  // namespace rtclab::conformance
