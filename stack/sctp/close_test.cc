// How associations end: SHUTDOWN, ABORT, a peer that is gone; heartbeats.
#include <gtest/gtest.h>

#include "stack/sctp/chunks_control.h"
#include "stack/sctp/test_util.h"

namespace rtclab::sctp {
namespace {

using test::HasChunk;
using test::LinkConfig;
using test::Pair;

TEST(ShutdownTest, DeliversWhatIsQueuedFirst) {
  for (int percent : {0, 10, 25}) {
    for (const bool both : {false, true}) {
      SCOPED_TRACE(testing::Message() << percent << both);
      LinkConfig link;
      link.loss = percent / 100.0;
      link.reorder = link.loss;
      AssociationConfig config;
      config.max_init_retransmits = 30;
      Pair pair(config, link, static_cast<uint64_t>(percent) + 3);
      ASSERT_TRUE(pair.Connect());
      for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, Bytes(3000, 1)));
        ASSERT_TRUE(pair.z->Send(pair.now, StreamId{0}, 1, Bytes(3000, 2)));
      }
      pair.a->Shutdown(pair.now);
      if (both) pair.z->Shutdown(pair.now);
      EXPECT_FALSE(pair.a->Send(pair.now, StreamId{0}, 1, {1}));
      ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(3000), [&] {
        return pair.a->state() == State::kClosed && pair.z->state() == State::kClosed;
      }));
      EXPECT_EQ(pair.a.Count<MessageReceived>(), 20u);
      EXPECT_EQ(pair.z.Count<MessageReceived>(), 20u);
      EXPECT_TRUE(pair.a.Has<Closed>() || pair.a.Has<Aborted>());
      EXPECT_TRUE(pair.a.Has<Closed>());
      EXPECT_TRUE(pair.z.Has<Closed>());
      EXPECT_TRUE(pair.a->NextTimeout().IsInfinite());
      EXPECT_TRUE(pair.z->NextTimeout().IsInfinite());
    }
  }
}

TEST(ShutdownTest, EachLostPacketComesAgain) {
  // SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE.
  for (const ChunkType type :
       {ChunkType::kShutdown, ChunkType::kShutdownAck, ChunkType::kShutdownComplete}) {
    SCOPED_TRACE(static_cast<int>(type));
    Pair pair;
    ASSERT_TRUE(pair.Connect());
    int lost = 0;
    pair.filter = [&](bool, Bytes& p) { return !HasChunk(p, type) || lost++ > 0; };
    pair.a->Shutdown(pair.now);
    ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(20), [&] {
      return pair.a->state() == State::kClosed && pair.z->state() == State::kClosed;
    }));
    EXPECT_TRUE(pair.a.Has<Closed>());
    EXPECT_TRUE(pair.z.Has<Closed>());
  }
}

TEST(ShutdownTest, GivesUpWhenThePeerIsGone) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  pair.filter = [](bool, Bytes&) { return false; };
  pair.a->Shutdown(pair.now);
  pair.RunFor(TimeDelta::Seconds(3000));
  ASSERT_EQ(pair.a.Count<Aborted>(), 1u);
  EXPECT_TRUE(pair.a->NextTimeout().IsInfinite());
}

TEST(ShutdownTest, BeforeAnythingIsEstablished) {
  Pair pair;
  pair.a->Connect(pair.now);
  pair.a->Shutdown(pair.now);
  pair.RunFor(TimeDelta::Seconds(10));
  EXPECT_TRUE(pair.a.Has<Closed>());
  EXPECT_FALSE(pair.z.Has<Connected>());
}

TEST(AbortTest, TellsWhy) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  pair.a->Abort(pair.now, "no more");
  pair.RunFor(TimeDelta::Seconds(1));
  ASSERT_EQ(pair.a.Count<Aborted>(), 1u);
  EXPECT_EQ(pair.a.Events<Aborted>()[0].reason, "local_abort: no more");
  ASSERT_EQ(pair.z.Count<Aborted>(), 1u);
  EXPECT_TRUE(pair.z.Events<Aborted>()[0].by_peer);
  EXPECT_EQ(pair.z.Events<Aborted>()[0].reason, "peer_abort: user initiated abort: no more");
  EXPECT_FALSE(pair.z->Send(pair.now, StreamId{0}, 1, {1}));
}

TEST(FailureTest, APeerThatIsGoneIsNoticedWithData) {
  AssociationConfig config;
  config.max_association_retransmits = 4;
  Pair pair(config);
  ASSERT_TRUE(pair.Connect());
  pair.filter = [](bool, Bytes&) { return false; };
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{0}, 1, {1}));
  const Timestamp start = pair.now;
  pair.RunFor(TimeDelta::Seconds(300), [&] { return pair.a.Has<Aborted>(); });
  ASSERT_TRUE(pair.a.Has<Aborted>());
  EXPECT_EQ(pair.a.Events<Aborted>()[0].reason, "peer_unreachable");
  // 1 + 2 + 4 + 8 + 16 s.
  EXPECT_EQ((pair.now - start).millis(), 31'000);
}

TEST(FailureTest, APeerThatIsGoneIsNoticedByHeartbeats) {
  AssociationConfig config;
  config.max_association_retransmits = 2;
  config.heartbeat_interval = TimeDelta::Seconds(5);
  Pair pair(config);
  ASSERT_TRUE(pair.Connect());
  pair.RunFor(TimeDelta::Seconds(60));
  EXPECT_FALSE(pair.a.Has<Aborted>());
  EXPECT_TRUE(pair.a->metrics().srtt.has_value()) << "heartbeats measure";
  EXPECT_EQ(*pair.a->metrics().srtt, TimeDelta::Millis(40));
  pair.filter = [](bool, Bytes&) { return false; };
  ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(120), [&] { return pair.a.Has<Aborted>(); }));
  EXPECT_EQ(pair.a.Events<Aborted>()[0].reason, "peer_unreachable");
}

TEST(FailureTest, WrongdoingAborts) {
  // What an established peer may not send. Each is a chunk (the packet is made around it).
  const struct {
    std::string_view name;
    std::string_view chunk;
    bool interleaving;
  } cases[] = {
      {"SACK of what was never sent", "03000010 7fffffff 00010000 0000 0000", false},
      {"DATA though I-DATA was agreed", "00030011 00000001 0000 0000 00000033 61000000", true},
      {"FORWARD-TSN though I-DATA was agreed", "c0000008 00000001", true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    AssociationConfig config;
    config.interleaving = c.interleaving;
    Pair pair(config);
    pair.z.record = true;
    ASSERT_TRUE(pair.Connect());
    Bytes packet = BeginPacket({5000, 5000, LoadU32(pair.z.sent.back().data() + 4)}, 64);
    const Bytes chunk = *FromHex(c.chunk);
    packet.insert(packet.end(), chunk.begin(), chunk.end());
    if (packet[12] == 3) {
      // Half the number space away from anything is "older"; a little ahead is not.
      const auto sent = pair.a.Events<Connected>();
      ASSERT_EQ(sent.size(), 1u);
      for (uint32_t ahead = 0; ahead < 4 && !pair.a.Has<Aborted>(); ++ahead) {
        StoreU32(packet.data() + 16, ahead << 30);
        WriteChecksum(packet);
        pair.a->HandlePacket(pair.now, packet);
        pair.DrainBoth();
      }
    } else {
      WriteChecksum(packet);
      pair.a->HandlePacket(pair.now, packet);
    }
    pair.RunFor(TimeDelta::Seconds(1));
    ASSERT_EQ(pair.a.Count<Aborted>(), 1u);
    EXPECT_EQ(pair.a.Events<Aborted>()[0].reason.substr(0, 18), "protocol_violation");
    EXPECT_EQ(pair.z.Count<Aborted>(), 1u) << "and the peer is told";
  }
}

}  // namespace
}  // namespace rtclab::sctp
