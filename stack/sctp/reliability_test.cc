// Partial reliability, flow control, loss recovery, streams' resets, priorities, path MTU, determinism.
#include <gtest/gtest.h>

#include <set>

#include "stack/sctp/chunks_control.h"
#include "stack/sctp/chunks_data.h"
#include "stack/sctp/test_util.h"

namespace rtclab::sctp {
namespace {

using test::HasChunk;
using test::LinkConfig;
using test::Pair;

AssociationConfig WithInterleaving(bool on) {
  AssociationConfig config;
  config.interleaving = on;
  config.rto_min = TimeDelta::Millis(100);
  return config;
}

bool CarriesData(ByteView packet) {
  return HasChunk(packet, ChunkType::kData) || HasChunk(packet, ChunkType::kIData);
}

TEST(PartialReliabilityTest, ALostMessageIsGivenUpAndTheNextOneComes) {
  for (const bool interleaving : {false, true}) {
    for (const bool by_time : {false, true}) {
      for (const bool ordered : {false, true}) {
        SCOPED_TRACE(testing::Message() << interleaving << by_time << ordered);
        Pair pair(WithInterleaving(interleaving));
        ASSERT_TRUE(pair.Connect());
        int dropped = 0;
        bool drop = true;
        pair.filter = [&](bool to_z, Bytes& p) {
          if (!to_z || !drop || !CarriesData(p)) return true;
          ++dropped;
          return false;
        };
        SendOptions options{.ordered = ordered};
        if (by_time) {
          options.lifetime = TimeDelta::Millis(150);
        } else {
          options.max_retransmits = 1;
        }
        ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 51, Bytes(3000, 1), options));
        ASSERT_TRUE(
            pair.RunFor(TimeDelta::Seconds(20), [&] { return pair.a.Has<MessageAbandoned>(); }));
        EXPECT_GE(dropped, 3);
        drop = false;
        ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 51, Bytes(2000, 2), {.ordered = ordered}));
        ASSERT_TRUE(
            pair.RunFor(TimeDelta::Seconds(20), [&] { return pair.z.Has<MessageReceived>(); }));
        EXPECT_EQ(pair.z.Events<MessageReceived>()[0].payload, Bytes(2000, 2));
        pair.RunFor(TimeDelta::Seconds(5));
        EXPECT_EQ(pair.z.Count<MessageReceived>(), 1u);
        EXPECT_EQ(pair.a->metrics().in_flight, DataSize());
        EXPECT_EQ(pair.a->metrics().messages_abandoned, 1u);
      }
    }
  }
}

TEST(PartialReliabilityTest, AMessageGivenUpHalfSentHasAnEnd) {
  // Its window takes a part; that part arrives, the next is lost, and its time is over before the rest is sent.
  for (const bool interleaving : {false, true}) {
    SCOPED_TRACE(interleaving);
    Pair pair(WithInterleaving(interleaving));
    ASSERT_TRUE(pair.Connect());
    int packets = 0;
    pair.filter = [&](bool to_z, Bytes& p) { return !to_z || !CarriesData(p) || packets++ < 3; };
    ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 51, Bytes(200'000, 1), {.max_retransmits = 0}));
    ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 51, Bytes(10, 2)));
    ASSERT_TRUE(
        pair.RunFor(TimeDelta::Seconds(20), [&] { return pair.a.Has<MessageAbandoned>(); }));
    EXPECT_TRUE(pair.a.Events<MessageAbandoned>()[0].sent);
    EXPECT_LE(pair.a->buffered_amount(StreamId{1}), 10u);
    pair.filter = {};
    ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(20), [&] { return pair.z.Has<MessageReceived>(); }));
    EXPECT_EQ(pair.z.Events<MessageReceived>()[0].payload, Bytes(10, 2));
  }
}

TEST(PartialReliabilityTest, EveryMessageArrivesOrIsReported) {
  for (const bool interleaving : {false, true}) {
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      SCOPED_TRACE(testing::Message() << interleaving << " seed " << seed);
      LinkConfig link{TimeDelta::Millis(10), 0.2, 0.1, 0.05, 0.05};
      AssociationConfig config = WithInterleaving(interleaving);
      config.max_init_retransmits = 30;
      config.max_association_retransmits = 50;
      Pair pair(config, link, seed);
      ASSERT_TRUE(pair.Connect());
      Rng rng(seed);
      constexpr int kCount = 200;
      for (int i = 0; i < kCount; ++i) {
        SendOptions options{.ordered = rng.Bernoulli(0.5)};
        if (rng.Bernoulli(0.5)) options.max_retransmits = static_cast<uint16_t>(rng.Uniform(0, 2));
        if (rng.Bernoulli(0.3)) options.lifetime = TimeDelta::Millis(int64_t(rng.Uniform(5, 400)));
        Bytes payload(rng.Uniform(4, 4000), static_cast<uint8_t>(i));
        StoreU32(payload.data(), static_cast<uint32_t>(i));
        ASSERT_TRUE(pair.a->Send(pair.now, StreamId{static_cast<uint16_t>(rng.Uniform(0, 3))}, 51,
                                 std::move(payload), options));
        pair.RunFor(TimeDelta::Millis(3));
      }
      ASSERT_TRUE(pair.a->Send(pair.now, StreamId{9}, 99, {1}));  // the last one is reliable
      pair.RunFor(TimeDelta::Seconds(600), [&] {
        return pair.a->metrics().in_flight == DataSize() && pair.a->buffered_amount() == 0;
      });
      pair.RunFor(TimeDelta::Seconds(60));
      const std::size_t received = pair.z.Count<MessageReceived>();
      EXPECT_GE(received + pair.a.Count<MessageAbandoned>(), kCount + 1u);
      std::map<uint16_t, uint32_t> last;
      std::set<uint32_t> seen;
      for (const auto& m : pair.z.Events<MessageReceived>()) {
        if (m.ppid == 99) continue;
        const uint32_t id = LoadU32(m.payload.data());
        EXPECT_TRUE(seen.insert(id).second) << "twice";
        for (std::size_t k = 4; k < m.payload.size(); ++k) ASSERT_EQ(m.payload[k], uint8_t(id));
        if (!m.ordered) continue;
        uint32_t& before = last[static_cast<uint16_t>(m.stream)];
        EXPECT_GE(id + 1, before);
        before = id + 1;
      }
      EXPECT_EQ(pair.a->metrics().in_flight, DataSize());
      EXPECT_FALSE(pair.a.Has<Aborted>());
    }
  }
}

TEST(FlowControlTest, AClosedWindowIsProbedAndOpens) {
  AssociationConfig config;
  config.receive_window = DataSize::Bytes(20'000);
  Pair pair(config);
  ASSERT_TRUE(pair.Connect());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(1000, 1)));
  pair.deliver_events = false;  // z's application is asleep for ten minutes
  pair.RunFor(TimeDelta::Seconds(600));
  EXPECT_EQ(pair.a->state(), State::kEstablished) << "a closed window is no failure";
  EXPECT_GE(pair.a->buffered_amount(), 25'000u);
  pair.deliver_events = true;
  const Timestamp woke = pair.now;
  ASSERT_TRUE(
      pair.RunFor(TimeDelta::Seconds(60), [&] { return pair.z.Count<MessageReceived>() == 50; }));
  EXPECT_LE(pair.now - woke, TimeDelta::Seconds(5)) << "the opening is told, not waited for";
}

TEST(FlowControlTest, AMessageLargerThanTheWindowArrives) {
  for (const bool interleaving : {false, true}) {
    AssociationConfig config = WithInterleaving(interleaving);
    config.receive_window = DataSize::Bytes(50'000);
    LinkConfig link;
    link.loss = 0.05;
    Pair pair(config, link, 4);
    ASSERT_TRUE(pair.Connect());
    const Bytes message = test::Pattern(1'000'000, 5);
    ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, message));
    ASSERT_TRUE(
        pair.RunFor(TimeDelta::Seconds(600), [&] { return pair.z.Has<MessageReceived>(); }));
    EXPECT_TRUE(pair.z.Events<MessageReceived>()[0].payload == message);
  }
}

TEST(FlowControlTest, SendHasALimit) {
  AssociationConfig config;
  config.send_buffer = 10'000;
  Pair pair(config);
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(6000)));
  EXPECT_FALSE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(6000)));
  EXPECT_FALSE(pair.a->Send(pair.now, StreamId{0}, 1, {}));
  EXPECT_EQ(pair.a->buffered_amount(), 6000u);
  pair.a->SetBufferedAmountLowThreshold(StreamId{0}, 1000);
  ASSERT_TRUE(pair.Connect());
  pair.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(pair.a.Count<BufferedAmountLow>(), 1u);
  EXPECT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(6000)));
}

TEST(LossRecoveryTest, OneLostPacketIsRepairedFast) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  // Grow the window first.
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(50'000)));
  pair.RunFor(TimeDelta::Seconds(5));
  int n = 0;
  pair.filter = [&](bool to_z, Bytes& p) { return !to_z || !CarriesData(p) || n++ != 2; };
  const Timestamp start = pair.now;
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(15'000)));
  ASSERT_TRUE(
      pair.RunFor(TimeDelta::Seconds(5), [&] { return pair.z.Count<MessageReceived>() == 2; }));
  EXPECT_LE(pair.now - start, TimeDelta::Millis(250)) << "without a timeout";
  const Metrics m = pair.a->metrics();
  EXPECT_EQ(m.fast_retransmissions, 1u);
  EXPECT_EQ(m.retransmissions, 1u);
  EXPECT_EQ(m.t3_timeouts, 0u);
}

TEST(LossRecoveryTest, AcknowledgesEverySecondPacketOrAfterTheDelay) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  const uint64_t before = pair.z->metrics().sacks_sent;
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(100)));
  pair.RunFor(TimeDelta::Millis(200));
  EXPECT_EQ(pair.z->metrics().sacks_sent, before) << "one packet: wait";
  pair.RunFor(TimeDelta::Millis(50));
  EXPECT_EQ(pair.z->metrics().sacks_sent, before + 1);
  // Data the other way takes the acknowledgement along.
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(100)));
  pair.RunFor(TimeDelta::Millis(30));
  bool bundled = false;
  pair.filter = [&](bool to_z, Bytes& p) {
    bundled |= !to_z && HasChunk(p, ChunkType::kSack) && CarriesData(p);
    return true;
  };
  ASSERT_TRUE(pair.z->Send(pair.now, StreamId{0}, 1, Bytes(100)));
  pair.RunFor(TimeDelta::Millis(30));
  EXPECT_TRUE(bundled);
}

TEST(LossRecoveryTest, SmallMessagesShareAPacket) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  const uint64_t before = pair.a->metrics().packets_sent;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(30)));
  pair.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(pair.z.Count<MessageReceived>(), 20u);
  EXPECT_EQ(pair.a->metrics().packets_sent, before + 1);
}

TEST(LossRecoveryTest, ABurstIsLimited) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(100'000)));
  pair.RunFor(TimeDelta::Millis(500));
  ASSERT_TRUE(pair.z.Has<MessageReceived>());
  ASSERT_GE(pair.a->metrics().cwnd.bytes(), 20'000);
  const uint64_t before = pair.a->metrics().packets_sent;
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(100'000)));
  pair.DrainBoth();
  EXPECT_EQ(pair.a->metrics().packets_sent, before + 4) << "Max.Burst";
}

// --- Stream resets ---

TEST(ReconfigTest, AStreamBeginsAnew) {
  for (int percent : {0, 20}) {
    for (const bool interleaving : {false, true}) {
      SCOPED_TRACE(testing::Message() << percent << interleaving);
      LinkConfig link;
      link.loss = percent / 100.0;
      AssociationConfig config = WithInterleaving(interleaving);
      config.max_init_retransmits = 30;
      Pair pair(config, link, 7);
      ASSERT_TRUE(pair.Connect());
      std::vector<std::string> order;
      pair.on_event = [&](bool at_z, const Event& event) {
        if (!at_z) return;
        if (const auto* m = std::get_if<MessageReceived>(&event)) {
          order.push_back(std::string(1, static_cast<char>(m->payload[0])));
        }
        if (std::holds_alternative<IncomingStreamsReset>(event)) order.push_back("reset");
      };
      const StreamId streams[] = {StreamId{1}};
      for (const char c : {'a', 'b', 'c'}) {
        ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 1, Bytes(5000, static_cast<uint8_t>(c))));
      }
      pair.a->ResetStreams(pair.now, streams);
      pair.a->ResetStreams(pair.now, streams);                     // again: nothing more
      ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 1, {'d'}));  // waits
      ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(300), [&] { return order.size() >= 5; }));
      EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "c", "reset", "d"}));
      pair.RunFor(TimeDelta::Seconds(20));
      EXPECT_EQ(pair.a.Count<StreamsResetPerformed>(), 1u);
      EXPECT_EQ(pair.a.Events<StreamsResetPerformed>()[0].streams,
                (std::vector<StreamId>{StreamId{1}}));
      EXPECT_EQ(pair.z.Events<IncomingStreamsReset>()[0].streams,
                (std::vector<StreamId>{StreamId{1}}));
    }
  }
}

TEST(ReconfigTest, AResetWaitsForOtherStreamsData) {
  // The last assigned TSN is another stream's, which is lost at first: "in progress", then performed.
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 1, {1}));
  pair.RunFor(TimeDelta::Seconds(1));
  bool drop = true;
  int in_progress = 0;
  pair.filter = [&](bool to_z, Bytes& p) {
    if (!to_z && HasChunk(p, ChunkType::kReconfig)) in_progress += p.back() == 6 ? 1 : 0;
    return !(to_z && drop && CarriesData(p));
  };
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{2}, 1, {1}));
  pair.DrainBoth();
  const StreamId streams[] = {StreamId{1}};
  pair.a->ResetStreams(pair.now, streams);
  pair.RunFor(TimeDelta::Millis(500));
  EXPECT_GE(in_progress, 1);
  EXPECT_FALSE(pair.a.Has<StreamsResetPerformed>());
  drop = false;
  ASSERT_TRUE(
      pair.RunFor(TimeDelta::Seconds(10), [&] { return pair.a.Has<StreamsResetPerformed>(); }));
}

TEST(ReconfigTest, BothSidesResetAtOnce) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  const StreamId streams[] = {StreamId{0}, StreamId{1}};
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 1, {1}));
  ASSERT_TRUE(pair.z->Send(pair.now, StreamId{1}, 1, {1}));
  pair.a->ResetStreams(pair.now, streams);
  pair.z->ResetStreams(pair.now, streams);
  ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(10), [&] {
    return pair.a.Has<StreamsResetPerformed>() && pair.z.Has<StreamsResetPerformed>();
  }));
  EXPECT_EQ(pair.a.Count<IncomingStreamsReset>(), 1u);
  EXPECT_EQ(pair.z.Count<IncomingStreamsReset>(), 1u);
}

TEST(ReconfigTest, ThePeerIsAskedToReset) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  ASSERT_TRUE(pair.z->Send(pair.now, StreamId{3}, 1, Bytes(3000)));
  const StreamId streams[] = {StreamId{3}};
  pair.a->RequestIncomingReset(pair.now, streams);
  ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(10), [&] {
    return pair.a.Has<IncomingStreamsReset>() && pair.z.Has<StreamsResetPerformed>();
  }));
  EXPECT_TRUE(pair.z.Has<OutgoingResetRequested>());
  EXPECT_TRUE(pair.a.Has<MessageReceived>());
}

TEST(ReconfigTest, StreamsAreAddedAsFarAsThePeerAllows) {
  AssociationConfig few;
  few.outbound_streams = 4;
  AssociationConfig limited;
  limited.max_inbound_streams = 6;
  Pair pair(few, limited, {}, 1);
  ASSERT_TRUE(pair.Connect());
  EXPECT_FALSE(pair.a->Send(pair.now, StreamId{4}, 1, {1}));
  pair.a->AddOutgoingStreams(pair.now, 2);
  pair.a->AddOutgoingStreams(pair.now, 1);
  ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(5), [&] { return pair.a.Has<ProtocolError>(); }));
  EXPECT_EQ(pair.a->outbound_streams(), 6);
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{5}, 1, {1}));
  EXPECT_TRUE(pair.RunFor(TimeDelta::Seconds(5), [&] { return pair.z.Has<MessageReceived>(); }));
}

TEST(ReconfigTest, APeerWithoutItSaysSo) {
  AssociationConfig plain;
  plain.reconfig = false;
  Pair pair({}, plain, {}, 1);
  const StreamId streams[] = {StreamId{3}};
  pair.a->ResetStreams(pair.now, streams);  // before anybody knows
  ASSERT_TRUE(pair.Connect());
  EXPECT_EQ(pair.a.Count<StreamsResetFailed>(), 1u);
  pair.a->ResetStreams(pair.now, streams);
  pair.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(pair.a.Count<StreamsResetFailed>(), 2u);
}

// --- The rest ---

TEST(InterleavingTest, ASmallMessageOvertakesALargeOne) {
  for (const bool interleaving : {false, true}) {
    Pair pair(WithInterleaving(interleaving));
    ASSERT_TRUE(pair.Connect());
    ASSERT_TRUE(pair.a->Send(pair.now, StreamId{1}, 1, Bytes(100'000)));
    ASSERT_TRUE(pair.a->Send(pair.now, StreamId{2}, 1, Bytes(100)));
    ASSERT_TRUE(
        pair.RunFor(TimeDelta::Seconds(20), [&] { return pair.z.Count<MessageReceived>() == 2; }));
    EXPECT_EQ(pair.z.Events<MessageReceived>()[0].stream,
              StreamId{interleaving ? uint16_t{2} : uint16_t{1}});
  }
}

TEST(PathMtuTest, ProbesFindWhatThePathTakes) {
  AssociationConfig config;
  config.max_probed_mtu = 1450;
  LinkConfig link;
  link.mtu = 1300;
  Pair pair(config, link, 1);
  ASSERT_TRUE(pair.Connect());
  pair.RunFor(TimeDelta::Seconds(60));
  EXPECT_GE(pair.a->metrics().mtu, 1280u);
  EXPECT_LE(pair.a->metrics().mtu, 1300u);
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(10'000)));
  pair.RunFor(TimeDelta::Seconds(5));
  EXPECT_TRUE(pair.z.Has<MessageReceived>());
  pair.a->SetMtu(pair.now, 600);
  std::size_t largest = 0;
  pair.filter = [&](bool to_z, Bytes& p) {
    if (to_z && CarriesData(p)) largest = std::max(largest, p.size());
    return true;
  };
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(10'000)));
  pair.RunFor(TimeDelta::Millis(100));
  EXPECT_LE(largest, 600u);
  EXPECT_GE(largest, 590u);
}

TEST(PathChangeTest, BeginsAnew) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  const DataSize initial = pair.a->metrics().cwnd;
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(100'000)));
  pair.RunFor(TimeDelta::Seconds(2));
  EXPECT_GT(pair.a->metrics().cwnd, initial);
  pair.a->PathChanged(pair.now);
  EXPECT_EQ(pair.a->metrics().cwnd, initial);
  EXPECT_FALSE(pair.a->metrics().srtt);
}

TEST(DeterminismTest, TheSameSeedSendsTheSamePackets) {
  const auto run = [](uint64_t seed) {
    AssociationConfig config;
    config.zero_checksum = true;
    LinkConfig link{TimeDelta::Millis(15), 0.1, 0.1, 0.05, 0.05};
    Pair pair(config, link, seed);
    pair.a.record = pair.z.record = true;
    pair.Connect();
    for (int i = 0; i < 40; ++i) {
      static_cast<void>(pair.a->Send(pair.now, StreamId{static_cast<uint16_t>(i % 5)}, 1,
                                     Bytes(static_cast<std::size_t>(i) * 100 + 1, 7)));
      pair.RunFor(TimeDelta::Millis(7));
    }
    pair.a->Shutdown(pair.now);
    pair.RunFor(TimeDelta::Seconds(300));
    std::vector<Bytes> all = pair.a.sent;
    all.insert(all.end(), pair.z.sent.begin(), pair.z.sent.end());
    return all;
  };
  EXPECT_TRUE(run(3) == run(3));
  EXPECT_FALSE(run(3) == run(4));
}

}  // namespace
}  // namespace rtclab::sctp
