// The result of a suite as data. Everything here is virtual: no wall clock, host name or path of a
// machine.
#ifndef RTCLAB_RESULTS_MODEL_H_
#define RTCLAB_RESULTS_MODEL_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace rtclab::results {

using Json = nlohmann::ordered_json;

inline constexpr int kSchemaVersion = 1;

struct SelectedCandidate {
  std::string type;      // host, srflx, prflx, relay
  std::string protocol;  // udp
  std::string family;    // ipv4, ipv6
  std::string address;
  uint16_t port = 0;
};

struct SelectedPair {
  SelectedCandidate local;
  SelectedCandidate remote;
};

// One ICE connectivity check as an agent saw it, with what the network did to it.
struct CheckRecord {
  std::string agent;                    // host name
  std::string local, remote;            // candidate descriptions, "srflx 203.0.113.1:4000"
  std::string local_type, remote_type;  // host, srflx, prflx, relay
  double sent_ms = 0;                   // first transmission
  int transmissions = 0;
  std::optional<double> answered_ms;
  std::string outcome;  // succeeded, timeout, error 487, cancelled, pending
  bool nominating = false;
};

// A cause that the network or a server gave: `count` packets ended at `where` by `rule`.
struct Cause {
  std::string where;
  std::string rule;
  std::string text;   // one sentence
  std::string agent;  // whose packets
  std::string pair;   // "host -> srflx": the candidate pair that they checked; may be empty
  int count = 0;
  double first_ms = 0;
};

struct Why {
  std::string text;           // the answer in one or two sentences
  std::vector<Cause> causes;  // most important first
};

struct TimingMs {
  std::optional<double> gathering;  // both agents' gathering complete, from the session's start
  std::optional<double> first_valid_pair;
  std::optional<double> ice_connected;  // both agents have a selected pair
  // Of sessions with peer connections.
  std::optional<double> dtls_connected;     // both ends
  std::optional<double> data_channel_open;  // every channel, at both ends
  std::optional<double> first_media;        // the first frame of every stream was shown
};

struct CheckCounts {
  int sent = 0, received = 0, succeeded = 0, failed = 0, retransmissions = 0, role_conflicts = 0;
};

struct Session {
  std::string name;
  std::string state;                          // connected, failed
  std::optional<SelectedPair> selected_pair;  // as the first host of the session sees it
  TimingMs timing_ms;
  CheckCounts checks;  // both agents
  // Merged into the session object: phases such as restarts, data, consent, and what peer connections did; the schema
  // has their names.
  Json extra = Json::object();
  Why why;
  std::vector<CheckRecord> check_log;
};

// What RFC 5780 discovery found out from one host.
struct Probe {
  std::string name;  // as in the scenario
  std::string host, server;
  std::string state;  // done, failed (the server does not answer)
  std::string
      mapping;  // none (no NAT), endpoint-independent, address-dependent, address-and-port-dependent
  std::string filtering;  // endpoint-independent, address-dependent, address-and-port-dependent
  std::optional<bool> hairpinning;
  std::optional<bool> port_preserved;  // the mapped port is the local one
  std::optional<double> lifetime_ms;   // of a binding, when asked for
};

struct Failure {
  std::string expectation;  // JSON pointer into the scenario, e.g. "/expect/call/state"
  std::string expected, actual, message;
};

enum class Verdict { kPass, kFail, kError };

struct Run {
  std::string id;
  std::string scenario;
  Json parameters = Json::object();
  uint64_t seed = 1;
  Verdict verdict = Verdict::kPass;
  std::string error;  // kError: what happened (crash, timeout)
  std::vector<Failure> failures;
  // What a standard expects and the scenario knows that this run does not reach. Not failures: a pass says that the run got
  // as far as the scenario holds it to.
  std::vector<std::string> misses;
  std::vector<Session> sessions;
  std::vector<Probe> probes;
  Json network = Json::object();  // counts by rule, packets, bytes
};

struct Suite {
  std::string suite;
  std::string build;            // version and git revision of rtclab
  std::string scenario_digest;  // "sha256:..." over the scenario files
  bool complete = true;         // false: the suite was interrupted and `runs` is what was done
  std::vector<Run> runs;        // in order of expansion
};

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_MODEL_H_
