// RFC 8016 section 3.2.2: which 5-tuple data goes over while an allocation moves, and what moves with it.
#include <string>

#include "conformance/cases/rfc8016/mobility_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr uint16_t kMobChannel = 0x4001;

void MobOldPathReceives(Test& t) {
  Peer peer = t.OpenPeer();
  MobileClient mobile = MobilityOpen(t);
  mobile.client.CreatePermission(peer.address());
  Moved moved = MobilityMove(t, mobile.ticket);
  const Bytes data = t.Payload(60);
  peer.Send(mobile.allocation.relayed, data);
  t.ExpectAtClient(mobile.client, data,
                   "on the old 5-tuple, as nothing was sent on the new one yet");
  moved.client.Release();
}

void MobOldPathSends(Test& t) {
  Peer peer = t.OpenPeer();
  MobileClient mobile = MobilityOpen(t);
  mobile.client.CreatePermission(peer.address());
  Moved moved = MobilityMove(t, mobile.ticket);
  const Bytes data = t.Payload(61);
  mobile.client.SendIndication(peer.address(), data);
  t.ExpectAtPeer(peer, data, "from the old 5-tuple, as nothing was sent on the new one yet");
  moved.client.Release();
}

void MobNewPathAfterSend(Test& t) {
  Peer peer = t.OpenPeer();
  MobileClient mobile = MobilityOpen(t);
  mobile.client.CreatePermission(peer.address());
  Moved moved = MobilityMove(t, mobile.ticket);
  const Bytes out = t.Payload(62);
  moved.client.SendIndication(peer.address(), out);
  const Peer::Received received =
      t.ExpectAtPeer(peer, out, "a Send indication from the new 5-tuple");
  t.Expect(received.from == mobile.allocation.relayed,
           "from the same relayed address " + mobile.allocation.relayed.ToString(),
           received.from.ToString());
  const Bytes back = t.Payload(63);
  peer.Send(mobile.allocation.relayed, back);
  t.ExpectAtClient(moved.client, back, "on the new 5-tuple, after a Send indication on it");
  moved.client.Release();
}

void MobOldPathDiscarded(Test& t) {
  Peer peer = t.OpenPeer();
  MobileClient mobile = MobilityOpen(t);
  mobile.client.CreatePermission(peer.address());
  Moved moved = MobilityMove(t, mobile.ticket);
  const Bytes out = t.Payload(64);
  moved.client.SendIndication(peer.address(), out);
  if (!peer.Receive(t.target().answer_timeout)) t.Block("the new 5-tuple does not relay");
  const Bytes stale = t.Payload(65);
  mobile.client.SendIndication(peer.address(), stale);
  t.ExpectNothingAtPeer(peer, "a Send indication from the old 5-tuple, after one on the new");
  t.ExpectError(mobile.client.Call(Request(stun::Method::kRefresh)), 437,
                "Refresh on the old 5-tuple");
  t.ExpectSuccess(moved.client.Call(Request(stun::Method::kRefresh)),
                  "Refresh on the new 5-tuple afterwards");
  moved.client.Release();
}

void MobStateKept(Test& t) {
  Peer peer = t.OpenPeer();
  MobileClient mobile = MobilityOpen(t);
  mobile.client.BindChannel(kMobChannel, peer.address());
  Moved moved = MobilityMove(t, mobile.ticket);
  const Bytes out = t.Payload(66);
  moved.client.SendChannelData(kMobChannel, out);
  t.ExpectAtPeer(peer, out, "ChannelData on the new 5-tuple, over the channel bound before");
  const Bytes back = t.Payload(67);
  peer.Send(mobile.allocation.relayed, back);
  const RelayedData data = t.ExpectAtClient(moved.client, back, "on the new 5-tuple");
  t.Expect(data.channel == kMobChannel, "over the channel bound before the move",
           data.channel ? "over channel " + std::to_string(*data.channel) : "as a Data indication");
  moved.client.Release();
}

}  // namespace

void AddRfc8016Section03_2Paths(CaseList& cases) {
  constexpr std::string_view kRfc = "8016";
  const Needs any = MobilityNeeds(PeerNeed::kAny);
  cases.push_back({.id = "mob.refresh.old-path",
                   .title = "Data goes to the old 5-tuple until the client sends on the new one",
                   .clauses = {{kRfc, "3.2.2", Level::kMust,
                                "MUST continue transmitting data on the old-5 tuple until it "
                                "receives a Send Indication or ChannelData message from the client "
                                "on the new 5-tuple"}},
                   .needs = any,
                   .run = MobOldPathReceives});
  cases.push_back({.id = "mob.refresh.old-path-sends",
                   .title = "Data from the old 5-tuple is relayed until the client sends on the "
                            "new one",
                   .clauses = {{kRfc, "3.2.2", Level::kMust,
                                "The TURN server MUST continue receiving and processing data on "
                                "the old 5-tuple"}},
                   .needs = any,
                   .run = MobOldPathSends});
  cases.push_back({.id = "mob.refresh.new-path",
                   .title = "After a Send indication on the new 5-tuple data goes over it, with "
                            "the same relayed address",
                   .clauses = {{kRfc, "3.2.2", Level::kProse,
                                "data received from the peer is forwarded to the new 5-tuple."}},
                   .needs = any,
                   .run = MobNewPathAfterSend});
  cases.push_back({.id = "mob.refresh.old-discarded",
                   .title = "After that the old 5-tuple has no allocation any more",
                   .clauses = {{kRfc, "3.2.2", Level::kProse,
                                "a TURN server discards the old ticket and the old 5-tuple "
                                "associated with the old ticket from its state data."}},
                   .needs = any,
                   .run = MobOldPathDiscarded});
  cases.push_back({.id = "mob.refresh.state-kept",
                   .title = "Channels move with the allocation",
                   .clauses = {{kRfc, "3", Level::kProse,
                                "retain the same relayed address/port for the new IP address/port "
                                "allowing the client to continue using previous channel bindings"}},
                   .needs = any,
                   .run = MobStateKept});
}

}  // namespace rtclab::conformance
