// NTP arithmetic, unwrapping, receive statistics.
#include <gtest/gtest.h>

#include "stack/rtp/ntp.h"
#include "stack/rtp/receive_statistics.h"
#include "stack/rtp/unwrapper.h"

namespace rtclab::rtp {
namespace {

// RFC 3550 section 6.4.1, figure 2: A = 46864.500 s, LSR = 46853.125 s, DLSR = 5.250 s.
TEST(NtpTest, RoundTripOfTheRfcsFigure) {
  EXPECT_EQ(RttFromReport(0xb7108000, 0xb7052000, 0x00054000), TimeDelta::Millis(6125));
}

TEST(NtpTest, RoundTripNeedsAReportAndIsNeverNegative) {
  EXPECT_FALSE(RttFromReport(0xb7108000, 0, 0));
  EXPECT_EQ(RttFromReport(0x10000, 0x10000, 1), TimeDelta::Zero());
  EXPECT_EQ(RttFromReport(0x00000010, 0xfffffff0, 0x10), FromCompactNtp(0x10));  // across the wrap
}

TEST(NtpTest, TimesAndSpans) {
  const NtpTime t = NtpTime::From(Timestamp::Millis(1500), 1000);
  EXPECT_EQ(t, (NtpTime{1001, 0x80000000}));
  EXPECT_EQ(t.Middle(), 1001u << 16 | 0x8000);
  EXPECT_EQ(NtpTime::FromU64(t.ToU64()), t);
  EXPECT_EQ(NtpTime::From(Timestamp::Millis(-500), 1000), (NtpTime{999, 0x80000000}));
  EXPECT_EQ(ToCompactNtp(TimeDelta::Millis(5250)), 0x00054000u);
  EXPECT_EQ(ToCompactNtp(TimeDelta::Millis(-1)), 0u);
  EXPECT_EQ(ToCompactNtp(TimeDelta::Seconds(70'000)), 0xFFFFFFFFu);
  EXPECT_EQ(FromCompactNtp(0x00054000), TimeDelta::Millis(5250));
}

TEST(UnwrapperTest, TakesTheNearestValue) {
  SequenceUnwrapper u;
  EXPECT_EQ(u.Unwrap(65530), 65530);
  EXPECT_EQ(u.Unwrap(3), 65539);
  EXPECT_EQ(u.Peek(65535), 65535);
  EXPECT_EQ(u.Unwrap(65535), 65535);
  EXPECT_EQ(u.Unwrap(32766), 65536 + 32766);
  TimestampUnwrapper t;
  EXPECT_EQ(t.Unwrap(5), 5);
  EXPECT_EQ(t.Unwrap(0xFFFFFFFF), -1);
  EXPECT_TRUE(IsNewer<uint16_t>(2, 65535));
  EXPECT_FALSE(IsNewer<uint16_t>(65535, 2));
  EXPECT_FALSE(IsNewer<uint16_t>(7, 7));
}

// Packets of 3000 timestamp units every 33 1/3 ms.
void FeedVideo(ReceiveStatistics& statistics, uint16_t sequence, int index,
               TimeDelta late = TimeDelta::Zero()) {
  statistics.OnPacket(Timestamp::Zero() + TimeDelta::Micros(index * int64_t{1'000'000} / 30) + late,
                      sequence, static_cast<uint32_t>(index) * 3000, DataSize::Bytes(100));
}

TEST(ReceiveStatisticsTest, SourceIsValidAfterTwoInSequence) {
  ReceiveStatistics statistics(1, 90'000);
  FeedVideo(statistics, 10, 0);
  EXPECT_FALSE(statistics.valid());
  EXPECT_FALSE(statistics.Report(Timestamp::Zero()));
  FeedVideo(statistics, 12, 1);  // not the successor: begin again
  EXPECT_FALSE(statistics.valid());
  FeedVideo(statistics, 13, 2);
  EXPECT_TRUE(statistics.valid());
  EXPECT_EQ(statistics.received(), 1);  // A.1 counts from the packet that makes it valid
  EXPECT_EQ(statistics.lost(), 0);
}

TEST(ReceiveStatisticsTest, WithoutProbationTheFirstPacketCounts) {
  ReceiveStatistics statistics(1, 90'000, 0);
  FeedVideo(statistics, 10, 0);
  EXPECT_TRUE(statistics.valid());
  EXPECT_EQ(statistics.received(), 1);
  EXPECT_EQ(statistics.expected(), 1);
}

TEST(ReceiveStatisticsTest, LossByInterval) {
  ReceiveStatistics statistics(7, 90'000, 0);
  for (int i = 0; i < 100; ++i) {
    if (i % 4 != 1) FeedVideo(statistics, static_cast<uint16_t>(65500 + i), i);
  }
  const auto first = statistics.Report(Timestamp::Seconds(4));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->ssrc, 7u);
  EXPECT_EQ(first->fraction_lost, 64);
  EXPECT_EQ(first->cumulative_lost, 25);
  EXPECT_EQ(first->extended_highest_sequence, 65500u + 99);
  for (int i = 100; i < 110; ++i) FeedVideo(statistics, static_cast<uint16_t>(65500 + i), i);
  const auto second = statistics.Report(Timestamp::Seconds(5));
  EXPECT_EQ(second->fraction_lost, 0);
  EXPECT_EQ(second->cumulative_lost, 25);
  EXPECT_EQ(statistics.Report(Timestamp::Seconds(6))->fraction_lost, 0);
}

TEST(ReceiveStatisticsTest, DuplicatesMakeTheLossNegative) {
  ReceiveStatistics statistics(1, 90'000, 0);
  for (int i = 0; i < 4; ++i) {
    FeedVideo(statistics, 5, 0);
  }
  const auto report = statistics.Report(Timestamp::Zero());
  EXPECT_EQ(report->cumulative_lost, -3);
  EXPECT_EQ(report->fraction_lost, 0);
}

TEST(ReceiveStatisticsTest, AJumpIsBelievedWhenItsSuccessorComes) {
  ReceiveStatistics statistics(1, 90'000, 0);
  FeedVideo(statistics, 5, 0);
  FeedVideo(statistics, 20'000, 1);
  EXPECT_EQ(statistics.extended_highest_sequence(), 5u);
  FeedVideo(statistics, 6, 2);
  EXPECT_EQ(statistics.received(), 2);
  FeedVideo(statistics, 20'001, 3);  // the successor of the stray one: a restart
  EXPECT_EQ(statistics.extended_highest_sequence(), 20'001u);
  EXPECT_EQ(statistics.received(), 1);
  EXPECT_EQ(statistics.lost(), 0);
}

TEST(ReceiveStatisticsTest, ReorderedPacketsAreNoJump) {
  ReceiveStatistics statistics(1, 90'000, 0);
  for (const int s : {100, 101, 103, 102, 105, 104})
    FeedVideo(statistics, static_cast<uint16_t>(s), s);
  EXPECT_EQ(statistics.lost(), 0);
  EXPECT_EQ(statistics.extended_highest_sequence(), 105u);
}

TEST(ReceiveStatisticsTest, JitterFollowsTheRecursion) {
  ReceiveStatistics even(1, 90'000, 0);
  for (int i = 0; i < 100; ++i) FeedVideo(even, static_cast<uint16_t>(i), i);
  EXPECT_LE(even.jitter(), 1u);
  // Every other packet 10 ms (900 units) late: |D| is 900 each time, and the estimate goes there.
  ReceiveStatistics uneven(1, 90'000, 0);
  FeedVideo(uneven, 0, 0);
  FeedVideo(uneven, 1, 1, TimeDelta::Millis(10));
  EXPECT_EQ(uneven.jitter(), 900u / 16);
  for (int i = 2; i < 300; ++i)
    FeedVideo(uneven, static_cast<uint16_t>(i), i, TimeDelta::Millis(i % 2 * 10));
  EXPECT_NEAR(uneven.jitter(), 900, 2);
  EXPECT_NEAR(uneven.jitter_time().millis_f(), 10, 0.03);
}

TEST(ReceiveStatisticsTest, ReportsTheLastSenderReport) {
  ReceiveStatistics statistics(1, 48'000, 0);
  statistics.OnPacket(Timestamp::Zero(), 1, 0, DataSize::Bytes(10));
  EXPECT_EQ(statistics.Report(Timestamp::Zero())->last_sender_report, 0u);
  SenderReport sr;
  sr.ntp = {0x1234abcd, 0x56780000};
  statistics.OnSenderReport(Timestamp::Seconds(10), sr);
  const auto report = statistics.Report(Timestamp::Millis(15'250));
  EXPECT_EQ(report->last_sender_report, 0xabcd5678u);
  EXPECT_EQ(report->delay_since_last_sender_report, 0x00054000u);
}

}  // namespace
}  // namespace rtclab::rtp
