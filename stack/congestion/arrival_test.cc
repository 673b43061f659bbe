// GCC's arrival-time chain with numbers from draft-ietf-rmcat-gcc-02 sections 5.2 to 5.4.
#include <gtest/gtest.h>

#include "stack/congestion/arrival_filter.h"
#include "stack/congestion/arrival_groups.h"
#include "stack/congestion/overuse_detector.h"
#include "stack/congestion/rates.h"
#include "stack/congestion/test_util.h"

namespace rtclab::congestion {
namespace {

using test::At;
using test::Ms;

GroupDelta Delta(double departure_ms, double arrival_ms, double arrived_ms) {
  return {
      .departure = Ms(departure_ms), .arrival = Ms(arrival_ms), .arrived = At(arrived_ms / 1e3)};
}

TEST(RatesTest, ExponentialMatchesKnownValues) {
  EXPECT_DOUBLE_EQ(Exp(0), 1);
  EXPECT_NEAR(Exp(1), 2.718281828459045, 1e-13);
  EXPECT_NEAR(Exp(-0.5), 0.6065306597126334, 1e-14);
  EXPECT_NEAR(Exp(0.0769610411361284), 1.08, 1e-14);
  EXPECT_NEAR(Exp(10) / 22026.465794806718, 1, 1e-12);
}

TEST(ArrivalGroupsTest, PacketsSentWithinFiveMillisecondsAreOneGroup) {
  ArrivalGroups groups;
  EXPECT_FALSE(groups.OnPacket(At(0.000), At(1.000)));
  EXPECT_FALSE(groups.OnPacket(At(0.005), At(1.006)));  // same group
  EXPECT_FALSE(groups.OnPacket(At(0.020), At(1.023)));  // second group: nothing to compare yet
  const auto delta = groups.OnPacket(At(0.040), At(1.050));
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->departure, Ms(15));
  EXPECT_EQ(delta->arrival, Ms(17));
  EXPECT_EQ(delta->arrived, At(1.023));
  EXPECT_NEAR(delta->delay_variation_ms(), 2, 1e-9);
}

TEST(ArrivalGroupsTest, ABurstAfterAnOutageJoinsItsGroup) {
  ArrivalGroups groups;
  groups.OnPacket(At(0.000), At(1.000));
  groups.OnPacket(At(0.020), At(1.100));  // held back
  // Left 20 ms apart, arrived 1 ms apart: merged.
  EXPECT_FALSE(groups.OnPacket(At(0.040), At(1.101)));
  EXPECT_FALSE(groups.OnPacket(At(0.060), At(1.102)));
  const auto delta = groups.OnPacket(At(0.120), At(1.130));
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->departure, Ms(60));
  EXPECT_EQ(delta->arrival, Ms(102));
}

TEST(ArrivalGroupsTest, SkipsPacketsFromBeforeTheGroup) {
  ArrivalGroups groups;
  groups.OnPacket(At(0.000), At(1.000));
  groups.OnPacket(At(0.020), At(1.020));
  EXPECT_FALSE(groups.OnPacket(At(0.010), At(1.021)));
  const auto delta = groups.OnPacket(At(0.040), At(1.045));
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->departure, Ms(20));
  EXPECT_EQ(delta->arrival, Ms(20));
}

TEST(ArrivalGroupsTest, AClockThatIsSetIsNoQueue) {
  ArrivalGroups groups;
  int compared = 0;
  for (int i = 0; i < 10; ++i) {
    // The receiver's clock jumps by -1,000 s in the middle.
    const auto delta = groups.OnPacket(At(0.02 * i), At((i < 5 ? 2000 : 1000) + 0.02 * i));
    if (!delta) continue;
    ++compared;
    EXPECT_NEAR(delta->delay_variation_ms(), 0, 1e-6);
  }
  EXPECT_EQ(compared, 6);  // three on either side of it
}

TEST(TrendlineTest, FindsTheSlopeOfAGrowingQueue) {
  TrendlineFilter filter;
  double signal = 0;
  // Each group of 5 ms arrives 1 ms later than the one before: delay grows by 1/6 of arrival time.
  for (int i = 1; i <= 19; ++i) signal = filter.Update(Delta(5, 6, 6.0 * i));
  EXPECT_EQ(signal, 0);  // the window of 20 is not full
  for (int i = 20; i <= 250; ++i) signal = filter.Update(Delta(5, 6, 6.0 * i));
  EXPECT_NEAR(filter.slope(), 1.0 / 6, 1e-6);
  EXPECT_NEAR(signal, 60 * 4 / 6.0, 1e-3);  // min(250, 60) * slope * 4
}

TEST(TrendlineTest, IsZeroOnAnEvenPath) {
  TrendlineFilter filter;
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(filter.Update(Delta(5, 5, 5.0 * i)), 0);
}

TEST(KalmanTest, FirstStepByHand) {
  KalmanFilter filter;
  // alpha = 0.99^(30 / (1000 * 0.2)) = 0.998494; z = 5, bounded to 3 for the noise:
  // var = 0.998494 + 0.001506 * 9 = 1.012051; k = 0.101 / 1.113051 = 0.090742.
  const double signal = filter.Update(Delta(5, 10, 10));
  EXPECT_NEAR(filter.noise_variance(), 1.012051, 1e-6);
  EXPECT_NEAR(filter.mean_ms(), 0.453708, 1e-5);
  EXPECT_NEAR(filter.error_variance(), 0.091835, 1e-6);
  EXPECT_DOUBLE_EQ(signal, filter.mean_ms());
}

TEST(KalmanTest, ConvergesToASteadyVariation) {
  KalmanFilter filter;
  double signal = 0;
  for (int i = 1; i <= 400; ++i) signal = filter.Update(Delta(5, 6, 6.0 * i));
  EXPECT_NEAR(filter.mean_ms(), 1, 0.01);
  EXPECT_NEAR(signal, 60, 0.6);
}

TEST(OveruseDetectorTest, NeedsTenMillisecondsAndTwoGroups) {
  OveruseDetector detector(kDeployedOveruse);
  EXPECT_EQ(detector.Update(20, Ms(6), At(1.000)), PathUse::kNormal);  // 3 ms
  EXPECT_EQ(detector.Update(20, Ms(6), At(1.006)), PathUse::kNormal);  // 9 ms
  EXPECT_EQ(detector.Update(20, Ms(6), At(1.012)), PathUse::kOverusing);
}

TEST(OveruseDetectorTest, AFallingSignalIsNotSignalled) {
  OveruseDetector detector(kDeployedOveruse);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(detector.Update(26 - 0.1 * i, Ms(6), At(1 + 0.006 * i)), PathUse::kNormal) << i;
  }
}

TEST(OveruseDetectorTest, UnderuseBelowTheNegativeThreshold) {
  OveruseDetector detector(kDeployedOveruse);
  EXPECT_EQ(detector.Update(-13, Ms(6), At(1)), PathUse::kUnderusing);
  EXPECT_EQ(detector.Update(-5, Ms(6), At(1.006)), PathUse::kNormal);
}

TEST(OveruseDetectorTest, ThresholdFollowsTheSignal) {
  struct Case {
    OveruseParameters parameters;
    double signal;
    double elapsed_ms;
    double expected;
  };
  // 12.5 + elapsed * K * (|m| - 12.5), section 5.4.
  const Case cases[] = {
      {kDraftOveruse, 20, 6, 12.5 + 6 * 0.01 * 7.5},
      {kDraftOveruse, 0, 6, 12.5 - 6 * 0.00018 * 12.5},
      {kDraftOveruse, -20, 6, 12.5 + 6 * 0.01 * 7.5},
      {kDeployedOveruse, 20, 6, 12.8915},
      {kDeployedOveruse, 0, 6, 9.575},
      {kDeployedOveruse, 20, 1000, 12.5 + 100 * 0.0087 * 7.5},  // a gap counts as 100 ms
      {kDeployedOveruse, 27.6, 6, 12.5},                        // more than 15 above: unchanged
      {kDeployedOveruse, 0, 100, 6},                            // not below 6
  };
  for (const Case& c : cases) {
    OveruseDetector detector(c.parameters);
    detector.Update(12.5, Ms(5), At(1));
    detector.Update(c.signal, Ms(5), At(1) + Ms(c.elapsed_ms));
    EXPECT_NEAR(detector.threshold_ms(), c.expected, 1e-9) << c.signal << " " << c.elapsed_ms;
  }
}

}  // namespace
}  // namespace rtclab::congestion
