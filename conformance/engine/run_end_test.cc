// How runs end before their time: clean-up, interrupts, the time limit.
#include <gmock/gmock.h>

#include <atomic>

#include "conformance/engine/engine_test_util.h"
#include "conformance/engine/test.h"
#include "conformance/socket/real_clock.h"

namespace rtclab::conformance {
namespace {

using stun::Method;
using ::testing::HasSubstr;

std::atomic<int> g_deleted{0};
std::vector<Bytes> CountDeletions(ByteView bytes, const TransportAddress& from) {
  const auto request = stun::MessageView::Parse(bytes);
  if (request && request->method() == Method::kRefresh &&
      request->GetU32(stun::AttributeType::kLifetime) == 0u) {
    ++g_deleted;
  }
  return KindAnswer(bytes, from);
}
void AllocatesAndFails(Test& t) {
  Client client = t.Connect();
  client.Allocate();
  t.Fail("this", "that");
}
void AllocatesAndIsStopped(Test& t) {
  Client client = t.Connect();
  client.Allocate();
  conformance::Interrupt();
  t.Sleep(TimeDelta::Seconds(20));
}

TEST(RunTest, AllocationsAreDeletedHoweverACaseEnds) {
  const FakeUdpServer server(CountDeletions);
  g_deleted = 0;
  RunCases({MakeCase("a", AllocatesAndFails)},
           FakeTarget(server.address(), Transport::kUdp, false));
  EXPECT_EQ(g_deleted, 2);  // it was run again
}

TEST(RunTest, AnInterruptStopsTheRunWithAllocationsReleased) {
  const FakeUdpServer server(CountDeletions);
  g_deleted = 0;
  CaseList cases = {MakeCase("a", AllocatesAndIsStopped)};
  for (int i = 0; i < 20; ++i) cases.push_back(MakeCase("b", Passes));
  RunOptions options;
  options.jobs = 1;
  const RunReport report =
      RunCases(cases, FakeTarget(server.address(), Transport::kUdp, false), options);
  ClearInterrupt();
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_EQ(report.incomplete_why, "stopped by the user");
  EXPECT_LT(report.elapsed, TimeDelta::Seconds(5));
  EXPECT_EQ(g_deleted, 1);
  ASSERT_EQ(report.results.size(), cases.size());
  EXPECT_EQ(report.results.back().verdict.outcome, Outcome::kSkipped);
}

void AllocatesAndSleeps(Test& t) {
  Client client = t.Connect();
  client.Allocate();
  t.Sleep(TimeDelta::Seconds(20));
}

TEST(RunTest, TheTimeLimitEndsTheRunWithAllocationsReleased) {
  // Every answer comes late, that to the clean-up too.
  const FakeUdpServer server([](ByteView bytes, const TransportAddress& from) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    return CountDeletions(bytes, from);
  });
  g_deleted = 0;
  CaseList cases = {MakeCase("a", AllocatesAndSleeps)};
  for (int i = 0; i < 20; ++i) cases.push_back(MakeCase("b", Passes));
  RunOptions options;
  options.jobs = 1;
  options.time_limit = TimeDelta::Millis(1'500);
  const RunReport report =
      RunCases(cases, FakeTarget(server.address(), Transport::kUdp, false), options);
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_EQ(report.incomplete_why,
            "the time limit of 1.5 s was over before 21 of 21 cases had ended");
  EXPECT_LT(report.elapsed, TimeDelta::Seconds(4));
  EXPECT_EQ(g_deleted, 1);
  ASSERT_EQ(report.results.size(), cases.size());
  for (const CaseResult& result : report.results) {
    EXPECT_EQ(result.verdict.outcome, Outcome::kSkipped);
    EXPECT_EQ(result.verdict.reason, "the time of the whole run was over");
  }
  EXPECT_FALSE(report.results.front().exchange.empty());
  EXPECT_TRUE(report.results.back().exchange.empty());
}

TEST(RunTest, ATimeLimitThatIsOverBeforeTheFirstCaseSkipsThemAll) {
  const FakeUdpServer server([](ByteView bytes, const TransportAddress& from) {
    std::this_thread::sleep_for(std::chrono::milliseconds(80));
    return KindAnswer(bytes, from);
  });
  RunOptions options;
  options.time_limit = TimeDelta::Millis(100);
  const RunReport report = RunCases({MakeCase("a", Passes)},
                                    FakeTarget(server.address(), Transport::kUdp, false), options);
  EXPECT_EQ(ExitCode(report), 3);
  EXPECT_THAT(report.incomplete_why, HasSubstr("1 of 1 cases"));
  ASSERT_EQ(report.results.size(), 1u);
  EXPECT_EQ(report.results[0].verdict.outcome, Outcome::kSkipped);
}

}  // namespace
}  // namespace rtclab::conformance
