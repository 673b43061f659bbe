// Packet history, NACK generation and RTX.
#include <gmock/gmock.h>

#include "stack/rtp/nack_generator.h"
#include "stack/rtp/packet_history.h"
#include "stack/rtp/rtx.h"
#include "stack/rtp/test_util.h"

namespace rtclab::rtp {
namespace {

using ::testing::ElementsAre;
using testing::ExpectEveryPrefixRefused;
using testing::Hex;
using testing::MakeRtp;

Bytes HistoryPacket(uint16_t sequence, std::size_t size = 20) {
  return MakeRtp({false, 96, sequence, 0, 1}, Bytes(size, static_cast<uint8_t>(sequence)));
}

TEST(PacketHistoryTest, GivesWhatWasSent) {
  PacketHistory history;
  for (int i = 65530; i < 65545; ++i)
    history.Store(Timestamp::Zero(), HistoryPacket(static_cast<uint16_t>(i)));
  const auto found = history.Retransmit(Timestamp::Millis(10), 2);
  ASSERT_TRUE(found);
  EXPECT_EQ(Bytes(found->begin(), found->end()), HistoryPacket(2));
  EXPECT_FALSE(history.Retransmit(Timestamp::Millis(10), 100));
  EXPECT_EQ(history.retransmissions(), 1u);
  EXPECT_EQ(history.misses(), 1u);
}

TEST(PacketHistoryTest, ForgetsByNumberAndByAge) {
  PacketHistory history({.capacity = 4, .max_age = TimeDelta::Millis(500)});
  for (uint16_t i = 0; i < 6; ++i) history.Store(Timestamp::Zero(), HistoryPacket(i));
  EXPECT_FALSE(history.Find(1));
  EXPECT_TRUE(history.Find(2));
  EXPECT_TRUE(history.Retransmit(Timestamp::Millis(500), 2));
  EXPECT_FALSE(history.Retransmit(Timestamp::Millis(501), 2));
  history.Clear();
  EXPECT_FALSE(history.Find(2));
  EXPECT_FALSE(history.ForPadding(Timestamp::Zero(), 0));
}

TEST(PacketHistoryTest, ASecondRequestWithinARoundTripIsIgnored) {
  PacketHistory history;
  history.SetRtt(TimeDelta::Millis(80));
  history.Store(Timestamp::Zero(), HistoryPacket(1));
  EXPECT_TRUE(history.Retransmit(Timestamp::Millis(50), 1));
  EXPECT_FALSE(history.Retransmit(Timestamp::Millis(129), 1));
  EXPECT_TRUE(history.Retransmit(Timestamp::Millis(130), 1));
  EXPECT_EQ(history.suppressed(), 1u);
}

TEST(PacketHistoryTest, PaddingIsTheYoungestThatIsLargeEnough) {
  PacketHistory history;
  history.Store(Timestamp::Zero(), HistoryPacket(1, 300));
  history.Store(Timestamp::Zero(), HistoryPacket(2, 200));
  history.Store(Timestamp::Zero(), HistoryPacket(3, 50));
  EXPECT_EQ(LoadU16(history.ForPadding(Timestamp::Zero(), 100)->data() + 2), 2);
  EXPECT_FALSE(history.ForPadding(Timestamp::Zero(), 400));
  EXPECT_FALSE(history.ForPadding(Timestamp::Seconds(2), 100));
}

TEST(NackGeneratorTest, ReorderingIsNotAskedFor) {
  NackGenerator nack;
  for (const int s : {1, 2, 4, 5, 3, 6, 7, 8, 9})
    nack.OnPacket(Timestamp::Zero(), static_cast<uint16_t>(s));
  EXPECT_FALSE(nack.PollNack());
  EXPECT_EQ(nack.missing(), 0u);
  EXPECT_TRUE(nack.NextTimeout().IsInfinite());
}

TEST(NackGeneratorTest, AGapIsAskedForAfterThreePackets) {
  NackGenerator nack;
  for (const int s : {65534, 1, 2}) nack.OnPacket(Timestamp::Zero(), static_cast<uint16_t>(s));
  EXPECT_THAT(nack.PollNack().value(), ElementsAre(65535));  // three after it by now; 0 has two
  nack.OnPacket(Timestamp::Zero(), 3);
  EXPECT_THAT(nack.PollNack().value(), ElementsAre(0));
  EXPECT_FALSE(nack.PollNack());
}

TEST(NackGeneratorTest, AGapIsAskedForAfterAWhileAndAgainAfterARoundTrip) {
  NackGenerator nack;
  nack.SetRtt(TimeDelta::Millis(60));
  nack.OnPacket(Timestamp::Zero(), 1);
  nack.OnPacket(Timestamp::Zero(), 3);
  EXPECT_EQ(nack.NextTimeout(), Timestamp::Millis(20));
  nack.HandleTimeout(Timestamp::Millis(19));
  EXPECT_FALSE(nack.PollNack());
  nack.HandleTimeout(Timestamp::Millis(20));
  EXPECT_THAT(nack.PollNack().value(), ElementsAre(2));
  EXPECT_EQ(nack.NextTimeout(), Timestamp::Millis(80));
  nack.HandleTimeout(Timestamp::Millis(80));
  EXPECT_THAT(nack.PollNack().value(), ElementsAre(2));
  nack.OnPacket(Timestamp::Millis(90), 2);
  EXPECT_EQ(nack.recovered(), 1u);
  EXPECT_EQ(nack.requests(), 2u);
  EXPECT_TRUE(nack.NextTimeout().IsInfinite());
}

TEST(NackGeneratorTest, GivesUpAfterTheLastRequestAndWantsAKeyframe) {
  NackGenerator nack({.max_requests = 2, .initial_rtt = TimeDelta::Millis(50)});
  nack.OnPacket(Timestamp::Zero(), 1);
  nack.OnPacket(Timestamp::Zero(), 3);
  int requests = 0;
  while (!nack.NextTimeout().IsInfinite()) {
    nack.HandleTimeout(nack.NextTimeout());
    if (nack.PollNack()) ++requests;
  }
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(nack.given_up(), 1u);
  EXPECT_TRUE(nack.PollKeyframeRequest());
  EXPECT_FALSE(nack.PollKeyframeRequest());
}

TEST(NackGeneratorTest, TooManyMissingAreHopeless) {
  NackGenerator nack({.max_missing = 100});
  nack.OnPacket(Timestamp::Zero(), 1);
  nack.OnPacket(Timestamp::Zero(), 80);
  EXPECT_FALSE(nack.PollKeyframeRequest());
  nack.OnPacket(Timestamp::Zero(), 150);
  EXPECT_TRUE(nack.PollKeyframeRequest());
  EXPECT_EQ(nack.missing(), 0u);
}

TEST(NackGeneratorTest, AKeyframeMakesOlderGapsNeedless) {
  NackGenerator nack({.max_missing = 100});
  nack.OnPacket(Timestamp::Zero(), 1);
  nack.OnPacket(Timestamp::Zero(), 80);
  nack.OnPacket(Timestamp::Zero(), 150, true);
  EXPECT_FALSE(nack.PollKeyframeRequest());
  nack.OnPacket(Timestamp::Zero(), 190);
  EXPECT_EQ(nack.missing(), 39u);
  nack.ClearUpTo(160);
  EXPECT_EQ(nack.missing(), 30u);
}

TEST(NackGeneratorTest, OldAgeIsHopeless) {
  NackGenerator nack;
  nack.OnPacket(Timestamp::Zero(), 1);
  nack.OnPacket(Timestamp::Zero(), 3);
  nack.OnPacket(Timestamp::Seconds(3), 4);
  EXPECT_TRUE(nack.PollKeyframeRequest());
  EXPECT_FALSE(nack.PollNack());
}

TEST(RtxTest, OriginalSequenceNumberGoesBeforeThePayload) {
  // With marker, CSRC, an extension (rid, identifier 3) and padding, which does not go along.
  const Bytes original = Hex("b1e0 1234 01020304 a1a2a3a4 c1c1c1c1 bede0001 3068 0000 616263 0002");
  const auto view = PacketView::Parse(original);
  ASSERT_TRUE(view) << view.error().reason;
  const Bytes rtx = WrapRtx(*view, {97, 0xb1b2b3b4, 3, 4}, 0x0507);
  EXPECT_EQ(ToHex(rtx),
            ToHex(Hex("91e1 0507 01020304 b1b2b3b4 c1c1c1c1 bede0001 4068 0000 1234 616263")));
  const auto rtx_view = PacketView::Parse(rtx);
  ASSERT_TRUE(rtx_view);
  const auto back = UnwrapRtx(*rtx_view, 96, 0xa1a2a3a4, 3, 4);
  ASSERT_TRUE(back);
  EXPECT_EQ(ToHex(*back),
            ToHex(Hex("91e0 1234 01020304 a1a2a3a4 c1c1c1c1 bede0001 3068 0000 616263")));
}

TEST(RtxTest, PaddingOnTheRtxStreamHasNoOriginal) {
  for (const std::string_view text :
       {"8061 0507 01020304 b1b2b3b4", "8061 0507 01020304 b1b2b3b4 12",
        "a061 0507 01020304 b1b2b3b4 00000003"}) {
    const Bytes bytes = Hex(text);
    const auto view = PacketView::Parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_FALSE(UnwrapRtx(*view, 96, 1)) << text;
  }
}

TEST(RtxTest, EveryPacketComesBack) {
  constexpr uint64_t kSeed = 4588;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  Bytes buffer;
  for (uint16_t i = 0; i < 200; ++i) {
    Bytes original = testing::RandomRtp(rng, 5, i);
    const auto view = PacketView::Parse(original);
    ASSERT_TRUE(view);
    buffer = WrapRtx(*view, {97, 6}, i, std::move(buffer));
    const auto rtx = PacketView::Parse(buffer);
    ASSERT_TRUE(rtx);
    const auto back = UnwrapRtx(*rtx, view->payload_type(), 5);
    ASSERT_TRUE(back);
    original.resize(original.size() - view->padding_size());
    original[0] &= 0xDF;
    EXPECT_EQ(*back, original);
  }
}

TEST(RtxTest, PayloadTypesGoBothWays) {
  RtxPayloadTypes types;
  types.Add(97, 96);
  types.Add(99, 98);
  EXPECT_EQ(types.Original(99), 98);
  EXPECT_EQ(types.Rtx(96), 97);
  EXPECT_FALSE(types.Original(96));
  EXPECT_FALSE(types.Rtx(97));
  EXPECT_FALSE(types.Original(255));
  EXPECT_FALSE(types.Rtx(255));
}

}  // namespace
}  // namespace rtclab::rtp
