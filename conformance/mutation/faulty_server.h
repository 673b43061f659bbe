// Our TURN server on loopback with everything the catalogue asks for, right or with a fault, and the target that describes it.
#ifndef RTCLAB_CONFORMANCE_MUTATION_FAULTY_SERVER_H_
#define RTCLAB_CONFORMANCE_MUTATION_FAULTY_SERVER_H_

#include <memory>
#include <string>
#include <thread>

#include "conformance/engine/target.h"
#include "conformance/mutation/fault_tamper.h"
#include "conformance/server/turn_host.h"

namespace rtclab::conformance {

struct ServerPlan {
  // kPlain: RFC 8489 and RFC 8656 alone, one address, IPv4 relays, users with names beyond ASCII. kIpv6Relay: the same with IPv6 relays.
  enum class Kind : uint8_t { kFull, kPlain, kIpv6Relay };
  Kind kind = Kind::kFull;

  const Fault* fault = nullptr;
  int clock_speed = 1;
  int nonce_lifetime_s = 3600;
  bool secure = true;         // TLS and DTLS
  bool time_limited = false;  // names with an end, which USERHASH does not go with
  bool redirecting = false;   // with a second server that answers 300
};

class FaultyServer {
 public:
  // Runs until it is destroyed. CHECKs that it starts.
  explicit FaultyServer(const ServerPlan& plan);
  ~FaultyServer();
  FaultyServer(const FaultyServer&) = delete;
  FaultyServer& operator=(const FaultyServer&) = delete;

  const Target& target() const { return target_; }

 private:
  void Describe(const ServerPlan& plan);

  Rng rng_;
  std::unique_ptr<FaultTamper> tamper_;
  std::unique_ptr<TurnHost> host_, other_;
  std::thread thread_, other_thread_;
  Target target_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_MUTATION_FAULTY_SERVER_H_
