// RFC 8656 section 6: the state of an allocation: its relayed address and its lifetime.
#include <set>
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

// How far from its time an allocation may end and be believed to end in time.
constexpr TimeDelta kEarly = TimeDelta::Seconds(8);
constexpr TimeDelta kLate = TimeDelta::Seconds(20);
constexpr int64_t kLongestWait_s = 605;

void StateDefaultLifetime(Test& t) {
  Client client = t.Connect();
  const uint32_t lifetime = LifetimeIn(t, client.Call(AllocateRequest()), "Allocate");
  t.Expect(LifetimeIs(lifetime, kDefaultLifetime), "LIFETIME 600 for a request without one",
           std::to_string(lifetime));
}

void StateUniqueRelay(Test& t) {
  std::set<TransportAddress> relayed;
  for (const Allocated& one : AllocateMany(t, 12))
    t.Expect(relayed.insert(one.allocation.relayed).second,
             "a relayed address that no other allocation has", one.allocation.relayed.ToString());
}

// The time when the allocation just made ends; the case is skipped when that is too far away.
Timestamp EndOf(Test& t, const Allocation& allocation) {
  if (allocation.lifetime_s > kLongestWait_s)
    t.Skip("the server granted " + std::to_string(allocation.lifetime_s) + " s");
  return t.Now() + TimeDelta::Seconds(allocation.lifetime_s);
}

// CreatePermission does not refresh an allocation, and so tells whether there is one: with any error, as the code it should have is a
// case of its own. Then Refresh has nothing to refresh.
void ExpectGoneSoon(Test& t, Client& client, const TransportAddress& peer) {
  const Timestamp last = t.Now() + kLate;
  Response response = client.Call(TurnPermission(peer));
  while (response.success() && t.Now() < last) {
    t.Sleep(TimeDelta::Seconds(3));
    response = client.Call(TurnPermission(peer));
  }
  if (StreamClosed(client)) return;
  t.Expect(!response.success(), "no allocation any more",
           "CreatePermission still succeeds after its lifetime");
  t.ExpectError(client.Call(TurnRefresh()), 437, "Refresh after the allocation's lifetime");
}

void StateExpiry(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  const Timestamp end = EndOf(t, allocation);
  client.CreatePermission(peer.address());
  IdleUntil(t, {&client}, end - TimeDelta::Seconds(allocation.lifetime_s / 2));
  client.CreatePermission(peer.address());
  IdleUntil(t, {&client}, end - kEarly);
  t.Note("shortly before the end the allocation works");
  ExpectBothWays(t, client, allocation, peer);
  t.Sleep(end - t.Now());
  ExpectGoneSoon(t, client, peer.address());
  peer.Send(allocation.relayed, t.Payload(20));
  t.ExpectNothingAtClient(client, "data that a peer sends to an expired allocation");
  if (StreamClosed(client)) return;
  t.ExpectSuccess(client.Call(AllocateRequest()),
                  "Allocate on the 5-tuple of an expired allocation");
}

void StateDataDoesNotRefresh(Test& t) {
  constexpr TimeDelta kInterval = TimeDelta::Seconds(5);
  constexpr TimeDelta kPermission = TimeDelta::Seconds(200);
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  const Timestamp end = EndOf(t, allocation);
  Timestamp permission_at = t.Now();
  while (t.Now() < end) {
    if (t.Now() >= permission_at && t.Now() < end - kEarly) {
      client.CreatePermission(peer.address());
      permission_at = t.Now() + kPermission;
    }
    client.SendIndication(peer.address(), t.Payload(20));
    peer.Send(allocation.relayed, t.Payload(20));
    t.Sleep(kInterval);
    while (client.ReceiveData(TimeDelta::Zero())) {
    }
  }
  ExpectGoneSoon(t, client, peer.address());
}

}  // namespace

void AddRfc8656Section06(CaseList& cases) {
  cases.push_back({.id = "turn.state.default-lifetime",
                   .title = "An allocation lives 600 s when the client asks for nothing else",
                   .clauses = {{"8656", "6", Level::kProse,
                                "each Allocate or Refresh transaction resets this timer to the "
                                "default lifetime value of 600 seconds (10 minutes)"},
                               {"5766", "5", Level::kProse,
                                "each Allocate or Refresh transaction resets this timer to the "
                                "default lifetime value of 600 seconds (10 minutes)"}},
                   .needs = TurnNeeds(),
                   .run = StateDefaultLifetime});
  cases.push_back({.id = "turn.state.unique-relay",
                   .title = "No two allocations have the same relayed address",
                   .clauses = {{"8656", "6", Level::kMust,
                                "The relayed transport address MUST be unique across all "
                                "allocations so it can be used to uniquely identify the "
                                "allocation"}},
                   .needs = TurnNeeds(),
                   .run = StateUniqueRelay});
  cases.push_back({.id = "turn.state.expiry",
                   .title = "An allocation works until its lifetime has passed, and is gone then",
                   .clauses = {{"8656", "6", Level::kProse,
                                "The time-to-expiry is the time in seconds left until the "
                                "allocation expires."},
                               {"8656", "5", Level::kMust,
                                "then the message MUST either be rejected with a 437 Allocation "
                                "Mismatch error (if it is a request)"}},
                   .needs = TurnNeeds(PeerNeed::kLocal),
                   .slow = true,
                   .run = StateExpiry});
  cases.push_back({.id = "turn.state.data-no-refresh",
                   .title = "Data in both directions does not prolong an allocation",
                   .clauses = {{"8656", "6", Level::kProse,
                                "Allocations can only be refreshed using the Refresh request; "
                                "sending data to a peer does not refresh an allocation."}},
                   .needs = TurnNeeds(PeerNeed::kLocal),
                   .slow = true,
                   .run = StateDataDoesNotRefresh});
}

}  // namespace rtclab::conformance
