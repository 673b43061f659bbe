// `rtclab load`: how many allocations a second, how many packets and bits, at what loss and latency, and where the knee is.
#ifndef RTCLAB_CONFORMANCE_LOAD_LOAD_RUN_H_
#define RTCLAB_CONFORMANCE_LOAD_LOAD_RUN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/load/latency_histogram.h"
#include "conformance/load/load_client.h"

namespace rtclab::conformance {

enum class LoadPeers : uint8_t {
  kLocal,  // sockets of ours behind the relay: the server has to reach us
  kRelay,  // clients in pairs, each the other's peer: every packet is relayed twice
};

struct LoadPlan {
  LoadClientConfig client;
  int clients = 10;  // 1 to 10,000; in pairs for kRelay, so an even number there
  int opening = 32;  // allocations under way at a time
  LoadPeers peers = LoadPeers::kLocal;
  bool to_peer = true;  // the direction; kRelay ignores both
  bool to_client = false;
  std::size_t payload_bytes = 1'000;  // 32 to 8,000 of application data
  double packets_per_s =
      1'000;  // of all clients together, each direction; the first step of a ramp
  TimeDelta step = TimeDelta::Seconds(5);  // how long each rate is held
  // A ramp multiplies the rate until loss or latency goes over its limit, and then halves the distance to the last good rate three times. It
  // also ends at the highest rate, where this machine can't send faster, and with the time or the packets allowed: then without a knee.
  bool ramp = false;
  double ramp_factor = 1.5;
  double max_packets_per_s = 1'000'000;
  double max_loss = 0.01;  // fraction
  TimeDelta max_p99 = TimeDelta::Millis(100);
  TimeDelta max_time = TimeDelta::Seconds(120);  // of everything
  uint64_t max_packets = 50'000'000;             // of everything
  uint64_t seed = 1;
  int server_pid = 0;  // a process of this machine, whose CPU time each step reports; 0: none
};

// The allocating of all clients.
struct AllocationPhase {
  int wanted = 0, made = 0, failed = 0;
  TimeDelta elapsed;                    // from the first request to the last answer
  LatencyHistogram latency;             // challenge and all, connection and handshake too
  std::map<std::string, int> failures;  // reason -> how many
  double per_s() const { return elapsed.nanos() > 0 ? made / elapsed.seconds() : 0; }
};

// One rate held for a while.
struct LoadStep {
  double wanted_packets_per_s = 0;
  uint64_t sent = 0, received = 0,
           foreign = 0;  // foreign: came back with other bytes than were sent
  TimeDelta elapsed;
  LatencyHistogram latency;  // from sending to the other end, one way
  std::size_t payload_bytes = 0;
  bool behind = false;                  // this machine could not send at the rate wanted
  std::optional<TimeDelta> server_cpu;  // with LoadPlan::server_pid: used by the server in the step

  double sent_per_s() const {
    return elapsed.nanos() > 0 ? static_cast<double>(sent) / elapsed.seconds() : 0;
  }
  double received_per_s() const {
    return elapsed.nanos() > 0 ? static_cast<double>(received) / elapsed.seconds() : 0;
  }
  // 0 to 1: packets that came twice do not make up for others.
  double loss() const {
    return sent <= received ? 0 : 1.0 - static_cast<double>(received) / static_cast<double>(sent);
  }
  std::optional<double> cpu_us_per_packet() const {
    if (!server_cpu || received == 0) return std::nullopt;
    return static_cast<double>(server_cpu->nanos()) / 1e3 / static_cast<double>(received);
  }
  double mbit_per_s() const {
    return received_per_s() * static_cast<double>(payload_bytes) * 8 / 1e6;
  }
};

struct LoadReport {
  LoadPlan plan;  // without the password
  AllocationPhase allocations;
  std::vector<LoadStep> steps;
  std::optional<std::size_t> best;  // a ramp: the step with the highest rate within the limits
  // A ramp: some rate that this machine could send had too much loss or latency.
  bool over_limits = false;
  // A ramp: `best`, where a higher rate was over the limits. None: no rate went over the limits, or all did.
  std::optional<std::size_t> knee() const { return over_limits ? best : std::nullopt; }
  // A ramp without a knee: up to which rate there is none, and why it is not known of higher ones. Otherwise nullopt.
  struct NoKnee {
    double up_to_packets_per_s = 0;  // 0: not even the lowest rate was within the limits
    std::string why;
  };
  std::optional<NoKnee> no_knee() const;
  std::string
      ended;  // "done", "the limits were reached", "out of time", "interrupted", "no allocation succeeded: ..."
  bool complete = false;
  int released = 0;  // allocations deleted at the end
};

class LoadRun {
 public:
  // `progress` gets a short line about once a second.
  LoadRun(LoadPlan plan, std::function<void(const std::string&)> progress);
  ~LoadRun();
  // Blocks until the end, at most max_time and what releasing takes. On an interrupt allocations are released first.
  LoadReport Run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_LOAD_LOAD_RUN_H_
