#include "conformance/cases/rfc6062/tcp_steps.h"

#include <algorithm>
#include <string>
#include <utility>

namespace rtclab::conformance {
namespace {

// So that a wish to stop is seen in time.
constexpr TimeDelta kTcpSlice = TimeDelta::Millis(200);

}  // namespace

Needs TcpNeeds(PeerNeed peer, Transport transport) {
  Needs needs;
  needs.transport = transport;
  needs.features = {Feature::kTurn, Feature::kTcpRelay};
  needs.peer = peer;
  return needs;
}

Request TcpAllocate() { return Request(stun::Method::kAllocate).RequestedTransport(kTcpProtocol); }

Request TcpConnect(const TransportAddress& peer) {
  return Request(stun::Method::kConnect).PeerAddress(peer);
}

Request TcpConnectionBind(uint32_t connection_id) {
  return Request(stun::Method::kConnectionBind).ConnectionId(connection_id);
}

TcpControl TcpOpenControl(Test& t) {
  Client client = t.Connect();
  Allocation allocation = client.Allocate(TcpAllocate());
  return {std::move(client), std::move(allocation)};
}

uint32_t TcpConnectionIdIn(Test& t, const stun::MessageView& message, std::string_view what) {
  const auto id = message.GetU32(stun::AttributeType::kConnectionId);
  t.Expect(id.has_value(), "CONNECTION-ID of four bytes in " + std::string(what),
           message.Has(stun::AttributeType::kConnectionId) ? "a CONNECTION-ID of another size"
                                                           : "no CONNECTION-ID");
  return *id;
}

TcpPeerLink TcpConnectPeer(Test& t, TcpControl& control, TcpPeer& listener) {
  const Response response = control.client.Call(TcpConnect(listener.local()));
  if (!response.success()) t.Block("Connect to a listening peer: " + response.Describe());
  const auto id = response.view().GetU32(stun::AttributeType::kConnectionId);
  if (!id) t.Block("a Connect success response without a proper CONNECTION-ID");
  auto peer = listener.Accept(kTcpSoon);
  if (!peer) t.Block("the peer has no connection although Connect succeeded");
  t.Note("the peer accepted a connection from " + peer->remote().ToString());
  return {*id, std::move(peer)};
}

TcpPeerLink TcpPeerConnects(Test& t, TcpControl& control) {
  auto peer = t.ConnectTcp(control.allocation.relayed);
  t.Note("the peer at " + peer->local().ToString() + " connected to the relayed address");
  const auto attempt = TcpNextAttempt(t, control.client, kTcpSoon);
  if (!attempt) t.Block("no ConnectionAttempt for a permitted peer");
  const auto id = attempt->view().GetU32(stun::AttributeType::kConnectionId);
  if (!id) t.Block("a ConnectionAttempt without a proper CONNECTION-ID");
  return {*id, std::move(peer)};
}

std::optional<Response> TcpNextAttempt(Test& t, Client& control, TimeDelta limit) {
  const Timestamp end = t.Now() + limit;
  do {
    auto bytes = control.Receive(std::max(end - t.Now(), TimeDelta::Zero()));
    if (!bytes) continue;
    Response message(std::move(*bytes), control.server());
    if (message && message.view().method() == stun::Method::kConnectionAttempt) return message;
  } while (t.Now() < end && control.open());
  return std::nullopt;
}

// --- The client's data connection.

namespace {

Client TcpConnectLike(Test& t, const Client& control, std::optional<Credentials> credentials) {
  ConnectOptions options;
  options.transport = control.transport();
  options.server = control.server();
  options.credentials = std::move(credentials);
  return t.Connect(options);
}

}  // namespace

TcpDataConnection::TcpDataConnection(Test& t, const Client& control,
                                     std::optional<Credentials> credentials)
    : t_(t), client_(TcpConnectLike(t, control, std::move(credentials))) {
  // Some servers take the control connection's nonce, others say 438.
  client_.TakeChallenge(control);
}

Response TcpDataConnection::ReadAnswer() {
  Bytes buffer;
  const Timestamp end = t_.Now() + t_.target().answer_timeout;
  while (t_.Now() < end) {
    const std::size_t whole =
        buffer.size() < stun::kHeaderSize ? 0 : stun::kHeaderSize + LoadU16(buffer.data() + 2);
    if (whole != 0 && buffer.size() >= whole) {
      const auto split = buffer.begin() + static_cast<std::ptrdiff_t>(whole);
      early_.assign(split, buffer.end());
      return {Bytes(buffer.begin(), split), client_.server()};
    }
    const auto got = client_.ReceiveRaw(std::min(end - t_.Now(), kTcpSlice));
    if (got) buffer.insert(buffer.end(), got->bytes.begin(), got->bytes.end());
    if (!got && !client_.open()) break;
  }
  return {};
}

Response TcpDataConnection::Bind(uint32_t connection_id) {
  const Request request = TcpConnectionBind(connection_id);
  Response response;
  for (int attempt = 0; attempt < 2; ++attempt) {
    client_.SendRaw(client_.Encode(request));
    response = ReadAnswer();
    const int code = response.code();
    if (code != stun::kErrorStaleNonce && code != stun::kErrorUnauthenticated) break;
    const auto nonce = response.view().GetString(stun::AttributeType::kNonce);
    if (!nonce || *nonce == client_.nonce()) break;
    client_.SetNonce(std::string(*nonce));
  }
  return response;
}

void TcpDataConnection::MustBind(uint32_t connection_id) {
  const Response response = Bind(connection_id);
  if (!response.success()) t_.Block("ConnectionBind: " + response.Describe());
}

Bytes TcpDataConnection::Read(std::size_t size, TimeDelta limit) {
  const auto take = static_cast<std::ptrdiff_t>(std::min(size, early_.size()));
  Bytes out(early_.begin(), early_.begin() + take);
  early_.erase(early_.begin(), early_.begin() + take);
  const Timestamp end = t_.Now() + limit;
  while (out.size() < size && t_.Now() < end) {
    const auto got = client_.ReceiveRaw(std::min(end - t_.Now(), kTcpSlice));
    if (!got && !client_.open()) break;
    if (!got) continue;
    const std::size_t room = std::min(size - out.size(), got->bytes.size());
    const auto split = got->bytes.begin() + static_cast<std::ptrdiff_t>(room);
    out.insert(out.end(), got->bytes.begin(), split);
    early_.insert(early_.end(), split, got->bytes.end());
  }
  return out;
}

bool TcpDataConnection::ClosedWithin(TimeDelta limit) {
  const Timestamp end = t_.Now() + limit;
  while (client_.open() && t_.Now() < end) client_.ReceiveRaw(std::min(end - t_.Now(), kTcpSlice));
  return !client_.open();
}

// --- The peer's end.

Bytes TcpReadPeer(Test& t, Channel& peer, std::size_t size, TimeDelta limit) {
  Bytes out;
  const Timestamp end = t.Now() + limit;
  while (out.size() < size && t.Now() < end) {
    t.Sleep(TimeDelta::Zero());
    const auto got = peer.Receive(std::min(end - t.Now(), kTcpSlice));
    if (got) out.insert(out.end(), got->bytes.begin(), got->bytes.end());
    if (!got && peer.closed()) break;
  }
  t.Note("the peer has " + std::to_string(out.size()) + " bytes");
  return out;
}

bool TcpPeerClosedWithin(Test& t, Channel& peer, TimeDelta limit) {
  const Timestamp end = t.Now() + limit;
  while (!peer.closed() && t.Now() < end) {
    t.Sleep(TimeDelta::Zero());
    peer.Receive(std::min(t.OnTheClock(end - t.Now()), kTcpSlice));
  }
  t.Note(peer.closed() ? "the peer's connection: " + std::string(peer.close_reason())
                       : "the peer's connection is still open");
  return peer.closed();
}

void TcpSendPeer(Test& t, Channel& peer, ByteView bytes) {
  t.Note("the peer sends " + std::to_string(bytes.size()) + " bytes");
  if (!peer.Send(bytes)) t.Block("the peer's connection broke while it was sending");
}

void TcpExpectBytes(Test& t, ByteView expected, ByteView actual, std::string_view what) {
  if (std::ranges::equal(expected, actual)) return;
  const auto [e, a] = std::ranges::mismatch(expected, actual);
  const auto at = static_cast<std::size_t>(a - actual.begin());
  t.Fail(std::string(what) + ": " + std::to_string(expected.size()) + " bytes as they were sent",
         std::to_string(actual.size()) + " bytes" +
             (a == actual.end()
                  ? " and no more"
                  : ", another from byte " + std::to_string(at) + " on: " +
                        ToHex(actual.subspan(at, std::min<std::size_t>(16, actual.size() - at)))));
}

TcpPath TcpOpenPath(Test& t) {
  TcpPath path{TcpOpenControl(t), t.ListenTcp(), nullptr, nullptr};
  TcpPeerLink link = TcpConnectPeer(t, path.control, *path.listener);
  path.peer = std::move(link.peer);
  path.data = std::make_unique<TcpDataConnection>(t, path.control.client);
  path.data->MustBind(link.id);
  return path;
}

TcpBlackHole TcpOpenBlackHole(Test& t) {
  constexpr int kMostFillers = 4;
  auto listening = PeerListener::Listen({t.ClosedPort().ip, 0}, 0);
  if (!listening) t.Block("no listener of ours: " + listening.error().reason);
  TcpBlackHole hole{listening->local(), std::make_unique<PeerListener>(*std::move(listening)), {}};
  for (int i = 0; i < kMostFillers; ++i) {
    ChannelOptions options;
    options.server = hole.address;
    options.connect_timeout = TimeDelta::Millis(300);
    auto filler = Channel::TryOpen(Transport::kTcp, options);
    t.Sleep(TimeDelta::Zero());
    if (!filler.channel && filler.timed_out) return hole;
    if (!filler.channel) break;
    hole.fillers.push_back(std::move(filler.channel));
  }
  t.Skip("this host's system has no TCP port that stays silent");
}

}  // namespace rtclab::conformance
