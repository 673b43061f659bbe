// What peer connections show, key by key, with numbers that were computed by hand.
#include "scenarios/expect_media.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "scenarios/expect.h"
#include "scenarios/language.h"

namespace rtclab::scenarios {
namespace {

using testing::HasSubstr;

// alice and bob: two video streams, one audio stream and two transfers.
results::Session Call() {
  results::Session session;
  session.name = "call";
  session.state = "connected";
  session.timing_ms.dtls_connected = 250;
  session.timing_ms.data_channel_open = 310.5;
  session.timing_ms.first_media = 420;
  session.extra = {
      {"transport", {{"cipher_suite", "x"}, {"srtp_profile", "SRTP_AEAD_AES_128_GCM"}}},
      {"media",
       {{{"kind", "audio"}},
        {{"kind", "video"},
         {"frames_sent", 300},
         {"frames_rendered", 297},
         {"frames_corrupt", 0},
         {"freeze_ms", 0.0}},
        {{"kind", "video"},
         {"frames_sent", 200},
         {"frames_rendered", 180},
         {"frames_corrupt", 2},
         {"freeze_ms", 750.0}},
        // A layer that was never sent says nothing of what was delivered.
        {{"kind", "video"},
         {"frames_sent", 0},
         {"frames_rendered", 0},
         {"frames_corrupt", 1},
         {"freeze_ms", 0.0}}}},
      {"paths",
       {{{"from", "alice"},
         {"throughput_bps", 900'000},
         {"queue_delay_ms", {{"p50", 5.0}, {"p95", 20.0}, {"p99", 90.0}}}},
        {{"from", "bob"},
         {"throughput_bps", 600'000},
         {"queue_delay_ms", {{"p50", 7.0}, {"p95", 15.0}, {"p99", 30.0}}}}}},
      {"data_channels",
       {{{"messages_sent", 100},
         {"messages_received", 100},
         {"intact", true},
         {"transfer_ms", 800.0},
         {"throughput_bps", 16'000'000}},
        {{"messages_sent", 50},
         {"messages_received", 40},
         {"intact", true},
         {"transfer_ms", 1200.0},
         {"throughput_bps", 4'000'000}}}}};
  return session;
}

// Ten intervals of 100 ms from alice, of 1 to 10 times 100 kbit/s, over a link of 1 Mbit/s; one point of bob's and one of
// another session among them.
Series Rising() {
  Series series;
  for (int i = 1; i <= 10; ++i) {
    series.push_back({.session = "call",
                      .from = "alice",
                      .to = "bob",
                      .time_ms = i * 100.0,
                      .interval_ms = 100,
                      .send_bps = i * 110'000.0,
                      .receive_bps = i * 100'000.0,
                      .queue_delay_ms = 11.0 - i,
                      .rtt_ms = 40.0 + i,
                      .capacity_bps = 1'000'000.0,
                      .frames = 3});
  }
  series[4].freeze_ms = 250;
  series[6].freeze_ms = 50;
  series.push_back({.session = "call",
                    .from = "bob",
                    .to = "alice",
                    .time_ms = 500,
                    .interval_ms = 100,
                    .receive_bps = 5e6});
  series.push_back({.session = "other",
                    .from = "alice",
                    .to = "bob",
                    .time_ms = 500,
                    .interval_ms = 100,
                    .receive_bps = 7e6});
  return series;
}

Actual Stretch(std::string_view key, double from_ms, double to_ms, const Series& series,
               const std::string& sender = "alice", double recovery_to = 0.8) {
  const WindowSpec window{.from = TimeDelta::Micros(static_cast<int64_t>(from_ms * 1000)),
                          .to = TimeDelta::Micros(static_cast<int64_t>(to_ms * 1000)),
                          .sender = sender,
                          .recovery_to = recovery_to};
  return OfWindow(Call(), window, key, series);
}

double Value(const Actual& actual) {
  return actual.value.is_number() ? actual.value.get<double>() : -1;
}

struct PeerExample {
  const char* key;
  Json value;
  Measure measure;
};

TEST(ExpectMediaTest, EveryKeyOfAPeerConnection) {
  const std::vector<PeerExample> examples = {
      {"dtls_connected", 250.0, Measure::kTime},
      {"data_channel_open", 310.5, Measure::kTime},
      {"first_media", 420.0, Measure::kTime},
      {"srtp_profile", "SRTP_AEAD_AES_128_GCM", Measure::kPlain},
      {"media_throughput", 1'500'000.0, Measure::kRate},  // both directions
      {"queue_delay_p50", 7.0, Measure::kTime},           // the worse sender, of each percentile
      {"queue_delay_p95", 20.0, Measure::kTime},
      {"queue_delay_p99", 90.0, Measure::kTime},
      {"freeze_time", 750.0, Measure::kTime},
      {"frames_delivered", 0.9, Measure::kShare},  // 180 of 200
      {"frames_corrupt", 3, Measure::kPlain},
      {"messages_intact", true, Measure::kPlain},
      {"data_throughput", 4'000'000.0, Measure::kRate},
      {"transfer_time", 1200.0, Measure::kTime},
      {"messages_delivered", 0.8, Measure::kShare},  // 40 of 50
  };
  std::set<std::string> covered = {"failure", "windows"};
  for (const PeerExample& e : examples) {
    const Actual actual = OfPeer(Call(), e.key);
    EXPECT_EQ(actual.value, e.value) << e.key << ": " << actual.missing;
    EXPECT_EQ(actual.measure, e.measure) << e.key;
    covered.insert(e.key);
  }
  for (const Field& field : TheLanguage().session_expectation->fields) {
    EXPECT_EQ(covered.contains(field.key), IsPeerExpectation(field.key)) << field.key;
  }
}

TEST(ExpectMediaTest, WhatAPeerConnectionDoesNotShowIsMissingAndSaysWhy) {
  results::Session bare;
  for (const auto& [key, missing] : std::vector<std::pair<const char*, const char*>>{
           {"failure", "it did not fail"},
           {"dtls_connected", "never"},
           {"data_channel_open", "never"},
           {"first_media", "never"},
           {"srtp_profile", "no SRTP was agreed on"},
           {"media_throughput", "no media arrived"},
           {"queue_delay_p95", "no media arrived"},
           {"freeze_time", "no video arrived"},
           {"frames_delivered", "no frame was sent"},
           {"messages_intact", "no data was sent"},
           {"data_throughput", "no data was sent"},
           {"transfer_time", "no data was sent"},
           {"messages_delivered", "no message was sent"}}) {
    const Actual actual = OfPeer(bare, key);
    EXPECT_TRUE(actual.value.is_null()) << key << " " << actual.value;
    EXPECT_EQ(actual.missing, missing) << key;
  }
  bare.extra["failure"] = {{"host", "bob"}, {"reason", "dtls-timeout"}, {"detail", ""}};
  EXPECT_EQ(OfPeer(bare, "failure").value, "dtls-timeout");
}

TEST(ExpectMediaTest, OneDamagedTransferIsEnough) {
  results::Session session = Call();
  session.extra["data_channels"][1]["intact"] = false;
  EXPECT_EQ(OfPeer(session, "messages_intact").value, false);
}

// A transfer that did not end has no time and no rate; the others must not stand in for it.
TEST(ExpectMediaTest, ATransferThatDidNotEndIsTheSlowest) {
  results::Session session = Call();
  session.extra["data_channels"][1]["transfer_ms"] = nullptr;
  session.extra["data_channels"][1]["throughput_bps"] = nullptr;
  EXPECT_EQ(OfPeer(session, "transfer_time").missing, "a transfer did not end");
  EXPECT_EQ(OfPeer(session, "data_throughput").missing, "a transfer did not end");
}

TEST(ExpectMediaTest, PercentilesAreOfTheNearestRank) {
  std::vector<double> hundred;
  for (int i = 100; i >= 1; --i) hundred.push_back(i);
  EXPECT_EQ(Percentile(hundred, 0.5), 50);
  EXPECT_EQ(Percentile(hundred, 0.95), 95);
  EXPECT_EQ(Percentile(hundred, 0.99), 99);
  EXPECT_EQ(Percentile(hundred, 1), 100);
  EXPECT_EQ(Percentile(hundred, 0), 1);
  EXPECT_EQ(Percentile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(Percentile({3, 1, 2, 4}, 0.5), 2);
  EXPECT_EQ(Percentile({3, 1, 2, 4}, 0.99), 4);
  EXPECT_EQ(Percentile({7}, 0.5), 7);
}

TEST(ExpectWindowTest, EveryKeyOverThePointsThatEndInIt) {
  const Series series = Rising();
  // From 200 ms to 600 ms: the intervals that end at 300, 400, 500 and 600 ms.
  EXPECT_EQ(Value(Stretch("throughput", 200, 600, series)), 450'000);
  EXPECT_EQ(Value(Stretch("send_rate", 200, 600, series)), 495'000);
  EXPECT_EQ(Value(Stretch("utilisation", 200, 600, series)), 0.45);
  EXPECT_EQ(Value(Stretch("queue_delay_p50", 200, 600, series)), 6);  // of 8, 7, 6, 5
  EXPECT_EQ(Value(Stretch("queue_delay_p95", 200, 600, series)), 8);
  EXPECT_EQ(Value(Stretch("queue_delay_p99", 0, 1000, series)), 10);
  EXPECT_EQ(Value(Stretch("rtt_p95", 200, 600, series)), 46);
  EXPECT_EQ(Value(Stretch("loss", 200, 600, series)), 0);
  EXPECT_EQ(Value(Stretch("freeze_time", 200, 600, series)), 250);
  EXPECT_EQ(Value(Stretch("freeze_time", 0, 1000, series)), 300);
  EXPECT_EQ(Value(Stretch("frames", 200, 600, series)), 12);
  EXPECT_EQ(Value(Stretch("throughput", 400, 600, series, "bob")), 5e6);
  // Its units.
  EXPECT_EQ(Stretch("throughput", 200, 600, series).measure, Measure::kRate);
  EXPECT_EQ(Stretch("utilisation", 200, 600, series).measure, Measure::kShare);
  EXPECT_EQ(Stretch("rtt_p95", 200, 600, series).measure, Measure::kTime);
  EXPECT_EQ(Stretch("frames", 200, 600, series).measure, Measure::kPlain);
}

TEST(ExpectWindowTest, MeansWeighIntervalsByTheirLength) {
  Series series = Rising();
  series.resize(2);
  series[0].interval_ms =
      300;  // 100 kbit/s for 300 ms and 200 kbit/s for 100 ms: 50,000 bits in 400 ms
  EXPECT_EQ(Value(Stretch("throughput", 0, 200, series)), 125'000);
  series[1].capacity_bps = 200'000;  // 300,000 + 20,000 bits could have passed
  EXPECT_DOUBLE_EQ(Value(Stretch("utilisation", 0, 200, series)), 50.0 / 320);
}

// Shares of packets cannot be averaged: an interval in which half of little is missing counts little.
TEST(ExpectWindowTest, LossIsOfWhatWouldHaveArrived) {
  Series series = Rising();
  series.resize(2);
  series[0].loss = 0.5;  // 10,000 bits arrived of 20,000
  series[1].loss = 0.2;  // 20,000 of 25,000
  EXPECT_DOUBLE_EQ(Value(Stretch("loss", 0, 200, series)), 15.0 / 45);
  // Nothing arrived: what was sent is what is missing.
  series[1].loss = 1;
  series[1].receive_bps = 0;  // 22,000 bits were sent
  EXPECT_DOUBLE_EQ(Value(Stretch("loss", 0, 200, series)), 1 - 10.0 / 42);
}

TEST(ExpectWindowTest, WhatIsNotThereSaysSo) {
  Series series = Rising();
  EXPECT_EQ(Stretch("throughput", 5000, 6000, series).missing, "the time series has nothing there");
  series[4].capacity_bps.reset();
  EXPECT_EQ(Stretch("utilisation", 200, 600, series).missing, "no link on the way has a rate");
  EXPECT_EQ(Stretch("recovery_time", 200, 600, series).missing, "no link on the way has a rate");
  EXPECT_EQ(Value(Stretch("utilisation", 500, 600, series)), 0.6);
  for (auto& point : series) point.queue_delay_ms = point.rtt_ms = std::nullopt;
  EXPECT_EQ(Stretch("queue_delay_p50", 200, 600, series).missing, "nothing arrived");
  EXPECT_EQ(Stretch("rtt_p95", 200, 600, series).missing, "nothing arrived");
  for (auto& point : series) point.receive_bps = 0;
  EXPECT_EQ(Stretch("loss", 200, 600, series).missing, "nothing arrived");
}

// 5 s of 500 kbit/s on a link of 1 Mbit/s, then as much as fits.
TEST(ExpectWindowTest, RecoveryIsWhenASecondsMeanReachesTheShare) {
  Series series;
  for (int i = 1; i <= 100; ++i) {
    series.push_back({.session = "call",
                      .from = "alice",
                      .time_ms = i * 100.0,
                      .interval_ms = 100,
                      .receive_bps = i <= 50 ? 500'000.0 : 1'000'000.0,
                      .capacity_bps = 1'000'000.0});
  }
  // x intervals of 1,000 and 10 - x of 500: their mean is 800 with x = 6, so 600 ms after 5 s.
  EXPECT_EQ(Value(Stretch("recovery_time", 0, 10'000, series)), 5600);
  EXPECT_EQ(Value(Stretch("recovery_time", 2000, 10'000, series)), 3600);
  EXPECT_EQ(Value(Stretch("recovery_time", 0, 10'000, series, "alice", 1)), 6000);
  // What was reached already takes the second that it is measured over.
  EXPECT_EQ(Value(Stretch("recovery_time", 0, 10'000, series, "alice", 0.5)), 1000);
  EXPECT_EQ(Value(Stretch("recovery_time", 7000, 10'000, series)), 1000);
  // Never, in this stretch: also when it is shorter than the second.
  EXPECT_EQ(Stretch("recovery_time", 0, 5000, series).missing, "never");
  EXPECT_EQ(Stretch("recovery_time", 7000, 7900, series).missing, "never");
  // Intervals longer than the second are looked at whole.
  Series coarse;
  for (int i = 1; i <= 5; ++i) {
    coarse.push_back({.session = "call",
                      .from = "alice",
                      .time_ms = i * 2000.0,
                      .interval_ms = 2000,
                      .receive_bps = i <= 2 ? 500'000.0 : 1'000'000.0,
                      .capacity_bps = 1'000'000.0});
  }
  EXPECT_EQ(Value(Stretch("recovery_time", 0, 10'000, coarse)), 6000);
  // What the link carries changes meanwhile: half of it is then all of it.
  for (auto& point : series) point.capacity_bps = point.time_ms <= 3000 ? 1'000'000 : 500'000;
  EXPECT_EQ(Value(Stretch("recovery_time", 0, 10'000, series, "alice", 1)), 4000);
}

RunSpec SpecWith(Expectation expectation) {
  RunSpec spec;
  spec.sessions.resize(1);
  spec.sessions[0].name = "call";
  spec.sessions[0].a.host = "alice";
  spec.sessions[0].b.host = "bob";
  expectation.subject = "call";
  spec.expectations.push_back(std::move(expectation));
  return spec;
}

struct WordsExample {
  const char* key;
  Json value;
  const char* expected;
  const char* actual;
};

TEST(ExpectWindowTest, AFailureNamesTheStretchAndSpeaksInUnits) {
  for (const WordsExample& e : std::vector<WordsExample>{
           {"throughput", {{"min", 800e3}}, "at least 800 kbit/s", "450 kbit/s"},
           {"utilisation", {{"min", 0.8}, {"max", 1.0}}, "at least 80 % and at most 100 %", "45 %"},
           {"queue_delay_p95", {{"max", 5.0}}, "at most 5 ms", "8 ms"},
           {"frames", {{"equals", 30}, {"tolerance", 3}}, "30 +- 3", "12"},
           {"recovery_time", {{"max", 100.0}}, "at most 100 ms", "never"}}) {
    results::Run run;
    run.sessions = {Call()};
    const WindowSpec window{
        .from = TimeDelta::Millis(200), .to = TimeDelta::Millis(600), .sender = "alice"};
    Evaluate(SpecWith({.pointer = "/p", .key = e.key, .window = window, .value = e.value}),
             Rising(), run);
    ASSERT_EQ(run.failures.size(), 1u) << e.key;
    EXPECT_EQ(run.failures[0].expected, e.expected);
    EXPECT_EQ(run.failures[0].actual, e.actual);
    EXPECT_THAT(run.failures[0].message,
                HasSubstr(std::string(e.key) + " of alice from 0.2 s to 0.6 s to be "));
    EXPECT_EQ(run.verdict, results::Verdict::kFail);
  }
}

TEST(ExpectWindowTest, WhatHoldsLeavesNoFailure) {
  results::Run run;
  run.sessions = {Call()};
  const WindowSpec window{
      .from = TimeDelta::Millis(200), .to = TimeDelta::Millis(600), .sender = "alice"};
  RunSpec spec = SpecWith({.key = "throughput", .window = window, .value = {{"min", 450e3}}});
  spec.expectations.push_back({.subject = "call", .key = "messages_intact", .value = true});
  spec.expectations.push_back(
      {.subject = "call", .key = "srtp_profile", .value = {"x", "SRTP_AEAD_AES_128_GCM"}});
  Evaluate(spec, Rising(), run);
  EXPECT_TRUE(run.failures.empty()) << run.failures[0].message;
}

}  // namespace
}  // namespace rtclab::scenarios
