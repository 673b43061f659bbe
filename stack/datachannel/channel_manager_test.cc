// Creating channels, identifiers, sending, bufferedAmount, statistics.
#include "stack/datachannel/channel_manager.h"

#include <gtest/gtest.h>

#include "stack/datachannel/test_util.h"

namespace rtclab::datachannel {
namespace {

const Timestamp kStart = Timestamp::Seconds(1);

TEST(ChannelManagerTest, OpensInBandAndAnnouncesEveryProperty) {
  ChannelInit timed;
  timed.label = "timed";
  timed.protocol = "proto";
  timed.ordered = false;
  timed.max_packet_life_time_ms = 1500;
  timed.priority = 1024;
  ChannelInit counted;
  counted.label = "counted";
  counted.max_retransmits = 3;
  counted.priority = 128;
  const ChannelInit plain{.label = "\xE2\x82\xAC"};
  ManagerPair pair;
  for (const ChannelInit& init : {timed, counted, plain}) {
    EXPECT_EQ(pair.a.state(pair.a.Create(kStart, init).value()), ChannelState::kConnecting);
  }
  pair.Start();
  pair.path.Run(TimeDelta::Seconds(2));
  const auto announced = EventsOf<ChannelAnnounced>(pair.path.b_events);
  ASSERT_EQ(announced.size(), 3u);
  uint16_t stream = 0;
  for (ChannelInit expected : {timed, counted, plain}) {
    expected.id = stream;
    EXPECT_EQ(announced[stream / 2].init, expected);
    stream = static_cast<uint16_t>(stream + 2);
  }
  EXPECT_EQ(EventsOf<ChannelOpen>(pair.path.a_events).size(), 3u);
  EXPECT_EQ(EventsOf<ChannelOpen>(pair.path.b_events).size(), 3u);
  EXPECT_EQ(pair.a.state(ChannelId{0}), ChannelState::kOpen);
  EXPECT_EQ(pair.b.state(announced[0].id), ChannelState::kOpen);
  EXPECT_EQ(pair.a.max_channels(), 65535);
  EXPECT_EQ(pair.a.data_channels_opened(), 3u);
  EXPECT_EQ(pair.b.data_channels_opened(), 3u);
}

TEST(ChannelManagerTest, TheTransportIsReportedBeforeItsChannels) {
  ManagerPair pair;
  pair.a.Create(kStart, {}).value();
  pair.Connect();
  ASSERT_GE(pair.path.a_events.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<TransportConnected>(pair.path.a_events[0]));
  EXPECT_TRUE(std::holds_alternative<ChannelOpen>(pair.path.a_events[1]));
}

TEST(ChannelManagerTest, TheDtlsClientTakesEvenIdentifiersAndTheServerOdd) {
  ManagerPair pair;
  const ChannelId early = pair.a.Create(kStart, {}).value();
  EXPECT_EQ(pair.a.stream_id(early), std::nullopt);
  pair.Connect();
  EXPECT_EQ(pair.a.stream_id(early), 0);
  EXPECT_EQ(pair.a.stream_id(pair.a.Create(kStart, {}).value()), 2);
  EXPECT_EQ(pair.b.stream_id(pair.b.Create(kStart, {}).value()), 1);
  EXPECT_EQ(pair.b.stream_id(pair.b.Create(kStart, {}).value()), 3);
}

TEST(ChannelManagerTest, AnIdThatIsNotNegotiatedIsIgnored) {
  ManagerPair pair;
  pair.a.SetDtlsRole(true);
  EXPECT_EQ(pair.a.stream_id(pair.a.Create(kStart, {.id = 77}).value()), 0);
}

TEST(ChannelManagerTest, AutomaticIdentifiersPassByNegotiatedOnes) {
  ManagerPair pair;
  pair.a.Create(kStart, {.negotiated = true, .id = 0}).value();
  pair.a.Create(kStart, {.negotiated = true, .id = 4}).value();
  pair.a.SetDtlsRole(true);
  EXPECT_EQ(pair.a.stream_id(pair.a.Create(kStart, {}).value()), 2);
  EXPECT_EQ(pair.a.stream_id(pair.a.Create(kStart, {}).value()), 6);
}

TEST(ChannelManagerTest, CreateFailsByTheNamesOfTheW3c) {
  ManagerPair pair;
  pair.a.SetDtlsRole(true);
  pair.a.Create(kStart, {.negotiated = true, .id = 8}).value();
  const std::string long_text(65536, 'x');
  const struct {
    ChannelInit init;
    ErrorName name;
    std::string_view reason;
  } cases[] = {
      {{.label = long_text}, ErrorName::kTypeError, "label is longer"},
      {{.protocol = long_text}, ErrorName::kTypeError, "protocol is longer"},
      {{.label = "\xFF"}, ErrorName::kTypeError, "label is not UTF-8"},
      {{.protocol = "\xC0\x80"}, ErrorName::kTypeError, "protocol is not UTF-8"},
      {{.negotiated = true}, ErrorName::kTypeError, "needs an id"},
      {{.negotiated = true, .id = 65535}, ErrorName::kTypeError, "65535"},
      {{.max_retransmits = 0, .max_packet_life_time_ms = 0}, ErrorName::kTypeError, "exclude"},
      {{.negotiated = true, .id = 8}, ErrorName::kOperationError, "another channel"},
  };
  for (const auto& c : cases) {
    const auto created = pair.a.Create(kStart, c.init);
    ASSERT_FALSE(created) << c.reason;
    EXPECT_EQ(created.error().name, c.name) << created.error().reason;
    EXPECT_NE(created.error().reason.find(c.reason), std::string::npos) << created.error().reason;
  }
  EXPECT_TRUE(pair.a.Create(kStart, {.label = std::string(65535, 'x')}));
}

TEST(ChannelManagerTest, IdentifiersRunOut) {
  ManagerConfig config;
  config.max_channels = 4;
  ManagerPair pair(config, {});
  const ChannelId first = pair.a.Create(kStart, {}).value();
  const ChannelId second = pair.a.Create(kStart, {}).value();
  const ChannelId third = pair.a.Create(kStart, {}).value();  // no role yet: cannot know
  pair.Connect();
  EXPECT_EQ(pair.a.max_channels(), 4);
  EXPECT_EQ(pair.b.max_channels(), 4);
  EXPECT_EQ(pair.a.state(first), ChannelState::kOpen);
  EXPECT_EQ(pair.a.state(second), ChannelState::kOpen);
  EXPECT_EQ(pair.a.state(third), ChannelState::kClosed);
  const auto closed = EventsOf<ChannelClosed>(pair.path.a_events);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].id, third);
  ASSERT_TRUE(closed[0].failure);
  EXPECT_EQ(ToString(closed[0].failure->detail), "data-channel-failure");
  const auto fourth = pair.a.Create(pair.path.now, {});
  ASSERT_FALSE(fourth);
  EXPECT_EQ(ToString(fourth.error().name), "OperationError");
  const auto negotiated = pair.a.Create(pair.path.now, {.negotiated = true, .id = 5});
  ASSERT_FALSE(negotiated);
  EXPECT_EQ(negotiated.error().name, ErrorName::kOperationError);
}

TEST(ChannelManagerTest, AllIdentifiersOfOneParityCanBeUsed) {
  Rng rng(1);
  ChannelManager manager({}, rng);
  manager.SetDtlsRole(true);
  for (int id = 0; id < 65535; id += 2) {
    ASSERT_EQ(manager.stream_id(manager.Create(kStart, {}).value()), id);
  }
  EXPECT_FALSE(manager.Create(kStart, {}));
  manager.Close(kStart, ChannelId{100});
  EXPECT_EQ(manager.stream_id(manager.Create(kStart, {}).value()), 200);
}

TEST(ChannelManagerTest, ANegotiatedIdBeyondThePeersStreamsFailsWhenConnected) {
  ManagerConfig small;
  small.max_channels = 10;
  ManagerPair pair({}, small);
  const ChannelId id = pair.a.Create(kStart, {.negotiated = true, .id = 10}).value();
  const ChannelId good = pair.a.Create(kStart, {.negotiated = true, .id = 9}).value();
  pair.Connect();
  EXPECT_EQ(pair.a.state(id), ChannelState::kClosed);
  EXPECT_EQ(pair.a.state(good), ChannelState::kOpen);
}

TEST(ChannelManagerTest, NegotiatedChannelsSpeakNoDcep) {
  ManagerPair pair;
  const ChannelInit init{.ordered = false, .negotiated = true, .id = 5};
  const ChannelId a = pair.a.Create(kStart, init).value();
  const ChannelId b = pair.b.Create(kStart, init).value();
  pair.Connect();
  pair.path.Run(TimeDelta::Seconds(1));
  EXPECT_TRUE(EventsOf<ChannelAnnounced>(pair.path.b_events).empty());
  ASSERT_TRUE(pair.a.Send(pair.path.now, a, false, AsBytes("to b")));
  ASSERT_TRUE(pair.b.Send(pair.path.now, b, true, AsBytes("to a")));
  pair.path.Run(TimeDelta::Seconds(1));
  const auto at_a = EventsOf<MessageReceived>(pair.path.a_events);
  const auto at_b = EventsOf<MessageReceived>(pair.path.b_events);
  ASSERT_EQ(at_a.size(), 1u);
  ASSERT_EQ(at_b.size(), 1u);
  EXPECT_TRUE(at_a[0].binary);
  EXPECT_FALSE(at_b[0].binary);
  EXPECT_EQ(AsString(at_b[0].payload), "to b");
}

TEST(ChannelManagerTest, SendsBeforeTheAckArrives) {
  ManagerPair pair;
  const ChannelId id = pair.a.Create(kStart, {.ordered = false}).value();
  bool sent = false;
  pair.Start();
  ASSERT_TRUE(pair.path.RunUntil([&] {
    if (!sent && pair.a.state(id) == ChannelState::kOpen) {
      sent = true;
      for (const char* text : {"1", "2", "3"}) {
        EXPECT_TRUE(pair.a.Send(pair.path.now, id, false, AsBytes(text)));
      }
    }
    return pair.ReceivedByB().size() == 3;
  }));
  // RFC 8832 section 6: ordered although the channel is not, so nothing overtakes the OPEN.
  EXPECT_EQ(pair.ReceivedByB(), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_TRUE(EventsOf<ProtocolViolation>(pair.path.b_events).empty());
}

TEST(ChannelManagerTest, SendFailsByTheNamesOfTheW3c) {
  ManagerConfig config;
  config.max_message_size = 1000;
  ManagerPair pair(config, {});
  const ChannelId id = pair.a.Create(kStart, {}).value();
  auto sent = pair.a.Send(kStart, id, true, Bytes(10));
  ASSERT_FALSE(sent);
  EXPECT_EQ(ToString(sent.error().name), "InvalidStateError");
  pair.Connect();
  EXPECT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(1000)));
  sent = pair.a.Send(pair.path.now, id, true, Bytes(1001));
  ASSERT_FALSE(sent);
  EXPECT_EQ(ToString(sent.error().name), "TypeError");
  pair.a.SetMaxMessageSize(2000);
  EXPECT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(1001)));
}

TEST(ChannelManagerTest, AFullSendBufferIsAnOperationError) {
  ManagerConfig config;
  config.sctp.send_buffer = 100'000;
  ManagerPair pair(config, {});
  const ChannelId id = pair.a.Create(kStart, {}).value();
  pair.Connect();
  ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(60'000)));
  const uint64_t before = pair.a.buffered_amount(id);
  const auto sent = pair.a.Send(pair.path.now, id, true, Bytes(60'000));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().name, ErrorName::kOperationError);
  EXPECT_EQ(pair.a.buffered_amount(id), before);
}

TEST(ChannelManagerTest, MaxMessageSizeIsTheW3cs) {
  const struct {
    uint64_t remote;
    std::size_t send_buffer;
    std::optional<uint64_t> expected;
  } cases[] = {{0, 0, std::nullopt}, {0, 100, 100}, {50, 0, 50}, {50, 100, 50}, {200, 100, 100}};
  for (const auto& c : cases) {
    ManagerConfig config;
    config.max_message_size = c.remote;
    config.sctp.send_buffer = c.send_buffer;
    Rng rng(1);
    EXPECT_EQ(ChannelManager(config, rng).max_message_size(), c.expected) << c.remote;
  }
}

TEST(ChannelManagerTest, CarriesMessagesOfEverySize) {
  ManagerConfig config;
  config.max_message_size = 0;
  ManagerPair pair(config, config);
  const ChannelId id = pair.a.Create(kStart, {}).value();
  pair.Connect();
  const std::size_t sizes[] = {0, 1, 2, 1100, 1200, 16384, 65535, 65536, 262144, 1048576, 0};
  for (const std::size_t size : sizes) {
    ASSERT_TRUE(pair.a.Send(pair.path.now, id, size % 2 == 0, Pattern(size, size)));
  }
  ASSERT_TRUE(pair.path.RunUntil([&] { return pair.ReceivedByB().size() == std::size(sizes); }));
  const auto received = EventsOf<MessageReceived>(pair.path.b_events);
  for (std::size_t i = 0; i < received.size(); ++i) {
    EXPECT_EQ(received[i].payload, Pattern(sizes[i], sizes[i])) << sizes[i];
    EXPECT_EQ(received[i].binary, sizes[i] % 2 == 0) << sizes[i];
  }
}

TEST(ChannelManagerTest, BufferedAmountCountsTheApplicationsBytesOnly) {
  ManagerPair pair;
  const ChannelId id = pair.a.Create(kStart, {.label = std::string(5000, 'l')}).value();
  EXPECT_EQ(pair.a.buffered_amount(id), 0u);
  pair.Connect();
  // The window is full of the OPEN's five packets or not: what is not sent counts, the OPEN never.
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(50'000)));
  ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes()));
  EXPECT_LE(pair.a.buffered_amount(id), 500'000u);
  EXPECT_GT(pair.a.buffered_amount(id), 450'000u);
  uint64_t last = pair.a.buffered_amount(id);
  ASSERT_TRUE(pair.path.RunUntil([&] {
    const uint64_t amount = pair.a.buffered_amount(id);
    EXPECT_LE(amount, last);
    last = amount;
    return pair.ReceivedByB().size() == 11;
  }));
  EXPECT_EQ(pair.a.buffered_amount(id), 0u);
}

TEST(ChannelManagerTest, BufferedAmountLowFiresOnceOnTheWayDown) {
  ManagerPair pair;
  const ChannelId id = pair.a.Create(kStart, {.label = "x"}).value();
  pair.a.SetBufferedAmountLowThreshold(id, 100'000);
  pair.Connect();
  EXPECT_EQ(pair.a.buffered_amount_low_threshold(id), 100'000u);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(50'000)));
  uint64_t when_low = 0;
  ASSERT_TRUE(pair.path.RunUntil([&] {
    if (when_low == 0 && !EventsOf<BufferedAmountLow>(pair.path.a_events).empty()) {
      when_low = pair.a.buffered_amount(id);
    }
    return pair.ReceivedByB().size() == 10;
  }));
  EXPECT_EQ(EventsOf<BufferedAmountLow>(pair.path.a_events).size(), 1u);
  EXPECT_LE(when_low, 100'000u);
  EXPECT_GT(when_low, 0u);
}

TEST(ChannelManagerTest, EmptyMessagesAndOpensDoNotFireBufferedAmountLow) {
  ManagerPair pair;
  const ChannelId id = pair.a.Create(kStart, {.label = "x"}).value();
  pair.Connect();
  ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes()));
  pair.path.Run(TimeDelta::Seconds(1));
  EXPECT_EQ(pair.ReceivedByB().size(), 1u);
  EXPECT_TRUE(EventsOf<BufferedAmountLow>(pair.path.a_events).empty());
}

TEST(ChannelManagerTest, CountsInTheTermsOfTheW3c) {
  ManagerPair pair;
  pair.Connect();
  ChannelId remote{};
  const ChannelId id = pair.Open({.label = "stats", .protocol = "p"}, &remote);
  ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(100)));
  ASSERT_TRUE(pair.a.Send(pair.path.now, id, false, Bytes()));
  ASSERT_TRUE(pair.b.Send(pair.path.now, remote, false, AsBytes("abc")));
  pair.path.Run(TimeDelta::Seconds(1));
  const ChannelStats a = pair.a.stats(id);
  EXPECT_EQ(a.label, "stats");
  EXPECT_EQ(a.protocol, "p");
  EXPECT_EQ(a.data_channel_identifier, 0);
  EXPECT_EQ(a.state, ChannelState::kOpen);
  EXPECT_EQ(a.messages_sent, 2u);
  EXPECT_EQ(a.bytes_sent, 100u);
  EXPECT_EQ(a.messages_received, 1u);
  EXPECT_EQ(a.bytes_received, 3u);
  const ChannelStats b = pair.b.stats(remote);
  EXPECT_EQ(b.label, "stats");
  EXPECT_EQ(b.messages_received, 2u);
  EXPECT_EQ(b.bytes_received, 100u);
}

TEST(ChannelManagerTest, ReliableTransferSurvivesLossWithEveryByteRight) {
  for (const int percent : {1, 10, 30}) {
    ManagerConfig config;
    config.max_message_size = 0;
    config.sctp.rto_min = TimeDelta::Millis(200);
    ManagerPair pair(config, config);
    Rng loss(static_cast<uint64_t>(percent));
    pair.path.lose = [&](bool, const Bytes&) { return loss.Bernoulli(percent / 100.0); };
    pair.a.Create(kStart, {}).value();
    pair.a.Create(kStart, {.ordered = false}).value();
    pair.Start();
    ASSERT_TRUE(pair.path.RunUntil(
        [&] { return pair.a.state(ChannelId{1}) == ChannelState::kOpen; }, TimeDelta::Seconds(600)))
        << percent;
    for (uint64_t i = 0; i < 20; ++i) {
      const ChannelId id{static_cast<uint32_t>(i % 2)};
      ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Pattern(3000 + 1000 * i, i)));
    }
    ASSERT_TRUE(pair.path.RunUntil([&] { return pair.ReceivedByB().size() == 20; },
                                   TimeDelta::Seconds(600)))
        << percent << " % lost, " << pair.ReceivedByB().size() << " of 20 messages";
    for (const auto& m : EventsOf<MessageReceived>(pair.path.b_events)) {
      const uint64_t i = (m.payload.size() - 3000) / 1000;
      EXPECT_EQ(m.payload, Pattern(3000 + 1000 * i, i));
    }
  }
}

TEST(ChannelManagerTest, UnreliableChannelGivesUpAndGoesOn) {
  for (const bool timed : {false, true}) {
    ManagerPair pair;
    pair.Connect();
    ChannelInit init{.label = "lossy"};
    if (timed) {
      init.max_packet_life_time_ms = 50;
    } else {
      init.max_retransmits = 0;
    }
    const ChannelId id = pair.Open(init);
    pair.path.lose = [](bool to_b, const Bytes&) { return to_b; };
    ASSERT_TRUE(pair.a.Send(pair.path.now, id, false, AsBytes("lost")));
    pair.path.Run(TimeDelta::Millis(100));
    pair.path.lose = nullptr;
    pair.path.Run(TimeDelta::Seconds(10));
    ASSERT_TRUE(pair.a.Send(pair.path.now, id, false, AsBytes("arrives")));
    pair.path.Run(TimeDelta::Seconds(10));
    EXPECT_EQ(pair.ReceivedByB(), std::vector<std::string>{"arrives"}) << timed;
    EXPECT_EQ(pair.a.stats(id).messages_abandoned, 1u) << timed;
  }
}

TEST(ChannelManagerTest, PrioritiesAreWeightsOfTheScheduler) {
  ManagerPair pair;
  pair.Connect();
  ChannelId at_b[2];
  const ChannelId low = pair.Open({.label = "low", .priority = 128}, &at_b[0]);
  const ChannelId high = pair.Open({.label = "high", .priority = 1024}, &at_b[1]);
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(pair.a.Send(pair.path.now, low, true, Bytes(1000)));
    ASSERT_TRUE(pair.a.Send(pair.path.now, high, true, Bytes(1000)));
  }
  ASSERT_TRUE(pair.path.RunUntil([&] { return pair.b.stats(at_b[1]).messages_received >= 300; }));
  // 128 : 1024 is one to eight.
  const uint32_t slow = pair.b.stats(at_b[0]).messages_received;
  EXPECT_GT(slow, 25u);
  EXPECT_LT(slow, 60u);
}

TEST(ChannelManagerTest, PacketsBeforeTheStartAreDropped) {
  ManagerPair pair;
  pair.a.Start(pair.path.now, true);
  pair.path.Run(TimeDelta::Millis(500));
  EXPECT_EQ(pair.b.transport_state(), TransportState::kNew);
  pair.b.Start(pair.path.now, false);
  pair.path.Run(TimeDelta::Seconds(5));
  EXPECT_EQ(pair.a.transport_state(), TransportState::kConnected);
  EXPECT_EQ(pair.b.transport_state(), TransportState::kConnected);
}

}  // namespace
}  // namespace rtclab::datachannel
