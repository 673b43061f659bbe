#include "results/series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "results/json.h"

namespace rtclab::results {
namespace {

SeriesPoint FullPoint() {
  return {.session = "call",
          .from = "alice",
          .to = "bob",
          .time_ms = 100.00049,
          .interval_ms = 100,
          .send_bps = 500'000.5,
          .target_bps = 600'000.4,
          .receive_bps = 499'999.5,
          .data_receive_bps = 12'000,
          .queue_delay_ms = 1.23456,
          .queue_delay_max_ms = 7,
          .loss = 1.0 / 3,
          .rtt_ms = 40,
          .capacity_bps = 1e9,
          .frames = 3,
          .freeze_ms = 250,
          .state = "increase"};
}

SeriesPoint EmptyPoint() {
  return {.session = "call", .from = "bob", .to = "alice", .time_ms = 100, .interval_ms = 100};
}

TEST(SeriesTest, ALineAPointWithFixedNamesInOrder) {
  EXPECT_EQ(
      ToLine("suite/n=1", FullPoint()),
      "{\"run\":\"suite/n=1\",\"session\":\"call\",\"from\":\"alice\",\"to\":\"bob\","
      "\"time_ms\":100.0,\"interval_ms\":100.0,\"send_bps\":500001,\"target_bps\":600000,"
      "\"receive_bps\":500000,\"data_receive_bps\":12000,\"queue_delay_ms\":1.235,"
      "\"queue_delay_max_ms\":7.0,\"loss\":0.333333,\"rtt_ms\":40.0,"
      "\"capacity_bps\":1000000000,\"frames\":3,\"freeze_ms\":250.0,\"state\":\"increase\"}\n");
}

TEST(SeriesTest, WhatDidNotHappenIsNull) {
  const Json json = Json::parse(ToLine("r", EmptyPoint()));
  for (const char* key : {"queue_delay_ms", "queue_delay_max_ms", "rtt_ms", "capacity_bps"})
    EXPECT_TRUE(json.at(key).is_null()) << key;
  EXPECT_EQ(json.at("loss"), 0.0);
  EXPECT_EQ(json.at("state"), "");
}

TEST(SeriesTest, NamesThatAreNotUtf8DoNotBreakTheLine) {
  SeriesPoint point = EmptyPoint();
  point.session = "\xff\n\"";
  const std::string line = ToLine("r", point);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(Json::parse(line).at("session"), "\xEF\xBF\xBD\n\"");
}

TEST(SeriesTest, TheSchemaHasEveryMemberAndNoOther) {
  const Json schema = Json::parse(SeriesSchema());
  const Json line = Json::parse(ToLine("r", FullPoint()));
  std::set<std::string> described, required, written;
  for (const auto& [key, value] : schema.at("properties").items()) described.insert(key);
  for (const Json& key : schema.at("required")) required.insert(key.get<std::string>());
  for (const auto& [key, value] : line.items()) written.insert(key);
  EXPECT_EQ(described, written);
  EXPECT_EQ(required, written);
  EXPECT_EQ(schema.at("additionalProperties"), false);
}

}  // namespace
}  // namespace rtclab::results
