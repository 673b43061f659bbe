// GCC's rate halves and helpers with numbers computed by hand.
#include <gtest/gtest.h>

#include "stack/congestion/acknowledged_rate.h"
#include "stack/congestion/aimd_rate.h"
#include "stack/congestion/alr_detector.h"
#include "stack/congestion/loss_based.h"
#include "stack/congestion/test_util.h"
#include "stack/congestion/window_pushback.h"

namespace rtclab::congestion {
namespace {

using test::At;
using test::Kbps;
using test::Ms;

AimdRate Aimd(double start_kbps) { return AimdRate(Kbps(start_kbps), Kbps(30), Kbps(10'000)); }

TEST(AimdRateTest, MultiplicativeIncreaseIsEightPercentASecond) {
  AimdRate aimd = Aimd(1000);
  EXPECT_EQ(aimd.Update(At(0), PathUse::kNormal, {}).bps(), 1'001'000);  // at least 1 kbit/s
  EXPECT_NEAR(Bps(aimd.Update(At(1), PathUse::kNormal, {})), 1'081'080, 1);
  // No more than a second counts.
  EXPECT_NEAR(Bps(aimd.Update(At(10), PathUse::kNormal, {})), 1'167'566, 2);
}

TEST(AimdRateTest, IncreaseStopsAtOneAndAHalfTimesTheThroughput) {
  AimdRate aimd = Aimd(1000);
  aimd.Update(At(0), PathUse::kNormal, Kbps(700));
  EXPECT_EQ(aimd.Update(At(1), PathUse::kNormal, Kbps(700)), Kbps(1060));  // 1.5 * 700 + 10
  EXPECT_EQ(aimd.Update(At(2), PathUse::kNormal, Kbps(100)), Kbps(1060));  // never lowers
}

TEST(AimdRateTest, OveruseTakesEightyFivePercentOfTheThroughput) {
  AimdRate aimd = Aimd(1000);
  EXPECT_EQ(aimd.Update(At(1), PathUse::kOverusing, Kbps(800)), Kbps(680));
  EXPECT_EQ(aimd.state(), AimdRate::State::kHold);
  EXPECT_TRUE(aimd.near_capacity());
  EXPECT_EQ(aimd.capacity().estimate(), Kbps(800));
}

TEST(AimdRateTest, OveruseNeverRaises) {
  AimdRate aimd = Aimd(500);
  EXPECT_EQ(aimd.Update(At(1), PathUse::kOverusing, Kbps(900)), Kbps(500));
}

TEST(AimdRateTest, HalvesBeforeAnythingWasMeasured) {
  AimdRate aimd = Aimd(1000);
  EXPECT_EQ(aimd.Update(At(1), PathUse::kOverusing, {}), Kbps(500));
}

TEST(AimdRateTest, AdditiveIncreaseIsHalfAPacketAResponseTime) {
  AimdRate aimd = Aimd(1000);
  aimd.SetRtt(Ms(100));
  aimd.Update(At(1), PathUse::kOverusing, Kbps(800));
  // 680 kbit/s: 22,667 bits a frame in 3 packets of 7,556 bits; 3,778 bits in 200 ms.
  EXPECT_NEAR(aimd.AdditiveBpsPerSecond(), 18'889, 1);
  aimd.Update(At(2), PathUse::kNormal, Kbps(680));
  EXPECT_NEAR(Bps(aimd.Update(At(2.5), PathUse::kNormal, Kbps(680))), 689'444, 2);
}

TEST(AimdRateTest, AdditiveIncreaseIsAtLeastFourKilobitsASecond) {
  AimdRate aimd(Kbps(30), Kbps(10), Kbps(100));
  aimd.SetRtt(Ms(400));
  EXPECT_EQ(aimd.AdditiveBpsPerSecond(), 4000);
}

TEST(AimdRateTest, StatesFollowTheDraftsTable) {
  AimdRate aimd = Aimd(1000);
  EXPECT_EQ(aimd.state(), AimdRate::State::kIncrease);
  aimd.Update(At(1), PathUse::kUnderusing, Kbps(900));
  EXPECT_EQ(aimd.state(), AimdRate::State::kHold);
  aimd.Update(At(2), PathUse::kUnderusing, Kbps(900));
  EXPECT_EQ(aimd.state(), AimdRate::State::kHold);
  EXPECT_EQ(aimd.rate(), Kbps(1000));
  aimd.Update(At(3), PathUse::kNormal, Kbps(900));
  EXPECT_EQ(aimd.state(), AimdRate::State::kIncrease);
  aimd.Update(At(4), PathUse::kOverusing, Kbps(900));
  EXPECT_EQ(aimd.state(), AimdRate::State::kHold);
}

TEST(AimdRateTest, ThroughputAboveTheKnownCapacityForgetsIt) {
  AimdRate aimd = Aimd(1000);
  aimd.Update(At(1), PathUse::kOverusing, Kbps(800));
  aimd.Update(At(2), PathUse::kNormal, Kbps(850));  // within 800 + 3 * 17.9
  EXPECT_TRUE(aimd.near_capacity());
  aimd.Update(At(3), PathUse::kNormal, Kbps(860));
  EXPECT_FALSE(aimd.near_capacity());
}

TEST(AimdRateTest, WaitsForTheEffectOfADecrease) {
  AimdRate aimd = Aimd(1000);
  aimd.SetRtt(Ms(500));
  EXPECT_TRUE(aimd.TimeToReduceFurther(At(1), Kbps(800)));
  aimd.Update(At(1), PathUse::kOverusing, Kbps(800));
  EXPECT_FALSE(aimd.TimeToReduceFurther(At(1.199), Kbps(800)));
  EXPECT_TRUE(aimd.TimeToReduceFurther(At(1.200), Kbps(800)));  // a round trip, at most 200 ms
  EXPECT_TRUE(aimd.TimeToReduceFurther(At(1.010), Kbps(339)));  // less than half the rate arrives
}

TEST(LinkCapacityTest, AverageAndDeviationByHand) {
  LinkCapacity capacity;
  EXPECT_EQ(capacity.upper(), DataRate::PlusInfinity());
  capacity.OnOveruse(Kbps(800));
  EXPECT_NEAR(Bps(capacity.upper()), 853'666, 1);  // 800 + 3 * sqrt(0.4 * 800)
  EXPECT_NEAR(Bps(capacity.lower()), 746'334, 1);
  capacity.OnOveruse(Kbps(900));
  EXPECT_NEAR(Bps(capacity.estimate()), 805'000, 1);
  // Variance 0.95 * 0.4 + 0.05 * 95^2 / 805 = 0.94056.
  EXPECT_NEAR(Bps(capacity.upper()), 805'000 + 3 * 27'516.4, 5);
}

TEST(LossBasedTest, ThreeRangesOfSectionSix) {
  struct Case {
    double loss;
    double expected_kbps;
  };
  for (const Case& c : {Case{0.20, 900}, Case{0.11, 945}, Case{0.10, 1000}, Case{0.05, 1000},
                        Case{0.02, 1000}, Case{0.01, 1081}, Case{0.0, 1081}}) {
    LossBasedRate rate(Kbps(1000));
    rate.OnLoss(At(1), c.loss, Ms(100));
    EXPECT_NEAR(Bps(rate.rate()), c.expected_kbps * 1000, 1) << c.loss;
  }
}

TEST(LossBasedTest, IncreaseIsMeasuredFromTheLeastRateOfASecond) {
  LossBasedRate rate(Kbps(1000));
  rate.OnLoss(At(1.0), 0, Ms(100));
  rate.OnLoss(At(1.5), 0, Ms(100));
  EXPECT_EQ(rate.rate(), Kbps(1081));
  rate.OnLoss(At(2.1), 0, Ms(100));  // 1,000 was more than a second ago
  EXPECT_NEAR(Bps(rate.rate()), 1'081'000 * 1.08 + 1000, 1);
}

TEST(LossBasedTest, DecreasesAtMostEveryRoundTripAndThreeHundredMilliseconds) {
  LossBasedRate rate(Kbps(1000));
  rate.OnLoss(At(1.0), 0.2, Ms(100));
  rate.OnLoss(At(1.399), 0.2, Ms(100));
  EXPECT_EQ(rate.rate(), Kbps(900));
  rate.OnLoss(At(1.4), 0.2, Ms(100));
  EXPECT_EQ(rate.rate(), Kbps(810));
}

TEST(LossBasedTest, ReportsEveryTwentyPackets) {
  TransportFeedback feedback;
  feedback.packets.resize(10);
  for (int i = 1; i < 10; ++i) feedback.packets[static_cast<std::size_t>(i)].received = At(1);
  LossBasedRate rate(Kbps(1000));
  EXPECT_FALSE(rate.OnFeedback(At(1), feedback, Ms(100)));
  EXPECT_TRUE(rate.OnFeedback(At(1.05), feedback, Ms(100)));
  EXPECT_DOUBLE_EQ(rate.loss(), 0.1);
}

TEST(LossBasedTest, UpperBoundFallsWithLoss) {
  LossBasedRate rate(Kbps(1000));
  rate.OnLoss(At(1), 0.05, Ms(100));
  EXPECT_TRUE(rate.UpperBound().IsInfinite());
  LossBasedRate lossy(Kbps(1000));
  lossy.OnLoss(At(1), 0.20, Ms(100));
  EXPECT_NEAR(Bps(lossy.UpperBound()), 500'000, 1);  // 75 / (0.20 - 0.05)
}

TEST(AcknowledgedRateTest, WindowsAndBayesianUpdateByHand) {
  AcknowledgedRate rate;
  int ms = 0;
  const auto feed = [&](int until_ms, int bytes) {
    for (; ms < until_ms; ++ms) rate.OnPacket(At(ms / 1000.0), DataSize::Bytes(bytes));
  };
  feed(500, 125);
  EXPECT_FALSE(rate.rate());  // 500 ms are not over yet
  feed(501, 125);
  EXPECT_EQ(rate.rate(), Kbps(1000));
  feed(651, 125);
  EXPECT_EQ(rate.rate(), Kbps(1000));
  EXPECT_DOUBLE_EQ(rate.variance(), 0);
  // The packet at 650 ms was of the old size: 1 + 149 * 2 kbit in 150 ms make 1,993.3 kbit/s.
  feed(801, 250);
  const double sample = 1993.0 + 1.0 / 3;
  const double uncertainty = (sample - 1000) / 100;
  const double variance = uncertainty * uncertainty;
  EXPECT_NEAR(Bps(*rate.rate()), (variance * 1000 + 5 * sample) / (variance + 5) * 1000, 1);
  EXPECT_NEAR(rate.variance(), variance * 5 / (variance + 5), 1e-9);
}

TEST(AcknowledgedRateTest, SurvivesAClockThatIsSetBack) {
  AcknowledgedRate rate;
  for (int ms = 0; ms < 1000; ++ms) rate.OnPacket(At(5000 + ms / 1e3), DataSize::Bytes(125));
  for (int ms = 0; ms < 10'000; ++ms) rate.OnPacket(At(100 + ms / 1e3), DataSize::Bytes(250));
  EXPECT_NEAR(Bps(*rate.rate()), 2e6, 1e4);
}

TEST(AlrDetectorTest, BeginsAndEndsByItsBudget) {
  AlrDetector alr;
  alr.SetEstimate(Kbps(1000));  // a budget of 650 kbit/s, at most 325 kbit
  alr.OnBytesSent(At(0), DataSize::Bytes(125));
  EXPECT_FALSE(alr.started());
  alr.OnBytesSent(At(0.39), DataSize::Bytes(125));  // 251.5 kbit left: 77 %
  EXPECT_FALSE(alr.started());
  alr.OnBytesSent(At(0.5), DataSize::Bytes(125));  // 322 kbit
  EXPECT_EQ(alr.started(), At(0.5));
  alr.OnBytesSent(At(0.5), DataSize::Bytes(19'900));  // 159.2 kbit less: 50.1 %
  EXPECT_TRUE(alr.started());
  alr.OnBytesSent(At(0.5), DataSize::Bytes(125));
  EXPECT_FALSE(alr.started());
  EXPECT_EQ(alr.ended(), At(0.5));
}

TEST(AlrDetectorTest, ASenderAtItsRateIsNotLimited) {
  AlrDetector alr;
  alr.SetEstimate(Kbps(1000));
  for (int i = 0; i < 1000; ++i) {
    alr.OnBytesSent(At(i * 0.01), DataSize::Bytes(1000));  // 800 kbit/s
    EXPECT_FALSE(alr.started());
  }
}

TEST(WindowPushbackTest, TakesAndGivesBackByFill) {
  WindowPushback pushback;
  pushback.SetWindow(Kbps(1000), Ms(50));
  EXPECT_EQ(pushback.window(), DataSize::Bytes(50'000));  // 1 Mbit/s for 400 ms
  pushback.Update(DataSize::Bytes(75'001));
  EXPECT_DOUBLE_EQ(pushback.ratio(), 0.9);
  pushback.Update(DataSize::Bytes(50'001));
  EXPECT_DOUBLE_EQ(pushback.ratio(), 0.9 * 0.95);
  EXPECT_EQ(pushback.Apply(Kbps(1000), Kbps(900)), Kbps(900));
  EXPECT_EQ(pushback.Apply(Kbps(1000), Kbps(100)), Kbps(855));
  pushback.Update(DataSize::Bytes(40'000));
  EXPECT_DOUBLE_EQ(pushback.ratio(), 0.9 * 0.95 * 1.05);
  pushback.Update(DataSize::Bytes(4'999));
  EXPECT_DOUBLE_EQ(pushback.ratio(), 1);
}

}  // namespace
}  // namespace rtclab::congestion
