// RFC 8656 section 8: Refresh: lifetimes, deletion, dual allocations.
#include <algorithm>
#include <string>
#include <utility>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

Request DualRequest() { return AllocateRequest().AdditionalFamily(kFamilyIpv6); }

void RefreshFamilyMismatch(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  t.ExpectError(client.Call(TurnRefresh().RequestedFamily(kFamilyIpv6)), 443,
                "Refresh with REQUESTED-ADDRESS-FAMILY IPv6 of an IPv4 allocation");
  t.ExpectSuccess(client.Call(TurnRefresh().RequestedFamily(kFamilyIpv4)),
                  "Refresh with the allocation's family");
}

struct DualPeers {
  Peer v4;
  Peer v6;
};

DualPeers OpenDualPeers(Test& t) {
  Peer v4 = t.OpenPeer();
  Peer v6 = t.OpenPeer({.family = AddressFamily::kIpv6});
  return {std::move(v4), std::move(v6)};
}

struct DualAddresses {
  TransportAddress v4;
  TransportAddress v6;
};

// The two relayed addresses, that come in any order.
DualAddresses BothAddresses(Test& t, const Allocation& allocation) {
  if (!allocation.relayed_v6) t.Block("the dual allocation has one relayed address only");
  DualAddresses both = {allocation.relayed, *allocation.relayed_v6};
  if (both.v4.ip.IsV6()) std::swap(both.v4, both.v6);
  return both;
}

void RefreshDualOne(Test& t) {
  auto [v4, v6] = OpenDualPeers(t);
  auto [client, allocation] = ConnectAndAllocate(t, DualRequest());
  const DualAddresses relayed = BothAddresses(t, allocation);
  client.CreatePermission({v4.address(), v6.address()});
  client.BindChannel(kFirstChannel, v4.address());
  const Bytes before = t.Payload(16);
  v6.Send(relayed.v6, before);
  t.ExpectAtClient(client, before, "data to the IPv6 half");
  t.ExpectSuccess(client.Call(TurnRefresh(0).RequestedFamily(kFamilyIpv6)),
                  "deleting the IPv6 half");
  t.Note("the IPv4 half has its channel, its permission, and its lifetime");
  const Bytes data = t.Payload(17);
  client.SendRaw(PaddedChannelData(kFirstChannel, data));
  t.ExpectAtPeer(v4, data, "ChannelData through the IPv4 half");
  const Bytes back = t.Payload(18);
  v4.Send(relayed.v4, back);
  const RelayedData received = t.ExpectAtClient(client, back, "data to the IPv4 half");
  t.Expect(received.channel == kFirstChannel, "ChannelData on the channel bound before",
           "a Data indication");
  t.ExpectSuccess(client.Call(TurnRefresh()), "Refresh of what is left");
  v6.Send(relayed.v6, t.Payload(19));
  t.ExpectNothingAtClient(client, "data to the deleted IPv6 half");
}

void RefreshDualAll(Test& t) {
  auto [v4, v6] = OpenDualPeers(t);
  auto [client, allocation] = ConnectAndAllocate(t, DualRequest());
  const DualAddresses relayed = BothAddresses(t, allocation);
  client.CreatePermission({v4.address(), v6.address()});
  t.ExpectSuccess(client.Call(TurnRefresh()), "Refresh without a family");
  const Bytes first = t.Payload(16), second = t.Payload(17);
  v4.Send(relayed.v4, first);
  t.ExpectAtClient(client, first, "data to the IPv4 half");
  v6.Send(relayed.v6, second);
  t.ExpectAtClient(client, second, "data to the IPv6 half");
  t.ExpectSuccess(client.Call(TurnRefresh(0)), "deleting without a family");
  v4.Send(relayed.v4, t.Payload(18));
  v6.Send(relayed.v6, t.Payload(19));
  t.ExpectNothingAtClient(client, "data to either half after both were deleted");
  t.ExpectError(client.Call(TurnRefresh()), 437, "Refresh after both halves were deleted");
}

void RefreshDefault(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t, AllocateRequest().Lifetime(1'800));
  const uint32_t lifetime = LifetimeIn(t, client.Call(TurnRefresh()), "Refresh without LIFETIME");
  t.Expect(LifetimeIs(lifetime, kDefaultLifetime), "LIFETIME 600", std::to_string(lifetime));
}

void RefreshLow(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  for (const uint32_t wanted : {1u, 599u}) {
    const uint32_t lifetime = LifetimeIn(t, client.Call(TurnRefresh(wanted)),
                                         "Refresh with LIFETIME " + std::to_string(wanted));
    t.Expect(LifetimeIs(lifetime, kDefaultLifetime), "LIFETIME 600", std::to_string(lifetime));
  }
}

void RefreshHigh(Test& t) {
  constexpr uint32_t kWanted = 99'999;
  const Allocated other = ConnectAndAllocate(t, AllocateRequest().Lifetime(kWanted));
  auto [client, allocation] = ConnectAndAllocate(t);
  const uint32_t lifetime =
      LifetimeIn(t, client.Call(TurnRefresh(kWanted)), "Refresh with LIFETIME 99999");
  t.Expect(LifetimeIs(lifetime, other.allocation.lifetime_s),
           "the LIFETIME that an Allocate request for as much gets, " +
               std::to_string(other.allocation.lifetime_s),
           std::to_string(lifetime));
}

void RefreshMiddle(Test& t) {
  constexpr uint32_t kWanted = 1'200;
  auto [client, allocation] = ConnectAndAllocate(t);
  const uint32_t most =
      LifetimeIn(t, client.Call(TurnRefresh(99'999)), "Refresh with LIFETIME 99999");
  const uint32_t expected = std::max(kDefaultLifetime, std::min(kWanted, most));
  const uint32_t lifetime =
      LifetimeIn(t, client.Call(TurnRefresh(kWanted)), "Refresh with LIFETIME 1200");
  t.Expect(LifetimeIs(lifetime, expected), "LIFETIME " + std::to_string(expected),
           std::to_string(lifetime));
}

void RefreshDelete(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.CreatePermission(peer.address());
  const Bytes data = t.Payload(30);
  peer.Send(allocation.relayed, data);
  t.ExpectAtClient(client, data, "data before the deletion");
  const uint32_t lifetime = LifetimeIn(t, client.Call(TurnRefresh(0)), "Refresh with LIFETIME 0");
  t.Expect(lifetime == 0, "LIFETIME 0", std::to_string(lifetime));
  peer.Send(allocation.relayed, t.Payload(31));
  t.ExpectNothingAtClient(client, "data that a peer sends to a deleted allocation");
}

void RefreshDeleteTwice(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  const auto id = stun::NewTransactionId(t.rng());
  const Bytes request = client.Encode(TurnRefresh(0).TransactionId(id));
  const Response first = client.OnceRaw(request, id);
  if (!first.success()) t.Block("Refresh with LIFETIME 0: " + first.Describe());
  const Response second = client.OnceRaw(request, id);
  if (second.success()) return;
  t.ExpectError(second, 437, "the same deleting Refresh once more");
}

// What a request gets after the deletion, on a 5-tuple that is still there.
Response CallAfterDelete(Test& t, Client& client, const Request& request) {
  Response response = client.Call(request);
  if (!response && StreamClosed(client))
    t.Skip("the server closes the stream of an allocation that ends");
  return response;
}

void RefreshAfterDelete(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.Release();
  t.ExpectError(CallAfterDelete(t, client, TurnRefresh()), 437, "Refresh after the deletion");
  t.ExpectError(CallAfterDelete(t, client, TurnPermission(peer.address())), 437,
                "CreatePermission after the deletion");
  t.ExpectError(CallAfterDelete(t, client, TurnChannelBind(kFirstChannel, peer.address())), 437,
                "ChannelBind after the deletion");
}

void RefreshDeleteFrees(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  client.Release();
  t.ExpectSuccess(CallAfterDelete(t, client, AllocateRequest()),
                  "Allocate on a 5-tuple whose allocation was deleted");
}

void RefreshLifetimePresent(Test& t) {
  auto [client, allocation] = ConnectAndAllocate(t);
  const uint32_t lifetime = LifetimeIn(t, client.Call(TurnRefresh(1'000)), "Refresh");
  t.Expect(lifetime + 1 >= kDefaultLifetime, "a LIFETIME of at least 600",
           std::to_string(lifetime));
}

constexpr std::string_view kDesiredDefaultClause =
    "Otherwise, the \"desired lifetime\" is the default lifetime.";
constexpr std::string_view kDesiredComputedClause =
    "If this computed value is greater than the default lifetime, then the \"desired lifetime\" is "
    "the computed value.";

void AddDual(CaseList& cases) {
  Needs needs = TurnNeeds(PeerNeed::kAny, {Feature::kDualAllocation});
  cases.push_back({.id = "turn.refresh.family-mismatch",
                   .title = "Refresh for a family that the allocation lacks is answered with 443",
                   .clauses = {{"8656", "8.2", Level::kMust,
                                "the server MUST reply with a 443 (Peer Address Family Mismatch) "
                                "Refresh error response."}},
                   .needs = TurnNeeds(),
                   .edition = Edition::kCurrent,
                   .run = RefreshFamilyMismatch});
  cases.push_back({.id = "turn.refresh.dual-one",
                   .title = "Deleting one half of a dual allocation leaves the other as it was",
                   .clauses = {{"8656", "8.1", Level::kMustNot,
                                "it MUST NOT affect any permissions or channels associated with "
                                "allocations for the other address family."}},
                   .needs = needs,
                   .edition = Edition::kCurrent,
                   .run = RefreshDualOne});
  cases.push_back({.id = "turn.refresh.dual-all",
                   .title = "Refresh without a family is about both halves of a dual allocation",
                   .clauses = {{"8656", "8.1", Level::kProse,
                                "then the request should be treated as applying to all current "
                                "allocations."}},
                   .needs = needs,
                   .edition = Edition::kCurrent,
                   .run = RefreshDualAll});
}

void AddDeletion(CaseList& cases) {
  cases.push_back({.id = "turn.refresh.delete",
                   .title = "Refresh with LIFETIME 0 deletes the allocation",
                   .clauses = {{"8656", "8.2", Level::kProse,
                                "If the \"desired lifetime\" is zero, then the request succeeds "
                                "and the allocation is deleted."}},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = RefreshDelete});
  cases.push_back({.id = "turn.refresh.delete-twice",
                   .title = "A retransmitted deleting Refresh is answered with success or 437",
                   .clauses = {{"8656", "8.2", Level::kProse,
                                "A retransmitted Refresh request with a zero \"desired lifetime\" "
                                "will cause a 437 (Allocation Mismatch) response"}},
                   .needs = TurnNeedsOver(Transport::kUdp),
                   .run = RefreshDeleteTwice});
  cases.push_back({.id = "turn.refresh.after-delete",
                   .title = "Requests after the deletion are answered with 437",
                   .clauses = {{"8656", "5", Level::kMust,
                                "then the message MUST either be rejected with a 437 Allocation "
                                "Mismatch error (if it is a request)"}},
                   .needs = TurnNeeds(PeerNeed::kAny),
                   .run = RefreshAfterDelete});
  cases.push_back({.id = "turn.refresh.delete-frees",
                   .title = "After the deletion the 5-tuple can have a new allocation",
                   .clauses = {{"8656", "7.2", Level::kProse,
                                "The server checks if the 5-tuple is currently in use by an "
                                "existing allocation."}},
                   .needs = TurnNeeds(),
                   .run = RefreshDeleteFrees});
}

}  // namespace

void AddRfc8656Section08(CaseList& cases) {
  AddDual(cases);
  cases.push_back({.id = "turn.refresh.default",
                   .title = "Refresh without LIFETIME sets the default lifetime",
                   .clauses = {{"8656", "8.2", Level::kProse, kDesiredDefaultClause}},
                   .needs = TurnNeeds(),
                   .run = RefreshDefault});
  cases.push_back({.id = "turn.refresh.life-low",
                   .title = "Refresh with a LIFETIME below the default sets the default",
                   .clauses = {{"8656", "8.2", Level::kProse, kDesiredDefaultClause}},
                   .needs = TurnNeeds(),
                   .run = RefreshLow});
  cases.push_back({.id = "turn.refresh.life-mid",
                   .title = "Refresh gets the LIFETIME it proposes up to the server's maximum",
                   .clauses = {{"8656", "8.2", Level::kProse, kDesiredComputedClause}},
                   .needs = TurnNeeds(),
                   .run = RefreshMiddle});
  cases.push_back({.id = "turn.refresh.life-high",
                   .title = "Refresh is granted no more than Allocate",
                   .clauses = {{"8656", "8.1", Level::kProse,
                                "The server then computes a new time-to-expiry value in the same "
                                "way as it does for an Allocate transaction"},
                               {"8656", "8.2", Level::kProse, kDesiredComputedClause}},
                   .needs = TurnNeeds(),
                   .run = RefreshHigh});
  cases.push_back({.id = "turn.refresh.resp-lifetime",
                   .title = "The Refresh response says how long the allocation has",
                   .clauses = {{"8656", "8.2", Level::kProse,
                                "A LIFETIME attribute containing the current value of the "
                                "time-to-expiry timer."}},
                   .needs = TurnNeeds(),
                   .run = RefreshLifetimePresent});
  AddDeletion(cases);
}

}  // namespace rtclab::conformance
