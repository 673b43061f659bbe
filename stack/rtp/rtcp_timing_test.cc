#include "stack/rtp/rtcp_timing.h"

#include <gmock/gmock.h>

namespace rtclab::rtp {
namespace {

// Drives one endpoint; everything sent has the same size.
struct TimingHarness {
  explicit TimingHarness(const RtcpTimingConfig& config, uint64_t seed = 3550)
      : rng(seed), timing(config, rng) {}

  // Runs to `end` and gives the times at which packets of `kind` went.
  std::vector<double> Run(Timestamp end, RtcpKind kind = RtcpKind::kRegular) {
    std::vector<double> times;
    while (timing.NextTimeout() <= end) {
      now = std::max(now, timing.NextTimeout());
      timing.HandleTimeout(now);
      while (const auto transmission = timing.PollTransmission()) {
        if (transmission->kind == kind) times.push_back(now.seconds());
        last = *transmission;
        timing.OnSent(
            now, *transmission, std::min(transmission->ssrcs.size(), fit),
            DataSize::Bytes(static_cast<int64_t>(128 * std::min(transmission->ssrcs.size(), fit))));
      }
    }
    now = end;
    return times;
  }

  Rng rng;
  RtcpTiming timing;
  Timestamp now;
  RtcpTransmission last;
  std::size_t fit = 100;
};

RtcpTimingConfig AvpConfig() {
  RtcpTimingConfig config;
  config.avpf = false;
  return config;
}

TEST(RtcpTimingTest, AvpAveragesTheMinimumInterval) {
  TimingHarness h(AvpConfig());
  h.timing.AddLocal(h.now, 1);
  h.timing.SetSession(h.now, 2, 1);
  const auto times = h.Run(Timestamp::Seconds(5000));
  ASSERT_GT(times.size(), 500u);
  // First packet: half the minimum, randomised: 0.5 to 1.5 times 2.5 s / 1.21828.
  EXPECT_GE(times[0], 2.5 * 0.5 / 1.2183);
  EXPECT_NEAR(5000.0 / static_cast<double>(times.size()), 5.0, 0.4);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], 5 * 0.5 / 1.2183);
    EXPECT_LE(times[i] - times[i - 1], 5 * 1.5 * 2 / 1.2182);
  }
}

// RFC 3550 section 6.2: all together stay within the bandwidth, and senders have a quarter of it.
TEST(RtcpTimingTest, LargeGroupsStayWithinTheBandwidth) {
  RtcpTimingConfig config = AvpConfig();
  config.rtcp_bandwidth = DataRate::KilobitsPerSec(8);
  TimingHarness h(config);
  h.timing.SetSession(h.now, 1000, 10);
  // 990 receivers share 750 bytes/s with 128 bytes each.
  EXPECT_NEAR(h.timing.DeterministicInterval().seconds(), 128.0 * 990 / 750, 0.01);
  h.timing.AddLocal(h.now, 1);
  const auto times = h.Run(Timestamp::Seconds(100'000));
  EXPECT_NEAR(100'000.0 / static_cast<double>(times.size()), 169, 15);
  EXPECT_EQ(h.timing.MemberTimeout(), h.timing.DeterministicInterval() * 5);
  h.timing.SetSession(h.now, 2, 0);
  EXPECT_EQ(h.timing.MemberTimeout(), TimeDelta::Seconds(25));
}

TEST(RtcpTimingTest, ReconsiderationHoldsBackAStepJoin) {
  RtcpTimingConfig config = AvpConfig();
  config.rtcp_bandwidth = DataRate::KilobitsPerSec(8);
  TimingHarness h(config);
  h.timing.AddLocal(h.now, 1);
  // Before the first packet could go, 10,000 others have been seen.
  h.timing.SetSession(Timestamp::Millis(500), 10'000, 0);
  EXPECT_TRUE(h.Run(Timestamp::Seconds(300)).empty());
}

TEST(RtcpTimingTest, ReverseReconsiderationBringsTheTimeNearer) {
  RtcpTimingConfig config = AvpConfig();
  config.rtcp_bandwidth = DataRate::KilobitsPerSec(8);
  TimingHarness h(config);
  h.timing.SetSession(h.now, 10'000, 0);
  h.timing.AddLocal(h.now, 1);
  const Timestamp before = h.timing.NextTimeout();
  EXPECT_GT(before.seconds(), 600);
  h.timing.SetSession(Timestamp::Seconds(100), 100, 0);
  EXPECT_NEAR(h.timing.NextTimeout().seconds(), 100 + (before.seconds() - 100) / 100, 0.001);
}

TEST(RtcpTimingTest, AvpfHasNoMinimumButTheBandwidths) {
  TimingHarness h({});
  h.timing.AddLocal(h.now, 1);
  h.timing.SetSession(h.now, 2, 0);
  const auto times = h.Run(Timestamp::Seconds(100));
  // 128 bytes, 2 receivers, 75 % of 6250 bytes/s: 55 ms.
  EXPECT_NEAR(100.0 / static_cast<double>(times.size()), 128.0 * 2 / (0.75 * 6250), 0.01);
}

TEST(RtcpTimingTest, RegularIntervalSuppressesReports) {
  RtcpTimingConfig config;
  config.regular_interval = TimeDelta::Seconds(2);
  TimingHarness h(config);
  h.timing.AddLocal(h.now, 1);
  h.timing.SetSession(h.now, 2, 0);
  const auto times = h.Run(Timestamp::Seconds(1000));
  ASSERT_GT(times.size(), 10u);
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[i - 1], 1.0);
  EXPECT_LT(times.size(), 1000u);
}

TEST(RtcpTimingTest, EarlyFeedbackGoesAtOnceAndThenWaitsForARegularPacket) {
  RtcpTimingConfig config;
  config.rtcp_bandwidth = DataRate::BitsPerSec(2000);  // a second or so between packets
  TimingHarness h(config);
  h.timing.AddLocal(h.now, 1);
  h.timing.SetSession(h.now, 2, 0);
  ASSERT_FALSE(h.Run(Timestamp::Seconds(5)).empty());
  const Timestamp regular = h.timing.NextTimeout();
  ASSERT_EQ(h.timing.RequestFeedback(h.now, 1, TimeDelta::Millis(50)), FeedbackDecision::kEarly);
  EXPECT_EQ(h.timing.NextTimeout(), h.now);  // point to point: no dithering
  // A second message joins the scheduled one.
  EXPECT_EQ(h.timing.RequestFeedback(h.now, 1, TimeDelta::Millis(50)),
            FeedbackDecision::kWithScheduled);
  EXPECT_EQ(h.Run(h.now, RtcpKind::kEarly).size(), 1u);
  // The regular packet is left out once in exchange.
  EXPECT_GT(h.timing.NextTimeout(), regular);
  // Now early is not allowed: too late for a short deadline, in time for a long one.
  EXPECT_EQ(h.timing.RequestFeedback(h.now, 1, TimeDelta::Millis(1)), FeedbackDecision::kDiscard);
  EXPECT_EQ(h.timing.RequestFeedback(h.now, 1, TimeDelta::Seconds(60)),
            FeedbackDecision::kWithScheduled);
  EXPECT_FALSE(h.Run(Timestamp::Seconds(60)).empty());
  EXPECT_EQ(h.timing.RequestFeedback(h.now, 1, TimeDelta::Millis(1)), FeedbackDecision::kEarly);
  EXPECT_EQ(h.timing.RequestFeedback(h.now, 9, TimeDelta::Millis(1)), FeedbackDecision::kDiscard);
}

TEST(RtcpTimingTest, MultipartyFeedbackIsDithered) {
  RtcpTimingConfig config;
  config.rtcp_bandwidth = DataRate::KilobitsPerSec(8);
  config.multiparty = true;
  int dithered = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    TimingHarness h(config, seed);
    h.timing.SetSession(h.now, 100, 0);
    h.timing.AddLocal(h.now, 1);
    h.Run(Timestamp::Seconds(60));
    if (h.timing.RequestFeedback(h.now, 1, TimeDelta::Seconds(60)) != FeedbackDecision::kEarly)
      continue;
    const TimeDelta wait = h.timing.NextTimeout() - h.now;
    EXPECT_GE(wait, TimeDelta::Zero());
    EXPECT_LE(wait.seconds(), 0.5 * 17 * 1.5 / 1.218);
    if (wait > TimeDelta::Zero()) ++dithered;
  }
  EXPECT_GT(dithered, 5);
}

// RFC 8108 section 5.3: one packet for several SSRCs, each at its own long-term rate.
TEST(RtcpTimingTest, SeveralSsrcsShareAPacket) {
  TimingHarness h(AvpConfig());
  for (const uint32_t ssrc : {1u, 2u, 3u}) h.timing.AddLocal(h.now, ssrc);
  h.timing.SetSession(h.now, 4, 0);
  const auto aggregated = h.Run(Timestamp::Seconds(5000));
  EXPECT_EQ(h.last.ssrcs.size(), 3u);
  EXPECT_NEAR(h.timing.average_size(), 128, 1);
  // Each SSRC reports about every 5 s, now together.
  EXPECT_NEAR(5000.0 / static_cast<double>(aggregated.size()), 5.0, 1.0);
  TimingHarness alone(AvpConfig());
  alone.fit = 1;
  for (const uint32_t ssrc : {1u, 2u, 3u}) alone.timing.AddLocal(alone.now, ssrc);
  alone.timing.SetSession(alone.now, 4, 0);
  EXPECT_NEAR(5000.0 / static_cast<double>(alone.Run(Timestamp::Seconds(5000)).size()), 5.0 / 3,
              0.2);
}

TEST(RtcpTimingTest, LeavingSmallGroupsIsImmediateLargeOnesBackOff) {
  TimingHarness small(AvpConfig());
  small.timing.AddLocal(small.now, 1);
  small.timing.SetSession(small.now, 2, 0);
  small.timing.Leave(Timestamp::Seconds(1), DataSize::Bytes(60));
  EXPECT_EQ(small.Run(Timestamp::Seconds(1), RtcpKind::kBye).size(), 1u);
  EXPECT_TRUE(small.timing.NextTimeout().IsInfinite());

  RtcpTimingConfig config = AvpConfig();
  config.rtcp_bandwidth = DataRate::BitsPerSec(800);
  TimingHarness large(config);
  large.timing.AddLocal(large.now, 1);
  large.timing.SetSession(large.now, 1000, 0);
  large.timing.Leave(Timestamp::Seconds(1), DataSize::Bytes(60));
  EXPECT_TRUE(large.Run(Timestamp::Seconds(1), RtcpKind::kBye).empty());
  for (int i = 0; i < 500; ++i) large.timing.OnByeReceived();
  EXPECT_TRUE(large.Run(Timestamp::Seconds(100), RtcpKind::kBye).empty());
  EXPECT_EQ(large.Run(Timestamp::Seconds(2000), RtcpKind::kBye).size(), 1u);
}

}  // namespace
}  // namespace rtclab::rtp
