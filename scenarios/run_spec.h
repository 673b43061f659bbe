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

// What a side of a call sends of one kind, or of both.
struct MediaSpec {
  bool audio = true;
  bool video = true;
  bool from_a = true, from_b = true;  // who sends
  DataRate audio_rate = DataRate::KilobitsPerSec(32);
  bool dtx = false;       // Opus pauses between talk spurts
  int video_streams = 1;  // video tracks of each sender
  int layers = 1;         // simulcast encodings of a video track (RFC 8853), 1 to 3
  int fps = 30;
  enum class Content { kCamera, kScreen } content = Content::kCamera;
  std::string source = "statistical";  // video model: "statistical", "trace", "hybrid"
  std::string trace;                   // text of a media::FrameTrace, for "trace" and "hybrid"
  DataRate min_rate = DataRate::KilobitsPerSec(100);  // of everything that a side sends
  DataRate start_rate = DataRate::KilobitsPerSec(300);
  DataRate max_rate = DataRate::KilobitsPerSec(2500);
  std::string fec = "none";               // "none", "ulpfec", "flexfec"
  bool nack = true;                       // retransmission on NACK (RFC 4585, 4588)
  bool encrypted_extensions = false;      // RFC 6904
  std::string feedback = "transport-cc";  // or "ccfb" (RFC 8888)
  // How long media flows, from the moment when both sides are connected.
  TimeDelta duration = TimeDelta::Seconds(10);
};

// A data channel of a session, and what is sent through it.
struct ChannelSpec {
  std::string label;
  bool ordered = true;
  std::optional<int> max_retransmits;  // RFC 8832; not together with the next
  std::optional<TimeDelta> max_lifetime;
  int priority = 256;                  // RFC 8831 section 6.4
  bool from_a = true, from_b = false;  // who sends
  int64_t amount = 0;                  // bytes each sender sends; 0: the channel is only opened
  int64_t message_size = 16'384;
  std::optional<DataRate>
      rate;         // a message whenever this rate allows it; absent: as fast as it goes
  TimeDelta start;  // after the channel is open
};

// What a session's peers do beyond ICE. Present: full peer connections (DTLS and all above it).
struct PeerSpec {
  std::optional<MediaSpec> media;
  std::vector<ChannelSpec> channels;
  std::string controller_a = "gcc", controller_b = "gcc";  // "gcc", "nada", "scream", "none"
  TimeDelta sample_interval = TimeDelta::Millis(100);      // of the time series
  std::vector<std::string> srtp_profiles;  // by preference; empty: the stack's order
  bool wrong_fingerprint = false;          // b describes another certificate than it has
};

// Something that happens during a session, `at` after the session's start.
struct ActionSpec {
  enum class Kind {
    kIceRestart,
    kLinkDown,
    kLinkUp,
    kNatReboot,
    kSendData,
    kSetLink,     // new figures for a link
    kMediaPause,  // the host stops sending media
    kMediaResume,
    kAddVideo,  // renegotiates a video track of the host into the call
    kClose      // the host closes its peer connection
  } kind = Kind::kIceRestart;
  TimeDelta at;
  std::string target;  // kIceRestart, kSendData: a host of the session; else a network (its uplink
                       // or NAT) or host
  // kSetLink: what changes, in which direction; absent: stays.
  std::optional<DataRate> rate;
  std::optional<TimeDelta> delay;
  std::optional<double> loss;
  bool up = true, down = true;
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
  std::optional<PeerSpec> peer;  // absent: ICE only
};

// Background traffic from host to host that is not WebRTC. TCP is ns-3's own; both hosts run ns-3's stack.
struct FlowSpec {
  std::string name;
  enum class Kind { kTcp, kUdp } kind = Kind::kTcp;
  std::string from, to;
  TimeDelta start;
  TimeDelta stop = TimeDelta::PlusInfinity();
  int64_t amount = 0;  // bytes of a TCP transfer; 0: as long as it runs
  DataRate rate;       // kUdp: constant
  // A TCP flow that goes on and off (RFC 8868 section 4.3): files of `file_min` to `file_max` bytes, uniformly, with pauses
  // of exponential length between them. `idle_mean` zero: one transfer.
  int64_t file_min = 0, file_max = 0;
  TimeDelta idle_mean;
  bool starts_idle = false;
};

// NAT behaviour discovery (RFC 5780) from a host against a server with behaviour_discovery.
struct ProbeSpec {
  std::string name;
  std::string host;
  std::string server;
  TimeDelta start;
  bool lifetime = false;  // also measure the binding lifetime (takes virtual minutes)
};

// A stretch of a session, times since its start, and whose media it is about.
struct WindowSpec {
  TimeDelta from, to;
  std::string sender;
  double recovery_to = 0.8;  // share of the capacity that counts as recovered
};

// One thing that has to hold. `subject` is a session or probe; `key` one of the language's
// expectation keys.
struct Expectation {
  std::string pointer;  // JSON pointer of the expectation in the scenario file
  std::string subject;
  std::string key;                   // "state", "local", "remote", "ice_connected", ...
  std::optional<WindowSpec> window;  // of what `key` speaks; absent: the whole session
  // A value, a list of acceptable ones, or {"min","max"} / {"equals","tolerance"}. Quantities are numbers here: times in
  // milliseconds, rates in bit/s, percentages as a share of 1.
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
  std::vector<FlowSpec> flows;
  std::vector<Expectation> expectations;
  // What a standard expects and this run is known not to reach; `expectations` hold how far it gets.
  std::vector<std::string> misses;
  // A run ends when its sessions have an outcome, its actions are done and its probes too; but not before this.
  TimeDelta min_duration;
  TimeDelta max_duration =
      TimeDelta::Seconds(60);  // virtual; a session not connected by then has failed
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUN_SPEC_H_
