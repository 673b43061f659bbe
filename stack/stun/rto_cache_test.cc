#include "stack/stun/rto_cache.h"

#include <gtest/gtest.h>

namespace rtclab::stun {
namespace {

const IpAddress kServer = IpAddress::V4(192, 0, 2, 1);

TEST(RtoCacheTest, UnknownServerGetsTheInitialValue) {
  EXPECT_EQ(RtoCache().Rto(Timestamp::Zero(), kServer), TimeDelta::Millis(500));
}

// RFC 6298 section 2 by hand: 400 ms first: SRTT 400, RTTVAR 200; then 600 ms: RTTVAR 200, SRTT 425.
TEST(RtoCacheTest, FollowsRfc6298) {
  RtoCache cache;
  cache.Answered(Timestamp::Zero(), kServer, TimeDelta::Millis(400), 1);
  EXPECT_EQ(cache.Rto(Timestamp::Zero(), kServer), TimeDelta::Millis(1200));
  cache.Answered(Timestamp::Seconds(1), kServer, TimeDelta::Millis(600), 1);
  EXPECT_EQ(cache.Rto(Timestamp::Seconds(1), kServer), TimeDelta::Millis(1225));
  EXPECT_EQ(cache.Rto(Timestamp::Seconds(1), IpAddress::V4(192, 0, 2, 2)), TimeDelta::Millis(500));
}

TEST(RtoCacheTest, NeverBelowTheInitialValueAndInWholeMilliseconds) {
  RtoCache cache;
  cache.Answered(Timestamp::Zero(), kServer, TimeDelta::Millis(20), 1);
  EXPECT_EQ(cache.Rto(Timestamp::Zero(), kServer), TimeDelta::Millis(500));
  RtoCache fast(TimeDelta::Millis(1));
  fast.Answered(Timestamp::Zero(), kServer, TimeDelta::Micros(10'100), 1);
  EXPECT_EQ(fast.Rto(Timestamp::Zero(), kServer), TimeDelta::Millis(31));  // 30.3
}

TEST(RtoCacheTest, RetransmittedRequestsTeachNothing) {
  RtoCache cache;
  cache.Answered(Timestamp::Zero(), kServer, TimeDelta::Seconds(3), 2);
  EXPECT_EQ(cache.Rto(Timestamp::Zero(), kServer), TimeDelta::Millis(500));
}

TEST(RtoCacheTest, StaleAfterTenMinutesWithoutTransactions) {
  RtoCache cache;
  cache.Answered(Timestamp::Zero(), kServer, TimeDelta::Millis(400), 1);
  EXPECT_EQ(cache.Rto(Timestamp::Millis(599'999), kServer), TimeDelta::Millis(1200));
  EXPECT_EQ(cache.Rto(Timestamp::Seconds(600), kServer), TimeDelta::Millis(500));
  cache.Answered(Timestamp::Seconds(599), kServer, TimeDelta::Millis(1), 2);
  EXPECT_EQ(cache.Rto(Timestamp::Seconds(1000), kServer), TimeDelta::Millis(1200));
}

}  // namespace
}  // namespace rtclab::stun
