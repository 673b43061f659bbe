// RFC 8656 sections 12 and 12.6: how long a channel is bound. Slow cases: each takes ten minutes.
#include <string>

#include "conformance/cases/rfc8656/steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

// RFC 8656 section 12: a binding lasts for ten minutes. We look a little earlier and a little later.
constexpr TimeDelta kStillBound = TimeDelta::Seconds(594);
constexpr TimeDelta kNoLongerBound = TimeDelta::Seconds(608);
constexpr TimeDelta kRebound = TimeDelta::Seconds(300);
// Permissions and the allocation are kept up meanwhile.
constexpr TimeDelta kUpkeep = TimeDelta::Seconds(120);

struct Bound {
  Peer peer;
  Client client;
  Allocation allocation;
  Timestamp start;
};

Bound BindForLong(Test& t) {
  Peer peer = t.OpenPeer();
  auto [client, allocation] = ConnectAndAllocate(t);
  client.BindChannel(kFirstChannel, peer.address());
  return {std::move(peer), std::move(client), std::move(allocation), t.Now()};
}

// Waits, and keeps up everything but the channel binding.
void KeepUpUntil(Test& t, Bound& bound, Timestamp at) {
  while (t.Now() < at) {
    bound.client.CreatePermission(bound.peer.address());
    bound.client.Refresh(kDefaultLifetime);
    IdleUntil(t, {&bound.client}, std::min(at, t.Now() + kUpkeep));
  }
}

bool PeerComesOnChannel(Test& t, Bound& bound) {
  const Bytes data = t.Payload(40);
  bound.peer.Send(bound.allocation.relayed, data);
  return t.ExpectAtClient(bound.client, data).channel.has_value();
}

void ExpectBound(Test& t, Bound& bound) {
  t.Expect(PeerComesOnChannel(t, bound), "ChannelData while the binding lasts",
           "a Data indication");
  const Bytes data = t.Payload(41);
  bound.client.SendRaw(PaddedChannelData(kFirstChannel, data));
  t.ExpectAtPeer(bound.peer, data, "ChannelData while the binding lasts");
}

void ExpectUnbound(Test& t, Bound& bound) {
  t.Expect(!PeerComesOnChannel(t, bound), "a Data indication after the binding has expired",
           "ChannelData");
  bound.client.SendRaw(PaddedChannelData(kFirstChannel, t.Payload(42)));
  ExpectDropped(t, bound.client, bound.peer, "ChannelData on a channel that has expired");
}

void ChannelLifetime(Test& t) {
  Bound bound = BindForLong(t);
  KeepUpUntil(t, bound, bound.start + kStillBound);
  ExpectBound(t, bound);
  KeepUpUntil(t, bound, bound.start + kNoLongerBound);
  ExpectUnbound(t, bound);
}

void ChannelReboundLifetime(Test& t) {
  Bound bound = BindForLong(t);
  KeepUpUntil(t, bound, bound.start + kRebound);
  bound.client.BindChannel(kFirstChannel, bound.peer.address());
  KeepUpUntil(t, bound, bound.start + kNoLongerBound);
  ExpectBound(t, bound);
}

constexpr TimeDelta kChannelPermitted = TimeDelta::Seconds(294);
constexpr TimeDelta kChannelNotPermitted = TimeDelta::Seconds(308);

// Whether data from the peer still comes through.
bool LetsIn(Test& t, Bound& bound) {
  while (bound.client.ReceiveData(TimeDelta::Zero())) {
  }
  bound.peer.Send(bound.allocation.relayed, t.Payload(21));
  return bound.client.ReceiveData(TimeDelta::Millis(500)).has_value();
}

// `used` has had ChannelData all the time, `idle` nothing since the ChannelBind. Where a ChannelBind gives longer permissions than it
// should, both let data in, and ChannelData is not to blame.
void ExpectPermissionNotRefreshed(Test& t, Bound& used, Bound& idle) {
  t.Note("308 s after the ChannelBind that gave the permission");
  const bool idle_lets_in = LetsIn(t, idle);
  t.Expect(!LetsIn(t, used) || idle_lets_in,
           "the permission expires as it does where no ChannelData is sent",
           "data from the peer is relayed on and on");
}

// One allocation whose permission nobody refreshes, and one whose channel nobody refreshes; ChannelData goes through both all the time.
void ChannelDataDoesNotRefresh(Test& t) {
  constexpr TimeDelta kInterval = TimeDelta::Seconds(2);
  Bound bare = BindForLong(t);
  Bound idle = BindForLong(t);
  Bound kept = BindForLong(t);
  Timestamp upkeep = kept.start + kUpkeep;
  bool looked = false;
  while (t.Now() < kept.start + kNoLongerBound) {
    for (Bound* one : {&bare, &kept})
      one->client.SendRaw(PaddedChannelData(kFirstChannel, t.Payload(20)));
    while (kept.peer.Receive(TimeDelta::Zero())) {
    }
    if (t.Now() < bare.start + kChannelPermitted && !bare.peer.Receive(t.target().answer_timeout))
      t.Block("ChannelData was not relayed while the permission was there");
    if (!looked && t.Now() > idle.start + kChannelNotPermitted) {
      ExpectPermissionNotRefreshed(t, bare, idle);
      looked = true;
    }
    if (t.Now() > upkeep) {
      kept.client.CreatePermission(kept.peer.address());
      for (Bound* one : {&bare, &idle, &kept}) one->client.Refresh(kDefaultLifetime);
      upkeep = t.Now() + kUpkeep;
    }
    t.Sleep(kInterval);
  }
  while (kept.peer.Receive(TimeDelta::Zero())) {
  }
  kept.client.CreatePermission(kept.peer.address());
  ExpectUnbound(t, kept);
}

}  // namespace

void AddRfc8656Section12Lifetimes(CaseList& cases) {
  const Needs needs = TurnNeeds(PeerNeed::kLocal);
  const Clause ten_minutes = {"8656", "12", Level::kProse,
                              "A channel binding lasts for 10 minutes unless refreshed."};
  cases.push_back({.id = "turn.chan.lifetime",
                   .title = "A channel is bound for ten minutes",
                   .clauses = {ten_minutes},
                   .needs = needs,
                   .slow = true,
                   .run = ChannelLifetime});
  cases.push_back({.id = "turn.chan.rebind-lifetime",
                   .title = "Binding once more gives a channel another ten minutes",
                   .clauses = {{"8656", "12", Level::kProse,
                                "resets the time-to-expiry timer back to 10 minutes."}},
                   .needs = needs,
                   .slow = true,
                   .run = ChannelReboundLifetime});
  cases.push_back({.id = "turn.cdata.no-refresh",
                   .title = "ChannelData refreshes neither the permission nor the channel",
                   .clauses = {{"8656", "12.6", Level::kMustNot,
                                "the receipt of a ChannelData message MUST NOT refresh either the "
                                "channel binding or the permission towards the peer."}},
                   .needs = needs,
                   .slow = true,
                   .run = ChannelDataDoesNotRefresh});
}

}  // namespace rtclab::conformance
