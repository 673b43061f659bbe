// TCP allocations (RFC 6062) at the server.
#include <gtest/gtest.h>

#include "stack/stun/stream_framer.h"
#include "stack/turn/server_fixture.h"

namespace rtclab::turn {
namespace {

constexpr TimeDelta kTick = TimeDelta::Nanos(1);

class TcpServerTest : public ServerTest {
 protected:
  TcpServerTest() {
    Use(TcpConfig());
    connect_ = [this](const TcpConnectWanted& wanted) {
      server_->TcpConnected(now_, wanted.connection);
    };
  }

  static ServerConfig TcpConfig() {
    ServerConfig config = DefaultServerConfig();
    config.tcp_relay = true;
    return config;
  }
  void AllocateTcp() { ASSERT_EQ(AllocateOn(control_, kProtocolTcp), 0); }
  int Connect(const TransportAddress& peer, std::optional<FiveTuple> tuple = {}) {
    return CodeOn(tuple.value_or(control_), Method::kConnect, [&](MessageBuilder& b) {
      b.AddXorAddress(AttributeType::kXorPeerAddress, peer);
    });
  }
  int BindTo(const FiveTuple& tuple, ConnectionId id) {
    return CodeOn(tuple, Method::kConnectionBind, [&](MessageBuilder& b) {
      b.AddU32(AttributeType::kConnectionId, static_cast<uint32_t>(id));
    });
  }
  int PermitTcp(const TransportAddress& peer) {
    return CodeOn(control_, Method::kCreatePermission, [&](MessageBuilder& b) {
      b.AddXorAddress(AttributeType::kXorPeerAddress, peer);
    });
  }
  // A connection to kPeer, bound to data_.
  void BindOne() {
    AllocateTcp();
    ASSERT_EQ(Connect(kPeer), 0);
    ASSERT_EQ(BindTo(data_, connection_), 0);
    events_.clear();
  }
  void Advance(TimeDelta time) {
    now_ += time;
    server_->HandleTimeout(now_);
    Collect();
  }
  std::size_t Closed(ConnectionId id) const {
    std::size_t count = 0;
    for (const TcpClose& close : EventsOf<TcpClose>()) count += close.connection == id;
    return count;
  }
  std::string ToPeer() const {
    std::string out;
    for (const TcpData& data : EventsOf<TcpData>()) out += Text(data.payload);
    return out;
  }

  const FiveTuple control_ = Over(ClientTransport::kTcp, 5000);
  const FiveTuple data_ = Over(ClientTransport::kTcp, 5001);
};

// Section 5.1.

TEST_F(TcpServerTest, OnlyStreamsAllocateTcp) {
  EXPECT_EQ(AllocateOn(Over(ClientTransport::kUdp), kProtocolTcp), 400);
  EXPECT_EQ(AllocateOn(Over(ClientTransport::kDtls), kProtocolTcp), 400);
  EXPECT_EQ(AllocateOn(Over(ClientTransport::kTcp), kProtocolTcp), 0);
  EXPECT_EQ(AllocateOn(Over(ClientTransport::kTls), kProtocolTcp), 0);
  EXPECT_EQ(server_->allocation_count(), 2u);
  EXPECT_EQ(EventsOf<TcpListenWanted>().size(), 2u);
  EXPECT_TRUE(EventsOf<RelayWanted>().empty());
  EXPECT_TRUE(EventsOf<AllocationCreated>().at(0).tcp);
  EXPECT_FALSE(Answer().Has(AttributeType::kReservationToken));
  EXPECT_EQ(Relayed(), EventsOf<TcpListenWanted>().at(1).address);
}

TEST_F(TcpServerTest, DatagramAttributesAre400) {
  for (const Fill& fill : std::vector<Fill>{
           [](MessageBuilder& b) { b.AddFlag(AttributeType::kDontFragment); },
           [](MessageBuilder& b) { AddEvenPort(b, false); },
           [](MessageBuilder& b) { AddEvenPort(b, true); },
           [](MessageBuilder& b) { b.AddU64(AttributeType::kReservationToken, 1); }}) {
    EXPECT_EQ(AllocateOn(control_, kProtocolTcp, fill), 400);
  }
}

TEST_F(TcpServerTest, ProtocolsAreAMatterOfPolicy) {
  EXPECT_EQ(AllocateOn(control_, 132), 442);
  ServerConfig no_udp = TcpConfig();
  no_udp.udp_relay = false;
  Use(no_udp);
  EXPECT_EQ(AllocateOn(control_, kProtocolUdp), 403);
  EXPECT_EQ(AllocateOn(control_, 132), 442);
  EXPECT_EQ(AllocateOn(control_, kProtocolTcp), 0);
  Use(DefaultServerConfig());
  EXPECT_EQ(AllocateOn(control_, kProtocolTcp), 442);
  EXPECT_EQ(AllocateOn(control_, kProtocolUdp), 0);
  EXPECT_EQ(Connect(kPeer), -1);  // not a method of such a server
}

TEST_F(TcpServerTest, DatagramsAreNotRelayed) {
  AllocateTcp();
  ASSERT_EQ(PermitTcp(kPeer), 0);
  EXPECT_EQ(CodeOn(control_, Method::kChannelBind,
                   [](MessageBuilder& b) {
                     AddChannelNumber(b, 0x4000);
                     b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
                   }),
            400);
  server_->HandleClientMessage(now_, control_, SendIndication(kPeer));
  EXPECT_TRUE(Collect().empty());
}

// Section 5.2.

TEST_F(TcpServerTest, ConnectGoesOutFromTheRelayedAddress) {
  AllocateTcp();
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Connect(kPeer), 0);
  const auto wanted = EventsOf<TcpConnectWanted>();
  ASSERT_EQ(wanted.size(), 1u);
  EXPECT_EQ(wanted[0].from, relayed);
  EXPECT_EQ(wanted[0].to, kPeer);
  EXPECT_EQ(Answer().GetU32(AttributeType::kConnectionId),
            static_cast<uint32_t>(wanted[0].connection));
  const ConnectionId first = connection_;
  ASSERT_EQ(Connect({kPeer.ip, 7001}), 0);
  EXPECT_NE(connection_, first);
}

TEST_F(TcpServerTest, ConnectNeedsATcpAllocation) {
  EXPECT_EQ(Connect(kPeer), 437);
  ASSERT_EQ(AllocateOn(control_, kProtocolUdp), 0);
  EXPECT_EQ(Connect(kPeer), 437);
}

TEST_F(TcpServerTest, ConnectNeedsASoundPeerThatIsAllowed) {
  AllocateTcp();
  EXPECT_EQ(CodeOn(control_, Method::kConnect, {}), 400);
  EXPECT_EQ(CodeOn(control_, Method::kConnect,
                   [](MessageBuilder& b) {
                     b.AddBytes(AttributeType::kXorPeerAddress, Bytes{0, 1, 0, 0, 1});
                   }),
            400);
  EXPECT_EQ(Connect(kPeer6), 443);
  for (const char* peer : {"127.0.0.1:22", "10.0.0.1:80", "169.254.169.254:80", "0.0.0.0:6379",
                           "224.0.0.1:80", "198.51.100.1:3478", "203.0.113.5:0"}) {
    EXPECT_EQ(Connect(Address(peer)), 403) << peer;
  }
  EXPECT_TRUE(EventsOf<TcpConnectWanted>().empty());
  credentials_.emplace("bob", "builder");
  EXPECT_EQ(Connect(kPeer), 441);
}

TEST_F(TcpServerTest, OneConnectionAPeer) {
  AllocateTcp();
  connect_ = {};
  EXPECT_EQ(Connect(kPeer), -1);  // under way
  EXPECT_EQ(Connect(kPeer), 446);
  server_->TcpConnected(now_, connection_);
  EXPECT_EQ(TakeWrites(control_).size(), 1u);
  EXPECT_EQ(Connect(kPeer), 446);  // waits for ConnectionBind
  const ConnectionId first = connection_;
  ASSERT_EQ(BindTo(data_, first), 0);
  EXPECT_EQ(Connect(kPeer), 446);  // in use
  server_->HandleDisconnect(now_, data_);
  EXPECT_EQ(Connect(kPeer), -1);  // under way again
  EXPECT_NE(connection_, first);
}

TEST_F(TcpServerTest, ConnectionsAreLimited) {
  ServerConfig config = TcpConfig();
  config.max_connections = 1;
  Use(config);
  AllocateTcp();
  ASSERT_EQ(Connect(kPeer), 0);
  EXPECT_EQ(Connect({kPeer.ip, 7001}), 508);
  ASSERT_EQ(PermitTcp(kPeer), 0);
  const ConnectionId id = server_->TcpAccepted(now_, listening_, {kPeer.ip, 7002});
  EXPECT_TRUE(TakeWrites(control_).empty());
  EXPECT_EQ(Closed(id), 1u);
}

TEST_F(TcpServerTest, AFailedConnectionIs447) {
  AllocateTcp();
  connect_ = [this](const TcpConnectWanted& wanted) {
    server_->TcpConnectFailed(now_, wanted.connection);
  };
  EXPECT_EQ(Connect(kPeer), 447);
  EXPECT_EQ(Connect(kPeer), 447);  // not 446: there is none
  EXPECT_EQ(Closed(connection_), 0u);
}

TEST_F(TcpServerTest, ConnectingIsGivenUpAfter30Seconds) {
  AllocateTcp();
  connect_ = {};
  EXPECT_EQ(Connect(kPeer), -1);
  EXPECT_EQ(server_->NextTimeout(), now_ + TimeDelta::Seconds(30));
  Advance(TimeDelta::Seconds(30) - kTick);
  EXPECT_TRUE(TakeWrites(control_).empty());
  Advance(kTick);
  EXPECT_EQ(Closed(connection_), 1u);
  const auto writes = TakeWrites(control_);
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_EQ(MessageView::Parse(writes[0].payload)->GetErrorCode()->code, 447);
  server_->TcpConnected(now_, connection_);  // too late
  EXPECT_TRUE(TakeWrites(control_).empty());
}

TEST_F(TcpServerTest, AConnectionThatNobodyBindsEndsAfter30Seconds) {
  AllocateTcp();
  ASSERT_EQ(Connect(kPeer), 0);
  ASSERT_EQ(PermitTcp(kPeer), 0);
  const ConnectionId accepted = server_->TcpAccepted(now_, listening_, {kPeer.ip, 7001});
  Advance(TimeDelta::Seconds(30) - kTick);
  EXPECT_TRUE(EventsOf<TcpClose>().empty());
  Advance(kTick);
  EXPECT_EQ(Closed(connection_), 1u);
  EXPECT_EQ(Closed(accepted), 1u);
  EXPECT_EQ(BindTo(data_, connection_), 400);
}

// Section 5.3.

TEST_F(TcpServerTest, APeerWithoutPermissionIsClosed) {
  AllocateTcp();
  const ConnectionId id = server_->TcpAccepted(now_, listening_, kPeer);
  EXPECT_TRUE(TakeWrites(control_).empty());
  EXPECT_EQ(Closed(id), 1u);
  EXPECT_EQ(Dropped(DropReason::kNoPermission), 1u);
  EXPECT_EQ(BindTo(data_, id), 400);
}

TEST_F(TcpServerTest, APermittedPeerIsAnnounced) {
  AllocateTcp();
  ASSERT_EQ(PermitTcp(kPeer), 0);
  const TransportAddress peer = {kPeer.ip, 7001};
  const ConnectionId id = server_->TcpAccepted(now_, listening_, peer);
  const auto writes = TakeWrites(control_);
  ASSERT_EQ(writes.size(), 1u);
  const auto view = *MessageView::Parse(writes[0].payload);
  EXPECT_TRUE(view.IsIndication());
  EXPECT_EQ(view.method(), Method::kConnectionAttempt);
  EXPECT_EQ(view.GetXorAddress(AttributeType::kXorPeerAddress), peer);
  EXPECT_EQ(view.GetU32(AttributeType::kConnectionId), static_cast<uint32_t>(id));
  server_->HandleTcpData(now_, id, Text("early"));
  ASSERT_EQ(BindTo(data_, id), 0);
  EXPECT_EQ(Text(TakeWrites(data_).at(0).payload), "early");
  EXPECT_EQ(Connect(peer), 446);
}

TEST_F(TcpServerTest, APeerThatComesAfterTheEndIsClosed) {
  AllocateTcp();
  server_->HandleDisconnect(now_, control_);
  const ConnectionId id = server_->TcpAccepted(now_, listening_, kPeer);
  Collect();
  EXPECT_EQ(Closed(id), 1u);
}

// Section 5.4.

TEST_F(TcpServerTest, ConnectionBindNeedsAStreamAndAPendingConnection) {
  AllocateTcp();
  ASSERT_EQ(Connect(kPeer), 0);
  const ConnectionId id = connection_;
  EXPECT_EQ(BindTo(Over(ClientTransport::kUdp), id), 400);
  EXPECT_EQ(BindTo(Over(ClientTransport::kDtls), id), 400);
  EXPECT_EQ(CodeOn(data_, Method::kConnectionBind, {}), 400);
  EXPECT_EQ(CodeOn(data_, Method::kConnectionBind,
                   [](MessageBuilder& b) { b.AddU16(AttributeType::kConnectionId, 1); }),
            400);
  EXPECT_EQ(BindTo(data_, ConnectionId{static_cast<uint32_t>(id) + 1}), 400);
  EXPECT_EQ(BindTo(control_, id), 400);  // it needs a connection of its own
  connect_ = {};
  EXPECT_EQ(Connect({kPeer.ip, 7001}), -1);
  EXPECT_EQ(BindTo(data_, connection_), 400);  // not connected yet
  EXPECT_EQ(BindTo(data_, id), 0);
  EXPECT_EQ(BindTo(Over(ClientTransport::kTcp, 5002), id), 400);  // taken
  EXPECT_EQ(server_->counters().connections_bound, 1u);
}

TEST_F(TcpServerTest, ConnectionBindIsForTheUserOfTheControlConnection) {
  AllocateTcp();
  ASSERT_EQ(Connect(kPeer), 0);
  MessageBuilder b(MessageClass::kRequest, Method::kConnectionBind, stun::TransactionId{1});
  b.AddU32(AttributeType::kConnectionId, static_cast<uint32_t>(connection_));
  const auto answers = PushOn(data_, b.Build());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(MessageView::Parse(answers[0])->GetErrorCode()->code, 401);
  credentials_.emplace("bob", "builder");
  EXPECT_EQ(BindTo(data_, connection_), 441);
  credentials_.emplace(std::string(kUser), std::string(kPassword));
  EXPECT_EQ(BindTo(data_, connection_), 0);
}

TEST_F(TcpServerTest, DataPassesAsItIs) {
  BindOne();
  EXPECT_TRUE(server_->IsDataConnection(data_));
  EXPECT_FALSE(server_->IsDataConnection(control_));
  const Bytes stun_like =
      MessageBuilder(MessageClass::kRequest, Method::kBinding, stun::TransactionId{1}).Build();
  server_->HandleTcpData(now_, connection_, stun_like);
  server_->HandleTcpData(now_, connection_, Bytes{0x40, 0, 0, 9, 0});
  const auto writes = TakeWrites(data_);
  ASSERT_EQ(writes.size(), 2u);
  EXPECT_EQ(writes[0].payload, stun_like);
  EXPECT_EQ(writes[1].payload, (Bytes{0x40, 0, 0, 9, 0}));
  server_->HandleClientData(now_, data_, stun_like);
  server_->HandleClientMessage(now_, data_, stun_like);  // a driver that still cuts
  EXPECT_TRUE(TakeWrites(data_).empty());
  const auto sent = EventsOf<TcpData>();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].payload, stun_like);
  EXPECT_EQ(sent[1].payload, stun_like);
  EXPECT_EQ(server_->counters().bytes_to_peers, 40u);
  EXPECT_EQ(server_->counters().bytes_to_clients, 25u);
}

// As a driver does it: the request and the first data come in one read.
TEST_F(TcpServerTest, BytesBehindConnectionBindAreData) {
  AllocateTcp();
  ASSERT_EQ(Connect(kPeer), 0);
  server_->HandleTcpData(now_, connection_, Text("hello"));
  EXPECT_EQ(BindTo(data_, ConnectionId{0}), 400);  // for the nonce
  MessageBuilder b(MessageClass::kRequest, Method::kConnectionBind, stun::TransactionId{1});
  b.AddU32(AttributeType::kConnectionId, static_cast<uint32_t>(connection_));
  credentials_->Sign(b);
  Bytes read = b.Build();
  for (const char c : {'\x80', 'r', 'a', 'w'}) read.push_back(static_cast<uint8_t>(c));
  stun::StreamFramer framer;
  framer.Push(read);
  const auto frame = framer.Next();
  ASSERT_TRUE(frame && *frame);
  server_->HandleClientMessage(now_, data_, (*frame)->bytes);
  ASSERT_TRUE(server_->IsDataConnection(data_));
  server_->HandleClientData(now_, data_, framer.rest());
  const auto writes = TakeWrites(data_);
  ASSERT_EQ(writes.size(), 2u);
  EXPECT_TRUE(MessageView::Parse(writes[0].payload)->IsSuccess());
  EXPECT_EQ(Text(writes[1].payload), "hello");
  const auto bound = EventsOf<DataConnectionBound>();
  ASSERT_EQ(bound.size(), 1u);
  EXPECT_EQ(bound[0].tuple, data_);
  EXPECT_EQ(bound[0].connection, connection_);
  EXPECT_EQ(ToPeer(), "\x80raw");
}

TEST_F(TcpServerTest, EarlyBytesAreBounded) {
  ServerConfig config = TcpConfig();
  config.tcp_buffer = 10;
  Use(config);
  AllocateTcp();
  ASSERT_EQ(Connect(kPeer), 0);
  EXPECT_EQ(server_->ReceiveRoom(connection_), 10u);
  server_->HandleTcpData(now_, connection_, Text("01234"));
  EXPECT_EQ(server_->ReceiveRoom(connection_), 5u);
  server_->HandleTcpData(now_, connection_, Text("56789"));
  EXPECT_EQ(server_->ReceiveRoom(connection_), 0u);
  EXPECT_EQ(Closed(connection_), 0u);
  server_->HandleTcpData(now_, connection_, Text("x"));
  Collect();
  EXPECT_EQ(Closed(connection_), 1u);
  EXPECT_EQ(server_->ReceiveRoom(connection_), 0u);
  ASSERT_EQ(Connect(kPeer), 0);
  ASSERT_EQ(BindTo(data_, connection_), 0);
  EXPECT_GT(server_->ReceiveRoom(connection_), std::size_t{1} << 40);
}

// Section 5.5.

TEST_F(TcpServerTest, ThePeersEndClosesTheClientsConnection) {
  BindOne();
  server_->HandleTcpData(now_, connection_, Text("bye"));
  server_->HandleTcpClosed(now_, connection_);
  const auto writes = TakeWrites(data_);
  ASSERT_EQ(writes.size(), 2u);
  EXPECT_EQ(Text(writes[0].payload), "bye");
  EXPECT_FALSE(writes[0].close);
  EXPECT_TRUE(writes[1].close);
  EXPECT_EQ(Closed(connection_), 0u);  // it is closed already
  EXPECT_FALSE(server_->IsDataConnection(data_));
  server_->HandleDisconnect(now_, data_);
  EXPECT_EQ(server_->allocation_count(), 1u);
}

TEST_F(TcpServerTest, TheClientsEndClosesThePeersConnection) {
  BindOne();
  server_->HandleDisconnect(now_, data_);
  Collect();
  EXPECT_EQ(Closed(connection_), 1u);
  EXPECT_TRUE(TakeWrites(data_).empty());
  EXPECT_EQ(server_->allocation_count(), 1u);
  server_->HandleTcpData(now_, connection_, Text("late"));
  server_->HandleTcpClosed(now_, connection_);
  EXPECT_TRUE(TakeWrites(data_).empty());
}

TEST_F(TcpServerTest, ThePeersLastWordsWaitForTheClient) {
  AllocateTcp();
  ASSERT_EQ(Connect(kPeer), 0);
  server_->HandleTcpData(now_, connection_, Text("banner"));
  server_->HandleTcpClosed(now_, connection_);
  ASSERT_EQ(BindTo(data_, connection_), 0);
  const auto writes = TakeWrites(data_);
  ASSERT_EQ(writes.size(), 2u);
  EXPECT_EQ(Text(writes[0].payload), "banner");
  EXPECT_TRUE(writes[1].close);
  ASSERT_EQ(Connect(kPeer), 0);
  server_->HandleTcpClosed(now_, connection_);  // without a word
  EXPECT_EQ(BindTo(data_, connection_), 400);
}

TEST_F(TcpServerTest, EveryEndOfTheAllocationClosesBothHalves) {
  for (const EndReason reason :
       {EndReason::kDisconnected, EndReason::kDeleted, EndReason::kExpired}) {
    Use(TcpConfig());
    events_.clear();
    BindOne();
    if (reason == EndReason::kDisconnected) {
      server_->HandleDisconnect(now_, control_);
      Collect();
    } else if (reason == EndReason::kDeleted) {
      EXPECT_EQ(CodeOn(control_, Method::kRefresh,
                       [](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 0); }),
                0);
    } else {
      Advance(TimeDelta::Seconds(600));
    }
    EXPECT_EQ(server_->allocation_count(), 0u);
    EXPECT_EQ(Closed(connection_), 1u) << ToString(reason);
    const auto writes = TakeWrites(data_);
    ASSERT_EQ(writes.size(), 1u) << ToString(reason);
    EXPECT_TRUE(writes[0].close);
    EXPECT_EQ(EventsOf<RelayReleased>().size(), 1u);
    EXPECT_EQ(server_->NextTimeout(), Timestamp::PlusInfinity());
  }
}

TEST_F(TcpServerTest, AnEndWhileConnectingIs447AsLongAsSomebodyListens) {
  connect_ = {};
  for (const bool disconnect : {false, true}) {
    Use(TcpConfig());
    events_.clear();
    AllocateTcp();
    EXPECT_EQ(Connect(kPeer), -1);
    if (disconnect) {
      server_->HandleDisconnect(now_, control_);
      EXPECT_TRUE(TakeWrites(control_).empty());
    } else {
      EXPECT_EQ(CodeOn(control_, Method::kRefresh,
                       [](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 0); }),
                0);
      const auto rest = TakeWrites(control_);  // behind the answer to Refresh
      ASSERT_EQ(rest.size(), 1u);
      EXPECT_EQ(MessageView::Parse(rest[0].payload)->GetErrorCode()->code, 447);
    }
    EXPECT_EQ(Closed(connection_), 1u);
    server_->TcpConnected(now_, connection_);  // too late
    EXPECT_TRUE(TakeWrites(control_).empty());
  }
}

}  // namespace
}  // namespace rtclab::turn
