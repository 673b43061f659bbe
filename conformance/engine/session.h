// What the runner lends a case: the run's common ground (RunContext, shared by all threads) and one attempt's own (Session).
#ifndef RTCLAB_CONFORMANCE_ENGINE_SESSION_H_
#define RTCLAB_CONFORMANCE_ENGINE_SESSION_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/engine/case.h"
#include "conformance/engine/destinations.h"
#include "conformance/engine/exchange.h"
#include "conformance/engine/run_report.h"
#include "conformance/engine/target.h"
#include "conformance/socket/channel.h"
#include "stack/base/rng.h"

namespace rtclab::conformance {

// Filled before the cases start, then read by all; what changes is guarded here.
class RunContext {
 public:
  // `target` outlives this.
  RunContext(const Target& target, uint64_t seed);
  ~RunContext();

  const Target& target() const { return target_; }
  uint64_t seed() const { return seed_; }
  Timestamp start() const { return start_; }
  // When the whole run has to be over (RunOptions::time_limit); every wait of a Session ends by then.
  Timestamp end = Timestamp::PlusInfinity();
  bool OutOfTime() const { return RealNow() >= end; }

  // --- Found out at the start (preflight.h).
  TimeDelta rtt{};              // to the server, over the transport that the user named
  TimeDelta silence{};          // how long what must not come is waited for
  bool answers_binding = true;  // else Allocate stands in where only an answer is wanted
  bool introduce =
      false;  // UDP clients begin with a Binding request: once it is known that it will be answered
  std::string software{};
  std::vector<std::string> warnings{};
  std::map<Feature, FeatureState> features{};
  Destinations destinations;
  // Our addresses by family for peers; empty: none.
  std::map<AddressFamily, std::vector<IpAddress>> own{};
  // Where peers live, by family: kLocal, kRelay or kRemote. None: there is no peer of that family.
  std::map<AddressFamily, PeerPlan::Kind> peers{};

  bool Supports(Feature feature) const;
  std::string HowKnown(Feature feature) const;

  // One for all channels that ask for nothing of their own: reading the trust anchors takes a while.
  Result<SecureContext> SharedContext(SecureProtocol protocol);
  // Held while a new UDP or DTLS 5-tuple makes itself known to the server: see Test::Connect().
  std::mutex& opening() { return opening_; }
  // Whether no client of the run had this address before. A server may still know an allocation that was there.
  bool FirstUse(Transport transport, const TransportAddress& local);
  // Counts packets of safety cases; false when the cap or the time is reached.
  bool SpendProbe(int packets);

 private:
  const Target& target_;
  uint64_t seed_;
  Timestamp start_;
  std::mutex mutex_;
  std::mutex opening_;
  std::map<SecureProtocol, SecureContext> contexts_;
  std::set<std::pair<Transport, TransportAddress>> used_;
  std::atomic<int> probes_{0};
  std::optional<Timestamp> first_probe_;
};

// One attempt of one case. Used by one thread.
class Session {
 public:
  // `limit`: how long the attempt may take.
  Session(RunContext& run, std::string_view case_id, int attempt, Transport transport,
          AddressFamily family, TimeDelta limit);

  RunContext& run() { return run_; }
  const Target& target() const { return run_.target(); }
  Transport transport() const { return transport_; }
  AddressFamily family() const { return family_; }
  Rng& rng() { return rng_; }
  bool safety = false;

  Timestamp Now() const;  // since the run began
  Exchange& exchange() { return exchange_; }
  void Record(Packet packet);
  void Note(std::string_view who, std::string text);
  // "client", "client 2", ...
  std::string NextName(std::string_view kind);

  // How long a wait of `limit` may take. Throws Interruption when the user has pressed Ctrl-C or the run's time is over, and Stop (blocked)
  // when the case has taken too long.
  TimeDelta Wait(TimeDelta limit) const;

  std::optional<TransportAddress> Endpoint(Transport transport, AddressFamily family) const;

 private:
  RunContext& run_;
  Transport transport_;
  AddressFamily family_;
  Rng rng_;
  Timestamp deadline_;
  TimeDelta limit_;
  Exchange exchange_;
  std::map<std::string, int> names_;
};

// The outcome of a check that failed, by the level of the clause it rests on.
Outcome Grade(Level level);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_SESSION_H_
