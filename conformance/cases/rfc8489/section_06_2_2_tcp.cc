// RFC 8489 section 6.2.2: STUN over TCP.
#include <fmt/format.h>

#include <algorithm>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

Needs StunTcpNeeds() {
  return {.transport = Transport::kTcp, .features = {Feature::kTcpTransport}};
}

void StunTcpExpectAnswer(Test& t, Client& client, const stun::TransactionId& id,
                         std::string_view what) {
  const Response response = client.Await(id, t.target().answer_timeout);
  t.Expect(response.received(), fmt::format("an answer to {}", what),
           client.open() ? "none" : "the server has closed the connection");
}

void StunTcpNoFraming(Test& t) {
  Client client = t.Connect();
  const stun::TransactionId id = stun::NewTransactionId(t.rng());
  const Bytes answer =
      RawAnswer(t, client, RawStun(t, kBindingRequestType, {}, 0, stun::kMagicCookie, id));
  t.Expect(answer.size() >= stun::kHeaderSize, "a STUN message",
           fmt::format("{} bytes", answer.size()));
  t.Expect((answer[0] & 0xc0) == 0 && LoadU32(answer.data() + 4) == stun::kMagicCookie &&
               std::equal(id.begin(), id.end(), answer.begin() + 8),
           "the stream to begin with the header of the response",
           ToHex(ByteView(answer).first(stun::kHeaderSize)));
}

void StunTcpSplit(Test& t) {
  Client client = t.Connect();
  const stun::TransactionId id = stun::NewTransactionId(t.rng());
  const Bytes software = {0x80, 0x22, 0x00, 0x05, 's', 'p', 'l', 'i', 't', 0, 0, 0};
  const Bytes request = RawStun(t, kBindingRequestType, software, {}, stun::kMagicCookie, id);
  const ByteView all(request);
  client.SendRaw(all.first(7));
  t.Sleep(TimeDelta::Millis(80));
  client.SendRaw(all.subspan(7, 15));
  t.Sleep(TimeDelta::Millis(80));
  client.SendRaw(all.subspan(22));
  StunTcpExpectAnswer(t, client, id, "a Binding request in three pieces");
}

void StunTcpBytewise(Test& t) {
  Client client = t.Connect();
  const stun::TransactionId id = stun::NewTransactionId(t.rng());
  const Bytes request = RawStun(t, kBindingRequestType, {}, 0, stun::kMagicCookie, id);
  for (const uint8_t byte : request) {
    client.SendRaw(ByteView(&byte, 1));
    t.Sleep(TimeDelta::Millis(5));
  }
  StunTcpExpectAnswer(t, client, id, "a Binding request sent byte by byte");
}

void StunTcpPipelined(Test& t) {
  Client client = t.Connect();
  std::vector<stun::TransactionId> ids;
  Bytes segment;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(stun::NewTransactionId(t.rng()));
    const Bytes request = RawStun(t, kBindingRequestType, {}, 0, stun::kMagicCookie, ids.back());
    segment.insert(segment.end(), request.begin(), request.end());
  }
  // The last one comes in two pieces, so that a message ends within a segment.
  const ByteView all(segment);
  client.SendRaw(all.first(all.size() - 11));
  t.Sleep(TimeDelta::Millis(50));
  client.SendRaw(all.last(11));
  for (const stun::TransactionId& id : ids) {
    StunTcpExpectAnswer(t, client, id, "each of five Binding requests sent at once");
  }
}

void StunTcpSameConnection(Test& t) {
  Client asking = t.Connect();
  Client other = t.Connect();
  const Response response = AskBinding(t, asking);
  t.Expect(response.received(), "the response on the connection of the request", "none");
  t.ExpectSilence(other, "a request on another connection");
}

void StunTcpKeepOpen(Test& t) {
  Client client = t.Connect();
  t.ExpectSuccess(AskBinding(t, client), "the first Binding request");
  t.Sleep(TimeDelta::Millis(700));
  const Response again = AskBinding(t, client);
  t.Expect(again.received(), "the connection still open 700 ms after a response",
           client.open() ? "no answer to another request on it" : "closed by the server");
}

void StunTcpNoCloseWhilePending(Test& t) {
  Client client = t.Connect();
  const stun::TransactionId first = stun::NewTransactionId(t.rng());
  const stun::TransactionId second = stun::NewTransactionId(t.rng());
  Bytes bytes = RawStun(t, kBindingRequestType, {}, 0, stun::kMagicCookie, first);
  const Bytes half = RawStun(t, kBindingRequestType, {}, 0, stun::kMagicCookie, second);
  bytes.insert(bytes.end(), half.begin(), half.begin() + 10);
  client.SendRaw(bytes);
  StunTcpExpectAnswer(t, client, first, "a Binding request");
  t.Sleep(TimeDelta::Millis(500));
  client.SendRaw(ByteView(half).subspan(10));
  StunTcpExpectAnswer(t, client, second, "a Binding request whose second half comes 500 ms later");
}

// A server that closes its connection at the end of our half still answers when it happens to be quick: many a try.
void StunTcpHalfClose(Test& t) {
  constexpr int kTries = 24;
  for (int i = 0; i < kTries; ++i) {
    Client client = t.Connect();
    const stun::TransactionId id = stun::NewTransactionId(t.rng());
    client.SendRaw(RawStun(t, kBindingRequestType, {}, 0, stun::kMagicCookie, id));
    client.channel().CloseWrite();
    StunTcpExpectAnswer(t, client, id, "a Binding request followed by the end of our half");
  }
}

// The same 5-tuple cannot be dialled while it is in use, so we listen beside our connection on its port, and end it before the answer.
void StunTcpNoConnectBack(Test& t) {
  ChannelOptions options;
  options.server = t.target().endpoints.at({Transport::kTcp, t.target().family});
  options.reuse_local = true;
  Channel::Attempt attempt = Channel::TryOpen(Transport::kTcp, options);
  if (attempt.stage == Channel::Stage::kInterrupted) throw Interruption{};
  if (!attempt.channel) t.Block(attempt.reason);
  auto listener = PeerListener::Listen(attempt.channel->local());
  if (!listener) t.Skip("no listener beside the connection: " + listener.error().reason);
  t.Note("A Binding request, and a reset of the connection, while we listen on its port.");
  if (!attempt.channel->Send(RawStun(t, kBindingRequestType))) t.Block("the connection has failed");
  attempt.channel->Reset();
  const auto back = listener->Accept(TimeDelta::Millis(400));
  t.Expect(back == nullptr, "no connection from the server",
           "the server has connected to our port");
}

void AddStunTcpFraming(CaseList& cases) {
  cases.push_back(
      {.id = "stun.tcp.no-framing",
       .title = "Over TCP messages follow each other without further framing",
       .clauses = {{"8489", "6.2.2", Level::kProse,
                    "Consequently, no framing protocols are used in connections to those "
                    "servers."}},
       .needs = StunTcpNeeds(),
       .run = StunTcpNoFraming});
  cases.push_back(
      {.id = "stun.tcp.split",
       .title = "A message that comes in pieces is put together",
       .clauses = {{"8489", "6.2.2", Level::kProse,
                    "In this case, it can be sent without the aid of any additional framing or "
                    "demultiplexing."}},
       .needs = StunTcpNeeds(),
       .run = StunTcpSplit});
  cases.push_back(
      {.id = "stun.tcp.bytewise",
       .title = "A message that comes byte by byte is put together",
       .clauses = {{"8489", "6.2.2", Level::kProse,
                    "In this case, it can be sent without the aid of any additional framing or "
                    "demultiplexing."}},
       .needs = StunTcpNeeds(),
       .run = StunTcpBytewise});
  cases.push_back(
      {.id = "stun.tcp.pipelined",
       .title = "Requests sent before the first response are all answered",
       .clauses = {{"8489", "6.3.1.2", Level::kProse,
                    "The server is allowed to send responses in a different order than it "
                    "received the requests."},
                   {"8489", "6.2.2", Level::kMay,
                    "it MAY send another request before receiving a response to the previous "
                    "request"}},
       .needs = StunTcpNeeds(),
       .run = StunTcpPipelined});
}

void AddStunTcpConnection(CaseList& cases) {
  cases.push_back(
      {.id = "stun.tcp.same-connection",
       .title = "The response comes on the connection of the request",
       .clauses = {{"8489", "6.3.1.2", Level::kProse,
                    "the response is sent back on the same TCP connection as the request was "
                    "received on"}},
       .needs = StunTcpNeeds(),
       .run = StunTcpSameConnection});
  cases.push_back(
      {.id = "stun.tcp.keep-open",
       .title = "The server lets the client close the connection",
       .clauses = {{"8489", "6.2.2", Level::kShould,
                    "the server SHOULD keep the connection open and let the client close it"}},
       .needs = StunTcpNeeds(),
       .run = StunTcpKeepOpen});
  cases.push_back(
      {.id = "stun.tcp.no-close-pending",
       .title = "The server does not close while a request is still coming in",
       .clauses = {{"8489", "6.2.2", Level::kShouldNot,
                    "The server SHOULD NOT close a connection if a request was received over that "
                    "connection for which a response was not sent."}},
       .needs = StunTcpNeeds(),
       .run = StunTcpNoCloseWhilePending});
  cases.push_back(
      {.id = "stun.tcp.half-close",
       .title = "A client that has ended its half still gets its response",
       .clauses = {{"8489", "6.2.2", Level::kShouldNot,
                    "The server SHOULD NOT close a connection if a request was received over that "
                    "connection for which a response was not sent."}},
       .needs = StunTcpNeeds(),
       .run = StunTcpHalfClose});
  cases.push_back(
      {.id = "stun.tcp.no-connect-back",
       .title = "The server never connects to the client",
       .clauses = {{"8489", "6.2.2", Level::kMustNot,
                    "A server MUST NOT ever open a connection back towards the client in order to "
                    "send a response."}},
       .needs = StunTcpNeeds(),
       .run = StunTcpNoConnectBack});
}

}  // namespace

void AddRfc8489Section06_2_2(CaseList& cases) {
  AddStunTcpFraming(cases);
  AddStunTcpConnection(cases);
}

}  // namespace rtclab::conformance
