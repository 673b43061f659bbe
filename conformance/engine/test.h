// What a case sees: clients on fresh 5-tuples, peers, and ways to say what it found. Everything blocks, with deadlines.
//
//   void TokenAndEvenPort(Test& t) {
//     Client client = t.Connect();
//     const Response response = client.Call(AllocateRequest().EvenPort(false).ReservationToken(1));
//     t.ExpectError(response, 400);
//   }
//
// A check that fails ends the case by an exception that only the runner catches; destructors release allocations on the way.
// The runner grades it by the level of the case's first clause: fail, weak, or info.
#ifndef RTCLAB_CONFORMANCE_ENGINE_TEST_H_
#define RTCLAB_CONFORMANCE_ENGINE_TEST_H_

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/engine/case.h"
#include "conformance/engine/exchange.h"
#include "conformance/engine/message.h"
#include "conformance/engine/target.h"
#include "conformance/engine/verdict.h"
#include "conformance/socket/channel.h"
#include "stack/base/rng.h"

namespace rtclab::conformance {

class Session;  // what the runner lends a case (session.h)

using PeerStream = Channel;  // a peer's TCP connection

// A TCP port of a peer, on this host or on that of rtclab peer-echo.
class TcpPeer {
 public:
  virtual ~TcpPeer() = default;
  virtual const TransportAddress& local() const = 0;
  // The next connection (peer-echo: the only one); nullptr when `limit` has passed.
  virtual std::unique_ptr<PeerStream> Accept(TimeDelta limit) = 0;
};

// Thrown to end a case with a verdict. `graded`: the outcome follows from the first clause's level.
struct Stop {
  Verdict verdict;
  bool graded = false;
};
// Thrown when the user has pressed Ctrl-C, or the time of the whole run is over.
struct Interruption {};

struct ConnectOptions {
  std::optional<Transport> transport{};      // none: the case's
  std::optional<AddressFamily> family{};     // none: the case's
  std::optional<TransportAddress> server{};  // none: the target's endpoint
  std::optional<TransportAddress> local{};   // port 0: any
  std::optional<Credentials> credentials{};  // none: the target's first user
  SecureOptions secure{};  // TLS and DTLS; verification is as the target says unless set otherwise
  bool introduce =
      true;  // UDP: a Binding request goes first. False: the server sees the case's own packet first
  bool must_open =
      true;  // false: a refused connection gives a client with open() false, not a blocked case
};

struct Allocation {
  TransportAddress relayed{};
  std::optional<TransportAddress> relayed_v6{};  // of a dual allocation: the second one
  TransportAddress mapped{};
  uint32_t lifetime_s = 0;
  std::optional<uint64_t> token{};
  std::optional<Bytes> ticket{};
  Response response{};
};

// Something that came through the relay.
struct RelayedData {
  TransportAddress peer{};            // Data indication: XOR-PEER-ADDRESS
  std::optional<uint16_t> channel{};  // ChannelData
  Bytes data{};
  bool has_data = false;        // a Data indication with DATA, or ChannelData
  std::optional<Bytes> icmp{};  // value of ICMP
  Bytes raw{};                  // the whole message
};

// An Allocate request for UDP.
Request AllocateRequest();

// One client 5-tuple. Movable; closes its socket at the end and deletes the allocation that it knows of.
class Client {
 public:
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  bool open() const;  // the channel is there and not closed by the server
  const TransportAddress& local() const;
  const TransportAddress& server() const;
  Transport transport() const;
  Channel& channel();  // for what is below: half-close, TLS properties

  // --- Transactions.
  // Sends and waits for the answer with that transaction id: over UDP and DTLS again after 500 ms, doubling, until the target's
  // answer_timeout. Other messages that come meanwhile are kept for Receive*(). The first 401 is taken as the challenge and the
  // request sent again signed; a 438 gives its nonce and one more try. Not for a Signing that brings its own realm, nonce or key.
  Response Call(const Request& request);
  // One transaction as it is: no second try after 401 or 438 (the challenge is remembered all the same). `retransmit` false: sent
  // once.
  Response Once(const Request& request, bool retransmit = true);
  // The bytes that Once() would send now.
  Bytes Encode(const Request& request);
  // Sends bytes that are a request with this transaction id and waits for its answer.
  Response OnceRaw(ByteView request, const stun::TransactionId& id, bool retransmit = false);
  // Waits for the answer to something sent with SendRaw().
  Response Await(const stun::TransactionId& id, TimeDelta limit);
  // Asks for a challenge with an unsigned Allocate; the case is blocked unless a 401 with REALM and NONCE comes.
  const Response& Challenge();
  const std::string& realm() const;
  const std::string& nonce() const;
  // The algorithms offered by the last challenge, as in PASSWORD-ALGORITHMS; empty: none.
  const Bytes& offered_algorithms() const;
  // Takes over another client's challenge.
  void TakeChallenge(const Client& other);
  void SetNonce(std::string nonce);
  // The key that the default signing uses now.
  const stun::IntegrityKey& key() const;
  // Whether `response` carries a MESSAGE-INTEGRITY(-SHA256) that is right for this client's key.
  bool Authentic(const Response& response) const;

  // --- Bytes.
  void SendRaw(ByteView bytes);
  void Send(const Request& indication_or_request);  // without waiting
  // The next message from the server that no transaction waits for (streams: framed): kept ones first. nullopt: none in time.
  std::optional<Bytes> Receive(TimeDelta limit);
  // The next unframed bytes of the stream, or datagram, with its source.
  std::optional<Received> ReceiveRaw(TimeDelta limit);

  // --- Steps that are not the point of the case: it is blocked when one does not succeed.
  Allocation Allocate(const Request& request = AllocateRequest());
  void CreatePermission(std::initializer_list<TransportAddress> peers);
  void CreatePermission(const TransportAddress& peer);
  void BindChannel(uint16_t number, const TransportAddress& peer);
  uint32_t Refresh(std::optional<uint32_t> lifetime_s);  // returns the lifetime granted
  void Release();                                        // Refresh with LIFETIME 0

  // --- Data.
  void SendIndication(const TransportAddress& peer, ByteView data);
  void SendChannelData(uint16_t channel, ByteView data);  // padded over streams
  // The next Data indication or ChannelData message.
  std::optional<RelayedData> ReceiveData(TimeDelta limit);

 private:
  friend class Test;
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A peer of relayed data: a socket of ours, an allocation of ours, or a socket of rtclab peer-echo. Its kind does not show.
class Peer {
 public:
  struct Received {
    Bytes bytes;
    TransportAddress from;
    std::optional<uint8_t> tos{};  // DSCP and ECN as they arrived; local peers only
  };
  Peer(Peer&&) noexcept;
  Peer& operator=(Peer&&) noexcept;
  ~Peer();

  // Where the server sends to: what XOR-PEER-ADDRESS has to say.
  const TransportAddress& address() const;
  // `marks`: DSCP and ECN; local peers only.
  void Send(const TransportAddress& relayed, ByteView data, const IpMarks& marks = {});
  std::optional<Received> Receive(TimeDelta limit);

 private:
  friend class Test;
  struct State;
  explicit Peer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct PeerOptions {
  AddressFamily family = AddressFamily::kIpv4;
  int which_address = 0;  // 1: on our second IP address (Needs::peer kTwoLocal)
  std::optional<uint16_t> port{};
  bool must_open = true;  // ConnectTcp(): false gives nullptr where the case would be blocked
};

class Test {
 public:
  Test(const Case& test_case, Session& session);
  ~Test();

  const Case& test_case() const;
  const Target& target() const;
  Rng& rng();

  // A fresh 5-tuple to the server; the case is blocked when it can't be opened.
  Client Connect(const ConnectOptions& options = {});
  Client ConnectAs(const Credentials& credentials);  // the same for another user
  Peer OpenPeer(const PeerOptions& options = {});
  // A TCP port that the server can reach (RFC 6062), of ours or of peer-echo's.
  std::unique_ptr<TcpPeer> ListenTcp(const PeerOptions& options = {});
  // A connection of such a peer. From peer-echo's host only where that is allowed; else the case is skipped.
  std::unique_ptr<PeerStream> ConnectTcp(const TransportAddress& to,
                                         const PeerOptions& options = {});
  // An address and port of a peer, ours or peer-echo's, that nobody listens on.
  TransportAddress ClosedPort(const PeerOptions& options = {});

  bool Supports(Feature feature);  // as declared or probed
  void Require(Feature feature);   // ends the case as unsupported

  // --- Verdicts.
  [[noreturn]] void Fail(std::string expected, std::string actual);
  [[noreturn]] void Info(std::string observation);  // ends the case: nothing to judge
  [[noreturn]] void Skip(std::string reason);
  [[noreturn]] void Block(std::string reason);
  [[noreturn]] void Unsupported(std::string reason);
  void Expect(bool holds, std::string_view expected, std::string_view actual);
  void Note(std::string text);  // into the exchange: what comes next, and why
  // A success response / an error response with one of these codes.
  void ExpectSuccess(const Response& response, std::string_view what = {});
  void ExpectError(const Response& response, std::initializer_list<int> codes,
                   std::string_view what = {});
  void ExpectError(const Response& response, int code, std::string_view what = {}) {
    ExpectError(response, {code}, what);
  }
  // No packet comes back: what was sent before is followed by a Binding request on the same 5-tuple; anything but its answer, until
  // then and for target().silence after, fails the case. On a stream the server may close instead, if `may_close`.
  void ExpectSilence(Client& client, std::string_view what, bool may_close = false);
  // The peer / the client gets data with these bytes, in time; what came otherwise is told.
  Peer::Received ExpectAtPeer(Peer& peer, ByteView data, std::string_view what = {});
  RelayedData ExpectAtClient(Client& client, ByteView data, std::string_view what = {});
  void ExpectNothingAtPeer(Peer& peer, std::string_view what);
  void ExpectNothingAtClient(Client& client, std::string_view what);

  // Waits; wakes for Ctrl-C. In slow cases both are the server's time: they run target().time_scale times faster than the clock.
  void Sleep(TimeDelta duration);
  Timestamp Now() const;
  // How long `duration` of that time is on the clock, for the limits of Receive() and Await().
  TimeDelta OnTheClock(TimeDelta duration) const;
  int64_t UnixTime() const;  // seconds, of the wall clock: for time-limited credentials and tokens
  // Time-limited credentials of the target's REST secret (draft-uberti-behave-turn-rest), good from now for so long; negative: expired.
  Credentials RestUser(TimeDelta lifetime);
  // Random bytes for payloads, not like STUN.
  Bytes Payload(std::size_t size);
  // Safety cases: counts packets against the cap; ends the case as skipped when it is reached. Called for each probe packet.
  void SpendProbe(int packets = 1);
  // Safety cases: whether the user named this destination; ends the case as skipped when not.
  void RequireDestination(const IpAddress& destination);
  // Every message received from the server so far in this case.
  const Exchange& exchange() const;

 private:
  struct State;
  int TimeScale() const;

  std::unique_ptr<State> state_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_TEST_H_
