#include "results/report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/test_data.h"

namespace rtclab::results {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SummaryTest, DigestTakesTheFurthestType) {
  EXPECT_EQ(DigestOf(PassedRun("a")).outcome, "relay");
  results::Run run = PassedRun("a");
  run.sessions[0].selected_pair->local.type = "host";
  run.sessions[0].selected_pair->remote.type = "prflx";
  EXPECT_EQ(DigestOf(run).outcome, "prflx");
  EXPECT_EQ(DigestOf(FailedRun("b")).outcome, "failed");
  EXPECT_EQ(DigestOf(ErrorRun("c")).outcome, "error");
  run.sessions.clear();
  EXPECT_EQ(DigestOf(run).outcome, "endpoint-independent/address-dependent");
}

TEST(SummaryTest, OneLineAScenarioAndATotal) {
  std::vector<Digest> digests;
  for (const results::Run& run : ExampleSuite().runs) digests.push_back(DigestOf(run));
  const Terminal t{.width = 100};
  std::string table = SummaryTable(digests, t);
  EXPECT_THAT(table, HasSubstr("nat-matrix     3     1     1     1"));
  EXPECT_THAT(table, HasSubstr("301.0   301.0   301.0"));
  EXPECT_THAT(table, Not(HasSubstr("total")));
  digests.push_back(digests.front());
  digests.back().scenario = "other";
  table = SummaryTable(digests, t);
  EXPECT_THAT(table, HasSubstr("total          4     2     1     1"));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
}

TEST(SummaryTest, TableFitsAHundredColumns) {
  const std::vector<Digest> digests = {DigestOf(PassedRun("a"))};
  const std::string table = SummaryTable(digests, {.width = 100});
  EXPECT_LE(table.find('\n'), 100U) << table;
}

TEST(SummaryTest, FailureSaysExpectedActualAndWhy) {
  const std::string text = FailureReport(FailedRun("b"), {.width = 100});
  EXPECT_THAT(text, HasSubstr("FAIL b\n"));
  EXPECT_THAT(text, HasSubstr("/expect/call/state"));
  EXPECT_THAT(text, HasSubstr("expected  failed"));
  EXPECT_THAT(text, HasSubstr("actual    connected"));
  EXPECT_THAT(text, HasSubstr("why call: The NAT of bob"));
  EXPECT_THAT(text, HasSubstr("3 x nat.filter.address-and-port-dependent at nat/b"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(FailureReport(ErrorRun("c"), {.width = 100}),
              HasSubstr("ERROR c\n  crashed: SIGSEGV"));
}

TEST(SummaryTest, AFailedProbeIsNoSession) {
  results::Run run = FailedRun("p");
  run.sessions.clear();
  run.probes[0].state = "failed";
  const Digest d = DigestOf(run);
  EXPECT_EQ(d.outcome, "failed");
  EXPECT_THAT(SummaryTable(std::vector{d}, {.width = 100}), Not(HasSubstr("none")));
  EXPECT_THAT(SummaryTable(std::vector{DigestOf(FailedRun("s"))}, {.width = 100}),
              HasSubstr("none"));
}

TEST(SummaryTest, AReasonIsToldOnceAndACauseHasOneBullet) {
  results::Run run = FailedRun("b");
  std::string& why = run.sessions[0].why.text;
  why = "Only this.";
  run.failures[0].message = "state: expected failed, it is connected; " + why;
  run.failures.push_back(run.failures[0]);
  run.sessions[0].why.causes[0].text = std::string(10, 'x') + " " + std::string(30, 'y') + " zzz";
  for (const int width : {40, 60, 100}) {
    const std::string text = FailureReport(run, {.width = width});
    EXPECT_EQ(text.find(why), text.rfind(why)) << text;
    EXPECT_THAT(text, HasSubstr("why call: Only this.\n"));
    EXPECT_EQ(text.find("    - "), text.rfind("    - ")) << text;
    EXPECT_THAT(text, HasSubstr("zzz\n"));
  }
  EXPECT_THAT(FailureReport(run, {.width = 60}), HasSubstr("\n      "));
}

TEST(SummaryTest, ALineACall) {
  std::vector<Digest> digests = {DigestOf(CallRun("call")), DigestOf(PassedRun("ice"))};
  results::Run run = CallRun("a-run-of-a-matrix/with=many,parameters=that,make=its,id=long");
  run.sessions.push_back(run.sessions[0]);
  run.sessions[1].name = "second";
  run.sessions[1].extra.erase("data_channels");
  run.sessions[1].extra["media"][1]["freeze_count"] = 0;
  run.sessions[1].extra["media"][1]["freeze_ms"] = 0;
  run.sessions.push_back(FailedRun("b").sessions[0]);
  run.sessions[2].extra["phases"] = Json::array();
  run.sessions[2].extra["failure"] = {{"reason", "dtls-timeout"}};
  run.sessions[1].extra["paths"][0] = 5;
  digests.push_back(DigestOf(run));
  const std::string text = CallSummary(digests, {.width = 140});  // 100 at most
  EXPECT_EQ("\n" + text, R"(
                                     total Mbit/s     queue p95 ms        freezes        data Mbit/s
call                                   ->      <-       ->      <-  count      ms        ->       <-
call                                1.904   0.048     38.1       -      2     340     0.883        -
a-run-of-a-matr..t,its,long call    1.904   0.048     38.1       -      2     340     0.883        -
a-run-of-a-matr..its,long second        -   0.048        -       -      0       0         -        -
a-run-of-a-matr..t,its,long call  failed: dtls-timeout
)");
  EXPECT_EQ(CallSummary(std::vector{digests[1]}, {.width = 100}), "");
  EXPECT_THAT(CallSummary(digests, {.width = 100}, 1),
              HasSubstr("\n... and 3 more, in results.json\n"));
}

TEST(SummaryTest, CallsAreNamedByWhatTellsThemApart) {
  std::vector<Digest> digests;
  for (const char* rtt : {"20ms", "200ms"}) {
    digests.push_back(DigestOf(CallRun(fmt::format("suite/scenario/rtt={}/seed=1", rtt))));
    digests.back().calls[0].has_media = false;
  }
  EXPECT_THAT(CallSummary(digests, {.width = 100}),
              testing::AllOf(HasSubstr("\nrtt=20ms "), HasSubstr("\nrtt=200ms ")));
  digests.resize(1);
  EXPECT_THAT(CallSummary(digests, {.width = 100}), HasSubstr("\nsuite/scenario/rtt=20ms/seed=1 "));
}

TEST(SummaryTest, CallsWithDataAloneHaveNoColumnsForMedia) {
  results::Run run = CallRun("transfer");
  run.sessions[0].extra.erase("media");
  run.sessions[0].extra.erase("paths");
  EXPECT_EQ("\n" + CallSummary(std::vector{DigestOf(run)}, {.width = 100}), R"(
                  data Mbit/s
call              ->       <-
transfer       0.883        -
)");
}

TEST(SummaryTest, CountsInWords) {
  EXPECT_EQ(CountsLine({.runs = 1, .passed = 0, .failed = 0, .errors = 1}, {}),
            "1 run: 0 passed, 0 failed, 1 error");
  EXPECT_EQ(CountsLine({.runs = 2, .passed = 2, .failed = 0, .errors = 0}, {}),
            "2 runs: 2 passed, 0 failed, 0 errors");
}

}  // namespace
}  // namespace rtclab::results
