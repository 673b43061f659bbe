#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/report/report.h"
#include "conformance/report/test_report.h"
#include "results/report/terminal.h"

namespace rtclab::conformance {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SummaryTest, TellsFailuresWithClauseAndBothSides) {
  const std::string text = Summary(TestReport(), false);
  EXPECT_THAT(text, HasSubstr("FAIL  turn.alloc.token-even  RFC 8656 section 7.2, required\n"
                              "      expected  error response 400\n"
                              "      actual    420 <script>"));
  EXPECT_THAT(text, HasSubstr("      clause    \"the server rejects the request with a 400\"\n"));
  EXPECT_THAT(text, HasSubstr("XPASS turn.refresh.back"));
  EXPECT_THAT(text, HasSubstr("FLAKY turn.refresh.flaky"));
  EXPECT_THAT(text, HasSubstr("WEAK  stun.software"));
  EXPECT_THAT(text, HasSubstr("xfail turn.alloc.known  RFC 8656 section 7.2, MUST  (tls)"));
  EXPECT_THAT(text, HasSubstr("BLOCK turn.blocked"));
  EXPECT_THAT(text, HasSubstr("ERROR turn.error"));
  EXPECT_THAT(
      text, HasSubstr("12 cases in 41.2 s: 4 passed, 2 failed, 1 weak, 1 blocked, 1 in "
                      "error, 1 info, 1 unsupported, 1\n  skipped; 1 known; 1 unexpectedly pass; 1 "
                      "flaky\n"));
  EXPECT_THAT(text, HasSubstr("FAILED."));
}

TEST(SummaryTest, WarningsStandAboveEverythingElse) {
  const std::string text = Summary(TestReport(), false);
  EXPECT_LT(text.find("WARNING  the server's certificate was not verified"), text.find("FAIL"));
}

TEST(SummaryTest, WhatWasNotTestedIsToldAboveAndBelow) {
  RunReport report = TestReport();
  std::string text = Summary(report, false);
  EXPECT_LT(text.find("NOT TESTED  192.0.2.1:5349 over tls (3 of 12 cases): it was named, but"),
            text.find("FAIL"));
  EXPECT_THAT(text, HasSubstr("            To test it: see that the server listens there\n"));
  report.results.resize(1);
  text = Summary(report, false);
  EXPECT_TRUE(text.ends_with("No unexpected failure, but NOT TESTED: 192.0.2.1:5349 over tls\n"))
      << text;
}

TEST(SummaryTest, LinesFitAndSteerNothing) {
  RunReport report = TestReport();
  report.results[1].verdict.actual = std::string(300, 'y') + "\n\x1b[2J";
  const std::string text = Summary(report, false);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    EXPECT_LE(results::Columns(text.substr(begin, end - begin)), 100u)
        << text.substr(begin, end - begin);
    begin = end + 1;
  }
  EXPECT_THAT(Summary(report, true), HasSubstr("\x1b[31mFAIL"));
}

// MUST is for what an RFC calls MUST.
TEST(SummaryTest, MustStandsOnlyWhereTheLevelIsMust) {
  RunReport report = TestReport();
  report.results = {report.results[1], report.results[11]};
  EXPECT_THAT(Summary(report, false), Not(HasSubstr("MUST")));
}

TEST(SummaryTest, NothingIsWrongSaysSo) {
  RunReport report = TestReport();
  report.results.resize(1);
  report.warnings.clear();
  report.not_tested.clear();
  const std::string text = Summary(report, false);
  EXPECT_THAT(text, HasSubstr("1 case in 41.2 s: 1 passed\nNo unexpected failure.\n"));
  EXPECT_THAT(text, Not(HasSubstr("WARNING")));
  RunReport empty;
  empty.complete = false;
  empty.incomplete_why = "no answer";
  EXPECT_THAT(Summary(empty, false), HasSubstr("The run did not reach its end."));
}

TEST(ListCasesTest, OneLineACase) {
  const RunReport report = TestReport();
  const std::string text = ListCases(
      {report.results[0].test_case, report.results[4].test_case, report.results[11].test_case});
  EXPECT_EQ(text,
            "stun.binding.basic  RFC 8489 section 7.3.1, MUST  A Binding request is answered\n"
            "turn.refresh.flaky  RFC 8656 section 10.2, MUST   [slow] One that fails now and then\n"
            "safety.loopback     CVE-2020-26262, policy        [safety] Loopback is not reached "
            "through the relay\n");
}

}  // namespace
}  // namespace rtclab::conformance
