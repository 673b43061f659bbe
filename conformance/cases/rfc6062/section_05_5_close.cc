// RFC 6062 section 5.5: data connection maintenance.
#include <string>

#include "conformance/cases/rfc6062/tcp_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

constexpr std::size_t kTcpLastWords = 40'000;

void TcpExpectPeerClosed(Test& t, Channel& peer, std::string_view when) {
  t.Expect(TcpPeerClosedWithin(t, peer, kTcpSoon),
           "the peer data connection is closed " + std::string(when), "it is still open");
}

void TcpExpectDataClosed(Test& t, TcpDataConnection& data, std::string_view when) {
  t.Expect(data.ClosedWithin(kTcpSoon), "the client data connection is closed " + std::string(when),
           "it is still open");
}

void TcpCloseClient(Test& t) {
  TcpPath path = TcpOpenPath(t);
  t.Note("the client ends its data connection");
  path.data.reset();
  TcpExpectPeerClosed(t, *path.peer, "when the client's is");
}

void TcpClosePeer(Test& t) {
  TcpPath path = TcpOpenPath(t);
  t.Note("the peer ends its connection");
  path.peer.reset();
  TcpExpectDataClosed(t, *path.data, "when the peer's is");
}

void TcpClosePeerReset(Test& t) {
  TcpPath path = TcpOpenPath(t);
  t.Note("the peer resets its connection");
  path.peer->Reset();
  TcpExpectDataClosed(t, *path.data, "when the peer's is reset");
}

void TcpCloseFlushToClient(Test& t) {
  TcpPath path = TcpOpenPath(t);
  const Bytes last = t.Payload(kTcpLastWords);
  TcpSendPeer(t, *path.peer, last);
  path.peer.reset();
  TcpExpectBytes(t, last, path.data->Read(last.size()), "what the peer sent before it closed");
}

void TcpCloseFlushToPeer(Test& t) {
  TcpPath path = TcpOpenPath(t);
  const Bytes last = t.Payload(kTcpLastWords);
  path.data->Send(last);
  path.data.reset();
  TcpExpectBytes(t, last, TcpReadPeer(t, *path.peer, last.size()),
                 "what the client sent before it closed");
}

void TcpCloseExpired(Test& t) {
  TcpPath path = TcpOpenPath(t);
  path.control.client.Release();
  TcpExpectDataClosed(t, *path.data, "when the allocation expires");
  TcpExpectPeerClosed(t, *path.peer, "when the allocation expires");
}

void TcpCloseOneOfTwo(Test& t) {
  TcpPath path = TcpOpenPath(t);
  const auto listener = t.ListenTcp();
  TcpPeerLink link = TcpConnectPeer(t, path.control, *listener);
  TcpDataConnection other(t, path.control.client);
  other.MustBind(link.id);
  path.data.reset();
  TcpExpectPeerClosed(t, *path.peer, "when the client's is");
  const Bytes bytes = t.Payload(50);
  other.Send(bytes);
  TcpExpectBytes(t, bytes, TcpReadPeer(t, *link.peer, bytes.size()),
                 "data of another connection of the allocation");
}

void TcpCloseControl(Test& t) {
  TcpPath path = TcpOpenPath(t);
  t.Note("the client ends its control connection");
  path.control.client.channel().CloseWrite();
  const bool data = path.data->ClosedWithin(kTcpSoon);
  const bool peer = TcpPeerClosedWithin(t, *path.peer, kTcpSoon);
  t.Info("after the end of the control connection the data connection is " +
         std::string(data ? "closed" : "open") + " and the peer's is " +
         std::string(peer ? "closed" : "open"));
}

}  // namespace

void AddRfc6062Section05_5(CaseList& cases) {
  constexpr std::string_view kRfc = "6062";
  const Needs peer = TcpNeeds(PeerNeed::kTcp);
  const Clause client_closes{kRfc, "5.5", Level::kMust,
                             "When a client data connection is closed, the server MUST close the "
                             "corresponding peer data connection."};
  const Clause peer_closes{kRfc, "5.5", Level::kMust,
                           "When a peer data connection is closed, the server MUST close the "
                           "corresponding client data connection."};
  cases.push_back({.id = "tcp.close.client",
                   .title = "The client closes its data connection: the peer's is closed",
                   .clauses = {client_closes},
                   .needs = peer,
                   .run = TcpCloseClient});
  cases.push_back(
      {.id = "tcp.close.peer",
       .title = "The peer closes its connection: the client's data connection is closed",
       .clauses = {peer_closes},
       .needs = peer,
       .run = TcpClosePeer});
  cases.push_back(
      {.id = "tcp.close.peer-reset",
       .title = "The peer resets its connection: the client's data connection is closed",
       .clauses = {peer_closes},
       .needs = peer,
       .run = TcpClosePeerReset});
  cases.push_back({.id = "tcp.close.one-of-two",
                   .title = "One data connection ends, the allocation's other one goes on",
                   .clauses = {client_closes},
                   .needs = peer,
                   .run = TcpCloseOneOfTwo});
  cases.push_back({.id = "tcp.close.flush-to-client",
                   .title = "What the peer sent before it closed reaches the client",
                   .clauses = {{kRfc, "5.4", Level::kMust,
                                "Data received on the associated peer data connection MUST be sent "
                                "as-is on this client data connection."}},
                   .needs = peer,
                   .run = TcpCloseFlushToClient});
  cases.push_back(
      {.id = "tcp.close.flush-to-peer",
       .title = "What the client sent before it closed reaches the peer",
       .clauses = {{kRfc, "5.4", Level::kMust,
                    "Data received on it MUST be sent as-is to the associated peer data "
                    "connection."}},
       .needs = peer,
       .run = TcpCloseFlushToPeer});
  cases.push_back({.id = "tcp.close.expired",
                   .title = "The allocation ends: its data connections are closed",
                   .clauses = {{kRfc, "5.5", Level::kMust,
                                "If the allocation associated with a data connection expires, the "
                                "data connection MUST be closed."}},
                   .needs = peer,
                   .run = TcpCloseExpired});
  cases.push_back({.id = "tcp.close.control",
                   .title = "What becomes of data connections when the control connection ends",
                   .clauses = {{kRfc, "4.6", Level::kInfo,
                                "for as long as it wants to keep the data connection alive."}},
                   .needs = peer,
                   .run = TcpCloseControl});
}

}  // namespace rtclab::conformance
