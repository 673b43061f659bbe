#include "results/report/series_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/test_data.h"

namespace rtclab::results {
namespace {

TEST(SeriesChartTest, ALineAQuantityAndDirection) {
  EXPECT_EQ("\n" + SeriesChart(CallSeries(), "call", {.width = 100}), R"(
  alice -> bob, 0.0 to 10.0 s
    sent      __..-::=++  mean 0.900, max 1.800 Mbit/s
    target    _.-:==+*##  mean 1.375, max 2.500 Mbit/s
    received  ___..--::=  mean 0.675, max 1.350 Mbit/s
    queue      _.-:=+*##  mean 25.0, max 45.0 ms
    loss      _____#____  mean 1.2, max 12.5 %
  bob -> alice, 0.0 to 10.0 s
    sent      ##########  mean 0.040, max 0.040 Mbit/s
    received  ##########  mean 0.040, max 0.040 Mbit/s
)");
}

TEST(SeriesChartTest, NeighboursShareACharacterWhereTheyHaveTo) {
  const std::vector<SeriesPoint> series = CallSeries();
  EXPECT_EQ("\n" + SeriesChart(std::span(series).first(19), "call", {.width = 56}), R"(
  alice -> bob, 0.0 to 10.0 s
    sent      __.-::=+  mean 0.900, max 1.800 Mbit/s
    target    _.-:=+*#  mean 1.375, max 2.500 Mbit/s
    received  ___.--:=  mean 0.675, max 1.350 Mbit/s
    queue      _.:=+*#  mean 25.0, max 45.0 ms
    loss      ____#___  mean 1.2, max 12.5 %
  bob -> alice, 0.0 to 9.0 s
    sent      ########  mean 0.040, max 0.040 Mbit/s
    received  ########  mean 0.040, max 0.040 Mbit/s
)");
  EXPECT_THAT(SeriesChart(CallSeries(), "call", {.width = 40}),
              testing::HasSubstr("\n    sent      mean 0.900, max 1.800\n"
                                 "              Mbit/s\n"));
}

TEST(SeriesChartTest, OtherSessionsAndSilentDirectionsAreLeftOut) {
  std::vector<SeriesPoint> series = CallSeries();
  EXPECT_EQ(SeriesChart(series, "other", {.width = 100}), "");
  for (SeriesPoint& point : series) point.send_bps = 0;
  EXPECT_EQ(SeriesChart(series, "call", {.width = 100}), "");
}

TEST(SeriesChartTest, SparklinesGoFromNothingToTheMaximum) {
  const std::vector<std::optional<double>> values = {0, 1, std::nullopt, 4, 7.99, 8, 100};
  EXPECT_EQ(Sparkline(values, 8, {}), "_. =###");
  EXPECT_EQ(Sparkline(values, 8, {.width = 80, .tty = true, .color = false, .unicode = true}),
            "\u2581\u2582 \u2585\u2588\u2588\u2588");
  EXPECT_EQ(Sparkline(values, 0, {}), "__ ____");
}

}  // namespace
}  // namespace rtclab::results
