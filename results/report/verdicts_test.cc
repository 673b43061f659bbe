#include "results/report/verdicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtclab::results {
namespace {

using testing::HasSubstr;
using testing::Not;

Digest VerdictOf(const std::string& controller, const std::string& scenario,
                 std::optional<double> utilisation = {}, std::optional<double> queue = {}) {
  Digest d;
  d.scenario = scenario;
  d.parameters = {{"controller", controller}};
  d.utilisation = utilisation;
  d.queue_p95_ms = queue;
  return d;
}

std::vector<Digest> TwoControllers() {
  std::vector<Digest> digests = {
      VerdictOf("gcc", "5.1-one-flow", 0.934, 31.6), VerdictOf("gcc", "5.1-one-flow", 0.9, 48.2),
      VerdictOf("gcc", "5.2-two-flows", 0.92, 20), VerdictOf("scream", "5.1-one-flow", 0.9, 184)};
  digests[3].missed = true;
  return digests;
}

TEST(VerdictTableTest, ShowsTheWorstOfACellWithItsFigures) {
  EXPECT_EQ(VerdictTable(TwoControllers(), {.width = 100}),
            "controller      5.1     5.2\n"
            "gcc            pass    pass\n"
            "             92% 48  92% 20\n"
            "scream         miss       -\n"
            "            90% 184\n"
            "5.1 one-flow, 5.2 two-flows. miss: stays behind the standard, as the scenario says. "
            "Figures: share\n"
            "of the bottleneck used, 95th percentile of queueing delay in ms.\n");
}

TEST(VerdictTableTest, AFailureOutweighsAMissAndAnErrorBoth) {
  std::vector<Digest> digests = TwoControllers();
  digests[0].missed = true;
  digests[1].verdict = Verdict::kFail;
  EXPECT_THAT(VerdictTable(digests, {.width = 100}), HasSubstr("gcc            FAIL    pass\n"));
  EXPECT_THAT(VerdictTable(digests, {.width = 100}), HasSubstr("FAIL: an\nexpectation"));
  digests[0].verdict = Verdict::kError;
  EXPECT_THAT(VerdictTable(digests, {.width = 100}), HasSubstr("gcc           error    pass\n"));
}

TEST(VerdictTableTest, LeavesFiguresOutWhereItIsNarrowAndIsAListAtLast) {
  const std::string narrow = VerdictTable(TwoControllers(), {.width = 24});
  EXPECT_THAT(narrow, HasSubstr("gcc         pass  pass\n"));
  EXPECT_THAT(narrow, Not(HasSubstr("92%")));
  EXPECT_THAT(VerdictTable(TwoControllers(), {.width = 20}),
              HasSubstr("gcc 5.2-two-flows:\npass 92% 20\n"));
}

TEST(VerdictTableTest, TakesAsManyWordsAsTellScenariosApart) {
  const std::vector<Digest> digests = {VerdictOf("gcc", "lossy-a-x"), VerdictOf("nada", "lossy-b")};
  EXPECT_EQ(
      VerdictTable(digests, {.width = 100}),
      "controller  lossy-a  lossy-b\n"
      "gcc            pass        -\n"
      "nada              -     pass\n"
      "lossy-a x. Figures: share of the bottleneck used, 95th percentile of queueing delay in "
      "ms.\n");
}

TEST(VerdictTableTest, IsOfRunsOfSeveralControllersOnly) {
  std::vector<Digest> digests = TwoControllers();
  EXPECT_EQ(VerdictTable(std::span(digests).first(3), {}), "");
  digests.emplace_back().parameters = {{"nat", "none"}};
  EXPECT_EQ(VerdictTable(digests, {}), "");
  EXPECT_EQ(VerdictTable({}, {}), "");
}

TEST(VerdictTableTest, ADigestSumsUpTheForwardMediaOfAllSessions) {
  results::Run run;
  run.misses = {"as the RFC expects"};
  for (const double utilisation : {0.5, 0.4}) {
    Session& s = run.sessions.emplace_back();
    s.extra["paths"] = {{{"from", "a"},
                         {"utilisation", utilisation},
                         {"duration_ms", 1000.0},
                         {"queue_delay_ms", {{"p95", utilisation * 100}}}},
                        {{"from", "b"},
                         {"utilisation", 0.9},
                         {"duration_ms", 1000.0},
                         {"queue_delay_ms", {{"p95", 7.0}}}}};
  }
  run.sessions[1].extra["paths"][0]["duration_ms"] = 500.0;
  const Digest d = DigestOf(run);
  EXPECT_TRUE(d.missed);
  EXPECT_DOUBLE_EQ(d.utilisation.value_or(0), 0.7);  // the second one's for half of the time
  EXPECT_DOUBLE_EQ(d.queue_p95_ms.value_or(0), 50);
}

}  // namespace
}  // namespace rtclab::results
