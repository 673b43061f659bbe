#include "results/report/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "results/test_data.h"

namespace rtclab::results {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ExplanationTest, NamesPairTimesWhyAndCause) {
  const std::string text = Explanation(PassedRun("a"), {.width = 120});
  EXPECT_THAT(text, HasSubstr("a  pass\n"));
  EXPECT_THAT(text, HasSubstr("relay udp 203.0.113.9:50000 <-> srflx udp 203.0.113.2:40000"));
  EXPECT_THAT(text, HasSubstr("first valid pair 250.124 ms, connected 301.000 ms"));
  EXPECT_THAT(text, HasSubstr("why       The NAT of bob"));
  EXPECT_THAT(text, HasSubstr("3 packets of alice (check host -> srflx) ended at nat/b by rule"));
  EXPECT_THAT(text, HasSubstr("nat.filter.address-and-port-dependent"));
  EXPECT_THAT(text, HasSubstr("50.000      7         -  timeout\n"));
  EXPECT_THAT(text, HasSubstr("succeeded, nominating\n"));
  EXPECT_THAT(text, HasSubstr("mapping   endpoint-independent"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(ExplanationTest, ExtrasReadAsTextBesideTheirLabels) {
  results::Run run = PassedRun("a");
  const Json counts = {{"host", 1}, {"srflx", 2}};
  run.sessions[0].extra = {{"candidates", {{"alice", counts}, {"bob", counts}}},
                           {"data", {{"sent", 50}, {"received", 49}}},
                           {"consent_expired", true},
                           {"final_state", "failed"},
                           {"restarts", Json::array({{{"host", "alice"}, {"at_ms", 5.5}}})}};
  const std::string text = Explanation(run, {.width = 100});
  EXPECT_THAT(text, HasSubstr("\n  candidates  alice: 1 host, 2 srflx; bob: 1 host, 2 srflx\n"));
  EXPECT_THAT(text, HasSubstr("\n  data      50 sent, 49 received\n"));
  EXPECT_THAT(text, HasSubstr("\n  consent_expired  true\n"));
  EXPECT_THAT(text, HasSubstr("\n  final_state  failed\n"));
  EXPECT_THAT(text, HasSubstr("\n  restarts  host: alice, at_ms: 5.5\n"));
}

TEST(ExplanationTest, ACallHasItsPhasesTablesAndRatesOverTime) {
  const std::string text = Explanation(CallRun("a"), {.width = 100}, CallSeries());
  EXPECT_THAT(text, HasSubstr("connected 160.000 ms, DTLS 242.500 ms,"));
  EXPECT_THAT(text, HasSubstr("\n\n  Set-up, virtual ms\n"));
  EXPECT_THAT(text, HasSubstr("\n\n  Media\n"));
  EXPECT_THAT(text, HasSubstr("\n\n  Paths\n"));
  EXPECT_THAT(text, HasSubstr("\n\n  Data channels\n"));
  EXPECT_THAT(text, HasSubstr("\n\n  Over time\n  alice -> bob, 0.0 to 10.0 s\n"));
  EXPECT_THAT(text, Not(HasSubstr("throughput_bps")));
  EXPECT_THAT(text, Not(HasSubstr("start_ms")));
  for (const int width : {40, 60, 80, 100}) {
    std::istringstream in(Explanation(CallRun("a"), {.width = width}, CallSeries()));
    for (std::string line; std::getline(in, line);) {
      EXPECT_LE(Columns(line), static_cast<std::size_t>(width)) << line;
    }
  }
}

TEST(ExplanationTest, FitsANarrowTerminal) {
  results::Run run = FailedRun("a");
  run.sessions[0].extra = {{"a_label_of_some_length", "text"}, {"candidates", "text"}};
  const std::string text = Explanation(run, {.width = 40});
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) EXPECT_LE(Columns(line), 40U) << text;
  EXPECT_THAT(text, HasSubstr("\n  a_label_of_some_length\n            text\n"));
  EXPECT_THAT(text, HasSubstr("   50.000 alice: host 10.0.0.2:1 ->\n"));
}

TEST(ExplanationTest, AReasonIsToldOnce) {
  results::Run run = FailedRun("b");
  run.sessions[0].why.text = "Only this.";
  run.failures[0].message = "it is connected; Only this.";
  const std::string text = Explanation(run, {.width = 100});
  EXPECT_THAT(text, HasSubstr("            it is connected\n"));
  EXPECT_EQ(text.find("Only this."), text.rfind("Only this."));
}

TEST(ExplanationTest, NamesFailuresAndErrors) {
  const std::string failed = Explanation(FailedRun("b"), {.width = 100});
  EXPECT_THAT(failed, HasSubstr("expected  failed"));
  EXPECT_THAT(failed, HasSubstr("connected never"));
  EXPECT_THAT(Explanation(ErrorRun("c"), {.width = 100}), HasSubstr("error     crashed: SIGSEGV"));
}

}  // namespace
}  // namespace rtclab::results
