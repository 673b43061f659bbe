// RFC 6062 sections 5.2 and 5.3: what takes half a minute.
#include <algorithm>
#include <string>

#include "conformance/cases/rfc6062/tcp_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

// Clocks differ, and timers are coarse.
constexpr TimeDelta kTcpEarly = TimeDelta::Millis(1'500);
constexpr TimeDelta kTcpLate = TimeDelta::Seconds(15);

// Where the server's time runs faster, what is late on our clock is later by as much.
TimeDelta TcpEarly(const Test& t) {
  return std::max(kTcpEarly, TimeDelta::Millis(100) * t.target().time_scale);
}

void TcpConnectTimeout(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const TcpBlackHole hole = TcpOpenBlackHole(t);
  const auto id = stun::NewTransactionId(t.rng());
  const Timestamp asked = t.Now();
  control.client.SendRaw(control.client.Encode(TcpConnect(hole.address).TransactionId(id)));
  // Linux gives a connection up after some 130 s.
  const Response response = control.client.Await(id, TimeDelta::Seconds(150));
  const TimeDelta took = t.Now() - asked;
  if (!response) {
    t.Expect(control.client.open(), "447 when the attempt times out",
             "the control connection was closed");
    t.Info("no answer to Connect within 150 s");
  }
  t.ExpectError(response, 447);
  t.Expect(took >= kTcpPatience - TcpEarly(t), "447 not before 30 s have passed",
           "447 after " + std::to_string(took.millis()) + " ms");
}

// Nobody binds the connection: it lives for 30 s and not for ever.
void TcpExpectGivenUp(Test& t, Channel& peer) {
  const Timestamp made = t.Now();
  const bool early = TcpPeerClosedWithin(t, peer, kTcpPatience - TcpEarly(t));
  t.Expect(!early, "the peer data connection waits 30 s for ConnectionBind",
           "it was closed after " + std::to_string((t.Now() - made).millis()) + " ms");
  t.Expect(TcpPeerClosedWithin(t, peer, TcpEarly(t) + kTcpLate),
           "the peer data connection is closed when 30 s have passed without ConnectionBind",
           "it is still open after " + std::to_string((t.Now() - made).millis()) + " ms");
}

void TcpConnectUnbound(Test& t) {
  TcpControl control = TcpOpenControl(t);
  const auto listener = t.ListenTcp();
  const TcpPeerLink link = TcpConnectPeer(t, control, *listener);
  TcpExpectGivenUp(t, *link.peer);
}

void TcpAcceptUnbound(Test& t) {
  TcpControl control = TcpOpenControl(t);
  control.client.CreatePermission(t.ClosedPort());
  const TcpPeerLink link = TcpPeerConnects(t, control);
  TcpExpectGivenUp(t, *link.peer);
}

}  // namespace

void AddRfc6062Section05_2Slow(CaseList& cases) {
  constexpr std::string_view kRfc = "6062";
  const Needs peer = TcpNeeds(PeerNeed::kTcp);
  cases.push_back(
      {.id = "tcp.connect.timeout",
       .title = "The server tries to connect for at least 30 s",
       .clauses = {{kRfc, "5.2", Level::kMust, "The timeout value MUST be at least 30 seconds."},
                   {kRfc, "5.2", Level::kMust,
                    "If the connection attempt fails or times out, the server MUST "
                    "return a 447 (Connection Timeout or Failure) error."}},
       .needs = TcpNeeds(PeerNeed::kLocal),
       .slow = true,
       .run = TcpConnectTimeout});
  constexpr std::string_view kGiveUp =
      "received after 30 seconds, the peer data connection MUST be closed.";
  cases.push_back({.id = "tcp.bind.30s",
                   .title = "A connection to a peer that is not bound within 30 s is closed",
                   .clauses = {{kRfc, "5.2", Level::kMust, kGiveUp}},
                   .needs = peer,
                   .slow = true,
                   .run = TcpConnectUnbound});
  cases.push_back({.id = "tcp.accept.30s",
                   .title = "A connection from a peer that is not bound within 30 s is closed",
                   .clauses = {{kRfc, "5.3", Level::kMust, kGiveUp}},
                   .needs = peer,
                   .slow = true,
                   .run = TcpAcceptUnbound});
}

}  // namespace rtclab::conformance
