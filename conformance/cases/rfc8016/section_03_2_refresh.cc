// RFC 8016 section 3.2.2: receiving a Refresh request with a ticket: which tickets are good for what.
#include <algorithm>
#include <string>

#include "conformance/cases/rfc8016/mobility_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void MobRefreshResume(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  Client moved = MobilityNewPath(t);
  t.ExpectSuccess(moved.Call(MobilityRefresh(mobile.ticket)), "Refresh with the ticket");
  const Response again = moved.Call(Request(stun::Method::kRefresh));
  t.ExpectSuccess(again, "Refresh without ticket from the 5-tuple that the client moved to");
  moved.Release();
}

void MobRefreshRotate(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  Client moved = MobilityNewPath(t);
  const Response response = moved.Call(MobilityRefresh(mobile.ticket));
  if (!response.success()) t.Block("Refresh with a ticket: " + response.Describe());
  const auto next = response.view().Find(stun::AttributeType::kMobilityTicket);
  t.Expect(next && !next->empty(), "a new ticket in the Refresh success response", "none");
  t.Expect(!std::ranges::equal(*next, mobile.ticket), "another ticket than the old one",
           "the same one");
  moved.Release();
}

void MobRefreshChain(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  const Moved first = MobilityMove(t, mobile.ticket);
  if (first.ticket.empty()) t.Block("the Refresh success response has no ticket");
  Client second = MobilityNewPath(t);
  t.ExpectSuccess(second.Call(MobilityRefresh(first.ticket)),
                  "Refresh with the new ticket from a third 5-tuple");
  second.Release();
}

// The client has used the new 5-tuple: what is sent with the old ticket now is no retransmission.
void MobRefreshOldTicket(Test& t) {
  Peer peer = t.OpenPeer();
  MobileClient mobile = MobilityOpen(t);
  mobile.client.CreatePermission(peer.address());
  Moved moved = MobilityMove(t, mobile.ticket);
  const Bytes data = t.Payload(60);
  moved.client.SendIndication(peer.address(), data);
  t.ExpectAtPeer(peer, data);
  Client thief = MobilityNewPath(t);
  const Response response = thief.Call(MobilityRefresh(mobile.ticket));
  if (response.success()) thief.Release();
  t.Expect(response.received() && !response.success(),
           "an error to the old ticket from a third 5-tuple", response.Describe());
}

void MobRefreshGarbage(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  Client other = MobilityNewPath(t);
  Bytes random(mobile.ticket.size());
  t.rng().Fill(random);
  t.ExpectError(other.Call(MobilityRefresh(random)), 400, "a ticket of random bytes");
  Bytes changed = mobile.ticket;
  changed[changed.size() / 2] ^= 0x01;
  t.ExpectError(other.Call(MobilityRefresh(changed)), 400, "a ticket with one bit changed");
}

void MobRefreshGone(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  mobile.client.Release();
  // Some servers take a moment. They are asked once: asking keeps some allocations alive.
  if (mobile.client.Call(Request(stun::Method::kRefresh).Lifetime(0)).code() != 437) {
    t.Sleep(TimeDelta::Seconds(3));
  }
  Client other = MobilityNewPath(t);
  t.ExpectError(other.Call(MobilityRefresh(mobile.ticket)), 437,
                "the ticket of an allocation that was deleted");
}

void MobRefreshSamePath(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  t.ExpectError(mobile.client.Call(MobilityRefresh(mobile.ticket)), 400,
                "the ticket from the allocation's own 5-tuple");
  t.ExpectSuccess(mobile.client.Call(Request(stun::Method::kRefresh)),
                  "Refresh without ticket afterwards");
}

void MobRefreshOtherUser(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  Client thief = MobilityNewPath(t, *t.target().second_user);
  t.ExpectError(thief.Call(MobilityRefresh(mobile.ticket)), 441,
                "the ticket of another user's allocation");
  t.ExpectSuccess(mobile.client.Call(Request(stun::Method::kRefresh)),
                  "the allocation's own Refresh afterwards");
}

void MobRefreshUnsigned(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  if (mobile.client.realm().empty()) t.Skip("the server asks for no credentials");
  Client moved = MobilityNewPath(t);
  t.ExpectError(moved.Once(MobilityRefresh(mobile.ticket).Unsigned()), {401, 441},
                "the ticket without credentials");
}

void MobRefreshRetransmitted(Test& t) {
  MobileClient mobile = MobilityOpen(t);
  Client moved = MobilityNewPath(t);
  const auto id = stun::NewTransactionId(t.rng());
  Bytes request = moved.Encode(MobilityRefresh(mobile.ticket).TransactionId(id));
  Response first = moved.OnceRaw(request, id, true);
  if (first.code() == stun::kErrorStaleNonce) {
    request = moved.Encode(MobilityRefresh(mobile.ticket).TransactionId(id));
    first = moved.OnceRaw(request, id, true);
  }
  if (!first.success()) t.Block("Refresh with a ticket: " + first.Describe());
  t.Note("the same request again, as if the response had been lost");
  t.Sleep(TimeDelta::Millis(600));
  t.ExpectSuccess(moved.OnceRaw(request, id, true), "the same Refresh again");
  moved.Release();
}

}  // namespace

void AddRfc8016Section03_2(CaseList& cases) {
  constexpr std::string_view kRfc = "8016";
  cases.push_back({.id = "mob.refresh.resume",
                   .title = "The ticket takes the allocation to a new 5-tuple",
                   .clauses = {{kRfc, "3.2.2", Level::kProse,
                                "The server then updates its state data with the new client IP "
                                "address and port"}},
                   .needs = MobilityNeeds(),
                   .run = MobRefreshResume});
  cases.push_back({.id = "mob.refresh.rotate",
                   .title = "Every move brings another ticket",
                   .clauses = {{kRfc, "3.2.2", Level::kMust,
                                "The new ticket sent in the refresh response MUST be different "
                                "from the old ticket."}},
                   .needs = MobilityNeeds(),
                   .run = MobRefreshRotate});
  cases.push_back({.id = "mob.refresh.chain",
                   .title = "The new ticket takes the allocation on to a third 5-tuple",
                   .clauses = {{kRfc, "3.2.2", Level::kProse,
                                "sends the new ticket in the STUN MOBILITY- TICKET attribute as "
                                "part of Refresh success response."}},
                   .needs = MobilityNeeds(),
                   .run = MobRefreshChain});
  Needs peer = MobilityNeeds();
  peer.peer = PeerNeed::kAny;
  cases.push_back({.id = "mob.refresh.old-ticket",
                   .title = "A ticket that was replaced takes the allocation nowhere",
                   .clauses = {{kRfc, "3.2.2", Level::kProse,
                                "The old ticket can only be used for the purposes of "
                                "retransmission."}},
                   .needs = peer,
                   .run = MobRefreshOldTicket});
  cases.push_back({.id = "mob.refresh.invalid",
                   .title = "A ticket that the server did not make gives 400",
                   .clauses = {{kRfc, "3.2.2", Level::kMust,
                                "If the ticket is invalid, then the server MUST reject the request "
                                "with a 400 (Bad Request) error."}},
                   .needs = MobilityNeeds(),
                   .run = MobRefreshGarbage});
  cases.push_back({.id = "mob.refresh.unknown",
                   .title = "The ticket of an allocation that is gone gives 437",
                   .clauses = {{kRfc, "3.2.2", Level::kMust,
                                "the server MUST reject the request with a 437 (Allocation "
                                "Mismatch) error."}},
                   .needs = MobilityNeeds(),
                   .run = MobRefreshGone});
  cases.push_back({.id = "mob.refresh.same-path",
                   .title = "A ticket from the allocation's own 5-tuple gives 400",
                   .clauses = {{kRfc, "3.2.2", Level::kProse,
                                "is the same as the stored 5-tuple allocation, then the TURN "
                                "server rejects the request with a 400 (Bad Request) error."}},
                   .needs = MobilityNeeds(),
                   .run = MobRefreshSamePath});
  cases.push_back({.id = "mob.refresh.other-user",
                   .title = "Another user's ticket gives 441",
                   .clauses = {{kRfc, "3.2.2", Level::kMust,
                                "the server MUST reject the request with a 441 (Wrong Credentials) "
                                "error."}},
                   .needs = MobilityNeeds(PeerNeed::kNone, true),
                   .run = MobRefreshOtherUser});
  cases.push_back({.id = "mob.refresh.unsigned",
                   .title = "The ticket alone, without credentials, moves nothing",
                   .clauses = {{kRfc, "5", Level::kMust,
                                "authentication also fails, then the TURN client and server MUST "
                                "fail and not proceed with TURN mobility."}},
                   .needs = MobilityNeeds(),
                   .run = MobRefreshUnsigned});
  cases.push_back({.id = "mob.refresh.retransmit",
                   .title = "The same Refresh again, with the old ticket, succeeds again",
                   .clauses = {{kRfc, "3.2.2", Level::kProse,
                                "a server must retain the old STUN MOBILITY-TICKET attribute for a "
                                "period of at least 30 seconds to be able to recognize a "
                                "retransmission"}},
                   .needs = MobilityNeeds(),
                   .run = MobRefreshRetransmitted});
}

}  // namespace rtclab::conformance
