// Recording arrivals, reporting them in either format, and matching the reports at the sender.
#include <gmock/gmock.h>

#include <map>
#include <optional>

#include "stack/rtp/arrival_recorder.h"
#include "stack/rtp/feedback_matcher.h"
#include "stack/rtp/rtcp.h"
#include "stack/rtp/test_util.h"

namespace rtclab::rtp {
namespace {

TEST(FeedbackIntervalTest, StaysWithinItsLimits) {
  const FeedbackTiming timing;
  EXPECT_EQ(FeedbackInterval(timing, DataRate::KilobitsPerSec(10)), TimeDelta::Millis(250));
  EXPECT_EQ(FeedbackInterval(timing, DataRate::BitsPerSec(0)), TimeDelta::Millis(250));
  EXPECT_EQ(FeedbackInterval(timing, DataRate::MegabitsPerSec(5)), TimeDelta::Millis(50));
  EXPECT_EQ(FeedbackInterval(timing, DataRate::BitsPerSec(68 * 8 * 20 * 10)),
            TimeDelta::Millis(100));
}

TEST(TransportRecorderTest, ReportsGapsAndTimes) {
  TransportFeedbackRecorder recorder(1);
  EXPECT_TRUE(recorder.NextTimeout().IsInfinite());
  recorder.OnPacket(Timestamp::Millis(1000), 65535, 9);
  recorder.OnPacket(Timestamp::Millis(1010), 2, 9);
  recorder.OnPacket(Timestamp::Millis(1005), 2, 9);  // a duplicate
  EXPECT_EQ(recorder.NextTimeout(), Timestamp::Millis(1100));
  recorder.HandleTimeout(Timestamp::Millis(1099));
  EXPECT_FALSE(recorder.PollFeedback());
  recorder.HandleTimeout(Timestamp::Millis(1100));
  const auto feedback = recorder.PollFeedback();
  ASSERT_TRUE(feedback);
  EXPECT_FALSE(recorder.PollFeedback());
  EXPECT_EQ(feedback->base_sequence, 65535);
  EXPECT_EQ(feedback->reference_time, 15);  // 960 ms
  EXPECT_EQ(feedback->media_ssrc, 9u);
  EXPECT_THAT(feedback->packets,
              ::testing::ElementsAre(TransportStatus{true, 160}, TransportStatus{},
                                     TransportStatus{}, TransportStatus{true, 40}));
}

TEST(TransportRecorderTest, ContinuesWhereItEndedAndReportsLatePacketsAgain) {
  TransportFeedbackRecorder recorder(1);
  recorder.OnPacket(Timestamp::Millis(10), 10, 9);
  recorder.OnPacket(Timestamp::Millis(20), 12, 9);
  recorder.HandleTimeout(recorder.NextTimeout());
  EXPECT_EQ(recorder.PollFeedback()->packets.size(), 3u);
  EXPECT_FALSE(recorder.PollFeedback());
  recorder.OnPacket(Timestamp::Millis(120), 14, 9);
  recorder.HandleTimeout(recorder.NextTimeout());
  const auto next = recorder.PollFeedback();
  EXPECT_EQ(next->base_sequence, 13);
  EXPECT_EQ(next->feedback_count, 1);
  EXPECT_FALSE(recorder.PollFeedback());
  recorder.OnPacket(Timestamp::Millis(230), 11, 9);
  recorder.HandleTimeout(recorder.NextTimeout());
  const auto late = recorder.PollFeedback();
  ASSERT_TRUE(late);
  EXPECT_EQ(late->base_sequence, 11);
  // 11 came after 12: a negative delta.
  EXPECT_LT(late->packets.at(1).delta, 0);
  EXPECT_EQ(late->packets.size(), 4u);
}

TEST(TransportRecorderTest, ALongPauseOrAHugeGapBeginsANewMessage) {
  TransportFeedbackRecorder recorder(1);
  recorder.OnPacket(Timestamp::Millis(0), 1, 9);
  recorder.OnPacket(Timestamp::Millis(20'000), 2, 9);  // beyond 16 bits of 250 us
  recorder.OnPacket(Timestamp::Millis(20'001), 3, 9);
  recorder.HandleTimeout(Timestamp::Millis(20'001));
  EXPECT_EQ(recorder.PollFeedback()->packets.size(), 1u);
  EXPECT_EQ(recorder.PollFeedback()->packets.size(), 2u);
  EXPECT_FALSE(recorder.PollFeedback());
  recorder.OnPacket(Timestamp::Millis(20'100), 30'000, 9);
  recorder.HandleTimeout(recorder.NextTimeout());
  const auto after = recorder.PollFeedback();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->base_sequence, 30'000);
}

// Sender, lossy reordering path, receiver, and back over the wire: what the matcher says is what happened.
TEST(TransportMatcherTest, SaysWhatHappened) {
  constexpr uint64_t kSeed = 1015;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  TransportFeedbackRecorder recorder(1);
  TransportFeedbackMatcher matcher;
  std::map<int64_t, Timestamp> arrived;  // by id
  std::map<int64_t, Timestamp> reported;
  std::multimap<Timestamp, int64_t> in_flight;
  std::optional<TimeDelta> offset;
  const auto drain = [&](Timestamp now) {
    recorder.HandleTimeout(now);
    while (const auto feedback = recorder.PollFeedback()) {
      const RtcpMessage message = *feedback;
      const Bytes bytes = BuildRtcp({&message, 1});
      EXPECT_LE(bytes.size(), 1200u);
      const auto parsed = ParseRtcp(bytes);
      ASSERT_TRUE(parsed) << parsed.error().reason;
      const MatchedFeedback matched =
          matcher.Match(now, std::get<TransportFeedback>(parsed->front()));
      int64_t last = -1;
      for (const MatchedPacket& packet : matched.packets) {
        EXPECT_GT(packet.record.id, last);
        last = packet.record.id;
        if (packet.received) {
          EXPECT_TRUE(reported.emplace(packet.record.id, *packet.received).second);
        }
      }
    }
  };
  for (int64_t id = 0; id < 70'000; ++id) {
    const Timestamp now = Timestamp::Zero() + TimeDelta::Millis(5) * id;
    matcher.OnSent({.id = id, .sent = now, .size = DataSize::Bytes(1200), .ssrc = 9});
    if (!rng.Bernoulli(0.1))
      in_flight.emplace(now + TimeDelta::Micros(static_cast<int64_t>(rng.Uniform(20'000, 40'000))),
                        id);
    while (!in_flight.empty() && in_flight.begin()->first <= now) {
      const auto [when, which] = *in_flight.begin();
      recorder.OnPacket(when, static_cast<uint16_t>(which), 9);
      arrived.emplace(which, when);
      in_flight.erase(in_flight.begin());
    }
    if (recorder.NextTimeout() <= now) drain(now);
  }
  drain(Timestamp::Seconds(400));
  ASSERT_EQ(reported.size(), arrived.size());
  for (const auto& [id, when] : reported) {
    if (!offset) offset = when - arrived.at(id);
    EXPECT_NEAR((when - arrived.at(id) - *offset).millis_f(), 0, 0.26) << id;
  }
  EXPECT_EQ(matcher.unknown(), 0u);
}

TEST(TransportMatcherTest, ForgedFeedbackIsCountedAsUnknown) {
  TransportFeedbackMatcher matcher(16);
  for (int i = 0; i < 20; ++i) matcher.OnSent({.id = i});
  TransportFeedback feedback;
  feedback.base_sequence = 0;
  feedback.packets.assign(30, {true, 1});
  const MatchedFeedback matched = matcher.Match(Timestamp::Zero(), feedback);
  EXPECT_EQ(matched.packets.size(), 16u);
  EXPECT_EQ(matched.packets.front().record.id, 4);
  EXPECT_EQ(matcher.unknown(), 14u);
  // The same again: everything has been said.
  EXPECT_TRUE(matcher.Match(Timestamp::Zero(), feedback).packets.empty());
}

TEST(TransportMatcherTest, ReferenceTimeGoesOnAcrossItsWrap) {
  TransportFeedbackMatcher matcher;
  matcher.OnSent({.id = 0});
  matcher.OnSent({.id = 1});
  TransportFeedback feedback;
  feedback.reference_time = 0x7fffff;
  feedback.packets = {{true, 0}};
  const auto first = matcher.Match(Timestamp::Zero(), feedback);
  feedback.base_sequence = 1;
  feedback.reference_time = -0x800000;
  const auto second = matcher.Match(Timestamp::Zero(), feedback);
  EXPECT_EQ(*second.packets.at(0).received - *first.packets.at(0).received, TimeDelta::Millis(64));
}

TEST(CongestionRecorderTest, ReportsEachStreamWithOffsets) {
  CongestionFeedbackRecorder recorder(1);
  recorder.OnPacket(Timestamp::Millis(1000), 22, 65535, 1);
  recorder.OnPacket(Timestamp::Millis(1050), 22, 1, 0);
  recorder.OnPacket(Timestamp::Millis(1060), 22, 1, 3);  // a duplicate with CE
  recorder.OnPacket(Timestamp::Millis(1100), 11, 5, 2);
  recorder.HandleTimeout(Timestamp::Millis(1100));
  const auto feedback = recorder.PollFeedback();
  ASSERT_TRUE(feedback);
  EXPECT_FALSE(recorder.PollFeedback());
  EXPECT_EQ(feedback->report_timestamp, NtpTime::From(Timestamp::Millis(1100)).Middle());
  ASSERT_EQ(feedback->blocks.size(), 2u);
  EXPECT_EQ(feedback->blocks[0], (CongestionBlock{11, 5, {{true, 2, 0}}}));
  EXPECT_EQ(feedback->blocks[1], (CongestionBlock{22, 65535, {{true, 1, 102}, {}, {true, 3, 51}}}));
}

TEST(CongestionRecorderTest, OldArrivalsAreOverRange) {
  CongestionFeedbackRecorder recorder(1);
  recorder.OnPacket(Timestamp::Seconds(0), 1, 0);
  recorder.HandleTimeout(Timestamp::Seconds(9));
  EXPECT_EQ(recorder.PollFeedback()->blocks.at(0).metrics.at(0).arrival_offset, kArrivalOverRange);
}

TEST(CongestionMatcherTest, SaysWhatHappened) {
  constexpr uint64_t kSeed = 8888;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  CongestionFeedbackRecorder recorder(1);
  CongestionFeedbackMatcher matcher;
  std::map<int64_t, Timestamp> arrived;
  std::map<int64_t, Timestamp> reported;
  uint64_t ce_sent = 0;
  uint64_t ce_seen = 0;
  const auto drain = [&](Timestamp now) {
    recorder.HandleTimeout(now);
    while (const auto feedback = recorder.PollFeedback()) {
      const RtcpMessage message = *feedback;
      const Bytes bytes = BuildRtcp({&message, 1});
      EXPECT_LE(bytes.size(), 1200u);
      const auto parsed = ParseRtcp(bytes);
      ASSERT_TRUE(parsed) << parsed.error().reason;
      for (const MatchedPacket& p :
           matcher.Match(now, std::get<CongestionFeedback>(parsed->front())).packets) {
        if (p.received) {
          EXPECT_TRUE(reported.emplace(p.record.id, *p.received).second);
        }
        if (p.ecn == 3) ++ce_seen;
      }
    }
  };
  for (int64_t id = 0; id < 20'000; ++id) {
    const Timestamp now = Timestamp::Zero() + TimeDelta::Millis(1) * id;
    const auto ssrc = static_cast<uint32_t>(1 + id % 3);
    const auto sequence = static_cast<uint16_t>(65000 + id / 3);
    matcher.OnSent({.id = id, .sent = now, .ssrc = ssrc, .sequence = sequence});
    if (!rng.Bernoulli(0.2)) {
      const bool ce = rng.Bernoulli(0.05);
      ce_sent += ce ? 1 : 0;
      recorder.OnPacket(now, ssrc, sequence, ce ? 3 : 1);
      arrived.emplace(id, now);
    }
    if (recorder.NextTimeout() <= now) drain(now);
  }
  drain(Timestamp::Seconds(30));
  ASSERT_EQ(reported.size(), arrived.size());
  const TimeDelta offset = reported.begin()->second - arrived.begin()->second;
  for (const auto& [id, when] : reported) {
    if (id > 19'800) break;  // the last report comes late, out of the offset's range
    EXPECT_NEAR((when - arrived.at(id) - offset).millis_f(), 0, 1.1) << id;
  }
  EXPECT_EQ(ce_seen, ce_sent);
  EXPECT_EQ(matcher.unknown(), 0u);
}

TEST(CongestionMatcherTest, UnknownStreamsAndPacketsAreCounted) {
  CongestionFeedbackMatcher matcher(16);
  matcher.OnSent({.id = 1, .ssrc = 5, .sequence = 7});
  CongestionFeedback feedback{
      1, {{5, 6, {{true, 0, 1}, {true, 0, kArrivalUnavailable}}}, {6, 0, {{true, 0, 1}}}}, 0x10000};
  const auto matched = matcher.Match(Timestamp::Zero(), feedback);
  ASSERT_EQ(matched.packets.size(), 1u);
  EXPECT_EQ(matched.packets[0].received, Timestamp::Seconds(1));
  EXPECT_EQ(matcher.unknown(), 2u);
}

}  // namespace
}  // namespace rtclab::rtp
