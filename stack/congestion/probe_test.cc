// Probing: when, how fast, and what a cluster measured.
#include <gtest/gtest.h>

#include "stack/congestion/probe_control.h"
#include "stack/congestion/probe_estimator.h"
#include "stack/congestion/test_util.h"

namespace rtclab::congestion {
namespace {

using test::At;
using test::Kbps;
using test::Ms;

std::vector<int64_t> DrainProbes(ProbeControl& control) {
  std::vector<int64_t> kbps;
  while (auto cluster = control.Poll()) kbps.push_back(cluster->rate.bps() / 1000);
  return kbps;
}
using Rates = std::vector<int64_t>;

TEST(ProbeControlTest, BeginsAtThreeAndSixTimesTheStartRate) {
  ProbeControl control(Kbps(100), Kbps(5000));
  control.SetStart(Kbps(300));
  control.Start(At(0));
  EXPECT_EQ(DrainProbes(control), (Rates{900, 1800}));
  control.Start(At(1));
  EXPECT_EQ(DrainProbes(control), Rates{});
}

TEST(ProbeControlTest, GoesOnWhileProbesFindWhatTheyAskFor) {
  ProbeControl control(Kbps(300), Kbps(5000));
  control.Start(At(0));
  DrainProbes(control);
  control.OnProbeResult(At(0.1), Kbps(1259));  // below 70 % of 1,800
  EXPECT_EQ(DrainProbes(control), Rates{});
  control.OnProbeResult(At(0.1), Kbps(1260));
  EXPECT_EQ(DrainProbes(control), Rates{2520});
  control.OnProbeResult(At(0.2), Kbps(2510));
  EXPECT_EQ(DrainProbes(control), Rates{5000});  // limited by the maximum: the last
  control.OnProbeResult(At(0.3), Kbps(5000));
  EXPECT_EQ(DrainProbes(control), Rates{});
}

TEST(ProbeControlTest, GivesUpWaitingAfterASecond) {
  ProbeControl control(Kbps(300), Kbps(5000));
  control.Start(At(0));
  DrainProbes(control);
  EXPECT_EQ(control.NextTimeout(), At(1));
  control.HandleTimeout(At(1));
  control.OnProbeResult(At(1.1), Kbps(1800));
  EXPECT_EQ(DrainProbes(control), Rates{});
}

TEST(ProbeControlTest, ProbesEveryFiveSecondsWhileApplicationLimited) {
  ProbeControl control(Kbps(300), Kbps(300));  // starts complete: limited by the maximum
  control.Start(At(0));
  DrainProbes(control);
  control.SetMax(At(0), Kbps(5000));
  control.SetEstimate(At(1), Kbps(400));
  EXPECT_EQ(control.NextTimeout(), Timestamp::PlusInfinity());
  control.SetAlr(At(2), {});
  EXPECT_EQ(control.NextTimeout(), At(7));
  control.HandleTimeout(At(6.9));
  EXPECT_EQ(DrainProbes(control), Rates{});
  control.HandleTimeout(At(7));
  EXPECT_EQ(DrainProbes(control), Rates{800});
  control.HandleTimeout(At(8));  // no answer
  EXPECT_EQ(control.NextTimeout(), At(12));
}

TEST(ProbeControlTest, ProbesOnRecoveryWhenApplicationLimited) {
  for (const bool limited : {true, false}) {
    ProbeControl control(Kbps(300), Kbps(300));
    control.Start(At(0));
    control.SetMax(At(0), Kbps(5000));
    DrainProbes(control);
    if (limited) control.SetAlr({}, At(9));
    control.SetEstimate(At(8), Kbps(1000));
    control.SetEstimate(At(10), Kbps(650));  // below 66 %
    control.OnRecovered(At(11));
    EXPECT_EQ(DrainProbes(control), limited ? Rates{850} : Rates{});
    control.OnRecovered(At(12));  // within 5 s of the one before
    EXPECT_EQ(DrainProbes(control), Rates{});
  }
}

TEST(ProbeControlTest, ProbesARaisedMaximumThatHeldItBack) {
  ProbeControl control(Kbps(300), Kbps(500));
  control.Start(At(0));
  DrainProbes(control);
  control.SetEstimate(At(1), Kbps(500));
  control.SetMax(At(2), Kbps(2000));
  EXPECT_EQ(DrainProbes(control), Rates{2000});
}

// Packets of 1,000 bytes that leave 4 ms apart (2 Mbit/s) and arrive `gap_ms` apart.
std::optional<DataRate> RunProbe(int packets, double gap_ms) {
  ProbeEstimator estimator;
  estimator.AddCluster(At(0), {.id = 7, .rate = Kbps(2000)});  // at least 3,750 bytes
  std::optional<DataRate> result;
  for (int i = 0; i < packets; ++i) {
    PacketResult packet;
    packet.sent.sent = At(0.004 * i);
    packet.sent.size = DataSize::Bytes(1000);
    packet.sent.probe_cluster = 7;
    packet.received = At(100) + Ms(gap_ms * i);
    result = estimator.OnPacket(packet);
  }
  return result;
}

TEST(ProbeEstimatorTest, TakesTheLesserRate) {
  EXPECT_FALSE(RunProbe(3, 4));  // not yet 80 % of 5 packets
  EXPECT_EQ(RunProbe(4, 4), Kbps(2000));
  EXPECT_EQ(RunProbe(5, 3), Kbps(2000));
  EXPECT_NEAR(Bps(*RunProbe(5, 4.1)), 2e6 * 4 / 4.1, 1);
}

TEST(ProbeEstimatorTest, AFilledPathGivesNinetyFivePercentOfWhatArrived) {
  EXPECT_EQ(RunProbe(5, 8), Kbps(950));
}

TEST(ProbeEstimatorTest, DistrustsBundledArrivals) {
  EXPECT_FALSE(RunProbe(5, 1.9));
  EXPECT_FALSE(RunProbe(5, 0));
}

TEST(ProbeEstimatorTest, IgnoresOtherPackets) {
  ProbeEstimator estimator;
  estimator.AddCluster(At(0), {.id = 1, .rate = Kbps(100)});
  PacketResult packet;
  packet.sent.probe_cluster = 2;
  packet.received = At(1);
  EXPECT_FALSE(estimator.OnPacket(packet));
  packet.sent.probe_cluster = 1;
  packet.received.reset();
  EXPECT_FALSE(estimator.OnPacket(packet));
}

}  // namespace
}  // namespace rtclab::congestion
