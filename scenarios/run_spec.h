// One run, fully spelled out: what is left of a scenario file when presets, defaults, matrix and
// seeds are resolved. The executor needs nothing else.
#ifndef RTCLAB_SCENARIOS_RUN_SPEC_H_
#define RTCLAB_SCENARIOS_RUN_SPEC_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/topology/network_spec.h"
#include "stack/base/units.h"

namespace rtclab::scenarios {

using Json = nlohmann::ordered_json;

// A STUN or TURN server program on a host of the network.
struct ServerSpec {
  std::string name;
  std::string host;   // HostSpec::name that it runs on
  bool turn = false;  // TURN (which also answers Binding requests); otherwise STUN
  uint16_t port = 3478;
  bool behaviour_discovery =
      false;  // RFC 5780: two addresses, two ports (the host has addresses = 2)
  // TURN only.
  std::string username = "rtclab";
  std::string password = "rtclab";
  std::optional<std::string>
      rest_secret;  // REST time-limited credentials instead of username and password
  TimeDelta max_lifetime = TimeDelta::Seconds(3600);
  std::optional<int> user_quota;  // allocations a user
  bool allow_private_peers = false;
  bool ipv4_relay = true;
  bool ipv6_relay = true;
  bool silent = false;                         // receives and never answers: a dead server
  std::optional<std::string> client_password;  // what clients use instead of the right one
  // Life of REST credentials from the run's start; zero: expired.
  TimeDelta rest_ttl = TimeDelta::Seconds(86400);
};

// How one ICE agent behaves.
struct IceSpec {
  bool lite = false;
  bool aggressive_nomination = false;
  enum class Trickle { kNone, kHalf, kFull } trickle = Trickle::kFull;
  enum class Policy { kAll, kRelay } policy = Policy::kAll;  // W3C RTCIceTransportPolicy
  TimeDelta ta = TimeDelta::Millis(50);                      // RFC 8445 section 14.2
  bool prefer_ipv6 = true;                                   // RFC 8421
  bool consent = true;                                       // RFC 7675
  std::vector<std::string> servers;                          // ServerSpec::name, in order
};

struct EndpointSpec {
  std::string host;
  IceSpec ice;
};

// Something that happens during a session, `at` after the session's start.
struct ActionSpec {
  enum class Kind {
    kIceRestart,
    kLinkDown,
    kLinkUp,
    kNatReboot,
    kSendData
  } kind = Kind::kIceRestart;
  TimeDelta at;
  std::string target;  // kIceRestart, kSendData: a host of the session; else a network (its uplink
                       // or NAT) or host
  // kSendData: `count` datagrams of `size` bytes, one every `interval`, over the selected pair.
  int count = 0;
  int size = 0;
  TimeDelta interval;
};

// Two hosts that negotiate with ICE over a signalling channel outside the network.
struct SessionSpec {
  std::string name;
  EndpointSpec a, b;  // a offers (and so is controlling unless it is lite)
  TimeDelta start;
  TimeDelta signalling_delay;  // one way, for descriptions and trickled candidates
  std::vector<ActionSpec> actions;
};

// NAT behaviour discovery (RFC 5780) from a host against a server with behaviour_discovery.
struct ProbeSpec {
  std::string name;
  std::string host;
  std::string server;
  TimeDelta start;
  bool lifetime = false;  // also measure the binding lifetime (takes virtual minutes)
};

// One thing that has to hold. `subject` is a session or probe; `key` one of the language's
// expectation keys.
struct Expectation {
  std::string pointer;  // JSON pointer of the expectation in the scenario file
  std::string subject;
  std::string key;  // "state", "local", "remote", "ice_connected", ...
  // A value, a list of acceptable ones, or {"min","max"} / {"equals","tolerance"}; times are numbers
  // here, in milliseconds.
  Json value;
  std::string because;  // the reason that the file gives, if any
};

struct RunSpec {
  std::string id;  // unique in the suite and stable: from scenario, parameters and seed
  std::string scenario;
  Json parameters = Json::object();  // matrix parameters of this run
  uint64_t seed = 1;
  sim::NetworkSpec network;
  std::vector<ServerSpec> servers;
  std::vector<SessionSpec> sessions;
  std::vector<ProbeSpec> probes;
  std::vector<Expectation> expectations;
  TimeDelta max_duration =
      TimeDelta::Seconds(60);  // virtual; a session not connected by then has failed
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUN_SPEC_H_
