// Mobility (RFC 8016) at the server.
#include <gtest/gtest.h>

#include <set>

#include "stack/turn/server_fixture.h"

namespace rtclab::turn {
namespace {

class MobilityTest : public ServerTest {
 protected:
  MobilityTest() { Use(MobileConfig()); }

  static ServerConfig MobileConfig() {
    ServerConfig config = DefaultServerConfig();
    config.mobility = true;
    config.tcp_relay = true;
    return config;
  }
  static void AskForTicket(MessageBuilder& b) { b.AddBytes(AttributeType::kMobilityTicket, {}); }
  Bytes Ticket() const {
    const auto ticket = Answer().Find(AttributeType::kMobilityTicket);
    return ticket ? Bytes(ticket->begin(), ticket->end()) : Bytes();
  }
  // With a channel to kPeer; the ticket in `ticket_`.
  void AllocateMobile(const FiveTuple& tuple) {
    ASSERT_EQ(AllocateOn(tuple, kProtocolUdp, AskForTicket), 0);
    relayed_ = Relayed();
    ticket_ = Ticket();
    ASSERT_FALSE(ticket_.empty());
    ASSERT_EQ(CodeOn(tuple, Method::kChannelBind,
                     [](MessageBuilder& b) {
                       AddChannelNumber(b, 0x4000);
                       b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
                     }),
              0);
  }
  int Move(const FiveTuple& to, const Bytes& ticket, std::optional<uint32_t> lifetime_s = {}) {
    return CodeOn(to, Method::kRefresh, [&](MessageBuilder& b) {
      b.AddBytes(AttributeType::kMobilityTicket, ticket);
      if (lifetime_s) b.AddU32(AttributeType::kLifetime, *lifetime_s);
    });
  }
  // Where a datagram of the peer comes out.
  std::optional<TransportAddress> Arrives() {
    const auto out = Push(kPeer, relayed_, Text("x"));
    if (out.size() != 1) return std::nullopt;
    EXPECT_EQ(out[0].payload, (Bytes{0x40, 0, 0, 1, 'x'}));
    return out[0].destination;
  }
  bool SendsChannelData(const FiveTuple& tuple) {
    return Push(tuple.client, tuple.server, {0x40, 0, 0, 1, 'y'}).size() == 1;
  }

  const FiveTuple old_ = Over(ClientTransport::kUdp, 4000);
  const FiveTuple new_ = Over(ClientTransport::kUdp, 4100);
  const FiveTuple third_ = Over(ClientTransport::kUdp, 4200);
  TransportAddress relayed_;
  Bytes ticket_;
};

// Section 3.1.2.

TEST_F(MobilityTest, TicketsAreGivenOnRequestOnly) {
  ASSERT_EQ(AllocateOn(old_), 0);
  EXPECT_FALSE(Answer().Has(AttributeType::kMobilityTicket));
  EXPECT_EQ(AllocateOn(
                new_, kProtocolUdp,
                [](MessageBuilder& b) { b.AddBytes(AttributeType::kMobilityTicket, Bytes(8, 1)); }),
            400);
  EXPECT_EQ(AllocateOn(new_, kProtocolUdp, AskForTicket), 0);
  EXPECT_EQ(Ticket().size(), 40u);
}

TEST_F(MobilityTest, ForbiddenIs405) {
  Use(DefaultServerConfig());
  EXPECT_EQ(AllocateOn(old_, kProtocolUdp, AskForTicket), 405);
  EXPECT_EQ(Move(new_, Bytes(40, 1)), 405);
  EXPECT_EQ(AllocateOn(
                old_, kProtocolUdp,
                [](MessageBuilder& b) { b.AddBytes(AttributeType::kMobilityTicket, Bytes(8, 1)); }),
            400);
}

// Section 5: somebody must vouch for the client.
TEST_F(MobilityTest, WithoutCredentialsOnlyOverTls) {
  ServerConfig config = MobileConfig();
  config.authentication.reset();
  Use(config);
  EXPECT_EQ(AllocateOn(old_, kProtocolUdp, AskForTicket), 405);
  EXPECT_EQ(AllocateOn(Over(ClientTransport::kTcp), kProtocolUdp, AskForTicket), 405);
  EXPECT_EQ(AllocateOn(Over(ClientTransport::kTls), kProtocolUdp, AskForTicket), 0);
  EXPECT_EQ(AllocateOn(Over(ClientTransport::kDtls), kProtocolUdp, AskForTicket), 0);
}

// Sections 3.3 and 5.
TEST_F(MobilityTest, TicketsAreOpaque) {
  std::set<Bytes> halves;
  for (uint16_t port = 1; port <= 20; ++port) {
    ASSERT_EQ(AllocateOn(Over(ClientTransport::kUdp, port), kProtocolUdp, AskForTicket), 0);
    const Bytes ticket = Ticket();
    // No part repeats from one ticket to the next.
    for (std::size_t i = 0; i + 4 <= ticket.size(); i += 4) {
      const auto at = ticket.begin() + static_cast<long>(i);
      EXPECT_TRUE(halves.insert(Bytes(at, at + 4)).second);
    }
  }
}

// Section 3.2.2.

TEST_F(MobilityTest, TheOldPathStaysUntilDataComesOverTheNewOne) {
  AllocateMobile(old_);
  ASSERT_EQ(Move(new_, ticket_, 1200), 0);
  EXPECT_EQ(Lifetime(), 1200u);
  EXPECT_NE(Ticket(), ticket_);
  EXPECT_FALSE(Ticket().empty());
  EXPECT_EQ(Arrives(), old_.client);
  EXPECT_TRUE(SendsChannelData(old_));
  EXPECT_EQ(Arrives(), old_.client);
  EXPECT_TRUE(EventsOf<AllocationMoved>().empty());

  EXPECT_TRUE(SendsChannelData(new_));
  EXPECT_EQ(Arrives(), new_.client);
  EXPECT_FALSE(SendsChannelData(old_));
  const auto moved = EventsOf<AllocationMoved>();
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_EQ(moved[0].from, old_);
  EXPECT_EQ(moved[0].to, new_);
  EXPECT_EQ(CodeOn(old_, Method::kRefresh, {}), 437);
  EXPECT_EQ(CodeOn(new_, Method::kRefresh, {}), 0);
  EXPECT_EQ(server_->allocation_count(), 1u);
}

TEST_F(MobilityTest, ASendIndicationArrivesAsWell) {
  AllocateMobile(old_);
  ASSERT_EQ(Move(new_, ticket_), 0);
  EXPECT_EQ(Push(new_.client, kServer, SendIndication(kPeer)).size(), 1u);
  EXPECT_EQ(Arrives(), new_.client);
}

TEST_F(MobilityTest, RequestsOverTheNewPathDoNotSwitch) {
  AllocateMobile(old_);
  ASSERT_EQ(Move(new_, ticket_), 0);
  EXPECT_EQ(
      CodeOn(new_, Method::kCreatePermission,
             [](MessageBuilder& b) { b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer); }),
      0);
  EXPECT_EQ(Arrives(), old_.client);
  EXPECT_EQ(AllocateOn(new_), 437);
}

TEST_F(MobilityTest, ItMovesAgainWithTheNewTicketOnly) {
  AllocateMobile(old_);
  ASSERT_EQ(Move(new_, ticket_), 0);
  const Bytes second = Ticket();
  EXPECT_EQ(Move(third_, ticket_), 400);
  ASSERT_EQ(Move(third_, second), 0);  // before it ever used the second path
  const Bytes third = Ticket();
  EXPECT_FALSE(SendsChannelData(new_));
  EXPECT_TRUE(SendsChannelData(third_));
  EXPECT_EQ(Arrives(), third_.client);
  EXPECT_EQ(Move(old_, second), 400);
  EXPECT_EQ(Move(old_, third), 0);  // and back
  EXPECT_TRUE(SendsChannelData(old_));
  EXPECT_EQ(Arrives(), old_.client);
}

TEST_F(MobilityTest, ARetransmittedRefreshGetsTheSameAnswer) {
  AllocateMobile(old_);
  ASSERT_EQ(Move(new_, ticket_), 0);
  const Bytes request = last_request_;
  const Bytes answer = answer_;
  now_ += TimeDelta::Seconds(30);
  EXPECT_EQ(PushOn(new_, request), std::vector<Bytes>{answer});
  EXPECT_TRUE(SendsChannelData(new_));
  EXPECT_EQ(PushOn(new_, request), std::vector<Bytes>{answer});
  now_ += TimeDelta::Seconds(10);
  EXPECT_NE(PushOn(new_, request), std::vector<Bytes>{answer});
}

TEST_F(MobilityTest, BadTickets) {
  AllocateMobile(old_);
  EXPECT_EQ(Move(new_, {}), 400);
  EXPECT_EQ(Move(new_, Bytes(40, 7)), 400);
  Bytes forged = ticket_;
  for (std::size_t i = 0; i < ticket_.size(); ++i) {
    forged[i] ^= 1;
    EXPECT_EQ(Move(new_, forged), 400) << i;
    forged[i] ^= 1;
    EXPECT_EQ(Move(new_, Bytes(ticket_.begin(), ticket_.begin() + static_cast<long>(i))), 400) << i;
  }
  EXPECT_EQ(Move(old_, ticket_), 400);  // it is there already
  ASSERT_EQ(Move(new_, ticket_), 0);
  EXPECT_EQ(Move(new_, Ticket()), 400);
}

TEST_F(MobilityTest, ATicketOfNoAllocationIs437) {
  AllocateMobile(old_);
  ASSERT_EQ(CodeOn(old_, Method::kRefresh,
                   [](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 0); }),
            0);
  EXPECT_EQ(Move(new_, ticket_), 437);
}

TEST_F(MobilityTest, ATicketIsForItsUser) {
  AllocateMobile(old_);
  credentials_.emplace("bob", "builder");
  EXPECT_EQ(Move(new_, ticket_), 441);
  credentials_.emplace(std::string(kUser), std::string(kPassword));
  EXPECT_EQ(Move(new_, ticket_), 0);
}

TEST_F(MobilityTest, A5TupleHasOneAllocation) {
  AllocateMobile(old_);
  ASSERT_EQ(AllocateOn(new_), 0);
  EXPECT_EQ(Move(new_, ticket_), 437);
  EXPECT_EQ(Arrives(), old_.client);
}

TEST_F(MobilityTest, LifetimeZeroWithATicketDeletes) {
  AllocateMobile(old_);
  ASSERT_EQ(Move(new_, ticket_, 0), 0);
  EXPECT_FALSE(Answer().Has(AttributeType::kMobilityTicket));
  EXPECT_EQ(server_->allocation_count(), 0u);
}

TEST_F(MobilityTest, ItExpiresInTheMiddleOfAMove) {
  AllocateMobile(old_);
  ASSERT_EQ(Move(new_, ticket_), 0);
  now_ += TimeDelta::Seconds(600);
  EXPECT_EQ(CodeOn(new_, Method::kRefresh, {}), 437);
  EXPECT_EQ(AllocateOn(new_), 0);
  EXPECT_EQ(AllocateOn(old_), 0);
}

// Break before make, over a stream: the ticket is good as long as the allocation.
TEST_F(MobilityTest, ItOutlivesItsConnection) {
  const FiveTuple tls = Over(ClientTransport::kTls, 5000);
  AllocateMobile(tls);
  server_->HandleDisconnect(now_, tls);
  EXPECT_EQ(server_->allocation_count(), 1u);
  EXPECT_EQ(Arrives(), std::nullopt);
  EXPECT_TRUE(TakeWrites(tls).empty());
  ASSERT_EQ(Move(new_, ticket_), 0);
  EXPECT_EQ(Arrives(), new_.client);  // there is no old path to wait on
}

TEST_F(MobilityTest, TheEndOfTheOldConnectionSwitches) {
  const FiveTuple tls = Over(ClientTransport::kTls, 5000);
  AllocateMobile(tls);
  ASSERT_EQ(Move(new_, ticket_), 0);
  server_->HandleDisconnect(now_, tls);
  EXPECT_EQ(Arrives(), new_.client);
}

TEST_F(MobilityTest, TheEndOfTheNewConnectionLeavesTheOldPath) {
  AllocateMobile(old_);
  const FiveTuple tls = Over(ClientTransport::kTls, 5000);
  ASSERT_EQ(Move(tls, ticket_), 0);
  const Bytes second = Ticket();
  server_->HandleDisconnect(now_, tls);
  EXPECT_EQ(Arrives(), old_.client);
  ASSERT_EQ(Move(new_, second), 0);
  EXPECT_TRUE(SendsChannelData(new_));
}

TEST_F(MobilityTest, TcpAllocationsMoveToStreamsOnly) {
  const FiveTuple tcp = Over(ClientTransport::kTcp, 5000);
  ASSERT_EQ(AllocateOn(tcp, kProtocolTcp, AskForTicket), 0);
  ticket_ = Ticket();
  EXPECT_EQ(Move(new_, ticket_), 400);
  EXPECT_EQ(Move(Over(ClientTransport::kTls, 5001), ticket_), 0);
}

TEST_F(MobilityTest, TunnelsAreNoPlaceToMoveTo) {
  AllocateMobile(old_);
  FiveTuple teredo = new_;
  teredo.client = Address("[2001::1]:4000");
  teredo.server = Address("[2001:db8::1]:3478");
  EXPECT_EQ(Move(teredo, ticket_), 403);
}

}  // namespace
}  // namespace rtclab::turn
