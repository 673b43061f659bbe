// One NAT behaviour discovery (RFC 5780) of a run.
#ifndef RTCLAB_SCENARIOS_EXECUTION_PROBE_DRIVER_H_
#define RTCLAB_SCENARIOS_EXECUTION_PROBE_DRIVER_H_

#include <functional>
#include <memory>
#include <vector>

#include "results/model.h"
#include "scenarios/execution/server_program.h"
#include "scenarios/run_spec.h"
#include "sim/host/protocol_host.h"
#include "sim/topology/network.h"
#include "stack/stun/nat_discovery.h"

namespace rtclab::scenarios {

class ProbeDriver {
 public:
  // Schedules the probe's start; `on_done()` is called once, when all its tests have ended. The arguments must outlive it.
  ProbeDriver(const ProbeSpec& spec, sim::Network& network,
              const std::vector<ServerAccess>& servers, std::function<void()> on_done);

  bool done() const { return done_; }
  results::Probe Result() const;
  // All that is known; nothing before the start.
  stun::NatReport Report() const;

 private:
  struct OnEvent {
    ProbeDriver* self;
    void operator()(Timestamp, stun::NatDiscovery::Event&& event) const { self->Handle(event); }
  };

  void Start(const TransportAddress& server);
  void Handle(const stun::NatDiscovery::Event& event);
  void Finish();

  const ProbeSpec& spec_;
  sim::Network& network_;
  std::function<void()> on_done_;
  Rng rng_;
  std::unique_ptr<stun::NatDiscovery> discovery_;
  std::unique_ptr<sim::ProtocolHost<stun::NatDiscovery, OnEvent>> host_;
  uint16_t local_port_ = 0;
  bool done_ = false;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_PROBE_DRIVER_H_
