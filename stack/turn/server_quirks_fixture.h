// What the tests of ServerQuirks share: a server with one switch on or off, and what a client sees of the rule that it breaks.
#ifndef RTCLAB_STACK_TURN_SERVER_QUIRKS_FIXTURE_H_
#define RTCLAB_STACK_TURN_SERVER_QUIRKS_FIXTURE_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/turn/server_fixture.h"

namespace rtclab::turn {

class QuirkTest : public ServerTest {
 protected:
  // What a client sees of one rule: a number when it is kept, another when it is broken.
  struct QuirkProbe {
    std::string_view name;
    int kept;
    int broken;
    std::function<int(QuirkTest&)> run;
  };
  using Probes = std::vector<QuirkProbe>;
  static Probes CredentialProbes();
  static Probes AllocationProbes();
  static Probes LifetimeProbes();
  static Probes PermissionProbes();
  static Probes ChannelProbes();
  static Probes PolicyProbes();
  static Probes TcpProbes();
  static Probes MobilityProbes();
  static Probes AllProbes() {
    Probes all;
    for (const auto part : {CredentialProbes, AllocationProbes, LifetimeProbes, PermissionProbes,
                            ChannelProbes, PolicyProbes, TcpProbes, MobilityProbes}) {
      for (QuirkProbe& probe : part()) all.push_back(std::move(probe));
    }
    return all;
  }

  // A new server with everything on and `quirks_`.
  void Restart(const std::function<void(ServerConfig&)>& change = {}) {
    ServerConfig config = DefaultServerConfig();
    config.tcp_relay = true;
    config.mobility = true;
    config.quirks = quirks_;
    if (change) change(config);
    Use(std::move(config));
    now_ = Timestamp::Seconds(100);
    events_.clear();
    writes_.clear();
    connect_ = [this](const TcpConnectWanted& wanted) {
      server_->TcpConnected(now_, wanted.connection);
    };
  }
  void At(int64_t seconds) {
    now_ = Timestamp::Seconds(100 + seconds);
    server_->HandleTimeout(now_);
    Collect();
  }
  static void AnyAllocate(MessageBuilder& b) { AddRequestedTransport(b, kProtocolUdp); }
  std::string NonceFor(const FiveTuple& tuple) {
    MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::NewTransactionId(*rng_));
    answer_ = PushOn(tuple, b.Build()).at(0);
    return std::string(Answer().GetString(AttributeType::kNonce).value());
  }
  // Allocate with exactly these credentials, signed with MESSAGE-INTEGRITY or so much of its SHA-256 sister; the answer's signature is not looked at.
  int AllocateAs(std::string_view password, const std::string& nonce, const Fill& more = {},
                 std::size_t sha256_size = 0) {
    MessageBuilder b(MessageClass::kRequest, Method::kAllocate, stun::NewTransactionId(*rng_));
    AnyAllocate(b);
    b.AddString(AttributeType::kUsername, kUser).AddString(AttributeType::kRealm, kRealm);
    b.AddString(AttributeType::kNonce, nonce);
    if (more) more(b);
    const auto key = stun::IntegrityKey::LongTerm(kUser, kRealm, password);
    if (sha256_size != 0) {
      b.AddMessageIntegritySha256(key, sha256_size);
    } else {
      b.AddMessageIntegrity(key);
    }
    answer_ = PushOn(here_, b.Build()).at(0);
    return Answer().IsSuccess() ? 0 : Answer().GetErrorCode()->code;
  }
  int Relays(const Bytes& message) {
    return static_cast<int>(Push(kClient, kServer, message).size());
  }
  int Reaches(const TransportAddress& peer, const TransportAddress& relayed) {
    return static_cast<int>(Push(peer, relayed, Text("x")).size());
  }
  // An allocation with a permission for kPeer or a channel to it; the relayed address.
  TransportAddress WithPermission() {
    EXPECT_EQ(Allocate(), 0);
    const TransportAddress relayed = Relayed();
    EXPECT_EQ(Permit(kPeer), 0);
    return relayed;
  }
  TransportAddress WithChannel() {
    EXPECT_EQ(Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 3600); }), 0);
    const TransportAddress relayed = Relayed();
    EXPECT_EQ(Bind(0x4000, kPeer), 0);
    return relayed;
  }
  int WithPeer(const FiveTuple& tuple, Method method, const TransportAddress& peer) {
    return CodeOn(tuple, method, [&](MessageBuilder& b) {
      b.AddXorAddress(AttributeType::kXorPeerAddress, peer);
    });
  }
  int BindTcp(ConnectionId id) {
    return CodeOn(data_, Method::kConnectionBind, [&](MessageBuilder& b) {
      b.AddU32(AttributeType::kConnectionId, static_cast<uint32_t>(id));
    });
  }
  void Connected() {
    EXPECT_EQ(AllocateOn(control_, kProtocolTcp), 0);
    EXPECT_EQ(WithPeer(control_, Method::kConnect, kPeer), 0);
  }
  void Bound() {
    Connected();
    EXPECT_EQ(BindTcp(connection_), 0);
    events_.clear();
  }
  Bytes MobileTicket() {
    EXPECT_EQ(AllocateOn(here_, kProtocolUdp,
                         [](MessageBuilder& b) { b.AddBytes(AttributeType::kMobilityTicket, {}); }),
              0);
    relayed_ = Relayed();
    return TicketOfAnswer();
  }
  Bytes TicketOfAnswer() const {
    const ByteView ticket = Answer().Find(AttributeType::kMobilityTicket).value();
    return Bytes(ticket.begin(), ticket.end());
  }
  int MoveTo(const FiveTuple& tuple, const Bytes& ticket) {
    return CodeOn(tuple, Method::kRefresh,
                  [&](MessageBuilder& b) { b.AddBytes(AttributeType::kMobilityTicket, ticket); });
  }

  ServerQuirks quirks_;
  const FiveTuple here_ = Over(ClientTransport::kUdp);
  const FiveTuple there_ = Over(ClientTransport::kUdp, 4100);
  const FiveTuple control_ = Over(ClientTransport::kTcp, 5000);
  const FiveTuple data_ = Over(ClientTransport::kTcp, 5001);
  const TransportAddress other_port_ = {kPeer.ip, 7001};
  const Bytes channel_data_ = {0x40, 0, 0, 1, 'x'};
  TransportAddress relayed_;
};

}  // namespace rtclab::turn

#endif  // RTCLAB_STACK_TURN_SERVER_QUIRKS_FIXTURE_H_
