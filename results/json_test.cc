#include "results/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "results/test_data.h"
#include "results/whole_file.h"

namespace rtclab::results {
namespace {

using testing::HasSubstr;

TEST(JsonTest, ReadingBackGivesTheSameBytes) {
  const std::string text = ToText(ExampleSuite());
  const Result<Suite> suite = ParseSuite(text);
  ASSERT_TRUE(suite) << suite.error().reason;
  EXPECT_EQ(ToText(*suite), text);
  for (const results::Run& run : ExampleSuite().runs) {
    const Result<results::Run> read = ParseRun(ToLine(run));
    ASSERT_TRUE(read) << read.error().reason;
    EXPECT_EQ(ToLine(*read), ToLine(run));
  }
}

TEST(JsonTest, ReadsEveryMember) {
  const results::Run run = ParseRun(ToLine(PassedRun("a"))).value();
  EXPECT_EQ(run.seed, 18446744073709551615ULL);
  EXPECT_EQ(run.parameters["nat_a"], "symmetric");
  const Session& s = run.sessions.at(0);
  EXPECT_EQ(s.selected_pair->remote.port, 40000);
  EXPECT_EQ(s.timing_ms.gathering, 120.0);
  EXPECT_EQ(s.timing_ms.first_valid_pair, 250.124);
  EXPECT_EQ(s.timing_ms.dtls_connected, 350.5);
  EXPECT_EQ(s.timing_ms.data_channel_open, std::nullopt);
  EXPECT_EQ(s.timing_ms.first_media, 480.0);
  EXPECT_EQ(s.checks.retransmissions, 4);
  EXPECT_EQ(s.extra.dump(), R"({"restarts":[{"host":"alice","at_ms":5000.0}]})");
  EXPECT_EQ(s.why.causes.at(0).rule, "nat.filter.address-and-port-dependent");
  EXPECT_EQ(s.check_log.at(0).answered_ms, std::nullopt);
  EXPECT_EQ(s.check_log.at(1).answered_ms, 150.75);
  EXPECT_TRUE(s.check_log.at(1).nominating);
  EXPECT_EQ(run.probes.at(0).hairpinning, true);
  EXPECT_EQ(run.probes.at(0).port_preserved, std::nullopt);
  EXPECT_EQ(run.network["packets"], 120);
}

TEST(JsonTest, OneLineARunAndFixedNamesInOrder) {
  const std::string text = ToText(ExampleSuite());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 13);
  EXPECT_EQ(
      text.find("{\n\"schema_version\":1,\n\"suite\":\"example\",\n\"build\":\"0.1.0+unknown\""),
      0U);
  EXPECT_THAT(text, HasSubstr("\"summary\":{\"runs\":3,\"passed\":1,\"failed\":1,\"errors\":1}"));
  EXPECT_THAT(text, HasSubstr("\n{\"id\":\"c\",\"scenario\":\"nat-matrix\",\"parameters\":{},"
                              "\"seed\":0,\"verdict\":\"error\",\"error\":\"crashed: SIGSEGV\","
                              "\"failures\":[],\"sessions\":[],\"probes\":[],\"network\":{}}\n"));
}

// Results that were written before there were peer connections have no such times.
TEST(JsonTest, TimesOfPeerConnectionsMayBeAbsent) {
  std::string line = ToLine(PassedRun("a"));
  const std::size_t from = line.find(",\"dtls_connected\"");
  const std::size_t to = line.find('}', from);
  ASSERT_NE(from, std::string::npos);
  line.erase(from, to - from);
  const results::Run run = ParseRun(line).value();
  EXPECT_EQ(run.sessions.at(0).timing_ms.ice_connected, 301.0);
  EXPECT_EQ(run.sessions[0].timing_ms.dtls_connected, std::nullopt);
  EXPECT_EQ(run.sessions[0].timing_ms.first_media, std::nullopt);
}

TEST(JsonTest, MillisHaveThreeDecimals) {
  EXPECT_EQ(Millis(0.1 + 0.2).dump(), "0.3");
  EXPECT_EQ(Millis(1.0005).dump(), "1.001");
  EXPECT_EQ(Millis(123456.78949).dump(), "123456.789");
  EXPECT_EQ(Millis(-0.0001).dump(), "0.0");
  EXPECT_EQ(Millis(50).dump(), "50.0");
  EXPECT_EQ(Millis(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Millis(std::nan("")).dump(), "null");
}

TEST(JsonTest, UnknownMembersAreIgnored) {
  std::string text = ToText(ExampleSuite());
  text.replace(text.find("\"suite\""), 0, "\"later\":[1,{\"x\":2}],");
  EXPECT_TRUE(ParseSuite(text));
}

struct Damage {
  const char* what;
  const char* replacement;
  const char* message;
};

class JsonDamageTest : public testing::TestWithParam<Damage> {};

TEST_P(JsonDamageTest, NamesPlaceExpectedAndFound) {
  std::string text = ToText(ExampleSuite());
  const std::size_t at = text.find(GetParam().what);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string(GetParam().what).size(), GetParam().replacement);
  const Result<Suite> suite = ParseSuite(text);
  ASSERT_FALSE(suite);
  EXPECT_THAT(suite.error().reason, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, JsonDamageTest,
    testing::Values(
        Damage{"\"schema_version\":1", "\"schema_version\":2",
               "/schema_version: this rtclab reads"},
        Damage{"\"schema_version\":1,", "", "\"schema_version\" is missing"},
        Damage{"\"complete\":true", "\"complete\":1", "/complete: expected true or false, found 1"},
        Damage{"\"passed\":1", "\"passed\":2", "/summary: does not match"},
        Damage{"\"runs\":[", "\"runs\":7,\"x\":[", "/runs: expected an array, found 7"},
        Damage{"\"id\":\"a\"", "\"id\":null", "/runs/0/id: expected a string, found null"},
        Damage{"\"verdict\":\"pass\"", "\"verdict\":\"good\"",
               "/runs/0/verdict: expected pass, fail or error, found \"good\""},
        Damage{"\"seed\":18446744073709551615", "\"seed\":-1", "/runs/0/seed: expected a whole"},
        Damage{"\"type\":\"relay\"", "\"type\":\"relais\"",
               "/runs/0/sessions/0/selected_pair/local/type: expected host, srflx, prflx or relay"},
        Damage{"\"port\":50000", "\"port\":70000",
               "/port: expected a whole number from 0 to 65535"},
        Damage{"\"gathering\":120.0", "\"gathering\":\"fast\"",
               "/runs/0/sessions/0/timing_ms/gathering: expected a number or null, found \"fast\""},
        Damage{"\"first_media\":480.0", "\"first_media\":[1]",
               "/runs/0/sessions/0/timing_ms/first_media: expected a number or null"},
        Damage{"\"state\":\"connected\"", "\"state\":\"maybe\"", "connected or failed"},
        Damage{"\"parameters\":{\"nat_a\"", "\"parameters\":[],\"p\":{\"nat_a\"",
               "/runs/0/parameters: expected an object"},
        Damage{"{\n\"schema", "[\n\"schema", "not JSON"}));

TEST(JsonTest, TruncationAtEveryByteIsAnError) {
  const std::string line = ToLine(FailedRun("b"));
  for (std::size_t length = 0; length < line.size(); ++length) {
    EXPECT_FALSE(ParseRun(std::string_view(line).substr(0, length))) << length;
  }
}

TEST(JsonTest, DeepNestingIsAnError) {
  const std::string deep(100'000, '[');
  const Result<Suite> suite = ParseSuite(deep);
  ASSERT_FALSE(suite);
  EXPECT_FALSE(ParseSuite(deep + std::string(100'000, ']')));
}

TEST(JsonTest, TextThatIsNotUtf8DoesNotBreakTheFile) {
  const results::Run run = ParseRun(ToLine(FailedRun("b"))).value();
  EXPECT_EQ(run.failures.at(0).message, "\x1b[31m <&> \"quoted\" \xEF\xBF\xBD");
}

// schema_test.py runs these to get files to validate.
TEST(JsonTest, WritesTheExampleOfACall) {
  const char* path = std::getenv("RTCLAB_EXAMPLE_CALL");  // NOLINT(concurrency-mt-unsafe)
  const std::string own = testing::TempDir() + "rtclab-example-call.json";
  results::Suite suite = ExampleSuite();
  suite.runs = {CallRun("call")};
  ASSERT_TRUE(WriteWholeFile(path == nullptr ? own : path, ToText(suite)));
}

TEST(JsonTest, WritesTheExampleSeries) {
  const char* path = std::getenv("RTCLAB_EXAMPLE_SERIES");  // NOLINT(concurrency-mt-unsafe)
  const std::string own = testing::TempDir() + "rtclab-example-series.jsonl";
  std::string lines;
  for (const SeriesPoint& point : CallSeries()) lines += ToLine("call", point);
  ASSERT_TRUE(WriteWholeFile(path == nullptr ? own : path, lines));
}

TEST(JsonTest, ALineOfTheSeriesIsExactlyThis) {
  SeriesPoint point = CallSeries()[10];
  point.send_bps = 1'000'000.4;
  point.time_ms = 6000.00049;
  point.loss = 0.12345678;
  EXPECT_EQ(ToLine("call/seed=1", point),
            R"({"run":"call/seed=1","session":"call","from":"alice","to":"bob","time_ms":6000.0,)"
            R"("interval_ms":1000.0,"send_bps":1000000,"target_bps":1500000,"receive_bps":750000,)"
            R"("data_receive_bps":0,)"
            R"("queue_delay_ms":25.0,"queue_delay_max_ms":25.0,"loss":0.123457,"rtt_ms":40.0,)"
            R"("capacity_bps":2000000,"frames":30,"freeze_ms":0.0,"state":"increase"})"
            "\n");
}

TEST(JsonTest, WritesTheExample) {
  const char* path = std::getenv("RTCLAB_EXAMPLE");  // NOLINT(concurrency-mt-unsafe)
  const std::string own = testing::TempDir() + "rtclab-example.json";
  ASSERT_TRUE(WriteWholeFile(path == nullptr ? own : path, ToText(ExampleSuite())));
}

}  // namespace
}  // namespace rtclab::results
