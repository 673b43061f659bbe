// What the cases of RFC 6062 have in common: a control connection with its TCP allocation, data connections, and both ends of what a
// peer and a data connection exchange.
#ifndef RTCLAB_CONFORMANCE_CASES_RFC6062_TCP_STEPS_H_
#define RTCLAB_CONFORMANCE_CASES_RFC6062_TCP_STEPS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "conformance/engine/case.h"
#include "conformance/engine/message.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {

inline constexpr uint8_t kTcpProtocol = 6;  // RFC 6062 section 4.1
// How long something that has to happen at once on a connection may take.
inline constexpr TimeDelta kTcpSoon = TimeDelta::Millis(3'000);
// RFC 6062 sections 5.2 and 5.3: a peer data connection waits so long for its ConnectionBind, and an attempt at least so long.
inline constexpr TimeDelta kTcpPatience = TimeDelta::Seconds(30);

Needs TcpNeeds(PeerNeed peer = PeerNeed::kNone, Transport transport = Transport::kTcp);

Request TcpAllocate();  // REQUESTED-TRANSPORT 6
Request TcpConnect(const TransportAddress& peer);
Request TcpConnectionBind(uint32_t connection_id);

struct TcpControl {
  Client client;
  Allocation allocation;
};
// A fresh connection with a TCP allocation; the case is blocked without.
TcpControl TcpOpenControl(Test& t);

// The CONNECTION-ID of a message: four bytes, or the case fails.
uint32_t TcpConnectionIdIn(Test& t, const stun::MessageView& message, std::string_view what);

// A peer data connection that the server has opened for a Connect request: its identifier, and the peer's end.
struct TcpPeerLink {
  uint32_t id = 0;
  std::unique_ptr<Channel> peer;
};
// The case is blocked when it can't be made.
TcpPeerLink TcpConnectPeer(Test& t, TcpControl& control, TcpPeer& listener);
// The same the other way round: the peer connects to the relayed address, and the server tells the client. The client has to have a
// permission for the peer.
TcpPeerLink TcpPeerConnects(Test& t, TcpControl& control);

// The next ConnectionAttempt indication; nullopt: none in time.
std::optional<Response> TcpNextAttempt(Test& t, Client& control, TimeDelta limit);

// The client's second connection, for data. Reads the answer to ConnectionBind itself, byte by byte, since what follows it is no STUN.
class TcpDataConnection {
 public:
  // For the user of `control`, to the same address of the server and over the same transport.
  TcpDataConnection(Test& t, const Client& control,
                    std::optional<Credentials> credentials = std::nullopt);

  Response Bind(uint32_t connection_id);
  // The case is blocked unless it succeeds.
  void MustBind(uint32_t connection_id);
  void Send(ByteView bytes) { client_.SendRaw(bytes); }
  // The next `size` bytes, or fewer when the connection ends or the time is over.
  Bytes Read(std::size_t size, TimeDelta limit = kTcpSoon);
  // Whether the server has closed within the time; what comes before is thrown away.
  bool ClosedWithin(TimeDelta limit);
  Client& client() { return client_; }

 private:
  Response ReadAnswer();

  Test& t_;
  Client client_;
  Bytes early_;  // came behind the answer
};

// The same for the peer's end.
Bytes TcpReadPeer(Test& t, Channel& peer, std::size_t size, TimeDelta limit = kTcpSoon);
bool TcpPeerClosedWithin(Test& t, Channel& peer, TimeDelta limit);
void TcpSendPeer(Test& t, Channel& peer, ByteView bytes);

// What was read is what was sent, to the byte.
void TcpExpectBytes(Test& t, ByteView expected, ByteView actual, std::string_view what);

// Everything: a control connection, a peer that the server has connected to, and a bound data connection.
struct TcpPath {
  TcpControl control;
  std::unique_ptr<TcpPeer> listener;
  std::unique_ptr<Channel> peer;
  std::unique_ptr<TcpDataConnection> data;
};
TcpPath TcpOpenPath(Test& t);

// A listener of ours that accepts nothing and whose queue is full, so that the system drops every further SYN: a peer that does not
// answer. Its connections have to live as long.
struct TcpBlackHole {
  TransportAddress address;
  std::unique_ptr<PeerListener> listener;
  std::vector<std::unique_ptr<Channel>> fillers;
};
TcpBlackHole TcpOpenBlackHole(Test& t);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_RFC6062_TCP_STEPS_H_
