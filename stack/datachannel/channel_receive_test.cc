// What a peer may send, and what it may not: a manager (the DTLS client) against a bare association.
#include <gtest/gtest.h>

#include "stack/datachannel/channel_manager.h"
#include "stack/datachannel/test_util.h"

namespace rtclab::datachannel {
namespace {

constexpr uint32_t kDcepPpid = 50;
constexpr uint32_t kStringPpid = 51;
constexpr uint32_t kBinaryPartialPpid = 52;
constexpr uint32_t kBinaryPpid = 53;
constexpr uint32_t kStringPartialPpid = 54;
constexpr uint32_t kStringEmptyPpid = 56;
constexpr uint32_t kBinaryEmptyPpid = 57;

Bytes TextBytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

TEST(ChannelReceiveTest, AnswersOpenWithAckOnTheSameStream) {
  ManagerAndRawPeer lab;
  lab.Say(1, kDcepPpid, ManagerAndRawPeer::OpenBytes());
  const auto answers = EventsOf<sctp::MessageReceived>(lab.path.b_events);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].stream, sctp::StreamId{1});
  EXPECT_EQ(answers[0].ppid, kDcepPpid);
  EXPECT_TRUE(answers[0].ordered);
  EXPECT_EQ(answers[0].payload, Bytes{0x02});
  EXPECT_EQ(lab.a.init(lab.Announced()).label, "x");
  EXPECT_EQ(lab.a.state(lab.Announced()), ChannelState::kOpen);
}

TEST(ChannelReceiveTest, OpensWithTheBytesOfTheRfc) {
  ManagerAndRawPeer lab;
  const ChannelInit init{
      .label = "ab", .protocol = "c", .ordered = false, .max_retransmits = 7, .priority = 512};
  lab.a.Create(lab.path.now, init).value();
  lab.path.Run(TimeDelta::Seconds(1));
  const auto said = EventsOf<sctp::MessageReceived>(lab.path.b_events);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].stream, sctp::StreamId{0});
  EXPECT_EQ(said[0].ppid, kDcepPpid);
  EXPECT_EQ(said[0].payload, (Bytes{3, 0x81, 2, 0, 0, 0, 0, 7, 0, 2, 0, 1, 'a', 'b', 'c'}));
}

TEST(ChannelReceiveTest, UnorderedMessagesGoOrderedUntilThePeerIsHeard) {
  for (const bool by_ack : {true, false}) {
    ManagerAndRawPeer lab;
    const ChannelId id = lab.a.Create(lab.path.now, {.ordered = false}).value();
    lab.path.Run(TimeDelta::Seconds(1));
    ASSERT_TRUE(lab.a.Send(lab.path.now, id, false, AsBytes("early")));
    lab.path.Run(TimeDelta::Seconds(1));
    if (by_ack) {
      lab.Say(0, kDcepPpid, {0x02});
    } else {
      lab.Say(0, kStringPpid, TextBytes("hello"));
    }
    ASSERT_TRUE(lab.a.Send(lab.path.now, id, false, AsBytes("late")));
    lab.path.Run(TimeDelta::Seconds(1));
    const auto said = EventsOf<sctp::MessageReceived>(lab.path.b_events);
    ASSERT_EQ(said.size(), 3u);
    EXPECT_TRUE(said[1].ordered);
    EXPECT_FALSE(said[2].ordered);
  }
}

TEST(ChannelReceiveTest, PpidsSayTextOrBinaryAndEmpty) {
  ManagerAndRawPeer lab;
  lab.Say(1, kDcepPpid, ManagerAndRawPeer::OpenBytes());
  const struct {
    uint32_t ppid;
    Bytes payload;
    bool binary;
    std::string_view text;
  } cases[] = {
      {kStringPpid, TextBytes("text"), false, "text"},
      {kBinaryPpid, TextBytes("bin"), true, "bin"},
      {kStringEmptyPpid, {0}, false, ""},
      {kBinaryEmptyPpid, {0}, true, ""},
      // RFC 8831 section 6.6: what an empty message's payload is does not matter.
      {kBinaryEmptyPpid, {1, 2, 3}, true, ""},
  };
  for (const auto& c : cases) {
    lab.Say(1, c.ppid, c.payload);
    const auto received = EventsOf<MessageReceived>(lab.path.a_events);
    ASSERT_FALSE(received.empty());
    EXPECT_EQ(received.back().binary, c.binary) << c.ppid;
    EXPECT_EQ(AsString(received.back().payload), c.text) << c.ppid;
  }
  EXPECT_EQ(lab.a.stats(lab.Announced()).messages_received, std::size(cases));
}

TEST(ChannelReceiveTest, EmptyMessagesAreAZeroByteWithTheirPpid) {
  ManagerAndRawPeer lab;
  const ChannelId id = lab.a.Create(lab.path.now, {}).value();
  lab.path.Run(TimeDelta::Seconds(1));
  ASSERT_TRUE(lab.a.Send(lab.path.now, id, false, ByteView{}));
  ASSERT_TRUE(lab.a.Send(lab.path.now, id, true, ByteView{}));
  lab.path.Run(TimeDelta::Seconds(1));
  const auto said = EventsOf<sctp::MessageReceived>(lab.path.b_events);
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[1].ppid, kStringEmptyPpid);
  EXPECT_EQ(said[1].payload, Bytes{0});
  EXPECT_EQ(said[2].ppid, kBinaryEmptyPpid);
  EXPECT_EQ(said[2].payload, Bytes{0});
}

TEST(ChannelReceiveTest, PutsDeprecatedPartialMessagesTogether) {
  ManagerAndRawPeer lab;
  lab.Say(1, kDcepPpid, ManagerAndRawPeer::OpenBytes());
  lab.Say(1, kBinaryPartialPpid, TextBytes("one "));
  lab.Say(1, kBinaryPartialPpid, TextBytes("two "));
  EXPECT_TRUE(EventsOf<MessageReceived>(lab.path.a_events).empty());
  lab.Say(1, kBinaryPpid, TextBytes("three"));
  lab.Say(1, kStringPartialPpid, TextBytes("a"));
  lab.Say(1, kStringPpid, TextBytes("b"));
  lab.Say(1, kStringPpid, TextBytes("c"));
  const auto received = EventsOf<MessageReceived>(lab.path.a_events);
  ASSERT_EQ(received.size(), 3u);
  EXPECT_EQ(AsString(received[0].payload), "one two three");
  EXPECT_TRUE(received[0].binary);
  EXPECT_EQ(AsString(received[1].payload), "ab");
  EXPECT_EQ(AsString(received[2].payload), "c");
}

// What a peer says, and the id of the violation; stream 1 has an open channel (reliable, ordered),
// stream 3 an unordered one, and the peer has the odd streams.
struct RefusalCase {
  const char* violation;
  uint16_t stream;
  std::vector<std::pair<uint32_t, Bytes>> says;
  bool ordered = true;
};

TEST(ChannelReceiveTest, ClosesTheChannelOfAPeerThatBreaksARule) {
  const Bytes open = ManagerAndRawPeer::OpenBytes();
  Bytes bad_type = open;
  bad_type[1] = 0x7F;
  const RefusalCase cases[] = {
      {"dcep_stream_in_use", 1, {{kDcepPpid, open}}},
      {"dcep_malformed", 1, {{kDcepPpid, {3, 0, 1}}}},
      {"dcep_malformed", 5, {{kDcepPpid, bad_type}}},
      {"dcep_malformed", 5, {{kDcepPpid, {9}}}},
      {"dcep_unordered", 5, {{kDcepPpid, open}}, false},
      {"dcep_wrong_parity", 6, {{kDcepPpid, open}}},
      {"dcep_unordered", 5, {{kDcepPpid, {3, 0}}}, false},
      {"dcep_unexpected_ack", 5, {{kDcepPpid, {2}}}},
      {"unknown_stream", 5, {{kStringPpid, {'x'}}}},
      {"unknown_stream", 6, {{kBinaryPpid, {'x'}}}},
      {"unsupported_ppid", 1, {{0, {'x'}}}},
      {"unsupported_ppid", 1, {{55, {'x'}}}},
      {"unsupported_ppid", 3, {{kStringPartialPpid, {'x'}}}},
      {"partial_mismatch", 1, {{kStringPartialPpid, {'x'}}, {kBinaryPpid, {'x'}}}},
      {"partial_mismatch", 1, {{kBinaryPartialPpid, {'x'}}, {kStringEmptyPpid, {0}}}},
      {"message_too_big", 1, {{kBinaryPpid, Bytes(1001)}}},
      {"message_too_big", 1, {{kBinaryPartialPpid, Bytes(600)}, {kBinaryPpid, Bytes(600)}}},
  };
  for (const RefusalCase& c : cases) {
    SCOPED_TRACE(std::string(c.violation) + " on " + std::to_string(c.stream));
    ManagerConfig config;
    config.local_max_message_size = 1000;
    ManagerAndRawPeer lab(config);
    lab.Say(1, kDcepPpid, open);
    const ChannelId first = lab.Announced();
    Bytes unordered = open;
    unordered[1] = 0x80;
    lab.Say(3, kDcepPpid, unordered);
    const ChannelId second = lab.Announced();
    const std::size_t answers = EventsOf<sctp::MessageReceived>(lab.path.b_events).size();
    for (const auto& [ppid, payload] : c.says) lab.Say(c.stream, ppid, payload, c.ordered);
    EXPECT_EQ(lab.Violations(), std::vector<std::string>{c.violation});
    EXPECT_EQ(lab.ResetsSeen(), std::vector<int>{c.stream});
    // No ACK, no message for the application.
    EXPECT_EQ(EventsOf<sctp::MessageReceived>(lab.path.b_events).size(), answers);
    EXPECT_TRUE(EventsOf<MessageReceived>(lab.path.a_events).empty());
    // The peer obeys; a channel that was there is closed with an error, the others stay.
    lab.SayReset(c.stream);
    const auto closed = EventsOf<ChannelClosed>(lab.path.a_events);
    ASSERT_EQ(closed.size(), c.stream <= 3 ? 1u : 0u);
    if (!closed.empty()) {
      EXPECT_EQ(closed[0].id, c.stream == 1 ? first : second);
      ASSERT_TRUE(closed[0].failure);
      EXPECT_EQ(closed[0].failure->reason.find(c.violation), 0u) << closed[0].failure->reason;
    }
    EXPECT_EQ(lab.a.state(c.stream == 1 ? second : first), ChannelState::kOpen);
  }
}

TEST(ChannelReceiveTest, AFloodOnAnUnusedStreamIsAnsweredOnce) {
  ManagerAndRawPeer lab;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(lab.peer.Send(lab.path.now, sctp::StreamId{7}, kStringPpid, {'x'}));
  }
  lab.path.Run(TimeDelta::Seconds(2));
  EXPECT_EQ(lab.Violations(), std::vector<std::string>{"unknown_stream"});
  EXPECT_EQ(lab.ResetsSeen(), std::vector<int>{7});
}

TEST(ChannelReceiveTest, ARefusedStreamCanBeOpenedAgain) {
  ManagerAndRawPeer lab;
  lab.Say(1, kStringPpid, {'x'});
  lab.SayReset(1);
  lab.Say(1, kDcepPpid, ManagerAndRawPeer::OpenBytes());
  EXPECT_EQ(EventsOf<ChannelAnnounced>(lab.path.a_events).size(), 1u);
  lab.Say(1, kStringPpid, TextBytes("now it is right"));
  EXPECT_EQ(EventsOf<MessageReceived>(lab.path.a_events).size(), 1u);
}

// As Chromium acknowledges unordered channels.
TEST(ChannelReceiveTest, AnUnorderedAckIsToldAndTheChannelStays) {
  ManagerAndRawPeer lab;
  const ChannelId id = lab.a.Create(lab.path.now, {.ordered = false}).value();
  lab.path.Run(TimeDelta::Seconds(1));
  lab.Say(0, kDcepPpid, {2}, /*ordered=*/false);
  EXPECT_EQ(lab.Violations(), std::vector<std::string>{"dcep_unordered"});
  EXPECT_TRUE(lab.ResetsSeen().empty());
  EXPECT_EQ(lab.a.state(id), ChannelState::kOpen);
  // It counts: what is sent from now on is unordered.
  ASSERT_TRUE(lab.a.Send(lab.path.now, id, true, Bytes{1}));
  lab.path.Run(TimeDelta::Seconds(1));
  const auto said = EventsOf<sctp::MessageReceived>(lab.path.b_events);
  ASSERT_FALSE(said.empty());
  EXPECT_FALSE(said.back().ordered);
}

TEST(ChannelReceiveTest, ASecondAckChangesNothing) {
  ManagerAndRawPeer lab;
  const ChannelId id = lab.a.Create(lab.path.now, {}).value();
  lab.path.Run(TimeDelta::Seconds(1));
  lab.Say(0, kDcepPpid, {2});
  lab.Say(0, kDcepPpid, {2});
  EXPECT_EQ(lab.a.state(id), ChannelState::kOpen);
  EXPECT_TRUE(lab.Violations().empty());
}

TEST(ChannelReceiveTest, AnAckForANegotiatedChannelIsToldButHarmless) {
  ManagerAndRawPeer lab;
  const ChannelId id = lab.a.Create(lab.path.now, {.negotiated = true, .id = 9}).value();
  lab.Say(9, kDcepPpid, {2});
  EXPECT_EQ(lab.Violations(), std::vector<std::string>{"dcep_unexpected_ack"});
  EXPECT_EQ(lab.a.state(id), ChannelState::kOpen);
}

TEST(ChannelReceiveTest, ReliabilityBeyondSixteenBitsIsClamped) {
  ManagerAndRawPeer lab;
  lab.Say(1, kDcepPpid, {3, 0x02, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(lab.a.init(lab.Announced()).max_packet_life_time_ms, 65535);
  lab.Say(3, kDcepPpid, {3, 0x81, 0, 0, 0xFF, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(lab.a.init(lab.Announced()).max_retransmits, 65535);
  EXPECT_FALSE(lab.a.init(lab.Announced()).ordered);
}

TEST(ChannelReceiveTest, MessagesThatArriveAfterCloseAreDropped) {
  ManagerAndRawPeer lab;
  lab.Say(1, kDcepPpid, ManagerAndRawPeer::OpenBytes());
  lab.a.Close(lab.path.now, lab.Announced());
  lab.Say(1, kStringPpid, TextBytes("too late"));
  EXPECT_TRUE(EventsOf<MessageReceived>(lab.path.a_events).empty());
  EXPECT_TRUE(lab.Violations().empty());
}

}  // namespace
}  // namespace rtclab::datachannel
