// The server under test and all that is known of it: what a URI and options give, or a JSON profile (--target FILE).
#ifndef RTCLAB_CONFORMANCE_ENGINE_TARGET_H_
#define RTCLAB_CONFORMANCE_ENGINE_TARGET_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/engine/case.h"
#include "conformance/socket/channel.h"
#include "stack/base/ip_address.h"
#include "stack/base/units.h"

namespace rtclab::conformance {

struct Credentials {
  std::string username;
  std::string password;
};

// RFC 7635: the key that the authorization server shares with the TURN server.
struct OauthKey {
  std::string kid;
  std::string key;        // base64
  std::string algorithm;  // "A256GCM" or "A128GCM"
  std::string server_name;
};

// Where peers of relayed data live.
struct PeerPlan {
  enum class Kind : uint8_t {
    kAuto,  // local sockets when the server can reach us (probed), else allocations facing each other
    kLocal,
    kRelay,   // a second allocation of ours is the peer
    kRemote,  // rtclab peer-echo on another host
  };
  Kind kind = Kind::kAuto;
  // Our addresses that the server can reach; none: the source address towards the server.
  std::vector<IpAddress> local{};
  TransportAddress remote{};  // the control address of peer-echo
  std::string remote_token{};
};

// What safety probes may do. Nothing is probed that is not named here.
struct SafetyPlan {
  bool enabled = false;
  // Peer addresses the user allows to be tried through the relay; a case that wants another is skipped.
  std::vector<IpAddress> destinations{};
  int max_packets = 2'000;  // of all safety cases together
  TimeDelta max_time = TimeDelta::Seconds(120);
};

struct Target {
  std::string name{};                     // "coturn", or the host
  std::string version{};                  // as declared; SOFTWARE is reported beside it
  Transport transport = Transport::kUdp;  // that the user named: cases without a wish run over it
  AddressFamily family = AddressFamily::kIpv4;
  // The endpoints by transport and family, resolved. One that is absent is not supported or not known.
  std::map<std::pair<Transport, AddressFamily>, TransportAddress> endpoints{};
  // Those of them that a URI names, and not only implies as turn: does TCP.
  std::set<std::pair<Transport, AddressFamily>> named{};
  // URIs beside which there was an endpoint of that transport and family already.
  std::vector<std::string> unused{};
  std::string host{};  // as in the URI: the name that certificates are checked against
  // Further addresses of the server, where its relayed addresses and its second STUN address (RFC 5780) may be. Packets go to addresses
  // that stand here or in `endpoints`, whatever a response says.
  std::vector<IpAddress> addresses{};

  std::optional<Credentials> user{};
  std::optional<Credentials> second_user{};
  std::string rest_secret{};
  std::optional<OauthKey> oauth{};
  bool stun_only = false;  // a stun: URI: cases of TURN are unsupported by declaration

  std::string ca_file{};
  bool insecure = false;  // certificates are not verified

  std::map<Feature, bool> declared{};  // overrides probes
  PeerPlan peers{};
  SafetyPlan safety{};
  // A peer address that the server refuses with 403 (its deny list), where known.
  std::optional<TransportAddress> denied_peer{};
  std::optional<int> user_quota{};  // allocations a user may have, where known
  // The endpoint of a listener that redirects with 300, where there is one.
  std::optional<TransportAddress> redirecting{};
  std::optional<int> nonce_lifetime_s{};  // where known
  int reservation_lifetime_s = 30;        // RFC 8656 section 7.2: at least 30 s

  // The server's time runs so many times faster than ours (`rtclab serve turn --clock-speed`): slow cases wait that much less.
  int time_scale = 1;

  Edition edition = Edition::kCurrent;  // kCurrent or kClassic
  TimeDelta answer_timeout =
      TimeDelta::Millis(3'000);  // a transaction that has no answer by then has none
  TimeDelta silence =
      TimeDelta::Millis(250);  // how long a packet that must not come is waited for, at least
  std::string overlay{};       // file of expected failures
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_TARGET_H_
