// How channels end: RFC 8831 section 6.7 and the W3C's closing procedures.
#include <gtest/gtest.h>

#include "stack/datachannel/channel_manager.h"
#include "stack/datachannel/test_util.h"

namespace rtclab::datachannel {
namespace {

TEST(ChannelCloseTest, CloseEndsBothSidesAfterWhatWasQueued) {
  ManagerPair pair;
  pair.Connect();
  ChannelId remote{};
  const ChannelId id = pair.Open({.label = "x"}, &remote);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(10'000)));
  pair.a.Close(pair.path.now, id);
  EXPECT_EQ(pair.a.state(id), ChannelState::kClosing);
  pair.path.Run();
  EXPECT_EQ(pair.ReceivedByB().size(), 50u);
  EXPECT_EQ(pair.a.state(id), ChannelState::kClosed);
  EXPECT_EQ(pair.b.state(remote), ChannelState::kClosed);
  // The one that was asked hears "closing", the one that asked does not; none an error.
  EXPECT_TRUE(EventsOf<ChannelClosing>(pair.path.a_events).empty());
  EXPECT_EQ(EventsOf<ChannelClosing>(pair.path.b_events).size(), 1u);
  for (const auto* events : {&pair.path.a_events, &pair.path.b_events}) {
    const auto closed = EventsOf<ChannelClosed>(*events);
    ASSERT_EQ(closed.size(), 1u);
    EXPECT_FALSE(closed[0].failure);
  }
  EXPECT_EQ(pair.a.data_channels_closed(), 1u);
  EXPECT_EQ(pair.b.data_channels_closed(), 1u);
  EXPECT_EQ(pair.a.buffered_amount(id), 0u);
}

TEST(ChannelCloseTest, ClosingMayNotSendAndClosesOnce) {
  ManagerPair pair;
  pair.Connect();
  const ChannelId id = pair.Open({});
  pair.a.Close(pair.path.now, id);
  const auto sent = pair.a.Send(pair.path.now, id, true, Bytes(1));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().name, ErrorName::kInvalidStateError);
  pair.a.Close(pair.path.now, id);
  pair.path.Run();
  EXPECT_EQ(EventsOf<ChannelClosed>(pair.path.a_events).size(), 1u);
}

TEST(ChannelCloseTest, BothCloseAtOnce) {
  ManagerPair pair;
  pair.Connect();
  ChannelId remote{};
  const ChannelId id = pair.Open({}, &remote);
  pair.a.Close(pair.path.now, id);
  pair.b.Close(pair.path.now, remote);
  pair.path.Run();
  EXPECT_EQ(pair.a.state(id), ChannelState::kClosed);
  EXPECT_EQ(pair.b.state(remote), ChannelState::kClosed);
}

TEST(ChannelCloseTest, IdentifiersAreUsedAgainAndWorkAgain) {
  for (const int percent : {0, 20}) {
    ManagerConfig config;
    config.sctp.rto_min = TimeDelta::Millis(200);
    ManagerPair pair(config, config);
    pair.Connect();
    Rng loss(5);
    pair.path.lose = [&](bool, const Bytes&) { return loss.Bernoulli(percent / 100.0); };
    for (int round = 0; round < 20; ++round) {
      const ChannelId id = pair.a.Create(pair.path.now, {.label = "x"}).value();
      ASSERT_EQ(pair.a.stream_id(id), 0) << round << ", " << percent << " % lost";
      // Open already to us; the message goes behind the DATA_CHANNEL_OPEN.
      pair.path.Collect();
      const std::string text = "round " + std::to_string(round);
      ASSERT_TRUE(pair.a.Send(pair.path.now, id, false, AsBytes(text)));
      ASSERT_TRUE(pair.path.RunUntil([&] {
        return pair.ReceivedByB().size() == static_cast<std::size_t>(round) + 1;
      })) << round
          << ", " << percent << " % lost";
      EXPECT_EQ(pair.ReceivedByB().back(), text);
      pair.a.Close(pair.path.now, id);
      ASSERT_TRUE(pair.path.RunUntil([&] { return pair.a.state(id) == ChannelState::kClosed; }))
          << round << ", " << percent << " % lost";
    }
    pair.path.Run();
    for (const ChannelId id : pair.b.channels()) {
      EXPECT_EQ(pair.b.state(id), ChannelState::kClosed);
    }
    EXPECT_TRUE(EventsOf<ProtocolViolation>(pair.path.a_events).empty());
    EXPECT_TRUE(EventsOf<ProtocolViolation>(pair.path.b_events).empty());
  }
}

TEST(ChannelCloseTest, AnIdentifierIsNotUsedAgainBeforeBothStreamsAreReset) {
  ManagerPair pair;
  pair.Connect();
  const ChannelId id = pair.Open({});
  pair.a.Close(pair.path.now, id);
  const ChannelId next = pair.a.Create(pair.path.now, {}).value();
  EXPECT_EQ(pair.a.stream_id(next), 2);
  const auto negotiated = pair.a.Create(pair.path.now, {.negotiated = true, .id = 0});
  ASSERT_FALSE(negotiated);
  EXPECT_EQ(negotiated.error().name, ErrorName::kOperationError);
  pair.path.Run();
  EXPECT_EQ(pair.a.stream_id(pair.a.Create(pair.path.now, {}).value()), 0);
}

TEST(ChannelCloseTest, CloseBeforeTheTransportNeedsNoPeer) {
  ManagerPair pair;
  const ChannelId id = pair.a.Create(pair.path.now, {}).value();
  const ChannelId stays = pair.a.Create(pair.path.now, {.negotiated = true, .id = 3}).value();
  pair.a.Close(pair.path.now, id);
  EXPECT_EQ(pair.a.state(id), ChannelState::kClosing);
  pair.path.Collect();
  EXPECT_EQ(pair.a.state(id), ChannelState::kClosed);
  pair.a.Close(pair.path.now, stays);
  pair.path.Collect();
  EXPECT_TRUE(pair.a.Create(pair.path.now, {.negotiated = true, .id = 3}));
  EXPECT_EQ(pair.a.data_channels_opened(), 0u);
  EXPECT_EQ(pair.a.data_channels_closed(), 0u);
}

TEST(ChannelCloseTest, AResetInsteadOfAnAckIsARefusal) {
  ManagerAndRawPeer lab;
  const ChannelId id = lab.a.Create(lab.path.now, {}).value();
  lab.path.Run(TimeDelta::Seconds(1));
  lab.SayReset(0);
  EXPECT_EQ(lab.a.state(id), ChannelState::kClosed);
  const auto closed = EventsOf<ChannelClosed>(lab.path.a_events);
  ASSERT_EQ(closed.size(), 1u);
  ASSERT_TRUE(closed[0].failure);
  EXPECT_EQ(ToString(closed[0].failure->detail), "data-channel-failure");
  EXPECT_EQ(lab.ResetsSeen(), std::vector<int>{0});
}

TEST(ChannelCloseTest, ThePeerMayAskForOurReset) {
  ManagerAndRawPeer lab;
  lab.Say(1, 50, ManagerAndRawPeer::OpenBytes());
  const sctp::StreamId stream{1};
  lab.peer.RequestIncomingReset(lab.path.now, {&stream, 1});
  lab.path.Run(TimeDelta::Seconds(2));
  EXPECT_EQ(lab.a.state(lab.Announced()), ChannelState::kClosing);
  EXPECT_EQ(lab.ResetsSeen(), std::vector<int>{1});
  lab.SayReset(1);
  EXPECT_EQ(lab.a.state(lab.Announced()), ChannelState::kClosed);
}

TEST(ChannelCloseTest, ThePeerMayUseTheIdentifierAgainBeforeItsConfirmationArrives) {
  ManagerAndRawPeer lab;
  lab.Say(1, 50, ManagerAndRawPeer::OpenBytes());
  const ChannelId old = lab.Announced();
  lab.SayReset(1);
  ASSERT_EQ(lab.a.state(old), ChannelState::kClosed);
  lab.Say(1, 50, ManagerAndRawPeer::OpenBytes());
  const ChannelId second = lab.Announced();
  // Again, but now every answer of the peer to our reset request is lost for a while, while its data
  // arrives: its packets with a RE-CONFIG chunk (type 130) are dropped after the first.
  int seen = 0;
  lab.path.lose = [&](bool to_manager, const Bytes& packet) {
    const bool reconfig = !to_manager && packet.size() > 12 && packet[12] == 130;
    return reconfig && seen++ > 0;
  };
  const sctp::StreamId stream{1};
  lab.peer.ResetStreams(lab.path.now, {&stream, 1});
  ASSERT_TRUE(lab.path.RunUntil(
      [&] { return EventsOf<sctp::IncomingStreamsReset>(lab.path.b_events).size() == 2; }));
  EXPECT_EQ(lab.a.state(second), ChannelState::kClosing);
  ASSERT_TRUE(lab.peer.Send(lab.path.now, stream, 50, ManagerAndRawPeer::OpenBytes()));
  ASSERT_TRUE(lab.peer.Send(lab.path.now, stream, 51, {'h', 'i'}));
  ASSERT_TRUE(
      lab.path.RunUntil([&] { return EventsOf<ChannelAnnounced>(lab.path.a_events).size() == 3; }));
  const ChannelId third = lab.Announced();
  EXPECT_EQ(lab.a.state(second), ChannelState::kClosed);
  EXPECT_EQ(lab.a.state(third), ChannelState::kOpen);
  lab.a.Close(lab.path.now, third);  // has to wait for the confirmation that is under way
  lab.path.lose = nullptr;
  lab.path.Run();
  EXPECT_EQ(EventsOf<sctp::IncomingStreamsReset>(lab.path.b_events).size(), 3u);
  lab.SayReset(1);
  EXPECT_EQ(lab.a.state(third), ChannelState::kClosed);
  EXPECT_TRUE(lab.Violations().empty());
}

TEST(ChannelCloseTest, WithoutStreamResetAChannelClosesWithAnErrorAndKeepsItsIdentifier) {
  sctp::AssociationConfig peer;
  peer.reconfig = false;
  ManagerAndRawPeer lab({}, peer);
  const ChannelId id = lab.a.Create(lab.path.now, {}).value();
  lab.path.Run(TimeDelta::Seconds(1));
  lab.a.Close(lab.path.now, id);
  lab.path.Run(TimeDelta::Seconds(60));
  EXPECT_EQ(lab.a.state(id), ChannelState::kClosed);
  const auto closed = EventsOf<ChannelClosed>(lab.path.a_events);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_TRUE(closed[0].failure);
  EXPECT_EQ(lab.a.stream_id(lab.a.Create(lab.path.now, {}).value()), 2);
}

TEST(ChannelCloseTest, ShutdownClosesAllChannelsWithoutError) {
  ManagerPair pair;
  pair.Connect();
  ChannelId remote{};
  const ChannelId id = pair.Open({}, &remote);
  ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(60'000)));
  pair.a.Shutdown(pair.path.now);
  pair.path.Run();
  EXPECT_EQ(pair.ReceivedByB().size(), 1u);
  for (const auto* events : {&pair.path.a_events, &pair.path.b_events}) {
    const auto closed = EventsOf<ChannelClosed>(*events);
    ASSERT_EQ(closed.size(), 1u);
    EXPECT_FALSE(closed[0].failure);
    const auto ended = EventsOf<TransportClosed>(*events);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_TRUE(ended[0].graceful);
  }
  EXPECT_EQ(pair.a.transport_state(), TransportState::kClosed);
  const auto created = pair.a.Create(pair.path.now, {});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().name, ErrorName::kInvalidStateError);
}

TEST(ChannelCloseTest, AbortClosesAllChannelsWithAnError) {
  ManagerPair pair;
  pair.Connect();
  ChannelId remote{};
  const ChannelId id = pair.Open({}, &remote);
  ASSERT_TRUE(pair.a.Send(pair.path.now, id, true, Bytes(50'000)));
  pair.a.Abort(pair.path.now, "enough");
  pair.path.Run();
  for (const auto* events : {&pair.path.a_events, &pair.path.b_events}) {
    const auto closed = EventsOf<ChannelClosed>(*events);
    ASSERT_EQ(closed.size(), 1u);
    ASSERT_TRUE(closed[0].failure);
    EXPECT_EQ(ToString(closed[0].failure->detail), "sctp-failure");
    const auto ended = EventsOf<TransportClosed>(*events);
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_FALSE(ended[0].graceful);
  }
  EXPECT_EQ(pair.b.state(remote), ChannelState::kClosed);
  EXPECT_EQ(EventsOf<TransportClosed>(pair.path.a_events)[0].reason.find("local_abort"), 0u);
  EXPECT_EQ(EventsOf<TransportClosed>(pair.path.b_events)[0].reason.find("peer_abort"), 0u);
}

TEST(ChannelCloseTest, APeerThatNeverAnswersFailsTheTransport) {
  ManagerPair pair;
  const ChannelId id = pair.a.Create(pair.path.now, {}).value();
  pair.path.lose = [](bool, const Bytes&) { return true; };
  pair.Start();
  pair.path.Run(TimeDelta::Seconds(600));
  EXPECT_EQ(pair.a.state(id), ChannelState::kClosed);
  const auto ended = EventsOf<TransportClosed>(pair.path.a_events);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].reason.find("init_timeout"), 0u) << ended[0].reason;
}

TEST(ChannelCloseTest, ShutdownBeforeTheStartIsTheEnd) {
  ManagerPair pair;
  pair.a.Create(pair.path.now, {}).value();
  pair.a.Shutdown(pair.path.now);
  pair.path.Collect();
  EXPECT_EQ(EventsOf<ChannelClosed>(pair.path.a_events).size(), 1u);
  EXPECT_EQ(EventsOf<TransportClosed>(pair.path.a_events).size(), 1u);
}

TEST(ChannelCloseTest, ARestartOfThePeerEndsTheChannelsAndLeavesTheTransport) {
  ManagerAndRawPeer lab;
  const ChannelId id = lab.a.Create(lab.path.now, {.label = "old"}).value();
  lab.path.Run(TimeDelta::Seconds(1));
  lab.peer = sctp::Association({}, lab.b_rng);
  lab.peer.Connect(lab.path.now);
  lab.path.Run(TimeDelta::Seconds(5));
  EXPECT_EQ(EventsOf<TransportRestarted>(lab.path.a_events).size(), 1u);
  EXPECT_EQ(lab.a.state(id), ChannelState::kClosed);
  lab.path.b_events.clear();
  const ChannelId again = lab.a.Create(lab.path.now, {.label = "new"}).value();
  lab.path.Run(TimeDelta::Seconds(1));
  EXPECT_EQ(lab.a.stream_id(again), 0);
  EXPECT_EQ(EventsOf<sctp::MessageReceived>(lab.path.b_events).size(), 1u);
}

TEST(ChannelCloseTest, AReleasedChannelIsForgotten) {
  ManagerPair pair;
  pair.Connect();
  const ChannelId id = pair.Open({});
  pair.a.Close(pair.path.now, id);
  pair.path.Run();
  pair.a.Release(id);
  EXPECT_TRUE(pair.a.channels().empty());
}

TEST(ChannelCloseTest, CloseInTheHandlerOfAMessageDropsTheRest) {
  ManagerPair pair;
  pair.Connect();
  ChannelId remote{};
  const ChannelId id = pair.Open({}, &remote);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pair.b.Send(pair.path.now, remote, false, Bytes(10)));
  // One packet with three messages; A's application closes when it sees the first.
  while (auto packet = pair.b.PollTransmit()) pair.a.HandlePacket(pair.path.now, *packet);
  int messages = 0;
  while (auto event = pair.a.PollEvent()) {
    if (!std::holds_alternative<MessageReceived>(*event)) continue;
    ++messages;
    pair.a.Close(pair.path.now, id);
  }
  EXPECT_EQ(messages, 1);
}

}  // namespace
}  // namespace rtclab::datachannel
