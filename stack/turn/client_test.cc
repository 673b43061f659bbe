// What the client does by itself: refreshing, giving up, following redirects, distrusting the server.
#include "stack/turn/client.h"

#include <gtest/gtest.h>

#include "stack/turn/attributes.h"
#include "stack/turn/test_network.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

// When requests of one method left the client.
std::vector<Timestamp> RequestTimes(TestNetwork& net, Method method, TimeDelta duration) {
  std::vector<Timestamp> times;
  net.lose = [&](const Transmit& t) {
    const auto view = MessageView::Parse(t.payload);
    if (view && view->IsRequest() && view->method() == method) times.push_back(net.now());
    return false;
  };
  net.RunFor(duration);
  net.lose = nullptr;
  return times;
}

TEST(TurnClientTest, KeepsEverythingAliveForHours) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  client.BindChannel(net.now(), kPeer);
  net.RunFor(TimeDelta::Seconds(3 * 3600));  // three nonces long
  ASSERT_EQ(client.state(), Client::State::kAllocated);
  ASSERT_TRUE(client.FindChannel(net.now(), kPeer));
  ASSERT_TRUE(client.Send(net.now(), kPeer, Text("still here")));
  net.Send(kPeer, client.relayed()[0], Text("me too"));
  net.RunFor(TimeDelta::Millis(50));
  EXPECT_EQ(net.TakeReceived(kPeer).size(), 1u);
  EXPECT_EQ(net.events(client).Count<DataReceived>(), 1u);
  EXPECT_EQ(net.events(client).Count<AllocationLost>(), 0u);
  EXPECT_EQ(net.events(client).Count<PermissionCreated>(), 1u);  // refreshes are silent
  EXPECT_EQ(net.events(client).Count<ChannelBound>(), 1u);
  EXPECT_EQ(net.server.allocation_count(), 1u);
}

TEST(TurnClientTest, RefreshesAMinuteBeforeTheEnd) {
  {
    TestNetwork net;
    Client& client = net.Allocated();
    const Timestamp end = client.expires();
    const auto times = RequestTimes(net, Method::kRefresh, TimeDelta::Seconds(600));
    ASSERT_EQ(times.size(), 1u);
    EXPECT_EQ(times[0], end - TimeDelta::Seconds(60));
  }
  TestNetwork net;
  net.Permitted(kPeer.ip);  // asked for at 1.100 s, answered 20 ms later
  const auto times = RequestTimes(net, Method::kCreatePermission, TimeDelta::Seconds(300));
  ASSERT_EQ(times.size(), 1u);
  EXPECT_EQ(times[0], Timestamp::Millis(1'120 + 240'000));
}

TEST(TurnClientTest, RefreshesPermissionsTogether) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  net.RunFor(TimeDelta::Seconds(20));
  client.CreatePermission(net.now(), std::vector{Ip("203.0.113.6"), Ip("203.0.113.7")});
  net.RunFor(TimeDelta::Seconds(1));
  const auto times = RequestTimes(net, Method::kCreatePermission, TimeDelta::Seconds(400));
  EXPECT_EQ(times.size(), 1u);
}

TEST(TurnClientTest, ForgottenPermissionsRunOut) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  client.BindChannel(net.now(), kPeer);
  net.RunFor(TimeDelta::Seconds(1));
  client.Forget(kPeer.ip);
  net.RunFor(TimeDelta::Seconds(300));
  EXPECT_FALSE(client.HasPermission(net.now(), kPeer.ip));
  net.RunFor(TimeDelta::Seconds(310));
  EXPECT_FALSE(client.FindChannel(net.now(), kPeer));
  EXPECT_FALSE(client.Send(net.now(), kPeer, Text("x")));
  // Section 12: the same number again for the same peer.
  client.BindChannel(net.now(), kPeer);
  net.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(client.FindChannel(net.now(), kPeer), ChannelNumber{0x4000});
}

TEST(TurnClientTest, ReportsTheServersSilence) {
  TestNetwork net;
  net.lose = [](const Transmit&) { return true; };
  Client& client = net.AddClient(DefaultClientConfig());
  client.Allocate(net.now());
  net.RunFor(TimeDelta::Millis(39'499));
  EXPECT_EQ(net.events(client).Count<AllocateFailed>(), 0u);
  net.RunFor(TimeDelta::Millis(1));
  const AllocateFailed failed = net.events(client).Only<AllocateFailed>();
  EXPECT_EQ(failed.code, kRequestTimedOut);
  EXPECT_EQ(failed.advice, Advice::kOtherTransport);
  EXPECT_EQ(client.NextTimeout(), Timestamp::PlusInfinity());
}

TEST(TurnClientTest, SurvivesLossByRetransmitting) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    TestNetwork net;
    Rng loss(seed);
    net.lose = [&](const Transmit&) { return loss.Bernoulli(0.2); };
    Client& client = net.AddClient(DefaultClientConfig());
    client.Allocate(net.now());
    net.RunFor(TimeDelta::Seconds(80));
    EXPECT_EQ(net.events(client).Count<Allocated>(), 1u);
    EXPECT_EQ(net.server.allocation_count(), 1u);  // and not one for each retransmission
    EXPECT_EQ(net.relays_wanted, 1);
  }
}

TEST(TurnClientTest, HardIcmpErrorEndsTheWait) {
  TestNetwork net;
  net.lose = [](const Transmit&) { return true; };
  Client& client = net.AddClient(DefaultClientConfig());
  client.Allocate(net.now());
  const TransportAddress local = client.config().local;
  client.HandleIcmp(net.now(), {local, client.server(), 3, 1, 0});  // host unreachable is soft
  client.HandleIcmp(net.now(), {local, kPeer, 3, 3, 0});            // not our server
  net.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(net.events(client).Count<AllocateFailed>(), 0u);
  client.HandleIcmp(net.now(), {local, client.server(), 3, 3, 0});
  net.RunFor(TimeDelta::Zero());
  EXPECT_EQ(net.events(client).Only<AllocateFailed>().code, kRequestTimedOut);
}

TEST(TurnClientTest, LosesTheAllocationWhenTheServerForgotIt) {
  TestNetwork net;
  Client& client = net.Permitted(kPeer.ip);
  // The server's side expires while its answers are lost, as when it restarts.
  net.server.HandleTimeout(Timestamp::Seconds(10'000));
  net.RunFor(TimeDelta::Seconds(300));
  EXPECT_EQ(net.events(client).Only<AllocationLost>().code, 437);
  EXPECT_EQ(client.state(), Client::State::kEnded);
  EXPECT_FALSE(client.Send(net.now(), kPeer, Text("x")));
}

TEST(TurnClientTest, LosesTheAllocationWhenTheServerIsGone) {
  TestNetwork net;
  Client& client = net.Allocated();
  net.lose = [](const Transmit&) { return true; };
  net.RunFor(TimeDelta::Seconds(600));
  EXPECT_EQ(net.events(client).Only<AllocationLost>().code, kRequestTimedOut);
}

TEST(TurnClientTest, ReportsEachForbiddenPeerAndKeepsTheOthers) {
  TestNetwork net;
  Client& client = net.Allocated();
  client.CreatePermission(net.now(), std::vector{kPeer.ip, Ip("10.0.0.1"), Ip("203.0.113.6")});
  net.RunFor(TimeDelta::Seconds(1));
  const PermissionFailed failed = net.events(client).Only<PermissionFailed>();
  EXPECT_EQ(failed.peer, Ip("10.0.0.1"));
  EXPECT_EQ(failed.code, 403);
  EXPECT_EQ(failed.reason, "Forbidden");
  EXPECT_EQ(net.events(client).Count<PermissionCreated>(), 2u);
  client.BindChannel(net.now(), Address("10.0.0.1:5"));
  net.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(net.events(client).Only<ChannelFailed>().code, 403);
}

TEST(TurnClientTest, RefusesOtherFamiliesItself) {
  TestNetwork net;
  Client& client = net.Allocated();
  client.CreatePermission(net.now(), std::vector{Ip("2001:db8::77")});
  client.BindChannel(net.now(), Address("[2001:db8::77]:1"));
  net.RunFor(TimeDelta::Zero());
  EXPECT_EQ(net.events(client).Only<PermissionFailed>().code, 443);
  EXPECT_EQ(net.events(client).Only<ChannelFailed>().code, 443);
}

TEST(TurnClientTest, WithoutAllocationNothingIsGranted) {
  TestNetwork net;
  Client& client = net.AddClient(DefaultClientConfig());
  client.CreatePermission(net.now(), std::vector{kPeer.ip});
  client.BindChannel(net.now(), kPeer);
  net.RunFor(TimeDelta::Zero());
  EXPECT_EQ(net.events(client).Only<PermissionFailed>().code, 437);
  EXPECT_EQ(net.events(client).Only<ChannelFailed>().code, 437);
  EXPECT_FALSE(client.Send(net.now(), kPeer, Text("x")));
  client.Close(net.now());
  net.RunFor(TimeDelta::Zero());
  EXPECT_EQ(net.events(client).Count<Closed>(), 1u);
}

TEST(TurnClientTest, ManyPeersTakeSeveralRequests) {
  TestNetwork net;
  Client& client = net.Allocated();
  std::vector<IpAddress> peers;
  for (uint8_t i = 1; i <= 40; ++i) peers.push_back(IpAddress::V4(203, 0, 113, i));
  client.CreatePermission(net.now(), peers);
  EXPECT_EQ(RequestTimes(net, Method::kCreatePermission, TimeDelta::Seconds(1)).size(), 3u);
  EXPECT_EQ(net.events(client).Count<PermissionCreated>(), 40u);
}

TEST(TurnClientTest, AsksForALongerLifetime) {
  TestNetwork net;
  Client& client = net.Allocated();
  client.Refresh(net.now(), TimeDelta::Seconds(1800));
  net.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(net.events(client).Only<AllocationRefreshed>().lifetime, TimeDelta::Seconds(1800));
  const auto times = RequestTimes(net, Method::kRefresh, TimeDelta::Seconds(1800));
  EXPECT_EQ(times.size(), 1u);
}

// Servers of our own making.

// Answers every request of a client with whatever `answer` makes of it.
class ScriptedServer {
 public:
  explicit ScriptedServer(ClientConfig config = Anonymous())
      : rng_(3), client(std::move(config), rng_) {}

  static ClientConfig Anonymous() {
    ClientConfig config = DefaultClientConfig();
    config.username.clear();
    return config;
  }
  using Answer = std::function<Bytes(const MessageView& request, const TransportAddress& server)>;
  void Run(const Answer& answer) {
    for (bool progress = true; progress;) {
      progress = false;
      std::vector<Transmit> sent;
      Drain(
          client, [&](Transmit&& t) { sent.push_back(std::move(t)); },
          [&](ClientEvent&& e) { events.Add(std::move(e)); });
      for (const Transmit& t : sent) {
        const auto view = MessageView::Parse(t.payload);
        if (!view || !view->IsRequest()) continue;
        requests.push_back({view->method(), t.destination});
        const Bytes reply = answer(*view, t.destination);
        if (reply.empty()) continue;
        client.HandlePacket(now, {t.destination, t.source, reply});
        progress = true;
      }
    }
  }

 private:
  Rng rng_;

 public:
  Client client;
  EventLog events;
  Timestamp now = Timestamp::Seconds(1);
  std::vector<std::pair<Method, TransportAddress>> requests;
};

Bytes Allocation(const MessageView& request,
                 const std::function<void(MessageBuilder&)>& more = {}) {
  auto b = MessageBuilder::ResponseTo(request, MessageClass::kSuccessResponse);
  if (request.method() == Method::kAllocate) {
    b.AddXorAddress(AttributeType::kXorRelayedAddress, Address("198.51.100.2:50000"));
    b.AddXorAddress(AttributeType::kXorMappedAddress, Address("192.0.2.10:4000"));
  }
  b.AddU32(AttributeType::kLifetime, 600);
  if (more) more(b);
  return b.Build();
}

TEST(TurnClientTest, FollowsRedirectsButNotInCircles) {
  const TransportAddress second = Address("198.51.100.20:3478");
  {
    ScriptedServer script;
    script.client.Allocate(script.now);
    script.Run([&](const MessageView& request, const TransportAddress& server) {
      if (server == second) return Allocation(request);
      return MessageBuilder::ErrorResponseTo(request, 300)
          .AddAddress(AttributeType::kAlternateServer, second)
          .Build();
    });
    EXPECT_EQ(script.events.Only<Redirected>().to, second);
    EXPECT_EQ(script.events.Count<Allocated>(), 1u);
    EXPECT_EQ(script.client.server(), second);
  }
  ScriptedServer script;
  script.client.Allocate(script.now);
  script.Run([&](const MessageView& request, const TransportAddress& server) {
    return MessageBuilder::ErrorResponseTo(request, 300)
        .AddAddress(AttributeType::kAlternateServer,
                    server == second ? DefaultClientConfig().server : second)
        .Build();
  });
  const AllocateFailed failed = script.events.Only<AllocateFailed>();
  EXPECT_EQ(failed.code, 300);
  EXPECT_EQ(failed.alternate_server, std::nullopt);  // it has sent us away already
  EXPECT_EQ(failed.advice, Advice::kGiveUp);
  EXPECT_EQ(script.requests.size(), 2u);
}

TEST(TurnClientTest, ReportsTheAlternateServerWhenItMayNotFollow) {
  ClientConfig config = ScriptedServer::Anonymous();
  config.max_redirects = 0;
  ScriptedServer script(config);
  script.client.Allocate(script.now);
  script.Run([](const MessageView& request, const TransportAddress&) {
    return MessageBuilder::ErrorResponseTo(request, 300)
        .AddAddress(AttributeType::kAlternateServer, Address("198.51.100.20:3478"))
        .Build();
  });
  const AllocateFailed failed = script.events.Only<AllocateFailed>();
  EXPECT_EQ(failed.alternate_server, Address("198.51.100.20:3478"));
  EXPECT_EQ(failed.advice, Advice::kAlternateServer);
}

TEST(TurnClientTest, GivesAdviceForEveryErrorCode) {
  const std::pair<int, Advice> rows[] = {{400, Advice::kGiveUp}, {403, Advice::kGiveUp},
                                         {420, Advice::kGiveUp}, {437, Advice::kOtherLocalAddress},
                                         {440, Advice::kGiveUp}, {441, Advice::kGiveUp},
                                         {442, Advice::kGiveUp}, {486, Advice::kRetryLater},
                                         {500, Advice::kGiveUp}, {508, Advice::kRetryLater},
                                         {300, Advice::kGiveUp}};
  for (const auto& [code, advice] : rows) {
    ScriptedServer script;
    script.client.Allocate(script.now);
    const int error = code;
    script.Run([error](const MessageView& request, const TransportAddress&) {
      return MessageBuilder::ErrorResponseTo(request, error).Build();
    });
    const AllocateFailed failed = script.events.Only<AllocateFailed>();
    EXPECT_EQ(failed.code, code);
    EXPECT_EQ(failed.advice, advice) << code;
    EXPECT_FALSE(failed.reason.empty()) << code;
    EXPECT_EQ(script.client.state(), Client::State::kEnded);
  }
}

TEST(TurnClientTest, RefusesAnswersItCannotUse) {
  const std::function<Bytes(const MessageView&)> answers[] = {
      [](const MessageView& r) {  // no addresses at all
        return MessageBuilder::ResponseTo(r, MessageClass::kSuccessResponse)
            .AddU32(AttributeType::kLifetime, 600)
            .Build();
      },
      [](const MessageView& r) {  // a family nobody asked for
        return MessageBuilder::ResponseTo(r, MessageClass::kSuccessResponse)
            .AddXorAddress(AttributeType::kXorRelayedAddress, Address("[2001:db8::2]:50000"))
            .AddXorAddress(AttributeType::kXorMappedAddress, Address("192.0.2.10:4000"))
            .AddU32(AttributeType::kLifetime, 600)
            .Build();
      },
      [](const MessageView& r) {  // two addresses for one
        return Allocation(r, [](MessageBuilder& b) {
          b.AddXorAddress(AttributeType::kXorRelayedAddress, Address("198.51.100.2:50001"));
        });
      }};
  for (const auto& answer : answers) {
    ScriptedServer script;
    script.client.Allocate(script.now);
    script.Run(
        [&](const MessageView& request, const TransportAddress&) { return answer(request); });
    EXPECT_EQ(script.events.Only<AllocateFailed>().code, kBadAnswer);
    // Section 7.3: such an allocation is deleted.
    ASSERT_EQ(script.requests.size(), 2u);
    EXPECT_EQ(script.requests[1].first, Method::kRefresh);
    EXPECT_EQ(script.events.Count<Closed>(), 0u);
    EXPECT_EQ(script.client.state(), Client::State::kEnded);
  }
}

TEST(TurnClientTest, UnknownRequiredAttributeInAnAnswerFailsTheRequest) {
  ScriptedServer script;
  script.client.Allocate(script.now);
  script.Run([](const MessageView& request, const TransportAddress&) {
    return Allocation(request,
                      [](MessageBuilder& b) { b.AddU32(static_cast<AttributeType>(0x7ffe), 1); });
  });
  EXPECT_EQ(script.events.Only<AllocateFailed>().code, kBadAnswer);
}

TEST(TurnClientTest, ForgedAnswersAreIgnored) {
  TestNetwork net;
  Client& client = net.AddClient(DefaultClientConfig());
  client.Allocate(net.now());
  Bytes signed_request;
  net.lose = [&](const Transmit& t) {
    const auto view = MessageView::Parse(t.payload);
    const bool is_signed = view && view->IsRequest() && view->Has(AttributeType::kNonce);
    if (is_signed) signed_request = t.payload;
    return is_signed;
  };
  net.RunFor(TimeDelta::Millis(100));
  ASSERT_FALSE(signed_request.empty());
  const Bytes forged = Allocation(*MessageView::Parse(signed_request));
  client.HandlePacket(net.now(), {client.server(), client.config().local, forged});
  net.RunFor(TimeDelta::Zero());
  EXPECT_EQ(net.events(client).Count<Allocated>(), 0u);
  EXPECT_EQ(client.dropped(), 1u);
  net.RunFor(TimeDelta::Seconds(40));
  EXPECT_NE(net.events(client).Only<AllocateFailed>().reason.find("integrity"), std::string::npos);
}

TEST(TurnClientTest, ChannelDisagreementEndsTheAllocation) {
  ScriptedServer script;
  script.client.Allocate(script.now);
  int binds = 0;
  const auto answer = [&](const MessageView& request, const TransportAddress&) {
    if (request.method() == Method::kChannelBind && ++binds == 2) {
      return MessageBuilder::ErrorResponseTo(request, 400).Build();
    }
    return Allocation(request);
  };
  script.Run(answer);
  script.client.BindChannel(script.now, kPeer);
  script.Run(answer);
  ASSERT_EQ(script.events.Count<ChannelBound>(), 1u);
  while (binds < 2) {
    script.now = script.client.NextTimeout();
    script.client.HandleTimeout(script.now);
    script.Run(answer);
  }
  EXPECT_EQ(script.events.Only<AllocationLost>().code, 400);
  EXPECT_EQ(script.requests.back().first, Method::kRefresh);  // the deletion
}

TEST(TurnClientTest, DataFromStrangersIsDropped) {
  ScriptedServer script;
  script.client.Allocate(script.now);
  script.Run([](const MessageView& r, const TransportAddress&) { return Allocation(r); });
  const auto indication = [](const std::function<void(MessageBuilder&)>& fill) {
    MessageBuilder b(MessageClass::kIndication, Method::kData, stun::TransactionId{5});
    fill(b);
    return b.Build();
  };
  const auto push = [&](const Bytes& bytes) {
    EXPECT_TRUE(script.client.HandlePacket(
        script.now, {script.client.server(), script.client.config().local, bytes}));
  };
  const auto no_permission = indication([](MessageBuilder& b) {
    b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer)
        .AddBytes(AttributeType::kData, Text("x"));
  });
  push(no_permission);
  push({0x40, 0x00, 0, 1, 'x'});  // a channel never bound
  EXPECT_EQ(script.client.dropped(), 2u);
  script.client.CreatePermission(script.now, std::vector{kPeer.ip});
  push(no_permission);  // now asked for, and so believed
  push(indication([](MessageBuilder& b) { b.AddBytes(AttributeType::kData, Text("x")); }));
  push(indication(
      [](MessageBuilder& b) { b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer); }));
  push(indication([](MessageBuilder& b) {
    b.AddXorAddress(AttributeType::kXorPeerAddress, kPeer).AddU32(AttributeType::kIcmp, 1);
  }));
  EXPECT_EQ(script.client.dropped(), 5u);
  script.Run([](const MessageView& r, const TransportAddress&) { return Allocation(r); });
  EXPECT_EQ(script.events.Count<DataReceived>(), 1u);
}

TEST(TurnClientTest, TruncatedIndicationsAreNotData) {
  ScriptedServer script;
  script.client.Allocate(script.now);
  const auto answer = [](const MessageView& r, const TransportAddress&) { return Allocation(r); };
  script.Run(answer);
  script.client.BindChannel(script.now, kPeer);
  script.Run(answer);
  // A Data indication and a Data indication with ICMP, as they stand on the wire, from 203.0.113.5:7000.
  const Bytes data = {0x00, 0x17, 0x00, 0x14, 0x21, 0x12, 0xa4, 0x42, 1,    2,
                      3,    4,    5,    6,    7,    8,    9,    10,   11,   12,
                      0x00, 0x12, 0x00, 0x08, 0x00, 0x01, 0x3a, 0x4a, 0xea, 0x12,
                      0xd5, 0x47, 0x00, 0x13, 0x00, 0x03, 'a',  'b',  'c',  0};
  const Bytes icmp = {0x00, 0x17, 0x00, 0x18, 0x21, 0x12, 0xa4, 0x42, 1,    2,    3,
                      4,    5,    6,    7,    8,    9,    10,   11,   12,   0x00, 0x12,
                      0x00, 0x08, 0x00, 0x01, 0x3a, 0x4a, 0xea, 0x12, 0xd5, 0x47, 0x80,
                      0x04, 0x00, 0x08, 0,    0,    3,    4,    0,    0,    0x05, 0x78};
  const Bytes channel_data = {0x40, 0x00, 0x00, 0x03, 'a', 'b', 'c'};
  const TransportAddress local = script.client.config().local;
  for (const Bytes& whole : {data, icmp, channel_data}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      script.client.HandlePacket(script.now,
                                 {script.client.server(), local, ByteView(whole).first(size)});
    }
  }
  script.Run(answer);
  EXPECT_EQ(script.events.Count<DataReceived>() + script.events.Count<IcmpReceived>(), 0u);
  for (const Bytes& whole : {data, icmp, channel_data}) {
    script.client.HandlePacket(script.now, {script.client.server(), local, whole});
  }
  script.Run(answer);
  const auto received = script.events.All<DataReceived>();
  ASSERT_EQ(received.size(), 2u);
  EXPECT_EQ(received[0].peer, kPeer);
  EXPECT_EQ(Text(received[0].payload), "abc");
  EXPECT_EQ(Text(received[1].payload), "abc");
  EXPECT_EQ(script.events.Only<IcmpReceived>().mtu, 1400u);
}

TEST(TurnClientTest, RunsOutOfChannelNumbersOnlyUntilTheyHaveRested) {
  ScriptedServer script;
  script.client.Allocate(script.now);
  const auto answer = [](const MessageView& r, const TransportAddress&) { return Allocation(r); };
  script.Run(answer);
  for (uint16_t i = 0; i < 4096; ++i) {
    script.client.BindChannel(script.now, {kPeer.ip, static_cast<uint16_t>(1000 + i)});
    script.Run(answer);
  }
  ASSERT_EQ(script.events.Count<ChannelBound>(), 4096u);
  const TransportAddress another = {kPeer.ip, 9000};
  script.client.BindChannel(script.now, another);
  script.Run(answer);
  EXPECT_EQ(script.events.Only<ChannelFailed>().code, 508);
  script.client.Forget(kPeer.ip);
  const Timestamp rested = script.now + TimeDelta::Seconds(600 + 300);
  while (script.client.NextTimeout() < rested) {
    script.now = script.client.NextTimeout();
    script.client.HandleTimeout(script.now);
    script.Run(answer);
  }
  script.now = rested - TimeDelta::Nanos(1);
  script.client.BindChannel(script.now, another);
  script.Run(answer);
  EXPECT_EQ(script.events.Count<ChannelFailed>(), 2u);
  script.now = rested;
  script.client.BindChannel(script.now, another);
  script.Run(answer);
  EXPECT_EQ(script.client.FindChannel(script.now, another), ChannelNumber{0x4000});
}

TEST(TurnClientTest, StreamsPadChannelDataAndNeverRetransmit) {
  ClientConfig config = ScriptedServer::Anonymous();
  config.transport = ClientTransport::kTcp;
  ScriptedServer script(config);
  script.client.Allocate(script.now);
  const auto answer = [](const MessageView& r, const TransportAddress&) { return Allocation(r); };
  script.Run(answer);
  script.client.BindChannel(script.now, kPeer);
  script.Run(answer);
  ASSERT_TRUE(script.client.Send(script.now, kPeer, Text("abcde")));
  EXPECT_EQ(script.client.PollTransmit()->payload,
            (Bytes{0x40, 0x00, 0, 5, 'a', 'b', 'c', 'd', 'e', 0, 0, 0}));
  ScriptedServer silent(config);
  silent.client.Allocate(silent.now);
  silent.Run([](const MessageView&, const TransportAddress&) { return Bytes(); });
  EXPECT_EQ(silent.client.NextTimeout(), silent.now + TimeDelta::Millis(39'500));
  silent.client.HandleTimeout(silent.client.NextTimeout());
  silent.Run([](const MessageView&, const TransportAddress&) { return Bytes(); });
  EXPECT_EQ(silent.requests.size(), 1u);
  EXPECT_EQ(silent.events.Only<AllocateFailed>().code, kRequestTimedOut);
}

}  // namespace
}  // namespace rtclab::turn
