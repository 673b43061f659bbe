#include "results/report/call_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/test_data.h"

namespace rtclab::results {
namespace {

TEST(CallTablesTest, StreamsPathsAndChannels) {
  EXPECT_EQ(CallTables(CallRun("a").sessions[0], {.width = 100}), R"(
  Media
  direction     stream     first ms  packets  lost  resent  NACKs  PLIs  shown  freezes   ms
  alice -> bob  audio 0       301.5      500     3       0      0     -      -        -    -
  alice -> bob  video 1 h         -     2300    12      15      9     1    297        2  340
  bob -> alice  audio 0       400.0      500     0       0      0     -      -        -    -

  Paths
  direction     controller  Mbit/s  queue p50 ms   p95   p99
  alice -> bob  gcc          1.904           4.2  38.1  61.0
  bob -> alice  none         0.048             -     -     -

  Data channels
  direction     label  sent  received    bytes  took ms  Mbit/s  intact
  alice -> bob  file     64        64  1048576   9500.5   0.883  yes
  alice -> bob  chat     10         9      900        -       -  NO
)");
}

TEST(CallTablesTest, AreListsWhereTheyHaveNoRoom) {
  Session session = CallRun("a").sessions[0];
  session.extra["media"].erase(0);
  EXPECT_EQ(CallTables(session, {.width = 50}), R"(
  Media
  alice -> bob: stream video 1 h, packets 2300,
    lost 12, resent 15, NACKs 9, PLIs 1, shown
    297, freezes 2, ms 340
  bob -> alice: stream audio 0, first ms 400.0,
    packets 500, lost 0, resent 0, NACKs 0

  Paths
  alice -> bob: controller gcc, Mbit/s 1.904,
    queue p50 ms 4.2, p95 38.1, p99 61.0
  bob -> alice: controller none, Mbit/s 0.048

  Data channels
  alice -> bob: label file, sent 64, received
    64, bytes 1048576, took ms 9500.5, Mbit/s
    0.883, intact yes
  alice -> bob: label chat, sent 10, received 9,
    bytes 900, intact NO
)");
}

TEST(CallTablesTest, WhatIsMissingOrOfAnotherTypeIsADash) {
  Session session;
  EXPECT_EQ(CallTables(session, {.width = 100}), "");
  session.extra["media"] = 5;
  session.extra["paths"] = Json::array({7});
  session.extra["data_channels"] = Json::array({Json::object({{"intact", "true"}, {"label", 5}})});
  EXPECT_EQ(CallTables(session, {.width = 100}), R"(
  Data channels
  direction  label  sent  received  bytes  took ms  Mbit/s  intact
   ->                  -         -      -        -       -  NO
)");
}

}  // namespace
}  // namespace rtclab::results
