// RFC 8298's formulas with numbers computed by hand.
#include <gtest/gtest.h>

#include "stack/congestion/scream.h"
#include "stack/congestion/scream_constants.h"
#include "stack/congestion/scream_delay.h"
#include "stack/congestion/scream_losses.h"
#include "stack/congestion/scream_media_rate.h"
#include "stack/congestion/test_util.h"

namespace rtclab::congestion {
namespace {

using test::At;
using test::Kbps;
using test::Ms;

TEST(ScreamDelayTest, TrendOfARisingQueueByHand) {
  ScreamDelay delay(true);
  for (int i = 1; i <= 20; ++i) delay.SampleTrend(0.001 * i);  // fraction 0.01 i
  // Section 4.1.2: R(1) / R(0) = 565.25 / 665 = 0.85 for a straight line of 20; the average is
  // 0.01 (20 - 9 (1 - 0.9^20)) = 0.120942.
  EXPECT_NEAR(delay.trend(), 0.85 * 0.1209419, 1e-6);
  const double peak = delay.trend();
  EXPECT_EQ(delay.trend_mem(), peak);
  for (int i = 0; i < 20; ++i) delay.SampleTrend(0.020);
  EXPECT_NEAR(delay.trend(), 0, 1e-9);  // steady: no trend
  EXPECT_GT(delay.trend_mem(), 0.8 * peak);
}

TEST(ScreamDelayTest, SamplesEveryFiftyMilliseconds) {
  ScreamDelay often(true);
  ScreamDelay seldom(true);
  for (int i = 1; i <= 100; ++i) often.Update(At(i * 0.01), Ms(i / 5), 0);
  for (int i = 1; i <= 100; i += 5) seldom.Update(At(i * 0.01), Ms(i / 5), 0);
  EXPECT_EQ(often.trend(), seldom.trend());
  EXPECT_GT(often.trend(), 0);
}

TEST(ScreamDelayTest, TargetFollowsASteadyQueue) {
  ScreamDelay delay(true);
  for (int i = 0; i < 200; ++i) delay.AdjustTarget(0.2, 0);
  EXPECT_NEAR(delay.target().millis_f(), 200, 1e-6);  // average 2, variance 0
  delay.AdjustTarget(0.2, 0.003);
  EXPECT_NEAR(delay.target().millis_f(), 300, 1e-6);  // losses: 1.5 times
  for (int i = 0; i < 200; ++i) delay.AdjustTarget(0.9, 0.003);
  EXPECT_EQ(delay.target(), scream::kQdelayTargetHi);
  for (int i = 0; i < 200; ++i) delay.AdjustTarget(0.001, 0);
  EXPECT_EQ(delay.target(), scream::kQdelayTargetLo);
}

TEST(ScreamDelayTest, AVaryingQueueLowersTheTarget) {
  ScreamDelay delay(true);
  for (int i = 0; i < 200; ++i) delay.AdjustTarget(0.3, 0.003);
  EXPECT_EQ(delay.target(), scream::kQdelayTargetHi);
  // Variance of normalised 0.3 and 3.7 exceeds 0.2, the upper limit stays above QDELAY_TARGET_LO.
  for (int i = 0; i < 50; ++i) delay.AdjustTarget(i % 2 ? 0.37 : 0.03, 0);
  const TimeDelta before = delay.target();
  EXPECT_LE(before, scream::kQdelayTargetHi);
  ScreamDelay off(false);
  for (int i = 0; i < 400; ++i) off.Update(At(i * 0.05), Ms(300), 1);
  EXPECT_EQ(off.target(), scream::kQdelayTargetLo);
}

PacketResult ScreamPacket(int64_t id, bool lost = false) {
  PacketResult packet;
  packet.sent.id = id;
  packet.sent.size = DataSize::Bytes(1000);
  if (!lost) packet.received = At(1);
  return packet;
}
TransportFeedback ScreamReport(std::vector<PacketResult> packets) {
  TransportFeedback feedback;
  feedback.packets = std::move(packets);
  return feedback;
}

TEST(ScreamLossesTest, OneEventARoundTrip) {
  ScreamLosses losses;
  const auto lost = [&](double t, int64_t id) {
    return losses.OnFeedback(At(t), ScreamReport({ScreamPacket(id, true), ScreamPacket(id + 1)}),
                             Ms(100));
  };
  EXPECT_TRUE(lost(1.00, 1));
  EXPECT_FALSE(lost(1.05, 3));
  EXPECT_FALSE(lost(1.09, 5));
  EXPECT_TRUE(lost(1.10, 7));
}

TEST(ScreamLossesTest, ALatePacketWidensTheReorderingWindow) {
  ScreamLosses losses;
  losses.OnFeedback(At(1), ScreamReport({ScreamPacket(1, true), ScreamPacket(2)}), Ms(100));
  losses.OnFeedback(At(1.03), ScreamReport({ScreamPacket(1)}), Ms(100));  // 30 ms late
  EXPECT_EQ(losses.reordering_window(), Ms(30));
  // The next gap is no loss while 30 ms have not passed, nor when it is filled by then.
  EXPECT_FALSE(
      losses.OnFeedback(At(2), ScreamReport({ScreamPacket(3, true), ScreamPacket(4)}), Ms(100)));
  EXPECT_FALSE(losses.OnFeedback(At(2.02), ScreamReport({ScreamPacket(3)}), Ms(100)));
  EXPECT_FALSE(losses.OnFeedback(At(2.04), ScreamReport({ScreamPacket(5)}), Ms(100)));
  EXPECT_FALSE(
      losses.OnFeedback(At(3), ScreamReport({ScreamPacket(6, true), ScreamPacket(7)}), Ms(100)));
  EXPECT_TRUE(losses.OnFeedback(At(3.03), ScreamReport({ScreamPacket(8)}), Ms(100)));
}

TEST(ScreamLossesTest, RateCountsRoundTripsWithLoss) {
  ScreamLosses losses;
  losses.OnFeedback(At(1), ScreamReport({ScreamPacket(1, true), ScreamPacket(2)}), Ms(100));
  losses.OnFeedback(At(1.1), ScreamReport({ScreamPacket(3)}), Ms(100));
  EXPECT_NEAR(losses.loss_event_rate(), 0.01, 1e-12);
  losses.OnFeedback(At(1.2), ScreamReport({ScreamPacket(4)}), Ms(100));
  EXPECT_NEAR(losses.loss_event_rate(), 0.0099, 1e-12);
}

// A media rate control that has sent and had acknowledged `kbps` for 200 ms.
void SendFor200Ms(ScreamMediaRate& media, double kbps) {
  SentPacket packet;
  packet.size = DataSize::Bytes(static_cast<int64_t>(kbps * 25));
  media.OnSent(packet);
  media.OnAcknowledged(packet.size);
}

TEST(ScreamMediaRateTest, FastIncreaseRampsUp) {
  ScreamMediaRate media({.min = Kbps(150), .start = Kbps(300), .max = Kbps(1500)});
  SendFor200Ms(media, 300);
  // min(200 kbit/s/s, 150) for 200 ms, scale 1: 30 kbit/s.
  media.Adjust(Ms(200), true, 0, 0);
  EXPECT_NEAR(media.target(), 330'000, 1e-6);
  EXPECT_NEAR(media.rate_transmit(), 300'000, 1e-6);
  EXPECT_NEAR(media.rate_ack(), 300'000, 1e-6);
}

TEST(ScreamMediaRateTest, IncreaseSlowsNearTheLastMaximum) {
  ScreamMediaRate media({.min = Kbps(150), .start = Kbps(300), .max = Kbps(1500)});
  media.OnFastIncreaseEnded();  // target_bitrate_last_max = 300 kbit/s: scale 0.2
  SendFor200Ms(media, 300);
  media.Adjust(Ms(200), true, 0, 0);
  EXPECT_NEAR(media.target(), 306'000, 1e-6);
}

TEST(ScreamMediaRateTest, LossAndEcnEventsReduceByATenth) {
  ScreamMediaRate media({.min = Kbps(150), .start = Kbps(300), .max = Kbps(1500)});
  media.OnLoss();
  EXPECT_NEAR(media.target(), 270'000, 1e-6);
  media.OnEcn();
  EXPECT_NEAR(media.target(), 243'000, 1e-6);
  for (int i = 0; i < 20; ++i) media.OnLoss();
  EXPECT_EQ(media.target(), 150'000);
}

TEST(ScreamMediaRateTest, AQueueReducesTheRate) {
  ScreamMediaRate media({.min = Kbps(150), .start = Kbps(300), .max = Kbps(1500)});
  SendFor200Ms(media, 300);
  media.OnQueue(DataSize::Bytes(5000));  // 40 kbit: 133 ms
  // delta = 300 - 40 kbit, limited to 30 kbit/s; then 0.95 since the queue exceeds 20 ms.
  media.Adjust(Ms(200), false, 0, 0);
  EXPECT_NEAR(media.target(), 330'000 * 0.95, 1e-6);
  // Only the least queue of the interval counts.
  SendFor200Ms(media, 300);
  media.OnQueue(DataSize::Bytes(5000));
  media.OnQueue(DataSize());
  media.OnQueue(DataSize::Bytes(5000));
  EXPECT_EQ(media.Adjust(Ms(200), false, 0, 0), "increase");
}

TEST(ScreamMediaRateTest, TheRateStaysNearWhatTheEncoderMakes) {
  ScreamMediaRate media({.min = Kbps(100), .start = Kbps(1000), .max = Kbps(1500)});
  SendFor200Ms(media, 200);
  // At most twice what is sent, less after congestion.
  EXPECT_EQ(media.Adjust(Ms(200), true, 0, 0.5), "media rate limit");
  EXPECT_NEAR(media.target(), 300'000, 1e-6);
}

// Drives a controller packet by packet: a sender whose packets are acknowledged one by one.
class ScreamPath {
 public:
  ScreamPath() : scream(Config()) {}
  static ControllerConfig Config() {
    ControllerConfig config;
    config.limits = {.min = Kbps(150), .start = Kbps(300), .max = Kbps(1500)};
    return config;
  }
  void Send(double t) {
    scream.OnPacketSent(adapter.OnPacketSent(
        {.id = next_id++, .sent = At(t), .size = DataSize::Bytes(1000), .ssrc = 1}));
  }
  void Ack(double t, int64_t id, double queue_ms = 0, bool marked = false) {
    const PacketReport report{id, At(500 + 0.01 * static_cast<double>(id)) + Ms(queue_ms),
                              marked ? kEcnCongestionExperienced : uint8_t{0}};
    scream.OnFeedback(At(t), adapter.OnFeedback(At(t), std::span(&report, 1)));
  }
  ScreamController scream;
  FeedbackAdapter adapter;
  int64_t next_id = 0;
};

TEST(ScreamControllerTest, FastIncreaseGrowsByWhatIsAcknowledged) {
  ScreamPath path;
  EXPECT_EQ(path.scream.cwnd().bytes(), 3000);
  EXPECT_EQ(path.scream.output().window, DataSize::Bytes(4000));  // one MSS of slack
  for (int i = 0; i < 3; ++i) path.Send(0.01 * i);
  path.Ack(0.1, 0);  // 2000 * 1.5 + 1000 > 3000
  EXPECT_EQ(path.scream.cwnd().bytes(), 4000);
  path.Ack(0.11, 1);  // 1000 * 1.5 + 1000 < 4000: not used
  EXPECT_EQ(path.scream.cwnd().bytes(), 4000);
  EXPECT_EQ(path.scream.output().rtt, Ms(100));
  EXPECT_EQ(path.scream.output().pacing, Kbps(320));  // cwnd * 8 / s_rtt
}

TEST(ScreamControllerTest, LossAndMarksShrinkTheWindow) {
  for (const bool loss : {true, false}) {
    ScreamPath path;
    for (int i = 0; i < 20; ++i) path.Send(0.01 * i);
    for (int i = 0; i < 5; ++i) path.Ack(0.2 + 0.01 * i, i);
    EXPECT_EQ(path.scream.cwnd().bytes(), 8000);
    if (loss) {
      const PacketReport reports[] = {{5, {}, 0}, {6, At(500.06), 0}};
      path.scream.OnFeedback(At(0.25), path.adapter.OnFeedback(At(0.25), reports));
    } else {
      path.Ack(0.25, 5, 0, true);
    }
    EXPECT_EQ(path.scream.cwnd().bytes(), loss ? 6400 : 7200);
    EXPECT_EQ(path.scream.output().target, Kbps(270));
    EXPECT_FALSE(path.scream.in_fast_increase());
    EXPECT_EQ(path.scream.output().reason, loss ? "loss" : "ecn marks");
  }
}

TEST(ScreamControllerTest, OffTargetMovesTheWindowBothWays) {
  ScreamPath path;
  for (int i = 0; i < 40; ++i) path.Send(0.01 * i);
  for (int i = 0; i < 9; ++i) path.Ack(0.4, i);
  path.Ack(0.4, 9, 0, true);  // leaves fast increase: 12000 * 0.9
  ASSERT_EQ(path.scream.cwnd().bytes(), 10'800);
  path.Ack(0.4, 10, 50);  // off target 0.5: + 0.5 * 1000 * 1000 / 10800
  EXPECT_EQ(path.scream.cwnd().bytes(), 10'846);
  path.Ack(0.4, 11, 150);  // off target -0.5
  EXPECT_EQ(path.scream.cwnd().bytes(), 10'800);
  // Above the target the slack of one MSS is gone (section 4.1.2.5).
  EXPECT_EQ(path.scream.output().window, path.scream.cwnd());
}

}  // namespace
}  // namespace rtclab::congestion
