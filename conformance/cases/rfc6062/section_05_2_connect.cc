// RFC 6062 section 5.2: receiving a Connect request.
#include <array>
#include <set>
#include <string>

#include "conformance/cases/rfc6062/tcp_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void TcpConnectNoAllocation(Test& t) {
  const auto listener = t.ListenTcp();
  Client client = t.Connect();
  t.ExpectError(client.Call(TcpConnect(listener->local())), 437);
}

// Two requests in one write, with the answers in the order of the requests.
std::array<Response, 2> TcpTwoAtOnce(Test& t, Client& client, const Request& first,
                                     const Request& second) {
  const auto one = stun::NewTransactionId(t.rng());
  const auto two = stun::NewTransactionId(t.rng());
  Bytes both = client.Encode(Request(first).TransactionId(one));
  const Bytes behind = client.Encode(Request(second).TransactionId(two));
  both.insert(both.end(), behind.begin(), behind.end());
  client.SendRaw(both);
  const Response answer = client.Await(two, t.target().answer_timeout);
  return {client.Await(one, t.target().answer_timeout), answer};
}

void TcpConnectPending(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const TcpBlackHole hole = TcpOpenBlackHole(t);
  const auto first = stun::NewTransactionId(t.rng());
  control.client.SendRaw(control.client.Encode(TcpConnect(hole.address).TransactionId(first)));
  const Response early = control.client.Await(first, TimeDelta::Millis(300));
  if (early) t.Block("Connect to a peer that does not answer: " + early.Describe());
  t.ExpectError(control.client.Call(TcpConnect(hole.address)), 446,
                "Connect while one to the same peer is under way");
}

void TcpConnectExists(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const TcpPeerLink link = TcpConnectPeer(t, control, *listener);
  t.ExpectError(control.client.Call(TcpConnect(listener->local())), 446,
                "Connect again before ConnectionBind");
  TcpDataConnection data(t, control.client);
  data.MustBind(link.id);
  t.ExpectError(control.client.Call(TcpConnect(listener->local())), 446,
                "Connect again after ConnectionBind");
}

void TcpConnectNoPeer(Test& t) {
  TcpControl control = TcpOpenControl(t);
  t.ExpectError(control.client.Call(Request(stun::Method::kConnect)), 400);
}

void TcpConnectBadPeer(Test& t) {
  TcpControl control = TcpOpenControl(t);
  // Whoever overlooks the family finds the server's own address here.
  Bytes unknown_family = {0, 0x09, 0x21, 0x1b, 0x21, 0x12, 0xa4, 0x42};
  const IpAddress& server = control.client.server().ip;
  if (!server.IsV4()) t.Skip("the server is reached over IPv6");
  for (std::size_t i = 0; i < 4; ++i) unknown_family[4 + i] ^= server.bytes()[i];
  const Bytes too_short = {0, 0x01, 0x21};
  for (const Bytes& value : {unknown_family, too_short}) {
    const Request request =
        Request(stun::Method::kConnect).Attribute(stun::AttributeType::kXorPeerAddress, value);
    t.ExpectError(control.client.Call(request), 400, "XOR-PEER-ADDRESS " + ToHex(value));
  }
}

void TcpConnectForbidden(Test& t) {
  TcpControl control = TcpOpenControl(t);
  t.ExpectError(control.client.Call(TcpConnect(*t.target().denied_peer)), 403);
}

void TcpConnectRefused(Test& t) {
  TcpControl control = TcpOpenControl(t);
  t.ExpectError(control.client.Call(TcpConnect(t.ClosedPort())), 447,
                "Connect to a port that nobody listens on");
}

void TcpConnectId(Test& t) {
  TcpControl control = TcpOpenControl(t);
  std::set<uint32_t> ids;
  std::vector<std::unique_ptr<TcpPeer>> listeners;
  constexpr int kConnections = 3;
  for (int i = 0; i < kConnections; ++i) {
    listeners.push_back(t.ListenTcp());
    const Response response = control.client.Call(TcpConnect(listeners.back()->local()));
    t.ExpectSuccess(response, "Connect to a listening peer");
    const uint32_t id = TcpConnectionIdIn(t, response.view(), "the Connect success response");
    t.Expect(ids.insert(id).second, "another CONNECTION-ID for each connection",
             std::to_string(id) + " a second time");
  }
}

void TcpConnectLocalEnd(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const TcpPeerLink link = TcpConnectPeer(t, control, *listener);
  t.Expect(link.peer->remote() == control.allocation.relayed,
           "a connection from the relayed address " + control.allocation.relayed.ToString(),
           "it came from " + link.peer->remote().ToString());
}

void TcpConnectEarlyData(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const TcpPeerLink link = TcpConnectPeer(t, control, *listener);
  const Bytes early = t.Payload(1'000);
  TcpSendPeer(t, *link.peer, early);
  t.Sleep(TimeDelta::Millis(100));
  TcpDataConnection data(t, control.client);
  data.MustBind(link.id);
  TcpExpectBytes(t, early, data.Read(early.size()),
                 "what the peer sent before ConnectionBind, after it");
}

void TcpConnectSeveral(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto a = t.ListenTcp();
  const auto b = t.ListenTcp();
  const auto answers =
      TcpTwoAtOnce(t, control.client, TcpConnect(a->local()), TcpConnect(b->local()));
  t.ExpectSuccess(answers[0], "the first of two Connect requests at once");
  t.ExpectSuccess(answers[1], "the second of two Connect requests at once");
}

void TcpConnectTwiceAtOnce(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const auto answers =
      TcpTwoAtOnce(t, control.client, TcpConnect(listener->local()), TcpConnect(listener->local()));
  t.ExpectSuccess(answers[0], "the first of two Connect requests to one peer");
  t.ExpectError(answers[1], 446, "the second of two Connect requests to one peer");
}

void TcpConnectAgain(Test& t) {
  TcpPath path = TcpOpenPath(t);
  t.Note("the peer resets its connection");
  path.peer->Reset();
  if (!path.data->ClosedWithin(kTcpSoon)) t.Block("the data connection outlives the peer's");
  t.Sleep(TimeDelta::Millis(200));
  const Response response = path.control.client.Call(TcpConnect(path.listener->local()));
  t.Expect(response.received() && response.code() != 446,
           "Connect to a peer whose connection has ended is tried anew", response.Describe());
}

void TcpConnectWithoutPermission(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const Response response = control.client.Call(TcpConnect(listener->local()));
  if (response.code() == stun::kErrorForbidden)
    t.Info("Connect without a permission gives 403: a policy of the server");
  t.ExpectSuccess(response, "Connect without a permission");
}

// What the server has to refuse, and with which code.
void AddTcpConnectRefusals(CaseList& cases) {
  constexpr std::string_view kRfc = "6062";
  const Needs peer = TcpNeeds(PeerNeed::kTcp);
  cases.push_back({.id = "tcp.connect.no-alloc",
                   .title = "Connect without an allocation gives 437",
                   .clauses = {{kRfc, "5.2", Level::kMust,
                                "no allocation exists, the server MUST return a 437 (Allocation "
                                "Mismatch)"}},
                   .needs = peer,
                   .run = TcpConnectNoAllocation});
  const Clause exists{kRfc, "5.2", Level::kMust,
                      "for this allocation with the same XOR-PEER-ADDRESS, it MUST return a 446 "
                      "(Connection Already Exists) error."};
  cases.push_back({.id = "tcp.connect.pending",
                   .title = "Connect to a peer while one to it is under way gives 446",
                   .clauses = {exists},
                   .needs = TcpNeeds(PeerNeed::kLocal),
                   .run = TcpConnectPending});
  cases.push_back({.id = "tcp.connect.twice-at-once",
                   .title = "Of two Connect requests to one peer in one segment the second gives "
                            "446",
                   .clauses = {exists},
                   .needs = peer,
                   .run = TcpConnectTwiceAtOnce});
  cases.push_back({.id = "tcp.connect.exists",
                   .title = "Connect to a peer that is connected gives 446",
                   .clauses = {{kRfc, "5.2", Level::kMust,
                                "client and peer data connections are either pending or active, it "
                                "MUST return a 446 (Connection Already Exists) error."}},
                   .needs = peer,
                   .run = TcpConnectExists});
  const Clause invalid{kRfc, "5.2", Level::kMust,
                       "if such attribute is invalid, the server MUST return a 400 (Bad Request) "
                       "error."};
  cases.push_back({.id = "tcp.connect.no-peer",
                   .title = "Connect without XOR-PEER-ADDRESS gives 400",
                   .clauses = {invalid},
                   .needs = TcpNeeds(),
                   .run = TcpConnectNoPeer});
  cases.push_back({.id = "tcp.connect.bad-peer",
                   .title = "Connect with a malformed XOR-PEER-ADDRESS gives 400",
                   .clauses = {invalid},
                   .needs = TcpNeeds(),
                   .run = TcpConnectBadPeer});
  Needs denied = TcpNeeds();
  denied.denied_peer = true;
  cases.push_back({.id = "tcp.connect.forbidden",
                   .title = "Connect to a peer that policy forbids gives 403",
                   .clauses = {{kRfc, "5.2", Level::kMust,
                                "If the new connection is forbidden by local policy, the server "
                                "MUST reject the request with a 403 (Forbidden) error."}},
                   .needs = denied,
                   .run = TcpConnectForbidden});
  cases.push_back({.id = "tcp.connect.refused",
                   .title = "A connection attempt that fails gives 447",
                   .clauses = {{kRfc, "5.2", Level::kMust,
                                "If the connection attempt fails or times out, the server MUST "
                                "return a 447 (Connection Timeout or Failure) error."}},
                   .needs = peer,
                   .run = TcpConnectRefused});
}

// The connections that it makes.
void AddTcpConnectionsMade(CaseList& cases) {
  constexpr std::string_view kRfc = "6062";
  const Needs peer = TcpNeeds(PeerNeed::kTcp);
  cases.push_back(
      {.id = "tcp.connect.id",
       .title = "Each Connect success response has a CONNECTION-ID of its own",
       .clauses = {{kRfc, "5.2", Level::kMust,
                    "The server MUST include the CONNECTION-ID attribute in the Connect success "
                    "response."},
                   {kRfc, "5.2", Level::kMust,
                    "The attribute's value MUST uniquely identify the peer data connection."}},
       .needs = peer,
       .run = TcpConnectId});
  cases.push_back({.id = "tcp.connect.local-end",
                   .title = "The server connects from the relayed address",
                   .clauses = {{kRfc, "5.2", Level::kProse,
                                "The local endpoint is the relayed transport address associated "
                                "with the allocation."}},
                   .needs = peer,
                   .run = TcpConnectLocalEnd});
  cases.push_back({.id = "tcp.connect.buffer",
                   .title = "What the peer sends before ConnectionBind is kept for the client",
                   .clauses = {{kRfc, "5.4", Level::kMust,
                                "Data received on the associated peer data connection MUST be sent "
                                "as-is on this client data connection."},
                               {kRfc, "5.4", Level::kProse,
                                "This includes data that was received after the associated Connect "
                                "or request was successfully processed"}},
                   .needs = peer,
                   .run = TcpConnectEarlyData});
  cases.push_back({.id = "tcp.connect.several",
                   .title = "Connect requests to two peers may be under way at once",
                   .clauses = {{kRfc, "5.2", Level::kMust,
                                "Otherwise, the server MUST initiate an outgoing TCP connection."},
                               {kRfc, "4.3", Level::kMay,
                                "As with any other request, multiple Connect requests MAY be sent "
                                "simultaneously."}},
                   .needs = peer,
                   .run = TcpConnectSeveral});
  cases.push_back({.id = "tcp.connect.again",
                   .title = "A peer whose connection has ended can be connected to again",
                   .clauses = {{kRfc, "5.2", Level::kMust,
                                "Otherwise, the server MUST initiate an outgoing TCP connection."}},
                   .needs = peer,
                   .run = TcpConnectAgain});
  cases.push_back({.id = "tcp.connect.no-permission",
                   .title = "Connect asks for no permission",
                   .clauses = {{kRfc, "5.2", Level::kMust,
                                "Otherwise, the server MUST initiate an outgoing TCP connection."}},
                   .needs = peer,
                   .run = TcpConnectWithoutPermission});
}

}  // namespace

void AddRfc6062Section05_2(CaseList& cases) {
  AddTcpConnectRefusals(cases);
  AddTcpConnectionsMade(cases);
}

}  // namespace rtclab::conformance
