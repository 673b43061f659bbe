// RFC 6062 section 5.3: receiving a TCP connection on a relayed transport address.
#include <string>

#include "conformance/cases/rfc6062/tcp_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void TcpAcceptNoPermission(Test& t) {
  TcpControl control = TcpOpenControl(t);
  // A reset may be here before the connection is known to be open; tcp.alloc.relay-tcp shows that connections are accepted.
  PeerOptions options;
  options.must_open = false;
  const auto peer = t.ConnectTcp(control.allocation.relayed, options);
  t.Expect(!peer || TcpPeerClosedWithin(t, *peer, kTcpSoon),
           "a connection of a peer without permission is closed immediately",
           "it is open after " + std::to_string(kTcpSoon.millis()) + " ms");
  const auto attempt = TcpNextAttempt(t, control.client, t.target().silence);
  t.Expect(!attempt.has_value(), "no ConnectionAttempt for a peer without permission",
           "the client was told of it");
}

void TcpAcceptAttempt(Test& t) {
  TcpControl control = TcpOpenControl(t);
  control.client.CreatePermission(t.ClosedPort());
  const auto peer = t.ConnectTcp(control.allocation.relayed);
  const auto attempt = TcpNextAttempt(t, control.client, kTcpSoon);
  t.Expect(attempt.has_value(), "a ConnectionAttempt indication", "none came");
  t.Expect(attempt->view().IsIndication(), "ConnectionAttempt is an indication",
           std::string(stun::ToString(attempt->view().message_class())));
  const auto address = attempt->view().GetXorAddress(stun::AttributeType::kXorPeerAddress);
  t.Expect(address == peer->local(), "XOR-PEER-ADDRESS " + peer->local().ToString(),
           address ? address->ToString() : "no proper XOR-PEER-ADDRESS");
  TcpConnectionIdIn(t, attempt->view(), "the ConnectionAttempt");
}

void TcpAcceptIds(Test& t) {
  TcpControl control = TcpOpenControl(t);
  control.client.CreatePermission(t.ClosedPort());
  const TcpPeerLink one = TcpPeerConnects(t, control);
  const TcpPeerLink two = TcpPeerConnects(t, control);
  t.Expect(one.id != two.id, "another CONNECTION-ID for each connection",
           std::to_string(one.id) + " for both");
  const Bytes a = t.Payload(100);
  const Bytes b = t.Payload(101);
  TcpDataConnection second(t, control.client);
  second.MustBind(two.id);
  TcpDataConnection first(t, control.client);
  first.MustBind(one.id);
  TcpSendPeer(t, *one.peer, a);
  TcpSendPeer(t, *two.peer, b);
  TcpExpectBytes(t, a, first.Read(a.size()), "the first peer's data on its connection");
  TcpExpectBytes(t, b, second.Read(b.size()), "the second peer's data on its connection");
}

void TcpAcceptEarlyData(Test& t) {
  TcpControl control = TcpOpenControl(t);
  control.client.CreatePermission(t.ClosedPort());
  const auto peer = t.ConnectTcp(control.allocation.relayed);
  const Bytes early = t.Payload(1'000);
  TcpSendPeer(t, *peer, early);
  const auto attempt = TcpNextAttempt(t, control.client, kTcpSoon);
  if (!attempt) t.Block("no ConnectionAttempt for a permitted peer");
  const uint32_t id = TcpConnectionIdIn(t, attempt->view(), "the ConnectionAttempt");
  t.Sleep(TimeDelta::Millis(100));
  TcpDataConnection data(t, control.client);
  data.MustBind(id);
  TcpExpectBytes(t, early, data.Read(early.size()),
                 "what the peer sent before ConnectionBind, after it");
}

void TcpAcceptRelays(Test& t) {
  TcpControl control = TcpOpenControl(t);
  control.client.CreatePermission(t.ClosedPort());
  const TcpPeerLink link = TcpPeerConnects(t, control);
  TcpDataConnection data(t, control.client);
  data.MustBind(link.id);
  const Bytes out = t.Payload(333);
  data.Send(out);
  TcpExpectBytes(t, out, TcpReadPeer(t, *link.peer, out.size()), "the client's data at the peer");
  const Bytes back = t.Payload(334);
  TcpSendPeer(t, *link.peer, back);
  TcpExpectBytes(t, back, data.Read(back.size()), "the peer's data at the client");
}

}  // namespace

void AddRfc6062Section05_3(CaseList& cases) {
  constexpr std::string_view kRfc = "6062";
  const Needs peer = TcpNeeds(PeerNeed::kTcp);
  cases.push_back(
      {.id = "tcp.accept.no-permission",
       .title = "A peer without permission is accepted and closed at once, and not told of",
       .clauses = {{kRfc, "5.3", Level::kMust,
                    "the server MUST close the connection with the peer immediately after it has "
                    "been accepted."}},
       .needs = peer,
       .run = TcpAcceptNoPermission});
  cases.push_back({.id = "tcp.accept.attempt",
                   .title = "The client is told of a permitted peer, its address and a "
                            "CONNECTION-ID",
                   .clauses = {{kRfc, "5.3", Level::kMust,
                                "The indication MUST include an XOR-PEER-ADDRESS attribute "
                                "containing the peer's transport address, as well as a "
                                "CONNECTION-ID attribute"}},
                   .needs = peer,
                   .run = TcpAcceptAttempt});
  cases.push_back({.id = "tcp.accept.ids",
                   .title = "Two connections of one peer are two, each with its own CONNECTION-ID",
                   .clauses = {{kRfc, "5.3", Level::kProse,
                                "CONNECTION-ID attribute uniquely identifying the peer data "
                                "connection."}},
                   .needs = peer,
                   .run = TcpAcceptIds});
  cases.push_back({.id = "tcp.accept.buffer",
                   .title = "What a connecting peer sends at once is kept for the client",
                   .clauses = {{kRfc, "5.3", Level::kMust,
                                "The server MUST buffer any data received from the peer."}},
                   .needs = peer,
                   .run = TcpAcceptEarlyData});
  cases.push_back(
      {.id = "tcp.accept.relay",
       .title = "A connection that a peer opened relays both ways",
       .clauses = {{kRfc, "5.4", Level::kMust,
                    "Data received on it MUST be sent as-is to the associated peer data "
                    "connection."}},
       .needs = peer,
       .run = TcpAcceptRelays});
}

}  // namespace rtclab::conformance
