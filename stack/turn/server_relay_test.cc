// Permissions (RFC 8656 sections 9 and 10.2), Send indications (11.2) and channels (12) at the server.
#include <gtest/gtest.h>

#include "stack/turn/server_fixture.h"

namespace rtclab::turn {
namespace {

// Permissions, sections 9 and 10.2.

TEST_F(ServerTest, PermissionLastsExactly300Seconds) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Permit(kPeer), 0);
  const Timestamp start = now_;
  // Neither direction of data refreshes it.
  for (int second = 1; second < 300; ++second) {
    now_ = start + TimeDelta::Seconds(second);
    ASSERT_EQ(Push(kPeer, relayed, Text("x")).size(), 1u);
    ASSERT_EQ(Push(kClient, kServer, SendIndication(kPeer)).size(), 1u);
  }
  now_ = start + TimeDelta::Seconds(300) - TimeDelta::Nanos(1);
  EXPECT_EQ(Push(kPeer, relayed, Text("x")).size(), 1u);
  now_ = start + TimeDelta::Seconds(300);
  EXPECT_TRUE(Push(kPeer, relayed, Text("x")).empty());
  EXPECT_TRUE(Push(kClient, kServer, SendIndication(kPeer)).empty());
  EXPECT_EQ(Dropped(DropReason::kNoPermission), 2u);
}

TEST_F(ServerTest, ChannelBindRefreshesThePermission) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Permit(kPeer), 0);
  now_ += TimeDelta::Seconds(200);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  now_ += TimeDelta::Seconds(299);
  EXPECT_EQ(Push(kPeer, relayed, Text("x")).size(), 1u);
}

TEST_F(ServerTest, CreatePermissionNeedsSoundPeers) {
  ASSERT_EQ(Allocate(), 0);
  EXPECT_EQ(Code(Method::kCreatePermission, [](MessageBuilder&) {}), 400);
  const Bytes short_address = {0, 1, 0, 0, 1};
  const Bytes strange_family = {0, 7, 0, 0, 1, 2, 3, 4};
  for (const Bytes& bad : {short_address, strange_family}) {
    EXPECT_EQ(Code(Method::kCreatePermission,
                   [&](MessageBuilder& b) {
                     b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
                     b.AddBytes(AttributeType::kXorPeerAddress, bad);
                   }),
              400);
  }
  EXPECT_EQ(Permit(kPeer6), 443);
  EXPECT_EQ(Permit({kPeer.ip, 0}), 0);
}

TEST_F(ServerTest, OneForbiddenPeerSpoilsTheRequest) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  EXPECT_EQ(Code(Method::kCreatePermission,
                 [](MessageBuilder& b) {
                   b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
                   b.AddXorAddress(AttributeType::kXorPeerAddress, Address("127.0.0.1:1"));
                 }),
            403);
  EXPECT_TRUE(Push(kPeer, relayed, Text("x")).empty());
}

TEST_F(ServerTest, ForbiddenPeersAre403) {
  ASSERT_EQ(Allocate(), 0);
  for (const char* peer : {"127.0.0.1:1", "0.0.0.0:1", "10.0.0.1:1", "169.254.169.254:80",
                           "224.0.0.1:1", "255.255.255.255:1", "198.51.100.1:3478"}) {
    EXPECT_EQ(Permit(Address(peer)), 403) << peer;
    EXPECT_EQ(Bind(0x4000, Address(peer)), 403) << peer;
  }
  EXPECT_EQ(Bind(0x4000, {kPeer.ip, 0}), 403);
  ASSERT_EQ(Refresh(0), 0);
  ASSERT_EQ(Allocate([](MessageBuilder& b) {
              AddFamily(b, AttributeType::kRequestedAddressFamily, AddressFamily::kIpv6);
            }),
            0);
  for (const char* peer : {"[::1]:1", "[::]:1", "[fe80::1]:1", "[fd00::1]:1", "[ff02::1]:1",
                           "[::ffff:127.0.0.1]:1", "[2002:c000:201::1]:1", "[2001::1]:1"}) {
    EXPECT_EQ(Permit(Address(peer)), 403) << peer;
    EXPECT_EQ(Bind(0x4000, Address(peer)), 403) << peer;
  }
}

TEST_F(ServerTest, SendToAListeningPortIsRefusedEvenWithThePermission) {
  ServerConfig config = DefaultServerConfig();
  config.relay_addresses = {kServer.ip};
  Use(config);
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Permit(kServer), 0);  // other clients of this server meet at this IP address
  EXPECT_TRUE(Push(kClient, kServer, SendIndication(kServer)).empty());
  EXPECT_EQ(Dropped(DropReason::kPeerRefused), 1u);
  EXPECT_EQ(Bind(0x4000, kServer), 403);
  EXPECT_EQ(Push(kClient, kServer, SendIndication({kServer.ip, 50000})).size(), 1u);
}

TEST_F(ServerTest, PermissionsAndChannelsAreLimited) {
  ServerConfig config = DefaultServerConfig();
  config.max_permissions = 2;
  config.max_channels = 1;
  Use(config);
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  ASSERT_EQ(Permit(Address("203.0.113.6:1")), 0);
  EXPECT_EQ(Permit(Address("203.0.113.7:1")), 508);
  EXPECT_EQ(Permit(kPeer), 0);  // a refresh takes no room
  EXPECT_EQ(Bind(0x4001, {kPeer.ip, 7001}), 508);
  now_ += TimeDelta::Seconds(300);
  EXPECT_EQ(Permit(Address("203.0.113.7:1")), 0);  // in the place of the one that has expired
}

// Send, section 11.2.

TEST_F(ServerTest, BrokenSendIndicationsAreDropped) {
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Permit(kPeer), 0);
  MessageBuilder no_peer(MessageClass::kIndication, Method::kSend, stun::TransactionId{9});
  no_peer.AddBytes(AttributeType::kData, Text("x"));
  EXPECT_TRUE(Push(kClient, kServer, no_peer.Build()).empty());
  MessageBuilder no_data(MessageClass::kIndication, Method::kSend, stun::TransactionId{9});
  no_data.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
  EXPECT_TRUE(Push(kClient, kServer, no_data.Build()).empty());
  EXPECT_EQ(Dropped(DropReason::kMalformed), 2u);
  EXPECT_TRUE(
      Push(kClient, kServer,
           SendIndication(
               kPeer, [](MessageBuilder& b) { b.AddU32(static_cast<AttributeType>(0x7ffe), 1); }))
          .empty());
  EXPECT_EQ(Dropped(DropReason::kUnknownAttribute), 1u);
  EXPECT_TRUE(Push(kClient, kServer, SendIndication(kPeer6)).empty());
  EXPECT_EQ(Dropped(DropReason::kPeerFamily), 1u);
}

TEST_F(ServerTest, TruncatedMessagesDoNothing) {
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  const Bytes send = SendIndication(kPeer);
  const Bytes channel_data = {0x40, 0x00, 0x00, 0x03, 'a', 'b', 'c'};
  for (const Bytes& whole : {send, channel_data}) {
    ASSERT_EQ(Push(kClient, kServer, whole).size(), 1u);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_TRUE(
          Push(kClient, kServer, Bytes(whole.begin(), whole.begin() + static_cast<long>(size)))
              .empty())
          << size;
    }
  }
}

TEST_F(ServerTest, HugeDatagramsAreNotWrapped) {
  ASSERT_EQ(Allocate(), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Permit(kPeer), 0);
  EXPECT_TRUE(Push(kPeer, relayed, Bytes(65'507)).empty());
  EXPECT_EQ(Dropped(DropReason::kTooLarge), 1u);
  EXPECT_EQ(Push(kPeer, relayed, Bytes(64'000)).size(), 1u);
}

// Channels, section 12.

TEST_F(ServerTest, ChannelNumbersHaveARange) {
  ASSERT_EQ(Allocate(), 0);
  for (const int bad : {0x0000, 0x3fff, 0x5000, 0x7ffe, 0x7fff, 0x8000, 0xffff}) {
    EXPECT_EQ(Bind(static_cast<uint16_t>(bad), kPeer), 400) << bad;
  }
  EXPECT_EQ(Bind(0x4000, kPeer), 0);
  EXPECT_EQ(Bind(0x4fff, {kPeer.ip, 7001}), 0);
  EXPECT_EQ(Code(Method::kChannelBind,
                 [](MessageBuilder& b) { b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer); }),
            400);
  EXPECT_EQ(Code(Method::kChannelBind, [](MessageBuilder& b) { AddChannelNumber(b, 0x4001); }),
            400);
  EXPECT_EQ(Code(Method::kChannelBind,
                 [](MessageBuilder& b) {
                   b.AddU16(AttributeType::kChannelNumber, 0x4001);
                   b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer);
                 }),
            400);
  EXPECT_EQ(Code(Method::kChannelBind,
                 [](MessageBuilder& b) {
                   b.AddU32(AttributeType::kChannelNumber, 0x4002ffff);  // RFFU is ignored
                   b.AddXorAddress(AttributeType::kXorPeerAddress, {kPeer.ip, 7002});
                 }),
            0);
  EXPECT_EQ(Bind(0x4003, kPeer6), 443);
}

TEST_F(ServerTest, ChannelsAreOneToOneForTenMinutes) {
  ASSERT_EQ(Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 3600); }), 0);
  const TransportAddress other = {kPeer.ip, 7001};
  const Timestamp start = now_;
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  EXPECT_EQ(Bind(0x4000, other), 400);
  EXPECT_EQ(Bind(0x4001, kPeer), 400);
  EXPECT_EQ(Bind(0x4001, other), 0);
  now_ = start + TimeDelta::Seconds(600) - TimeDelta::Nanos(1);
  EXPECT_EQ(Bind(0x4000, {kPeer.ip, 7002}), 400);
  EXPECT_EQ(Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x'}).size(), 1u);
  now_ = start + TimeDelta::Seconds(600);
  EXPECT_TRUE(Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x'}).empty());
  EXPECT_EQ(Dropped(DropReason::kUnboundChannel), 1u);
  EXPECT_EQ(Bind(0x4000, other), 0);  // both sides were free again
  EXPECT_EQ(Bind(0x4001, kPeer), 0);
  EXPECT_EQ(Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x'})[0].destination, other);
}

TEST_F(ServerTest, RebindingRefreshesTheChannel) {
  ASSERT_EQ(Allocate([](MessageBuilder& b) { b.AddU32(AttributeType::kLifetime, 3600); }), 0);
  const TransportAddress relayed = Relayed();
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  now_ += TimeDelta::Seconds(599);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  now_ += TimeDelta::Seconds(299);
  const auto to_client = Push(kPeer, relayed, Text("x"));
  ASSERT_EQ(to_client.size(), 1u);
  EXPECT_EQ(to_client[0].payload, (Bytes{0x40, 0x00, 0, 1, 'x'}));
  now_ += TimeDelta::Seconds(1);  // the permission ends before the channel
  EXPECT_TRUE(Push(kPeer, relayed, Text("x")).empty());
}

TEST_F(ServerTest, PaddedAndReservedChannelData) {
  ASSERT_EQ(Allocate(), 0);
  ASSERT_EQ(Bind(0x4000, kPeer), 0);
  const auto padded = Push(kClient, kServer, {0x40, 0x00, 0, 1, 'x', 0, 0, 0});
  ASSERT_EQ(padded.size(), 1u);
  EXPECT_EQ(Text(padded[0].payload), "x");
  const auto empty = Push(kClient, kServer, {0x40, 0x00, 0, 0});
  ASSERT_EQ(empty.size(), 1u);
  EXPECT_TRUE(empty[0].payload.empty());
  EXPECT_TRUE(Push(kClient, kServer, {0x50, 0x00, 0, 1, 'x'}).empty());
  EXPECT_TRUE(Push(kClient, kServer, {0x4f, 0xee, 0, 1, 'x'}).empty());
  EXPECT_TRUE(Push(kClient, kServer, {}).empty());
}

}  // namespace
}  // namespace rtclab::turn
