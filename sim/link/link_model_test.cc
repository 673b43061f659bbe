#include "sim/link/link_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/link/link_rules.h"

namespace rtclab::sim {
namespace {

constexpr uint64_t kSeed = 20260;  // every statistic below is of this seed

// A count of n draws with probability p: within five standard deviations.
void ExpectBinomial(int64_t count, int64_t n, double p) {
  const double sigma = std::sqrt(static_cast<double>(n) * p * (1 - p));
  EXPECT_NEAR(static_cast<double>(count), static_cast<double>(n) * p, 5 * sigma)
      << "seed " << kSeed;
}

LinkModel Make(const LinkBehaviour& behaviour, uint64_t seed = kSeed) {
  return LinkModel(behaviour, seed, "test/up");
}

TEST(LinkModelTest, IdealLinkDeliversAtOnce) {
  LinkModel link = Make({});
  EXPECT_TRUE(link.ideal());
  EXPECT_EQ(link.Send(Timestamp::Millis(3), 1500).arrival, Timestamp::Millis(3));
}

TEST(LinkModelTest, DelayAndRateAreExact) {
  LinkBehaviour behaviour;
  behaviour.rate = DataRate::MegabitsPerSec(10);
  behaviour.delay = TimeDelta::Millis(20);
  LinkModel link = Make(behaviour);
  EXPECT_FALSE(link.ideal());
  // 1,250 bytes are 10,000 bits: 1 ms. The second waits for the first.
  EXPECT_EQ(link.Send(Timestamp::Zero(), 1250).arrival, Timestamp::Millis(21));
  EXPECT_EQ(link.Send(Timestamp::Zero(), 1250).arrival, Timestamp::Millis(22));
  EXPECT_EQ(link.Send(Timestamp::Millis(50), 125).arrival,
            Timestamp::Millis(70) + TimeDelta::Micros(100));
}

TEST(LinkModelTest, BackToBackPacketsLoseNoFractionOfANanosecond) {
  LinkBehaviour behaviour;
  behaviour.rate = DataRate::BitsPerSec(7'000'000);
  behaviour.queue_packets = 1'000'000;
  LinkModel link = Make(behaviour);
  Timestamp last;
  for (int i = 0; i < 7000; ++i) last = link.Send(Timestamp::Zero(), 125).arrival;
  EXPECT_EQ(last, Timestamp::Seconds(1));  // 7,000 packets of 1,000 bits
}

TEST(LinkModelTest, QueueHoldsWhatItHoldsBesideThePacketBeingSent) {
  LinkBehaviour behaviour;
  behaviour.rate = DataRate::MegabitsPerSec(1);
  behaviour.queue_packets = 3;
  LinkModel link = Make(behaviour);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(link.Send(Timestamp::Zero(), 125).rule, nullptr) << i;
  EXPECT_EQ(link.Waiting(Timestamp::Zero()), 3u);
  EXPECT_STREQ(link.Send(Timestamp::Zero(), 125).rule, link_rule::kQueueFull);
  // At 1 ms the first has left and the second is being sent: one place is free.
  EXPECT_EQ(link.Waiting(Timestamp::Millis(1)), 2u);
  EXPECT_EQ(link.Send(Timestamp::Millis(1), 125).arrival, Timestamp::Millis(5));
  EXPECT_STREQ(link.Send(Timestamp::Millis(1), 125).rule, link_rule::kQueueFull);
}

TEST(LinkModelTest, ZeroQueueTakesOnlyWhatCanBeSentNow) {
  LinkBehaviour behaviour;
  behaviour.rate = DataRate::MegabitsPerSec(1);
  behaviour.queue_packets = 0;
  LinkModel link = Make(behaviour);
  EXPECT_EQ(link.Send(Timestamp::Zero(), 125).rule, nullptr);
  EXPECT_STREQ(link.Send(Timestamp::Nanos(999'999), 125).rule, link_rule::kQueueFull);
  EXPECT_EQ(link.Send(Timestamp::Millis(1), 125).rule, nullptr);
}

TEST(LinkModelTest, ByteLimitCountsWhatIsLeftOfThePacketBeingSent) {
  LinkBehaviour behaviour;
  behaviour.rate = DataRate::MegabitsPerSec(1);  // 125 bytes a millisecond
  behaviour.queue_bytes = 500;
  LinkModel link = Make(behaviour);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(link.Send(Timestamp::Zero(), 125).rule, nullptr) << i;
  EXPECT_STREQ(link.Send(Timestamp::Zero(), 125).rule, link_rule::kQueueFull);
  // After 0.8 ms 400 bytes are left: 100 fit, 101 do not.
  const Timestamp later = Timestamp::Nanos(800'000);
  EXPECT_STREQ(link.Send(later, 101).rule, link_rule::kQueueFull);
  EXPECT_EQ(link.Send(later, 100).arrival, later + TimeDelta::Millis(4));
  // An idle link takes a packet that is larger than its queue.
  EXPECT_EQ(link.Send(Timestamp::Seconds(1), 1500).rule, nullptr);
}

TEST(LinkModelTest, TheNarrowerOfPacketsAndBytesLimitsTheQueue) {
  LinkBehaviour behaviour;
  behaviour.rate = DataRate::MegabitsPerSec(1);
  behaviour.queue_bytes = 10'000;
  behaviour.queue_packets = 1;
  LinkModel link = Make(behaviour);
  EXPECT_EQ(link.Send(Timestamp::Zero(), 125).rule, nullptr);
  EXPECT_EQ(link.Send(Timestamp::Zero(), 125).rule, nullptr);
  EXPECT_STREQ(link.Send(Timestamp::Zero(), 125).rule, link_rule::kQueueFull);
}

TEST(LinkModelTest, AChangeSetsWhatItNamesAndNothingElse) {
  LinkBehaviour behaviour;
  behaviour.rate = DataRate::MegabitsPerSec(1);
  behaviour.delay = TimeDelta::Millis(5);
  LinkModel link = Make(behaviour);
  link.Change({.delay = TimeDelta::Millis(9)});
  EXPECT_EQ(link.behaviour().rate, DataRate::MegabitsPerSec(1));
  EXPECT_EQ(link.Send(Timestamp::Zero(), 125).arrival, Timestamp::Millis(10));
  link.Change({.rate = DataRate::MegabitsPerSec(2)});
  EXPECT_EQ(link.behaviour().delay, TimeDelta::Millis(9));
  EXPECT_EQ(link.TransmissionTime(125), TimeDelta::Micros(500));
  link.Change({.loss = 1.0});
  EXPECT_STREQ(link.Send(Timestamp::Seconds(1), 125).rule, link_rule::kLoss);
  link.Change({.loss = 0.0});
  EXPECT_EQ(link.Send(Timestamp::Seconds(2), 125).rule, nullptr);
}

// A shorter delay takes effect for what is sent later, and without `reorder` nothing overtakes.
TEST(LinkModelTest, AShorterDelayDoesNotReorder) {
  LinkBehaviour behaviour;
  behaviour.delay = TimeDelta::Millis(100);
  LinkModel link = Make(behaviour);
  EXPECT_EQ(link.Send(Timestamp::Zero(), 100).arrival, Timestamp::Millis(100));
  link.Change({.delay = TimeDelta::Millis(10)});
  EXPECT_EQ(link.Send(Timestamp::Millis(20), 100).arrival, Timestamp::Millis(100));
  EXPECT_EQ(link.Send(Timestamp::Millis(200), 100).arrival, Timestamp::Millis(210));
}

TEST(LinkModelTest, AnIdealLinkIsNoneAfterAChangeOrAFirstRate) {
  LinkModel changed = Make({});
  changed.Change({.delay = TimeDelta::Millis(1)});
  EXPECT_FALSE(changed.ideal());
  LinkModel limited = Make({});
  limited.SetFirstRate(DataRate::MegabitsPerSec(1));
  EXPECT_FALSE(limited.ideal());
  EXPECT_EQ(limited.Send(Timestamp::Zero(), 125).arrival, Timestamp::Millis(1));
}

TEST(LinkModelTest, IndependentLossHasItsRateAndNoMemory) {
  LinkBehaviour behaviour;
  behaviour.loss = 0.1;
  LinkModel link = Make(behaviour);
  constexpr int kPackets = 100'000;
  int lost = 0, lost_after_loss = 0, after_loss = 0;
  bool last = false;
  for (int i = 0; i < kPackets; ++i) {
    const LinkFate fate = link.Send(Timestamp::Millis(i), 100);
    const bool now = fate.rule != nullptr;
    if (now) {
      EXPECT_STREQ(fate.rule, link_rule::kLoss);
    }
    lost += now;
    after_loss += last;
    lost_after_loss += last && now;
    last = now;
  }
  ExpectBinomial(lost, kPackets, 0.1);
  ExpectBinomial(lost_after_loss, after_loss, 0.1);
}

TEST(LinkModelTest, GilbertElliottLosesInBurstsOfItsMeanLength) {
  LinkBehaviour behaviour;
  behaviour.burst_loss = GilbertElliott{0.01, 0.2, 0, 1};
  LinkModel link = Make(behaviour);
  constexpr int kPackets = 400'000;
  int lost = 0, bursts = 0;
  bool last = false;
  for (int i = 0; i < kPackets; ++i) {
    const LinkFate fate = link.Send(Timestamp::Millis(i), 100);
    const bool now = fate.rule != nullptr;
    if (now) {
      EXPECT_STREQ(fate.rule, link_rule::kBurstLoss);
    }
    lost += now;
    bursts += now && !last;
    last = now;
  }
  // The share of time in the bad state is p/(p+r), a burst lasts 1/r packets.
  EXPECT_NEAR(lost / double{kPackets}, 0.01 / 0.21, 0.003) << "seed " << kSeed;
  EXPECT_NEAR(lost / static_cast<double>(bursts), 5.0, 0.25) << "seed " << kSeed;
}

TEST(LinkModelTest, DuplicationAndCorruptionHaveTheirRates) {
  LinkBehaviour behaviour;
  behaviour.duplication = 0.05;
  behaviour.corruption = 0.02;
  LinkModel link = Make(behaviour);
  constexpr int kPackets = 100'000;
  int duplicated = 0, corrupted = 0;
  uint32_t lowest = UINT32_MAX, highest = 0;
  for (int i = 0; i < kPackets; ++i) {
    const LinkFate fate = link.Send(Timestamp::Millis(i), 100);
    EXPECT_EQ(fate.rule, nullptr);
    duplicated += fate.duplicate.has_value();
    if (!fate.flipped_bit) continue;
    ++corrupted;
    lowest = std::min(lowest, *fate.flipped_bit);
    highest = std::max(highest, *fate.flipped_bit);
  }
  ExpectBinomial(duplicated, kPackets, 0.05);
  ExpectBinomial(corrupted, kPackets, 0.02);
  EXPECT_LT(lowest, 20u);
  EXPECT_GT(highest, 780u);
  EXPECT_LT(highest, 800u);
}

std::vector<Timestamp> ArrivalsWithJitter(bool reorder) {
  LinkBehaviour behaviour;
  behaviour.delay = TimeDelta::Millis(50);
  behaviour.jitter = TimeDelta::Millis(10);
  behaviour.reorder = reorder;
  LinkModel link = Make(behaviour);
  std::vector<Timestamp> arrivals;
  for (int i = 0; i < 20'000; ++i) arrivals.push_back(link.Send(Timestamp::Millis(i), 100).arrival);
  return arrivals;
}

TEST(LinkModelTest, JitterIsHalfNormalAndMayReorder) {
  const std::vector<Timestamp> arrivals = ArrivalsWithJitter(true);
  double sum = 0;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const double extra = arrivals[i].millis_f() - static_cast<double>(i) - 50;
    EXPECT_GE(extra, 0);
    sum += extra;
  }
  // The mean of |Normal(0, s)| is s * sqrt(2/pi); its deviation 0.6 s.
  EXPECT_NEAR(sum / static_cast<double>(arrivals.size()), 10 * std::sqrt(2 / M_PI), 0.22)
      << "seed " << kSeed;
  EXPECT_FALSE(std::is_sorted(arrivals.begin(), arrivals.end()));
}

TEST(LinkModelTest, JitterWithoutReorderingKeepsTheOrder) {
  const std::vector<Timestamp> arrivals = ArrivalsWithJitter(false);
  EXPECT_TRUE(std::is_sorted(arrivals.begin(), arrivals.end()));
  EXPECT_GT(arrivals[0], Timestamp::Millis(50));
}

TEST(LinkModelTest, SameSeedSameFateAndOtherSeedAnother) {
  LinkBehaviour behaviour;
  behaviour.loss = 0.5;
  LinkModel a = Make(behaviour), b = Make(behaviour), other = Make(behaviour, kSeed + 1);
  int same = 0, differs = 0;
  for (int i = 0; i < 1000; ++i) {
    const bool lost = a.Send(Timestamp::Millis(i), 100).rule != nullptr;
    same += lost == (b.Send(Timestamp::Millis(i), 100).rule != nullptr);
    differs += lost != (other.Send(Timestamp::Millis(i), 100).rule != nullptr);
  }
  EXPECT_EQ(same, 1000);
  EXPECT_GT(differs, 400);
}

// Adding an impairment must not move another's draws.
TEST(LinkModelTest, ImpairmentsDoNotShiftEachOther) {
  LinkBehaviour plain;
  plain.loss = 0.1;
  LinkBehaviour more = plain;
  more.duplication = 0.3;
  more.corruption = 0.3;
  more.jitter = TimeDelta::Millis(1);
  LinkModel a = Make(plain), b = Make(more);
  for (int i = 0; i < 2000; ++i) {
    EXPECT_EQ(a.Send(Timestamp::Millis(i), 100).rule, b.Send(Timestamp::Millis(i), 100).rule) << i;
  }
}

TEST(LinkModelTest, LossAndDuplicationDoNotShiftTheJitter) {
  LinkBehaviour plain;
  plain.jitter = TimeDelta::Millis(1);
  plain.reorder = true;
  LinkBehaviour lossy = plain;
  lossy.loss = 0.3;
  lossy.duplication = 0.3;
  LinkModel a = Make(plain), b = Make(lossy);
  int arrived = 0;
  for (int i = 0; i < 2000; ++i) {
    const LinkFate without = a.Send(Timestamp::Millis(i), 100);
    const LinkFate with = b.Send(Timestamp::Millis(i), 100);
    if (with.rule != nullptr) continue;
    EXPECT_EQ(without.arrival, with.arrival) << i;
    ++arrived;
  }
  EXPECT_GT(arrived, 1000);
}

}  // namespace
}  // namespace rtclab::sim
