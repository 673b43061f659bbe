// Client and server against each other, in memory and virtual time.
#include <gtest/gtest.h>

#include "stack/turn/test_network.h"

namespace rtclab::turn {
namespace {

TEST(TurnTest, AllocatesAfterTheChallenge) {
  TestNetwork net;
  Client& client = net.Allocated();
  const Allocated allocated = net.events(client).Only<Allocated>();
  ASSERT_EQ(allocated.relayed.size(), 1u);
  EXPECT_EQ(allocated.relayed[0].ip, Ip("198.51.100.2"));
  EXPECT_GE(allocated.relayed[0].port, 49152);
  EXPECT_EQ(allocated.mapped, Address("192.0.2.10:4000"));
  EXPECT_EQ(allocated.lifetime, TimeDelta::Seconds(600));
  EXPECT_FALSE(allocated.reservation_token);
  EXPECT_TRUE(net.sockets.contains(allocated.relayed[0]));
  EXPECT_EQ(client.state(), Client::State::kAllocated);
  // Two round trips: the challenge and the answer.
  EXPECT_EQ(client.expires(), Timestamp::Seconds(1) + TimeDelta::Millis(40 + 600'000));
}

TEST(TurnTest, AllocatesWithoutAuthentication) {
  ServerConfig config = DefaultServerConfig();
  config.authentication.reset();
  TestNetwork net(config);
  ClientConfig anonymous = DefaultClientConfig();
  anonymous.username.clear();
  anonymous.password.clear();
  EXPECT_EQ(net.events(net.Allocated(anonymous)).Count<Allocated>(), 1u);
}

TEST(TurnTest, AllocatesWithMd5AndWithTimeLimitedCredentials) {
  ServerConfig config = DefaultServerConfig();
  config.authentication->long_term.algorithms.clear();
  TestNetwork md5(config);
  EXPECT_EQ(md5.events(md5.Allocated()).Count<Allocated>(), 1u);

  config = DefaultServerConfig();
  config.authentication->credentials =
      std::make_shared<stun::RestCredentials>(std::vector<std::string>{"secret"}, 1'000'000);
  TestNetwork rest(config);
  const auto good = stun::MakeRestCredential("secret", 1'003'600, "alice");
  ClientConfig client = DefaultClientConfig();
  client.username = good.username;
  client.password = good.password;
  EXPECT_EQ(rest.events(rest.Allocated(client)).Count<Allocated>(), 1u);
  const auto expired = stun::MakeRestCredential("secret", 999'999, "alice");
  client.local.port = 4001;
  client.username = expired.username;
  client.password = expired.password;
  EXPECT_EQ(rest.events(rest.Allocated(client)).Only<AllocateFailed>().code, 401);
}

TEST(TurnTest, ReportsWrongPasswords) {
  TestNetwork net;
  ClientConfig config = DefaultClientConfig();
  config.password = "looking glass";
  Client& client = net.Allocated(config);
  const AllocateFailed failed = net.events(client).Only<AllocateFailed>();
  EXPECT_EQ(failed.code, 401);
  EXPECT_EQ(failed.advice, Advice::kGiveUp);
  EXPECT_EQ(client.state(), Client::State::kEnded);
  EXPECT_EQ(net.server.allocation_count(), 0u);
  EXPECT_TRUE(net.sockets.empty());
}

TEST(TurnTest, ReportsMissingCredentials) {
  TestNetwork net;
  ClientConfig config = DefaultClientConfig();
  config.username.clear();
  Client& client = net.Allocated(config);
  EXPECT_EQ(net.events(client).Only<AllocateFailed>().code, 401);
}

TEST(TurnTest, RelaysIndicationsBothWaysWithAPermission) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  ASSERT_EQ(net.events(client).Only<PermissionCreated>().peer, kPeer.ip);
  const TransportAddress relayed = client.relayed()[0];
  ASSERT_TRUE(client.Send(net.now(), kPeer, Text("hello")));
  net.RunFor(TimeDelta::Millis(50));
  const auto got = net.TakeReceived(kPeer);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].source, relayed);
  EXPECT_EQ(Text(got[0].payload), "hello");
  EXPECT_FALSE(got[0].dont_fragment);

  net.Send(kPeer, relayed, Text("hi"));
  net.RunFor(TimeDelta::Millis(50));
  const DataReceived data = net.events(client).Only<DataReceived>();
  EXPECT_EQ(data.peer, kPeer);
  EXPECT_EQ(data.relayed, relayed);
  EXPECT_EQ(Text(data.payload), "hi");
}

TEST(TurnTest, RelaysEmptyDatagrams) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  ASSERT_TRUE(client.Send(net.now(), kPeer, {}));
  net.Send(kPeer, client.relayed()[0], {});
  net.RunFor(TimeDelta::Millis(50));
  ASSERT_EQ(net.TakeReceived(kPeer).size(), 1u);
  EXPECT_TRUE(net.events(client).Only<DataReceived>().payload.empty());
}

TEST(TurnTest, PermissionsAreByAddressNotPort) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  net.Send({kPeer.ip, 1}, client.relayed()[0], Text("other port"));
  net.Send(Address("203.0.113.6:7000"), client.relayed()[0], Text("other address"));
  net.RunFor(TimeDelta::Millis(50));
  EXPECT_EQ(Text(net.events(client).Only<DataReceived>().payload), "other port");
  EXPECT_EQ(net.server.counters().dropped(DropReason::kNoPermission), 1u);
}

TEST(TurnTest, NothingPassesWithoutAPermission) {
  TestNetwork net;
  Client& client = net.Allocated();
  EXPECT_FALSE(client.Send(net.now(), kPeer, Text("x")));
  net.Send(kPeer, client.relayed()[0], Text("x"));
  net.RunFor(TimeDelta::Millis(50));
  EXPECT_EQ(net.events(client).Count<DataReceived>(), 0u);
  EXPECT_EQ(net.server.counters().dropped(DropReason::kNoPermission), 1u);
}

TEST(TurnTest, PermissionsOfOneAllocationMeanNothingToAnother) {
  TestNetwork net;
  net.Permitted(kPeer.ip);
  ClientConfig config = DefaultClientConfig();
  config.local.port = 4001;
  Client& other = net.Allocated(config);
  net.Send(kPeer, other.relayed()[0], Text("x"));
  net.RunFor(TimeDelta::Millis(50));
  EXPECT_EQ(net.events(other).Count<DataReceived>(), 0u);
}

TEST(TurnTest, ChannelsCarryDataBothWays) {
  TestNetwork net;
  Client& client = net.Allocated();
  client.BindChannel(net.now(), kPeer);
  net.RunFor(TimeDelta::Millis(50));
  const ChannelBound bound = net.events(client).Only<ChannelBound>();
  EXPECT_EQ(bound.number, ChannelNumber{0x4000});
  EXPECT_TRUE(
      client.HasPermission(net.now(), kPeer.ip));  // section 12.2: it comes with the channel

  std::vector<Bytes> wire;
  net.lose = [&](const Transmit& t) {
    wire.push_back(t.payload);
    return false;
  };
  ASSERT_TRUE(client.Send(net.now(), kPeer, Text("abcde")));
  net.RunFor(TimeDelta::Millis(50));
  ASSERT_EQ(wire.size(), 2u);
  EXPECT_EQ(wire[0], (Bytes{0x40, 0x00, 0, 5, 'a', 'b', 'c', 'd', 'e'}));
  EXPECT_EQ(Text(wire[1]), "abcde");
  net.Send(kPeer, client.relayed()[0], Text("fgh"));
  net.RunFor(TimeDelta::Millis(50));
  ASSERT_EQ(wire.size(), 4u);
  EXPECT_EQ(wire[3], (Bytes{0x40, 0x00, 0, 3, 'f', 'g', 'h'}));
  EXPECT_EQ(Text(net.events(client).Only<DataReceived>().payload), "fgh");
}

TEST(TurnTest, ChannelsAreForOneTransportAddress) {
  TestNetwork net;
  Client& client = net.Allocated();
  client.BindChannel(net.now(), kPeer);
  net.RunFor(TimeDelta::Millis(50));
  std::vector<Bytes> to_client;
  net.lose = [&](const Transmit& t) {
    if (t.destination == client.config().local) to_client.push_back(t.payload);
    return false;
  };
  net.Send({kPeer.ip, 1}, client.relayed()[0], Text("x"));
  net.RunFor(TimeDelta::Millis(50));
  ASSERT_EQ(to_client.size(), 1u);
  EXPECT_FALSE(LooksLikeChannelData(to_client[0]));
  EXPECT_EQ(net.events(client).Only<DataReceived>().peer, (TransportAddress{kPeer.ip, 1}));
}

TEST(TurnTest, DontFragmentReachesTheSocket) {
  TestNetwork net;
  ClientConfig config = DefaultClientConfig();
  config.dont_fragment = true;
  Client& client = net.Allocated(config);
  EXPECT_TRUE(net.events(client).Only<Allocated>().dont_fragment);
  client.BindChannel(net.now(), kPeer);
  net.RunFor(TimeDelta::Millis(50));
  ASSERT_TRUE(client.Send(net.now(), kPeer, Text("x"), true));
  ASSERT_TRUE(client.Send(net.now(), kPeer, Text("y"), false));
  net.RunFor(TimeDelta::Millis(50));
  const auto got = net.TakeReceived(kPeer);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_TRUE(got[0].dont_fragment);
  EXPECT_FALSE(got[1].dont_fragment);
}

TEST(TurnTest, AsksAgainWhenTheServerCannotSetDontFragment) {
  ServerConfig server = DefaultServerConfig();
  server.dont_fragment = false;
  TestNetwork net(server);
  ClientConfig config = DefaultClientConfig();
  config.dont_fragment = true;
  Client& client = net.Allocated(config);
  EXPECT_FALSE(net.events(client).Only<Allocated>().dont_fragment);
}

TEST(TurnTest, DontFragmentMeansNothingAcrossFamilies) {
  TestNetwork net;
  ClientConfig config = DefaultClientConfig();
  config.local = Address("[2001:db8:a::1]:4000");
  config.server = Address("[2001:db8::1]:3478");
  Client& client = net.Permitted(kPeer.ip, config);  // IPv6 to the server, IPv4 to the peer
  ASSERT_TRUE(client.Send(net.now(), kPeer, Text("x"), true));
  net.RunFor(TimeDelta::Millis(50));
  const auto got = net.TakeReceived(kPeer);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_FALSE(got[0].dont_fragment);
}

TEST(TurnTest, AllocatesEveryFamilyOverEveryFamily) {
  for (const bool over_v6 : {false, true}) {
    for (const AddressFamily family : {AddressFamily::kIpv4, AddressFamily::kIpv6}) {
      TestNetwork net;
      ClientConfig config = DefaultClientConfig();
      if (over_v6) {
        config.local = Address("[2001:db8:a::1]:4000");
        config.server = Address("[2001:db8::1]:3478");
      }
      config.family = family;
      const TransportAddress peer = family == AddressFamily::kIpv4 ? kPeer : kPeer6;
      Client& client = net.Permitted(peer.ip, config);
      ASSERT_EQ(client.relayed().size(), 1u);
      EXPECT_EQ(client.relayed()[0].family(), family);
      ASSERT_TRUE(client.Send(net.now(), peer, Text("x")));
      net.Send(peer, client.relayed()[0], Text("y"));
      net.RunFor(TimeDelta::Millis(50));
      EXPECT_EQ(net.TakeReceived(peer).size(), 1u);
      EXPECT_EQ(net.events(client).Count<DataReceived>(), 1u);
    }
  }
}

TEST(TurnTest, DualAllocationRelaysBothFamilies) {
  TestNetwork net;
  ClientConfig config = DefaultClientConfig();
  config.dual = true;
  Client& client = net.Allocated(config);
  ASSERT_EQ(client.relayed().size(), 2u);
  EXPECT_TRUE(client.relayed()[0].ip.IsV4());
  EXPECT_TRUE(client.relayed()[1].ip.IsV6());
  client.CreatePermission(net.now(), std::vector{kPeer.ip, kPeer6.ip});
  client.BindChannel(net.now(), kPeer6);
  net.RunFor(TimeDelta::Millis(50));
  EXPECT_EQ(net.events(client).Count<PermissionCreated>(), 2u);
  for (const TransportAddress& peer : {kPeer, kPeer6}) {
    ASSERT_TRUE(client.Send(net.now(), peer, Text("x")));
  }
  net.Send(kPeer, client.relayed()[0], Text("4"));
  net.Send(kPeer6, client.relayed()[1], Text("6"));
  net.RunFor(TimeDelta::Millis(50));
  EXPECT_EQ(net.TakeReceived(kPeer)[0].source, client.relayed()[0]);
  EXPECT_EQ(net.TakeReceived(kPeer6)[0].source, client.relayed()[1]);
  const auto data = net.events(client).All<DataReceived>();
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(data[0].relayed, client.relayed()[0]);
  EXPECT_EQ(data[1].relayed, client.relayed()[1]);
}

TEST(TurnTest, DualAllocationMayBeMetByHalf) {
  ServerConfig server = DefaultServerConfig();
  server.relay_addresses = {Ip("198.51.100.2")};
  ClientConfig config = DefaultClientConfig();
  config.dual = true;
  {
    TestNetwork net(server);
    const Allocated allocated = net.events(net.Allocated(config)).Only<Allocated>();
    EXPECT_EQ(allocated.relayed.size(), 1u);
    EXPECT_EQ(allocated.refused_family, AddressFamily::kIpv6);
    EXPECT_EQ(allocated.refused_code, 440);
  }
  TestNetwork net;  // both families, but no IPv6 socket to be had
  net.refuse_bind = [](const TransportAddress& address) { return address.ip.IsV6(); };
  const Allocated allocated = net.events(net.Allocated(config)).Only<Allocated>();
  EXPECT_EQ(allocated.relayed.size(), 1u);
  EXPECT_EQ(allocated.refused_family, AddressFamily::kIpv6);
  EXPECT_EQ(allocated.refused_code, 508);
}

TEST(TurnTest, ReservationTokenGivesTheNextPort) {
  TestNetwork net;
  ClientConfig config = DefaultClientConfig();
  config.reserve_next = true;
  Client& first = net.Allocated(config);
  const Allocated rtp = net.events(first).Only<Allocated>();
  ASSERT_TRUE(rtp.reservation_token);
  EXPECT_EQ(rtp.relayed[0].port % 2, 0);
  EXPECT_EQ(net.sockets.size(), 2u);

  ClientConfig second = DefaultClientConfig();
  second.local.port = 4001;
  second.reservation_token = rtp.reservation_token;
  const Allocated rtcp = net.events(net.Allocated(second)).Only<Allocated>();
  EXPECT_EQ(rtcp.relayed[0].ip, rtp.relayed[0].ip);
  EXPECT_EQ(rtcp.relayed[0].port, rtp.relayed[0].port + 1);
  EXPECT_FALSE(rtcp.reservation_token);

  second.local.port = 4002;
  const AllocateFailed again = net.events(net.Allocated(second)).Only<AllocateFailed>();
  EXPECT_EQ(again.code, 508);
  EXPECT_EQ(again.advice, Advice::kRelaxRequest);
}

TEST(TurnTest, ReservationLastsThirtySecondsToTheNanosecond) {
  for (const bool late : {false, true}) {
    TestNetwork net;
    ClientConfig config = DefaultClientConfig();
    config.reserve_next = true;
    const auto token = net.events(net.Allocated(config)).Only<Allocated>().reservation_token;
    // Established at 1.030 s; the second client's authenticated request arrives 30 ms after it starts.
    const Timestamp end = Timestamp::Millis(1'030 + 30'000);
    net.RunUntil(end - TimeDelta::Millis(30) - TimeDelta::Nanos(late ? 0 : 1));
    EXPECT_EQ(net.sockets.size(), 2u);
    ClientConfig second = DefaultClientConfig();
    second.local.port = 4001;
    second.reservation_token = token;
    Client& client = net.Allocated(second);
    EXPECT_EQ(net.events(client).Count<Allocated>(), late ? 0u : 1u);
    EXPECT_EQ(net.sockets.size(), late ? 1u : 2u);
  }
}

TEST(TurnTest, EvenPortAloneReservesNothing) {
  TestNetwork net;
  for (uint16_t port = 5000; port < 5020; ++port) {
    ClientConfig config = DefaultClientConfig();
    config.local.port = port;
    config.even_port = true;
    const Allocated allocated = net.events(net.Allocated(config)).Only<Allocated>();
    EXPECT_EQ(allocated.relayed[0].port % 2, 0);
    EXPECT_FALSE(allocated.reservation_token);
  }
}

TEST(TurnTest, SocketThatCannotBeBoundIsReplacedByAnother) {
  TestNetwork net;
  int refusals = 3;
  net.refuse_bind = [&](const TransportAddress&) { return refusals-- > 0; };
  Client& client = net.Allocated();
  EXPECT_EQ(net.events(client).Count<Allocated>(), 1u);
  EXPECT_EQ(net.relays_wanted, 4);
  EXPECT_EQ(net.sockets.size(), 1u);
}

TEST(TurnTest, HalfAPairIsNoPair) {
  TestNetwork net;
  int asked = 0;
  net.refuse_bind = [&](const TransportAddress&) { return ++asked == 2; };  // the odd port
  ClientConfig config = DefaultClientConfig();
  config.reserve_next = true;
  const Allocated allocated = net.events(net.Allocated(config)).Only<Allocated>();
  EXPECT_TRUE(allocated.reservation_token);
  EXPECT_EQ(net.relays_wanted, 4);
  EXPECT_EQ(net.sockets.size(), 2u);
  EXPECT_TRUE(net.sockets.contains(allocated.relayed[0]));
}

TEST(TurnTest, NoSocketAtAllIsInsufficientCapacity) {
  TestNetwork net;
  net.refuse_bind = [](const TransportAddress&) { return true; };
  Client& client = net.Allocated();
  const AllocateFailed failed = net.events(client).Only<AllocateFailed>();
  EXPECT_EQ(failed.code, 508);
  EXPECT_EQ(failed.advice, Advice::kRetryLater);
  EXPECT_EQ(net.relays_wanted, net.server.config().bind_attempts);
  EXPECT_EQ(net.server.allocation_count(), 0u);
}

TEST(TurnTest, IcmpReachesTheClientWithPeerAndMtu) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  const TransportAddress relayed = client.relayed()[0];
  net.server.HandleIcmp(net.now(), {relayed, kPeer, 3, 4, 1400});
  net.server.HandleIcmp(net.now(), {relayed, kPeer, 3, 3, 1400});
  net.server.HandleIcmp(net.now(), {relayed, kPeer, 8, 0, 0});  // an echo request is no error
  net.server.HandleIcmp(net.now(), {relayed, Address("203.0.113.6:1"), 3, 3, 0});
  net.RunFor(TimeDelta::Millis(50));
  const auto icmp = net.events(client).All<IcmpReceived>();
  ASSERT_EQ(icmp.size(), 2u);
  EXPECT_EQ(icmp[0].peer, kPeer);
  EXPECT_EQ(icmp[0].relayed, relayed);
  EXPECT_EQ(icmp[0].type, 3);
  EXPECT_EQ(icmp[0].code, 4);
  EXPECT_EQ(icmp[0].mtu, 1400u);
  EXPECT_EQ(icmp[1].code, 3);
  EXPECT_EQ(icmp[1].mtu, 0u);  // section 18.13: zero but for "too big"
  EXPECT_EQ(net.server.counters().dropped(DropReason::kIcmpType), 1u);
  EXPECT_EQ(net.server.counters().dropped(DropReason::kNoPermission), 1u);
}

TEST(TurnTest, Icmpv6TypesOneToThreeAreRelayed) {
  TestNetwork net;
  ClientConfig config = DefaultClientConfig();
  config.family = AddressFamily::kIpv6;
  Client& client = net.Permitted(kPeer6.ip, config);
  for (uint8_t type = 0; type < 6; ++type) {
    net.server.HandleIcmp(net.now(), {client.relayed()[0], kPeer6, type, 0, 1280});
  }
  net.RunFor(TimeDelta::Millis(50));
  const auto icmp = net.events(client).All<IcmpReceived>();
  ASSERT_EQ(icmp.size(), 3u);
  EXPECT_EQ(icmp[0].type, 1);
  EXPECT_EQ(icmp[0].mtu, 0u);
  EXPECT_EQ(icmp[1].type, 2);
  EXPECT_EQ(icmp[1].mtu, 1280u);
  EXPECT_EQ(icmp[2].type, 3);
}

TEST(TurnTest, CloseDeletesTheAllocation) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  client.Close(net.now());
  net.RunFor(TimeDelta::Millis(50));
  EXPECT_EQ(net.events(client).Count<Closed>(), 1u);
  EXPECT_EQ(net.server.allocation_count(), 0u);
  EXPECT_TRUE(net.sockets.empty());
  EXPECT_EQ(client.NextTimeout(), Timestamp::PlusInfinity());
}

TEST(TurnTest, CloseEndsEvenIfTheServerIsGone) {
  TestNetwork net;
  Client& client = net.Allocated();
  net.lose = [](const Transmit&) { return true; };
  client.Close(net.now());
  net.RunFor(TimeDelta::Seconds(40));
  EXPECT_EQ(net.events(client).Count<Closed>(), 1u);
}

TEST(TurnTest, OtherTrafficOnTheLocalAddressIsLeftAlone) {
  TestNetwork net;
  Client& client = net.Allocated();
  const Bytes binding = stun::MessageBuilder(stun::MessageClass::kSuccessResponse,
                                             stun::Method::kBinding, stun::TransactionId{1})
                            .Build();
  const TransportAddress local = client.config().local;
  EXPECT_FALSE(client.HandlePacket(net.now(), {client.server(), local, binding}));
  EXPECT_FALSE(client.HandlePacket(net.now(), {kPeer, local, Bytes{0x40, 0, 0, 0}}));
  EXPECT_FALSE(client.HandlePacket(net.now(), {client.server(), local, Bytes{0x80, 0, 0, 0}}));
  EXPECT_TRUE(client.HandlePacket(net.now(), {client.server(), local, Bytes{0x40, 0, 0, 0}}));
}

TEST(TurnTest, TwoClientsOfOneServerReachEachOther) {
  TestNetwork net;
  Client& a = net.Allocated();
  ClientConfig config = DefaultClientConfig();
  config.local = Address("192.0.2.11:4000");
  config.username = "bob";
  config.password = "builder";
  Client& b = net.Allocated(config);
  a.CreatePermission(net.now(), std::vector{b.relayed()[0].ip});
  b.CreatePermission(net.now(), std::vector{a.relayed()[0].ip});
  net.RunFor(TimeDelta::Millis(50));
  ASSERT_TRUE(a.Send(net.now(), b.relayed()[0], Text("over two relays")));
  net.RunFor(TimeDelta::Millis(50));
  const DataReceived data = net.events(b).Only<DataReceived>();
  EXPECT_EQ(data.peer, a.relayed()[0]);
  EXPECT_EQ(Text(data.payload), "over two relays");
}

}  // namespace
}  // namespace rtclab::turn
