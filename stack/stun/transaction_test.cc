#include "stack/stun/transaction.h"

#include <gtest/gtest.h>

#include <vector>

namespace rtclab::stun {
namespace {

using Action = RetransmitTimer::Action;

// Runs the timer to its end, woken exactly when it asks; returns when it sent, in milliseconds, and last when it failed.
std::vector<int64_t> Play(RetransmitTimer timer, int64_t first_ms) {
  std::vector<int64_t> times = {first_ms};
  while (!timer.Next().IsInfinite()) {
    const Timestamp now = timer.Next();
    EXPECT_EQ(timer.HandleTimeout(now - TimeDelta::Nanos(1)), Action::kNone);
    const Action action = timer.HandleTimeout(now);
    EXPECT_NE(action, Action::kNone);
    times.push_back(now.millis());
    EXPECT_EQ(timer.timed_out(), action == Action::kTimedOut);
  }
  EXPECT_EQ(timer.HandleTimeout(Timestamp::Seconds(1'000'000)), Action::kNone);
  return times;
}

TEST(RetransmitTimerTest, DefaultsGiveTheTimesOfRfc8489Section621) {
  EXPECT_EQ(Play(RetransmitTimer(Timestamp::Zero(), {}), 0),
            (std::vector<int64_t>{0, 500, 1500, 3500, 7500, 15500, 31500, 39500}));
  EXPECT_EQ(Play(RetransmitTimer(Timestamp::Millis(20), {}), 20),
            (std::vector<int64_t>{20, 520, 1520, 3520, 7520, 15520, 31520, 39520}));
}

TEST(RetransmitTimerTest, RcAndRmAreObeyed) {
  const RetransmitPolicy three = {.rto = TimeDelta::Millis(100), .rc = 3, .rm = 4};
  EXPECT_EQ(Play(RetransmitTimer(Timestamp::Zero(), three), 0),
            (std::vector<int64_t>{0, 100, 300, 700}));
  const RetransmitPolicy once = {.rto = TimeDelta::Millis(100), .rc = 1, .rm = 4};
  EXPECT_EQ(Play(RetransmitTimer(Timestamp::Zero(), once), 0), (std::vector<int64_t>{0, 400}));
}

TEST(RetransmitTimerTest, ReliableTransportSendsOnceAndWaitsTi) {
  const RetransmitPolicy reliable = {.reliable = true};
  EXPECT_EQ(Play(RetransmitTimer(Timestamp::Zero(), reliable), 0),
            (std::vector<int64_t>{0, 39500}));
}

TEST(RetransmitTimerTest, LateDriverKeepsTheSchedule) {
  RetransmitTimer timer(Timestamp::Zero(), {});
  EXPECT_EQ(timer.HandleTimeout(Timestamp::Millis(1600)), Action::kRetransmit);
  EXPECT_EQ(timer.Next(), Timestamp::Millis(1500));
  EXPECT_EQ(timer.HandleTimeout(Timestamp::Millis(1600)), Action::kRetransmit);
  EXPECT_EQ(timer.Next(), Timestamp::Millis(3500));
  EXPECT_EQ(timer.HandleTimeout(Timestamp::Millis(1600)), Action::kNone);
  EXPECT_EQ(timer.transmissions(), 3);
}

}  // namespace
}  // namespace rtclab::stun
