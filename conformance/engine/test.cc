#include "conformance/engine/test.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "conformance/engine/client_state.h"
#include "conformance/engine/describe.h"
#include "conformance/engine/peer_state.h"
#include "conformance/engine/tcp_peer.h"
#include "stack/stun/credentials.h"

namespace rtclab::conformance {
namespace {

// How long data may take through a relay before it counts as lost.
constexpr TimeDelta kRelayLimit = TimeDelta::Millis(2'000);

bool AsksNothing(const SecureOptions& o) {
  const SecureOptions plain;
  return o.ca_file.empty() && !o.insecure && o.alpn.empty() && o.min_version == plain.min_version &&
         o.max_version == plain.max_version && o.cipher_list.empty() && o.cipher_suites.empty();
}

std::string About(std::string_view what) { return what.empty() ? "" : fmt::format(" ({})", what); }

bool SameBytes(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

[[noreturn]] void Graded(std::string expected, std::string actual) {
  throw Stop{
      {.outcome = Outcome::kFail, .expected = std::move(expected), .actual = std::move(actual)},
      true};
}

// Opens a channel from an address that no case has had, as far as the system can be moved to give one. It hands ports out again soon, and
// a server may need a while to forget an allocation that was deleted.
Channel::Attempt OpenFresh(RunContext& run, Transport transport, const ChannelOptions& options) {
  constexpr std::size_t kTries = 16;
  std::vector<std::unique_ptr<Channel>>
      used;  // kept, so that their ports are not given a second time
  while (true) {
    Channel::Attempt attempt = Channel::TryOpen(transport, options);
    if (!attempt.channel || options.local || run.FirstUse(transport, attempt.channel->local()) ||
        used.size() == kTries)
      return attempt;
    used.push_back(std::move(attempt.channel));
  }
}

[[noreturn]] void End(Outcome outcome, std::string reason) {
  throw Stop{{.outcome = outcome, .reason = std::move(reason)}};
}

}  // namespace

struct Test::State {
  const Case* test_case;
  Session* session;
};

Test::Test(const Case& test_case, Session& session)
    : state_(std::make_unique<State>(State{&test_case, &session})) {
  session.safety = test_case.safety;
}
Test::~Test() = default;

const Case& Test::test_case() const { return *state_->test_case; }
const Target& Test::target() const { return state_->session->target(); }
Rng& Test::rng() { return state_->session->rng(); }
const Exchange& Test::exchange() const { return state_->session->exchange(); }
Timestamp Test::Now() const {
  return Timestamp::Nanos(state_->session->Now().nanos() * TimeScale());
}
void Test::Note(std::string text) { state_->session->Note("", std::move(text)); }

int64_t Test::UnixTime() const {
  return (UnixTimeAtZero() + (RealNow() - Timestamp::Zero())).millis() / 1'000;
}

Credentials Test::RestUser(TimeDelta lifetime) {
  const stun::RestCredential made = stun::MakeRestCredential(
      target().rest_secret, UnixTime() + lifetime.millis() / 1'000, "rtclab");
  return {made.username, made.password};
}

// --- Means.

Client Test::Connect(const ConnectOptions& options) {
  Session& session = *state_->session;
  session.Wait(TimeDelta::Zero());
  const Transport transport = options.transport.value_or(session.transport());
  const AddressFamily family = options.family   ? *options.family
                               : options.server ? options.server->family()
                                                : session.family();
  const auto server = options.server ? options.server : session.Endpoint(transport, family);
  if (!server) {
    End(Outcome::kSkipped,
        fmt::format("no {} endpoint of the server is known{}", ToString(transport),
                    family == AddressFamily::kIpv6 ? " over IPv6" : ""));
  }
  if (!session.run().destinations.MaySend(server->ip)) {
    End(Outcome::kSkipped,
        fmt::format("{} was not named as an address of the server", server->ip.ToString()));
  }
  auto client = std::make_unique<Client::State>();
  client->session = &session;
  client->name = session.NextName("client");
  client->server = *server;
  client->transport = transport;
  client->credentials = options.credentials ? options.credentials : target().user;
  ChannelOptions open;
  open.server = *server;
  open.local = options.local;
  open.server_name = target().host;
  open.secure = options.secure;
  if (transport == Transport::kTls || transport == Transport::kDtls) {
    if (AsksNothing(options.secure)) {
      const auto context = session.run().SharedContext(
          transport == Transport::kTls ? SecureProtocol::kTls : SecureProtocol::kDtls);
      if (!context) End(Outcome::kBlocked, context.error().reason);
      open.context = *context;
    }
    if (open.secure.ca_file.empty()) open.secure.ca_file = target().ca_file;
    open.secure.insecure |= target().insecure;
  }
  // coturn gives each new client address a socket of its own, and while it does so it may hand it the packets of another new client, which
  // is then challenged a second time. Real clients seldom meet so; ours do, so that over UDP one after the other is introduced.
  std::unique_lock<std::mutex> opening;
  if (transport == Transport::kUdp || transport == Transport::kDtls) {
    opening = std::unique_lock(session.run().opening());
  }
  // Others may have taken long to open.
  open.connect_timeout = session.Wait(target().answer_timeout + TimeDelta::Seconds(2));
  Channel::Attempt attempt = OpenFresh(session.run(), transport, open);
  if (attempt.stage == Channel::Stage::kInterrupted) throw Interruption{};
  if (attempt.channel) {
    client->local = attempt.channel->local();
    client->channel = std::move(attempt.channel);
    if (transport == Transport::kUdp && options.introduce && session.run().introduce) {
      client->Introduce();
    }
  } else {
    session.Note(client->name, "not connected: " + attempt.reason);
    if (options.must_open) End(Outcome::kBlocked, attempt.reason);
  }
  return Client(std::move(client));
}

Client Test::ConnectAs(const Credentials& credentials) {
  ConnectOptions options;
  options.credentials = credentials;
  return Connect(options);
}

Peer Test::OpenPeer(const PeerOptions& options) {
  Session& session = *state_->session;
  const auto kind = session.run().peers.find(options.family);
  if (kind == session.run().peers.end()) {
    End(Outcome::kSkipped, fmt::format("there is no {} peer that the server reaches",
                                       options.family == AddressFamily::kIpv6 ? "IPv6" : "IPv4"));
  }
  auto peer = std::make_unique<Peer::State>();
  peer->session = &session;
  const bool wants_local = options.port || options.which_address != 0;
  if (wants_local && kind->second != PeerPlan::Kind::kLocal) {
    End(Outcome::kSkipped, "needs a peer with an address of this host");
  }
  if (kind->second == PeerPlan::Kind::kLocal) {
    auto socket = PeerSocket::Bind(OwnAddress(session, options));
    if (!socket) End(Outcome::kBlocked, "no peer socket: " + socket.error().reason);
    peer->address = socket->local();
    peer->socket.emplace(std::move(*socket));
  } else if (kind->second == PeerPlan::Kind::kRemote) {
    auto remote =
        EchoPeer::Open(target().peers.remote, target().peers.remote_token, options.family);
    if (!remote) End(Outcome::kBlocked, "no peer on the other host: " + remote.error().reason);
    peer->address = (*remote)->address();
    peer->remote = std::move(*remote);
  } else {
    peer->relay.emplace(Connect());
    Request request = AllocateRequest();
    if (options.family == AddressFamily::kIpv6) request.RequestedFamily(2);
    peer->address = peer->relay->Allocate(request).relayed;
    // The relayed addresses of a server are mostly one IP address: what comes from the case's is let through from the start.
    peer->Permit(peer->address.ip);
  }
  peer->name = session.NextName("peer");
  return Peer(std::move(peer));
}

std::unique_ptr<TcpPeer> Test::ListenTcp(const PeerOptions& options) {
  Session& session = *state_->session;
  auto peer = RemotePeers(session, options.family) ? ListenThere(target().peers, options.family)
                                                   : ListenHere(OwnAddress(session, options));
  if (!peer) End(Outcome::kBlocked, "no peer listener: " + peer.error().reason);
  return std::move(*peer);
}

std::unique_ptr<PeerStream> Test::ConnectTcp(const TransportAddress& to,
                                             const PeerOptions& options) {
  Session& session = *state_->session;
  if (!session.run().destinations.MaySend(to.ip)) {
    End(Outcome::kSkipped, fmt::format("{} is not one that was named", to.ip.ToString()));
  }
  PeerConnection made;
  if (RemotePeers(session, to.family())) {
    made = ConnectThere(target().peers, to);
    if (made.refused) End(Outcome::kSkipped, made.reason);
  } else {
    ChannelOptions open;
    open.server = to;
    open.local = OwnAddress(session, options);
    open.reuse_local = options.port.has_value();
    auto stream = Channel::Open(Transport::kTcp, open);
    if (stream) {
      made.stream = std::move(*stream);
    } else {
      made.reason = stream.error().reason;
    }
  }
  if (made.stream) return std::move(made.stream);
  if (options.must_open || made.broken) {
    End(Outcome::kBlocked, "no connection of the peer: " + made.reason);
  }
  Note("no connection of the peer: " + made.reason);
  return nullptr;
}

TransportAddress Test::ClosedPort(const PeerOptions& options) {
  Session& session = *state_->session;
  if (RemotePeers(session, options.family)) {
    const auto port = ClosedPortThere(target().peers, options.family);
    if (!port) End(Outcome::kBlocked, "no free port on the other host: " + port.error().reason);
    return *port;
  }
  auto socket = PeerSocket::Bind(OwnAddress(session, options));
  if (!socket) End(Outcome::kBlocked, "no free port: " + socket.error().reason);
  return socket->local();
}

bool Test::Supports(Feature feature) { return state_->session->run().Supports(feature); }

void Test::Require(Feature feature) {
  if (Supports(feature)) return;
  Unsupported(fmt::format("{}: {}", ToString(feature), state_->session->run().HowKnown(feature)));
}

int Test::TimeScale() const { return test_case().slow ? target().time_scale : 1; }

TimeDelta Test::OnTheClock(TimeDelta duration) const { return duration / TimeScale(); }

void Test::Sleep(TimeDelta duration) {
  const Timestamp end = RealNow() + OnTheClock(duration);
  while (true) {
    const TimeDelta left = state_->session->Wait(end - RealNow());
    if (RealNow() >= end) return;
    std::this_thread::sleep_for(
        std::chrono::nanoseconds(std::min(left, TimeDelta::Millis(50)).nanos()));
  }
}

Bytes Test::Payload(std::size_t size) {
  Bytes out(size);
  rng().Fill(out);
  if (size > 0) out[0] |= 0xc0;  // of no protocol of RFC 7983
  return out;
}

void Test::SpendProbe(int packets) {
  if (!state_->session->run().SpendProbe(packets)) Skip("the cap of safety probes is reached");
}

void Test::RequireDestination(const IpAddress& destination) {
  const auto& named = target().safety.destinations;
  if (std::find(named.begin(), named.end(), destination) == named.end()) {
    Skip(fmt::format("{} was not named with --probe", destination.ToString()));
  }
}

// --- Verdicts.

void Test::Fail(std::string expected, std::string actual) {
  Graded(std::move(expected), std::move(actual));
}
void Test::Info(std::string observation) {
  throw Stop{{.outcome = Outcome::kInfo, .actual = std::move(observation)}};
}
void Test::Skip(std::string reason) { End(Outcome::kSkipped, std::move(reason)); }
void Test::Block(std::string reason) { End(Outcome::kBlocked, std::move(reason)); }
void Test::Unsupported(std::string reason) { End(Outcome::kUnsupported, std::move(reason)); }

void Test::Expect(bool holds, std::string_view expected, std::string_view actual) {
  if (!holds) Graded(std::string(expected), std::string(actual));
}

void Test::ExpectSuccess(const Response& response, std::string_view what) {
  if (!response.success()) Graded("a success response" + About(what), response.Describe());
}

void Test::ExpectError(const Response& response, std::initializer_list<int> codes,
                       std::string_view what) {
  if (std::find(codes.begin(), codes.end(), response.code()) != codes.end()) return;
  std::string list;
  for (const int code : codes) list += (list.empty() ? "" : " or ") + std::to_string(code);
  Graded(fmt::format("an error response {}{}", list, About(what)), response.Describe());
}

void Test::ExpectSilence(Client& client, std::string_view what, bool may_close) {
  Client::State& state = *client.state_;
  const bool lenient = may_close && state.Reliable();
  const std::string expected = fmt::format("no answer to {}", what);
  const Request fence = state_->session->run().answers_binding
                            ? Request(stun::Method::kBinding).Unsigned()
                            : AllocateRequest().Unsigned();
  const Response answer = client.Once(fence);
  const Timestamp quiet = RealNow() + state_->session->run().silence;
  while (answer && state.kept.empty() && state.Open() && RealNow() < quiet) {
    state.Pump(state_->session->Wait(quiet - RealNow()));
  }
  if (!state.kept.empty()) Graded(expected, Brief(state.kept.front().bytes));
  if (answer || lenient) return;
  Graded(expected + ", and then an answer to a Binding request",
         state.Open() ? "no answer to either" : "the connection was closed");
}

Peer::Received Test::ExpectAtPeer(Peer& peer, ByteView data, std::string_view what) {
  const Timestamp deadline = RealNow() + kRelayLimit;
  std::string actual = "nothing came";
  while (auto got = peer.Receive(deadline - RealNow())) {
    if (SameBytes(got->bytes, data)) return std::move(*got);
    actual = "other bytes came: " + Brief(got->bytes);
  }
  Graded(fmt::format("the peer gets {} bytes{}", data.size(), About(what)), actual);
}

RelayedData Test::ExpectAtClient(Client& client, ByteView data, std::string_view what) {
  const Timestamp deadline = RealNow() + kRelayLimit;
  std::string actual = "nothing came";
  while (auto got = client.ReceiveData(deadline - RealNow())) {
    if (got->has_data && SameBytes(got->data, data)) return std::move(*got);
    actual = "other data came: " + Brief(got->raw);
  }
  Graded(fmt::format("the client gets {} bytes{}", data.size(), About(what)), actual);
}

void Test::ExpectNothingAtPeer(Peer& peer, std::string_view what) {
  if (const auto got = peer.Receive(state_->session->run().silence)) {
    Graded(fmt::format("nothing at the peer: {}", what), Brief(got->bytes));
  }
}

void Test::ExpectNothingAtClient(Client& client, std::string_view what) {
  if (const auto got = client.ReceiveData(state_->session->run().silence)) {
    Graded(fmt::format("nothing at the client: {}", what), Brief(got->raw));
  }
}

}  // namespace rtclab::conformance
