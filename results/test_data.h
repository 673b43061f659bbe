// Runs with every part of the model filled in, for tests.
#ifndef RTCLAB_RESULTS_TEST_DATA_H_
#define RTCLAB_RESULTS_TEST_DATA_H_

#include <string>

#include "results/model.h"
#include "results/series.h"

namespace rtclab::results {

inline Run PassedRun(const std::string& id) {
  Run run;
  run.id = id;
  run.scenario = "nat-matrix";
  run.seed = 18446744073709551615ULL;
  run.parameters = {{"nat_a", "symmetric"}, {"nat_b", "port-restricted-cone"}};
  Session& s = run.sessions.emplace_back();
  s.name = "call";
  s.state = "connected";
  s.selected_pair = {{"relay", "udp", "ipv4", "203.0.113.9", 50000},
                     {"srflx", "udp", "ipv4", "203.0.113.2", 40000}};
  s.timing_ms = {.gathering = 120.00049,
                 .first_valid_pair = 250.1236,
                 .ice_connected = 301,
                 .dtls_connected = 350.5,
                 .first_media = 480};
  s.checks = {.sent = 9, .received = 7, .succeeded = 2, .failed = 1, .retransmissions = 4};
  s.extra["restarts"] = Json::array({{{"host", "alice"}, {"at_ms", 5000.0}}});
  s.why.text = "The NAT of bob dropped \"alice's\" checks.";
  s.why.causes = {{"nat/b", "nat.filter.address-and-port-dependent", "No mapping to it.", "alice",
                   "host -> srflx", 3, 150.5}};
  s.check_log = {{"alice",
                  "host 10.0.0.2:1",
                  "srflx 203.0.113.2:2",
                  "host",
                  "srflx",
                  50.0,
                  7,
                  {},
                  "timeout",
                  false},
                 {"bob", "relay 203.0.113.9:50000", "srflx 203.0.113.2:2", "relay", "srflx", 100.25,
                  1, 150.75, "succeeded", true}};
  run.probes = {{"discovery", "alice", "stun", "done", "endpoint-independent", "address-dependent",
                 true, std::nullopt, 300000.0}};
  run.network = {{"packets", 120}, {"drops", {{"nat.filter.address-and-port-dependent", 3}}}};
  return run;
}

// A call with audio and video forth, audio back, and data forth.
inline Run CallRun(const std::string& id) {
  Run run;
  run.id = id;
  run.scenario = "call";
  Session& s = run.sessions.emplace_back();
  s.name = "call";
  s.state = "connected";
  s.selected_pair = {{"srflx", "udp", "ipv4", "203.0.113.1", 50000},
                     {"srflx", "udp", "ipv4", "203.0.113.2", 40000}};
  s.timing_ms = {.gathering = 60.4,
                 .first_valid_pair = 121,
                 .ice_connected = 160,
                 .dtls_connected = 242.5,
                 .data_channel_open = 322.5,
                 .first_media = 400};
  const auto phase = [](const char* host, const char* name, double start, Json end) {
    return Json{{"host", host}, {"name", name}, {"start_ms", start}, {"end_ms", std::move(end)}};
  };
  s.extra["phases"] = Json::array(
      {phase("alice", "gathering", 0, 40.4), phase("alice", "checks", 50, 160),
       phase("alice", "dtls", 100, 242.5), phase("alice", "sctp", 242.5, 282.5),
       phase("alice", "data_channels", 282.5, 322.5), phase("alice", "first_frame", 242.5, 400),
       phase("bob", "gathering", 20, 60.4), phase("bob", "checks", 60.25, 140),
       phase("bob", "dtls", 140, 222.5), phase("bob", "sctp", 222.5, nullptr)});
  s.extra["media"] = Json::array({{{"from", "alice"},
                                   {"to", "bob"},
                                   {"kind", "audio"},
                                   {"mid", "0"},
                                   {"first_frame_ms", 301.5},
                                   {"packets_sent", 500},
                                   {"packets_lost", 3},
                                   {"packets_retransmitted", 0},
                                   {"nacks", 0}},
                                  {{"from", "alice"},
                                   {"to", "bob"},
                                   {"kind", "video"},
                                   {"mid", "1"},
                                   {"rid", "h"},
                                   {"first_frame_ms", nullptr},
                                   {"packets_sent", 2300},
                                   {"packets_lost", 12},
                                   {"packets_retransmitted", 15},
                                   {"nacks", 9},
                                   {"plis", 1},
                                   {"frames_rendered", 297},
                                   {"freeze_count", 2},
                                   {"freeze_ms", 340.25}},
                                  {{"from", "bob"},
                                   {"to", "alice"},
                                   {"kind", "audio"},
                                   {"mid", "0"},
                                   {"first_frame_ms", 400.0},
                                   {"packets_sent", 500},
                                   {"packets_lost", 0},
                                   {"packets_retransmitted", 0},
                                   {"nacks", 0}}});
  s.extra["paths"] = Json::array(
      {{{"from", "alice"},
        {"to", "bob"},
        {"controller", "gcc"},
        {"throughput_bps", 1'904'312},
        {"queue_delay_ms", {{"p50", 4.25}, {"p95", 38.125}, {"p99", 61.0}}}},
       {{"from", "bob"}, {"to", "alice"}, {"controller", "none"}, {"throughput_bps", 48'000}}});
  s.extra["data_channels"] = Json::array({{{"label", "file"},
                                           {"from", "alice"},
                                           {"to", "bob"},
                                           {"messages_sent", 64},
                                           {"messages_received", 64},
                                           {"bytes_received", 1'048'576},
                                           {"intact", true},
                                           {"transfer_ms", 9'500.5},
                                           {"throughput_bps", 882'964}},
                                          {{"label", "chat"},
                                           {"from", "alice"},
                                           {"to", "bob"},
                                           {"messages_sent", 10},
                                           {"messages_received", 9},
                                           {"bytes_received", 900},
                                           {"intact", false},
                                           {"transfer_ms", nullptr},
                                           {"throughput_bps", nullptr}}});
  return run;
}

// Its time series: ten seconds in steps of one.
inline std::vector<SeriesPoint> CallSeries() {
  std::vector<SeriesPoint> series;
  for (int i = 0; i < 10; ++i) {
    SeriesPoint& point = series.emplace_back();
    point.session = "call";
    point.from = "alice";
    point.to = "bob";
    point.time_ms = (i + 1) * 1000;
    point.interval_ms = 1000;
    point.send_bps = i == 0 ? 0 : 200'000 * i;
    point.target_bps = 250'000 * (i + 1);
    point.receive_bps = point.send_bps * 0.75;
    if (i > 0) point.queue_delay_ms = point.queue_delay_max_ms = 5.0 * i;
    point.loss = i == 5 ? 0.125 : 0;
    point.rtt_ms = 40;
    point.capacity_bps = 2e6;
    point.frames = 30;
    point.state = "increase";
    SeriesPoint back = point;
    std::swap(back.from, back.to);
    back.send_bps = back.receive_bps = 40'000;
    back.target_bps = back.loss = 0;
    back.queue_delay_ms = back.queue_delay_max_ms = std::nullopt;
    series.push_back(back);
  }
  return series;
}

inline Run FailedRun(const std::string& id) {
  Run run = PassedRun(id);
  run.verdict = Verdict::kFail;
  run.failures = {{"/expect/call/state", "failed", "connected", "\x1b[31m <&> \"quoted\" \xff"}};
  run.sessions[0].state = "failed";
  run.sessions[0].selected_pair.reset();
  run.sessions[0].timing_ms = {};
  return run;
}

inline Run ErrorRun(const std::string& id) {
  Run run;
  run.id = id;
  run.scenario = "nat-matrix";
  run.seed = 0;
  run.verdict = Verdict::kError;
  run.error = "crashed: SIGSEGV";
  return run;
}

inline Suite ExampleSuite() {
  Suite suite;
  suite.suite = "example";
  suite.build = "0.1.0+unknown";
  suite.scenario_digest = "0123456789abcdef";
  suite.runs = {PassedRun("a"), FailedRun("b"), ErrorRun("c")};
  return suite;
}

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_TEST_DATA_H_
