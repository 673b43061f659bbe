#include "scenarios/expect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "scenarios/expect_media.h"
#include "scenarios/language.h"

namespace rtclab::scenarios {
namespace {

using testing::HasSubstr;

// A session "call" between a and b that connected directly, and a probe "p".
results::Run Connected() {
  results::Session session;
  session.name = "call";
  session.state = "connected";
  session.selected_pair = {.local = {"srflx", "udp", "ipv4", "192.0.2.1", 4000},
                           .remote = {"prflx", "udp", "ipv6", "2001:db8::1", 5000}};
  session.timing_ms = {.gathering = 60, .first_valid_pair = 120, .ice_connected = 180.5};
  session.checks = {.sent = 9,
                    .received = 8,
                    .succeeded = 4,
                    .failed = 1,
                    .retransmissions = 2,
                    .role_conflicts = 0};
  session.extra = {{"restarts", {{{"host", "a"}, {"at_ms", 5000.0}, {"connected_ms", 5250.0}}}},
                   {"data", {{"sent", 100}, {"received", 97}}},
                   {"consent_expired", false},
                   {"final_state", "connected"},
                   {"candidates", {{"a", {{"host", 1}, {"relay", 2}}}, {"b", {{"host", 1}}}}}};
  session.why.text = "hole punching";
  session.why.causes = {{.where = "nat/x",
                         .rule = "nat.filter.address-dependent",
                         .text = "",
                         .agent = "a",
                         .pair = "",
                         .count = 1}};
  results::Run run;
  run.sessions = {session};
  run.probes = {{.name = "p",
                 .host = "a",
                 .server = "stun",
                 .state = "done",
                 .mapping = "endpoint-independent",
                 .filtering = "address-dependent",
                 .hairpinning = true,
                 .port_preserved = false,
                 .lifetime_ms = 30000}};
  return run;
}

RunSpec Spec(const std::string& subject, const std::string& key, Json value) {
  RunSpec spec;
  spec.sessions.resize(1);
  spec.sessions[0].name = "call";
  spec.sessions[0].a.host = "a";
  spec.sessions[0].b.host = "b";
  spec.probes.push_back({.name = "p", .host = "a", .server = "stun", .start = {}});
  spec.expectations.push_back({.pointer = "/expect/" + subject + "/" + key,
                               .subject = subject,
                               .key = key,
                               .value = std::move(value),
                               .because = "so says the RFC"});
  return spec;
}

bool Holds(const std::string& subject, const std::string& key, Json value,
           results::Run run = Connected()) {
  Evaluate(Spec(subject, key, std::move(value)), {}, run);
  EXPECT_EQ(run.failures.empty(), run.verdict == results::Verdict::kPass);
  return run.failures.empty();
}

struct Example {
  const char* key;
  Json good, bad;
};

TEST(EvaluateTest, EveryKeyOfASession) {
  const std::vector<Example> examples = {
      {"state", "connected", "failed"},
      {"final_state", "connected", {"disconnected", "failed"}},
      {"path", "direct", "relayed"},
      {"local", "srflx", "prflx"},
      {"remote", {"srflx", "prflx"}, {"host", "relay"}},
      {"local_family", "ipv4", "ipv6"},
      {"remote_family", "ipv6", "ipv4"},
      {"protocol", "udp", "tcp"},
      {"gathering", 60.0, 61.0},
      {"first_valid_pair", {{"min", 120.0}}, {{"min", 120.1}}},
      {"ice_connected",
       {{"equals", 200.0}, {"tolerance", 20.0}},
       {{"equals", 200.0}, {"tolerance", 19.0}}},
      {"checks_sent", {{"min", 9}, {"max", 9}}, {{"max", 8}}},
      {"checks_received", 8, 9},
      {"checks_succeeded", {3, 4}, {5, 6}},
      {"checks_failed", 1, 0},
      {"retransmissions", 2, 3},
      {"role_conflicts", 0, 1},
      {"local_relays", 2, 1},
      {"remote_relays", 0, 1},
      {"restarts", 1, 0},
      {"restart_time", {{"max", 250.0}}, {{"max", 249.0}}},
      {"data_sent", 100, 99},
      {"data_received", 97, 100},
      {"data_lost", 3, 0},
      {"consent_expired", false, true},
      {"cause", "nat.filter.address-dependent", "nat.no-mapping"},
  };
  std::set<std::string> covered = {"because"};
  for (const Example& e : examples) {
    EXPECT_TRUE(Holds("call", e.key, e.good)) << e.key;
    EXPECT_FALSE(Holds("call", e.key, e.bad)) << e.key;
    covered.insert(e.key);
  }
  // Those of peer connections are in expect_media_test.cc.
  for (const Field& field : TheLanguage().session_expectation->fields)
    EXPECT_TRUE(covered.contains(field.key) || IsPeerExpectation(field.key)) << field.key;
}

TEST(EvaluateTest, EveryKeyOfAProbe) {
  const std::vector<Example> examples = {
      {"state", "done", "failed"},
      {"mapping", "endpoint-independent", "none"},
      {"filtering", {"address-dependent", "endpoint-independent"}, "address-and-port-dependent"},
      {"hairpinning", true, false},
      {"port_preserved", false, true},
      {"lifetime", {{"equals", 30000.0}, {"tolerance", 1.0}}, {{"max", 29000.0}}},
  };
  std::set<std::string> covered = {"because"};
  for (const Example& e : examples) {
    EXPECT_TRUE(Holds("p", e.key, e.good)) << e.key;
    EXPECT_FALSE(Holds("p", e.key, e.bad)) << e.key;
    covered.insert(e.key);
  }
  for (const Field& field : TheLanguage().probe_expectation->fields)
    EXPECT_TRUE(covered.contains(field.key)) << field.key;
}

TEST(EvaluateTest, AFailureSaysWhatWhereAndWhy) {
  results::Run run = Connected();
  Evaluate(Spec("call", "ice_connected", {{"max", 100.0}}), {}, run);
  EXPECT_EQ(run.verdict, results::Verdict::kFail);
  ASSERT_EQ(run.failures.size(), 1u);
  EXPECT_EQ(run.failures[0].expectation, "/expect/call/ice_connected");
  EXPECT_EQ(run.failures[0].expected, "at most 100 ms");
  EXPECT_EQ(run.failures[0].actual, "180.5 ms");
  EXPECT_THAT(run.failures[0].message,
              HasSubstr("expected ice_connected to be at most 100 ms, it is 180.5 ms"));
  EXPECT_THAT(run.failures[0].message, HasSubstr("so says the RFC"));
  EXPECT_THAT(run.failures[0].message, HasSubstr("hole punching"));
}

TEST(EvaluateTest, WhatIsNotThereFails) {
  results::Run run = Connected();
  run.sessions[0].selected_pair.reset();
  run.sessions[0].timing_ms.ice_connected.reset();
  run.sessions[0].extra = Json::object();
  run.probes[0].state = "failed";
  for (const char* key : {"path", "local", "ice_connected", "data_lost", "final_state",
                          "local_relays", "restart_time"}) {
    EXPECT_FALSE(Holds("call", key, {{"min", 0}}, run)) << key;
  }
  EXPECT_FALSE(Holds("p", "mapping", "none", run));
  run.sessions.clear();
  EXPECT_FALSE(Holds("call", "state", "failed", run));
}

TEST(EvaluateTest, ARestartThatDidNotConnectHasNoTime) {
  results::Run run = Connected();
  run.sessions[0].extra["restarts"].push_back(
      {{"host", "b"}, {"at_ms", 9000.0}, {"connected_ms", nullptr}});
  EXPECT_TRUE(Holds("call", "restarts", 1, run));
  EXPECT_FALSE(Holds("call", "restart_time", {{"max", 1e9}}, run));
}

// Three flows over one bottleneck of 4 Mbit/s; the second's session starts two seconds after the others'.
std::vector<results::SeriesPoint> ThreeFlows() {
  std::vector<results::SeriesPoint> series;
  const std::array<double, 3> rates = {1e6, 1e6, 2e6};
  for (std::size_t flow = 0; flow < rates.size(); ++flow) {
    for (int i = 1; i <= (flow == 1 ? 3 : 5); ++i) {
      results::SeriesPoint& p = series.emplace_back();
      p.session = "f" + std::to_string(flow);
      p.from = "s" + std::to_string(flow);
      p.to = "r" + std::to_string(flow);
      p.time_ms = i * 1000;
      p.interval_ms = 1000;
      p.receive_bps = rates[flow];
      p.capacity_bps = 4e6;
    }
  }
  return series;
}

double OfFlows(const std::string& key, double from_s, double to_s) {
  RunSpec spec;
  for (int i = 0; i < 3; ++i) {
    SessionSpec& s = spec.sessions.emplace_back();
    s.name = "f" + std::to_string(i);
    s.a.host = "s" + std::to_string(i);
    s.b.host = "r" + std::to_string(i);
    if (i == 1) s.start = TimeDelta::Seconds(2);
  }
  const WindowSpec window{
      .from = TimeDelta::SecondsF(from_s), .to = TimeDelta::SecondsF(to_s), .sender = "s0"};
  const Actual actual = OfAllSessions(spec, spec.sessions[0], window, key, ThreeFlows());
  return actual.value.is_number() ? actual.value.get<double>() : -1;
}

TEST(EvaluateTest, SessionsAreSummedUpByTheTimeOfTheRun) {
  EXPECT_DOUBLE_EQ(OfFlows("total_throughput", 0, 2), 3e6);  // the second has not begun
  EXPECT_DOUBLE_EQ(OfFlows("total_throughput", 2, 5), 4e6);
  EXPECT_DOUBLE_EQ(OfFlows("total_throughput", 1, 3), 3.5e6);
  EXPECT_DOUBLE_EQ(OfFlows("total_utilisation", 2, 5), 1);
  EXPECT_DOUBLE_EQ(OfFlows("fairness", 0, 2), 0.9);          // (1 + 2)^2 / (2 * 5)
  EXPECT_DOUBLE_EQ(OfFlows("fairness", 2, 5), 16.0 / 18.0);  // (1 + 1 + 2)^2 / (3 * 6)
  EXPECT_EQ(OfFlows("fairness", 7, 9), -1);
}

TEST(EvaluateTest, EveryKeyOfAFlow) {
  results::Run run = Connected();
  run.network["flows"] = {{{"name", "web"}, {"throughput_bps", 300'000}, {"files", 12}},
                          {{"name", "tcp"}, {"throughput_bps", 1'700'000}}};
  const auto holds = [&](const std::string& flow, const std::string& key, Json value) {
    RunSpec spec = Spec(flow, key, std::move(value));
    spec.flows.resize(2);
    spec.flows[0].name = "web";
    spec.flows[1].name = "tcp";
    results::Run copy = run;
    Evaluate(spec, {}, copy);
    return copy.failures.empty();
  };
  EXPECT_TRUE(holds("tcp", "flow_throughput", {{"min", 1.6e6}}));
  EXPECT_FALSE(holds("web", "flow_throughput", {{"min", 1.6e6}}));
  EXPECT_TRUE(holds("web", "files", 12));
  EXPECT_FALSE(holds("tcp", "files", 12));
  EXPECT_EQ(TheLanguage().flow_expectation->fields.size(), 3u);  // with "because"
}

TEST(EvaluateTest, AMissIsNoFailure) {
  results::Run run = Connected();
  RunSpec spec = Spec("call", "state", "connected");
  spec.misses = {"RFC 8867 section 5.5"};
  Evaluate(spec, {}, run);
  EXPECT_EQ(run.verdict, results::Verdict::kPass);
  EXPECT_EQ(run.misses, spec.misses);
}

TEST(EvaluateTest, ACrashedRunIsNotJudged) {
  results::Run run;
  run.verdict = results::Verdict::kError;
  Evaluate(Spec("call", "state", "connected"), {}, run);
  EXPECT_EQ(run.verdict, results::Verdict::kError);
  EXPECT_TRUE(run.failures.empty());
}

}  // namespace
}  // namespace rtclab::scenarios
