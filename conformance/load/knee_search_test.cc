#include "conformance/load/knee_search.h"

#include <gtest/gtest.h>

#include "conformance/load/load_json.h"

namespace rtclab::conformance {
namespace {

// A server that carries `knee` packets a second without loss and loses all above it, and a machine that sends `machine` at most.
LoadReport SearchAgainst(LoadPlan plan, double knee, double machine, std::size_t most_steps = 50) {
  plan.ramp = true;
  KneeSearch search(plan);
  LoadReport report;
  report.ended = "out of time";
  std::optional<double> rate = plan.packets_per_s;
  while (rate && report.steps.size() < most_steps) {
    LoadStep& step = report.steps.emplace_back();
    step.wanted_packets_per_s = *rate;
    step.behind = *rate > machine;
    step.sent = static_cast<uint64_t>(std::min(*rate, machine));
    step.received = std::min(step.sent, static_cast<uint64_t>(knee));
    rate = search.Next(step);
    report.best = search.best();
    report.over_limits = search.over_limits();
    if (!rate) report.ended = search.why();
  }
  report.plan = plan;
  return report;
}

LoadPlan FromThousand(double max_rate) {
  LoadPlan plan;
  plan.packets_per_s = 1'000;
  plan.ramp_factor = 2;
  plan.max_packets_per_s = max_rate;
  return plan;
}

TEST(KneeSearchTest, AKneeLiesBelowARateOverTheLimits) {
  const LoadReport report = SearchAgainst(FromThousand(1e6), 5'000, 1e9);
  EXPECT_EQ(report.ended, "the limits were reached");
  ASSERT_TRUE(report.knee());
  // 4,000 is within, 8,000 over; then 6,000, 5,000 and 5,500.
  EXPECT_EQ(report.steps[*report.knee()].wanted_packets_per_s, 5'000);
  EXPECT_FALSE(report.no_knee());
}

TEST(KneeSearchTest, WithoutARateOverTheLimitsThereIsNoKnee) {
  struct Row {
    double knee, machine, max_rate;
    std::size_t most_steps;
    double up_to;
    const char* why;
  };
  constexpr Row kRows[] = {
      {1e9, 1e9, 3'000, 50, 3'000, "the highest rate was reached"},
      {1e9, 2'500, 1e6, 50, 2'500, "this machine could not send faster"},
      {1e9, 1e9, 1e6, 3, 4'000, "out of time"},
      {10, 1e9, 1e6, 50, 0, "all rates were over the limits"},
  };
  for (const Row& row : kRows) {
    const LoadReport report =
        SearchAgainst(FromThousand(row.max_rate), row.knee, row.machine, row.most_steps);
    EXPECT_FALSE(report.knee()) << row.why;
    ASSERT_TRUE(report.no_knee()) << row.why;
    EXPECT_EQ(report.no_knee()->up_to_packets_per_s, row.up_to) << row.why;
    EXPECT_EQ(report.no_knee()->why, row.why);
    EXPECT_EQ(LoadText(report, "turn:x").find("<- knee"), std::string::npos) << row.why;
  }
}

// The machine gives out first, and a refinement below that finds the server's limit.
TEST(KneeSearchTest, AKneeBelowWhatThisMachineSendsIsStillOne) {
  const LoadReport report = SearchAgainst(FromThousand(1e6), 2'600, 3'500);
  EXPECT_EQ(report.ended, "the limits were reached");
  ASSERT_TRUE(report.knee());
  EXPECT_EQ(report.steps[*report.knee()].wanted_packets_per_s, 2'500);
}

}  // namespace
}  // namespace rtclab::conformance
