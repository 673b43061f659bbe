#include "results/report/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(ExplanationTest, NamesFailuresAndErrors) {
  const std::string failed = Explanation(FailedRun("b"), {.width = 100});
  EXPECT_THAT(failed, HasSubstr("expected  failed"));
  EXPECT_THAT(failed, HasSubstr("connected never"));
  EXPECT_THAT(Explanation(ErrorRun("c"), {.width = 100}), HasSubstr("error     crashed: SIGSEGV"));
}

}  // namespace
}  // namespace rtclab::results
