// Runs with every part of the model filled in, for tests.
#ifndef RTCLAB_RESULTS_TEST_DATA_H_
#define RTCLAB_RESULTS_TEST_DATA_H_

#include <string>

#include "results/model.h"

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
