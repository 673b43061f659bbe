#include "results/report/phase_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/test_data.h"

namespace rtclab::results {
namespace {

TEST(PhaseChartTest, BarsOverTimeHostByHost) {
  EXPECT_EQ("\n" + PhaseChart(CallRun("a").sessions[0], {.width = 100}), R"(
                        |0        |100       |200       |300       |400      start      end  took ms
  alice  gathering      ####                                                   0.0     40.4     40.4
         checks              ############                                     50.0    160.0    110.0
         DTLS                     ################                           100.0    242.5    142.5
         SCTP                                     ####                       242.5    282.5     40.0
         data channels                                #####                  282.5    322.5     40.0
         first frame                              #################          242.5    400.0    157.5
  bob    gathering        ####                                                20.0     60.4     40.4
         checks               #########                                       60.2    140.0     79.8
         DTLS                          #########                             140.0    222.5     82.5
         SCTP                                   ------------------------>    222.5    never
)");
}

TEST(PhaseChartTest, FitsTheWidthAndIsNumbersAloneBelow) {
  EXPECT_EQ("\n" + PhaseChart(CallRun("a").sessions[0], {.width = 70}), R"(
                        |0      |200           start      end  took ms
  alice  gathering      #                        0.0     40.4     40.4
         checks           ####                  50.0    160.0    110.0
         DTLS               ######             100.0    242.5    142.5
         SCTP                     #            242.5    282.5     40.0
         data channels             ##          282.5    322.5     40.0
         first frame              ######       242.5    400.0    157.5
  bob    gathering      ##                      20.0     60.4     40.4
         checks           ###                   60.2    140.0     79.8
         DTLS                ####              140.0    222.5     82.5
         SCTP                    --------->    222.5    never
)");
  EXPECT_EQ("\n" + PhaseChart(CallRun("a").sessions[0], {.width = 60}), R"(
                            start      end  took ms
  alice  gathering            0.0     40.4     40.4
         checks              50.0    160.0    110.0
         DTLS               100.0    242.5    142.5
         SCTP               242.5    282.5     40.0
         data channels      282.5    322.5     40.0
         first frame        242.5    400.0    157.5
  bob    gathering           20.0     60.4     40.4
         checks              60.2    140.0     79.8
         DTLS               140.0    222.5     82.5
         SCTP               222.5    never
)");
}

TEST(PhaseChartTest, IsAListOnTheNarrowestTerminals) {
  Session session = CallRun("a").sessions[0];
  Json& phases = session.extra["phases"];
  phases.erase(phases.begin() + 1, phases.end() - 1);
  phases[0]["host"] = "a-host-with-quite-a-long-name";
  EXPECT_EQ("\n" + PhaseChart(session, {.width = 40}), R"(
  a-host-with-quite-a-long-name
    gathering: 0.0 to 40.4 ms
  bob SCTP: 222.5 to never
)");
}

TEST(PhaseChartTest, BlocksAndColoursOnATerminalThatHasThem) {
  Session session;
  session.extra["phases"] =
      Json::array({{{"host", "a\x1b"}, {"name", "dtls"}, {"start_ms", 0}, {"end_ms", 5}},
                   {{"host", "a\x1b"}, {"name", "another"}, {"start_ms", 5}, {"end_ms", 10}}});
  const Terminal plain{.width = 60, .tty = true, .color = false, .unicode = true};
  EXPECT_EQ("\n" + PhaseChart(session, plain), R"(
               |0       |5           start      end  took ms
  a?  DTLS     █████████               0.0      5.0      5.0
      another           █████████      5.0     10.0      5.0
)");
  const Terminal color{.width = 60, .tty = true, .color = true, .unicode = false};
  EXPECT_THAT(PhaseChart(session, color), testing::HasSubstr("\x1b[35m#########\x1b[0m"));
}

TEST(PhaseChartTest, NothingToDrawIsNothing) {
  Session session;
  EXPECT_EQ(PhaseChart(session, {.width = 100}), "");
  session.extra["phases"] = Json::array({5, Json::object({{"host", "a"}})});
  EXPECT_EQ(PhaseChart(session, {.width = 100}), "");
  session.extra["phases"] = "text";
  EXPECT_EQ(PhaseChart(session, {.width = 100}), "");
}

}  // namespace
}  // namespace rtclab::results
