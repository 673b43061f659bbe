// RFC 6062 section 5.4: receiving a ConnectionBind request, and what it binds.
#include <algorithm>
#include <string>

#include "conformance/cases/rfc6062/tcp_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void TcpBindOverUdp(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const TcpPeerLink link = TcpConnectPeer(t, control, *listener);
  ConnectOptions options;
  options.transport = Transport::kUdp;
  Client client = t.Connect(options);
  client.TakeChallenge(control.client);
  t.ExpectError(client.Call(TcpConnectionBind(link.id)), 400, "ConnectionBind over UDP");
  t.Note("the connection can still be bound over TCP");
  TcpDataConnection data(t, control.client);
  t.ExpectSuccess(data.Bind(link.id), "ConnectionBind over TCP after one over UDP");
}

void TcpBindNoId(Test& t) {
  TcpControl control = TcpOpenControl(t);
  Client client = t.Connect();
  client.TakeChallenge(control.client);
  t.ExpectError(client.Call(Request(stun::Method::kConnectionBind)), 400);
}

void TcpBindUnknownId(Test& t) {
  TcpControl control = TcpOpenControl(t);
  Client client = t.Connect();
  client.TakeChallenge(control.client);
  t.ExpectError(client.Call(TcpConnectionBind(t.rng().NextU32())), 400);
}

void TcpBindTwice(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const TcpPeerLink link = TcpConnectPeer(t, control, *listener);
  TcpDataConnection data(t, control.client);
  data.MustBind(link.id);
  TcpDataConnection other(t, control.client);
  t.ExpectError(other.Bind(link.id), 400, "ConnectionBind to a connection that is bound");
  const Bytes bytes = t.Payload(64);
  data.Send(bytes);
  TcpExpectBytes(t, bytes, TcpReadPeer(t, *link.peer, bytes.size()),
                 "data on the connection bound first");
}

// A Binding request, a ChannelData message, a header that promises more than comes, and zeros: none of it means anything here.
Bytes TcpProtocolLookalikes(Test& t) {
  Bytes out = {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42, 1,    2,    3,    4,
               5,    6,    7,    8,    9,    10,   11,   12,   0x40, 0x00, 0x00, 0x05,
               'a',  'b',  'c',  'd',  'e',  0x00, 0x01, 0x0f, 0xfc, 0x21, 0x12, 0xa4,
               0x42, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0};
  const Bytes random = t.Payload(101);
  out.insert(out.end(), random.begin(), random.end());
  return out;
}

void TcpBindAsIs(Test& t) {
  TcpPath path = TcpOpenPath(t);
  const Bytes bytes = TcpProtocolLookalikes(t);
  path.data->Send(bytes);
  TcpExpectBytes(t, bytes, TcpReadPeer(t, *path.peer, bytes.size() + 1, kTcpSoon / 3),
                 "bytes that look like STUN and ChannelData, at the peer");
  TcpSendPeer(t, *path.peer, bytes);
  TcpExpectBytes(t, bytes, path.data->Read(bytes.size() + 1, kTcpSoon / 3),
                 "bytes that look like STUN and ChannelData, at the client");
}

void TcpBindPieces(Test& t) {
  TcpPath path = TcpOpenPath(t);
  const Bytes bytes = TcpProtocolLookalikes(t);
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    path.data->Send(ByteView(bytes).subspan(at, std::min<std::size_t>(7, bytes.size() - at)));
  }
  TcpExpectBytes(t, bytes, TcpReadPeer(t, *path.peer, bytes.size()),
                 "bytes sent seven at a time, at the peer");
}

void TcpBindBulk(Test& t) {
  constexpr std::size_t kPiece = 16'384;
  constexpr std::size_t kPieces = 32;
  TcpPath path = TcpOpenPath(t);
  const Bytes all = t.Payload(kPiece * kPieces);
  Bytes there;
  Bytes back;
  // Each side reads what has come before it sends on: we have one thread.
  for (std::size_t i = 0; i < kPieces; ++i) {
    const ByteView piece = ByteView(all).subspan(i * kPiece, kPiece);
    Bytes marked(piece.begin(), piece.end());
    marked[0] |= 0xc0;
    path.data->Send(marked);
    const Bytes got = TcpReadPeer(t, *path.peer, marked.size());
    TcpExpectBytes(t, marked, got, "piece " + std::to_string(i) + " at the peer");
    TcpSendPeer(t, *path.peer, got);
    TcpExpectBytes(t, marked, path.data->Read(marked.size()),
                   "piece " + std::to_string(i) + " back at the client");
  }
}

void TcpBindOtherUser(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const TcpPeerLink link = TcpConnectPeer(t, control, *listener);
  TcpDataConnection data(t, control.client, *t.target().second_user);
  const Response response = data.Bind(link.id);
  t.Expect(response.received() && !response.success(),
           "an error response to the ConnectionBind of another user", response.Describe());
}

void TcpBindUnsigned(Test& t) {
  TcpControl control = TcpOpenControl(t);
  if (control.client.realm().empty()) t.Skip("the server asks for no credentials");
  const auto listener = t.ListenTcp();
  const TcpPeerLink link = TcpConnectPeer(t, control, *listener);
  ConnectOptions options;
  options.transport = control.client.transport();
  Client client = t.Connect(options);
  t.ExpectError(client.Once(TcpConnectionBind(link.id).Unsigned()), 401,
                "ConnectionBind without credentials");
}

}  // namespace

void AddRfc6062Section05_4(CaseList& cases) {
  constexpr std::string_view kRfc = "6062";
  const Needs peer = TcpNeeds(PeerNeed::kTcp);
  Needs over_udp = peer;
  over_udp.features.push_back(Feature::kUdpTransport);
  cases.push_back({.id = "tcp.bind.udp",
                   .title = "ConnectionBind over UDP gives 400",
                   .clauses = {{kRfc, "5.4", Level::kMust,
                                "If the client connection transport is not TCP or TLS, the server "
                                "MUST return a 400 (Bad Request) error."}},
                   .needs = over_udp,
                   .run = TcpBindOverUdp});
  const Clause pending{kRfc, "5.4", Level::kMust,
                       "this attribute does not refer to an existing pending connection, the "
                       "server MUST return a 400 (Bad Request) error."};
  cases.push_back({.id = "tcp.bind.no-id",
                   .title = "ConnectionBind without CONNECTION-ID gives 400",
                   .clauses = {pending},
                   .needs = TcpNeeds(),
                   .run = TcpBindNoId});
  cases.push_back({.id = "tcp.bind.bad-id",
                   .title = "ConnectionBind with an unknown CONNECTION-ID gives 400",
                   .clauses = {pending},
                   .needs = TcpNeeds(),
                   .run = TcpBindUnknownId});
  cases.push_back({.id = "tcp.bind.twice",
                   .title = "A connection is bound once: the next ConnectionBind gives 400",
                   .clauses = {pending},
                   .needs = peer,
                   .run = TcpBindTwice});
  const Clause to_peer{kRfc, "5.4", Level::kMust,
                       "Data received on it MUST be sent as-is to the associated peer data "
                       "connection."};
  const Clause to_client{kRfc, "5.4", Level::kMust,
                         "Data received on the associated peer data connection MUST be sent as-is "
                         "on this client data connection."};
  cases.push_back({.id = "tcp.bind.asis",
                   .title = "Bytes go through as they are, also those that look like STUN",
                   .clauses = {to_peer, to_client},
                   .needs = peer,
                   .run = TcpBindAsIs});
  cases.push_back({.id = "tcp.bind.pieces",
                   .title = "Bytes go through whole, however small the writes",
                   .clauses = {to_peer},
                   .needs = peer,
                   .run = TcpBindPieces});
  cases.push_back({.id = "tcp.bind.bulk",
                   .title = "Half a megabyte goes to the peer and back unharmed",
                   .clauses = {to_peer, to_client},
                   .needs = peer,
                   .run = TcpBindBulk});
  Needs tls = TcpNeeds(PeerNeed::kTcp, Transport::kTls);
  tls.features.push_back(Feature::kTlsTransport);
  cases.push_back({.id = "tcp.bind.tls",
                   .title = "Control and data connections over TLS",
                   .clauses = {to_peer, to_client},
                   .needs = tls,
                   .run = TcpBindAsIs});
  const Clause same_user{kRfc, "4.3", Level::kMust,
                         "Authentication of the client by the server MUST use the same method and "
                         "credentials as for the control connection."};
  Needs two = peer;
  two.credentials = two.second_user = true;
  cases.push_back({.id = "tcp.bind.credentials",
                   .title = "Another user cannot bind the connection",
                   .clauses = {same_user},
                   .needs = two,
                   .run = TcpBindOtherUser});
  Needs user = peer;
  user.credentials = true;
  cases.push_back({.id = "tcp.bind.unsigned",
                   .title = "ConnectionBind without credentials gives 401",
                   .clauses = {same_user},
                   .needs = user,
                   .run = TcpBindUnsigned});
}

}  // namespace rtclab::conformance
