#include "scenarios/execution/probe_driver.h"

#include <algorithm>

#include "scenarios/execution/schedule.h"
#include "stack/base/check.h"

namespace rtclab::scenarios {

ProbeDriver::ProbeDriver(const ProbeSpec& spec, sim::Network& network,
                         const std::vector<ServerAccess>& servers, std::function<void()> on_done)
    : spec_(spec),
      network_(network),
      on_done_(std::move(on_done)),
      rng_(network.Stream("probe/" + spec.name)) {
  const auto server = std::find_if(servers.begin(), servers.end(),
                                   [&](const ServerAccess& s) { return s.name == spec.server; });
  CHECK(server != servers.end());
  // The server's address of a family that the host has too, IPv4 first: it is the one that NATs translate.
  const std::vector<IpAddress>& own = network.addresses(spec.host);
  const auto reachable = [&](const TransportAddress& address) {
    return std::any_of(own.begin(), own.end(),
                       [&](const IpAddress& ip) { return ip.family() == address.family(); });
  };
  const auto address = std::find_if(server->addresses.begin(), server->addresses.end(), reachable);
  CHECK(address !=
        server->addresses.end());  // the loader refuses a probe without a family in common
  After(spec.start, [this, to = *address] { Start(to); });
}

void ProbeDriver::Start(const TransportAddress& server) {
  sim::UdpHost& udp = network_.host(spec_.host);
  const auto own =
      std::find_if(udp.addresses().begin(), udp.addresses().end(),
                   [&](const IpAddress& ip) { return ip.family() == server.family(); });
  CHECK(own != udp.addresses().end());  // the address was chosen so
  // Two adjacent ports: the one under test, and another for mapping, hairpinning and lifetimes. Their addresses have to be known
  // before the protocol is made, so they are found by binding and unbinding.
  struct Nobody final : sim::UdpReceiver {
    void OnDatagram(Timestamp, const Datagram&) override {}
    void OnIcmpError(Timestamp, const IcmpError&) override {}
  } nobody;
  const auto first = udp.BindPair({*own, 0}, nobody);
  CHECK(first.has_value());
  const TransportAddress second{first->ip, static_cast<uint16_t>(first->port + 1)};
  udp.Unbind(*first);
  udp.Unbind(second);
  local_port_ = first->port;
  stun::NatDiscoveryConfig config;
  config.local = *first;
  config.second_local = second;
  config.server = server;
  config.hairpinning = true;
  config.lifetime = spec_.lifetime;
  discovery_ = std::make_unique<stun::NatDiscovery>(config, rng_);
  host_ = std::make_unique<sim::ProtocolHost<stun::NatDiscovery, OnEvent>>(udp, *discovery_,
                                                                           OnEvent{this});
  CHECK(host_->Bind(*first).has_value());
  CHECK(host_->Bind(second).has_value());
  host_->Run([&](stun::NatDiscovery& discovery) { discovery.Start(network_.Now()); });
}

void ProbeDriver::Handle(const stun::NatDiscovery::Event& event) {
  if (std::holds_alternative<stun::NatDiscoveryDone>(event)) Finish();
}

void ProbeDriver::Finish() {
  done_ = true;
  on_done_();
}

stun::NatReport ProbeDriver::Report() const {
  return discovery_ ? discovery_->report() : stun::NatReport{};
}

results::Probe ProbeDriver::Result() const {
  results::Probe probe;
  probe.name = spec_.name;
  probe.host = spec_.host;
  probe.server = spec_.server;
  const stun::NatReport report = Report();
  probe.state = report.udp_works && done_ ? "done" : "failed";
  probe.mapping =
      report.udp_works && !report.translated ? "none" : std::string(ToString(report.mapping));
  probe.filtering = std::string(ToString(report.filtering));
  if (report.hairpinning != stun::HairpinningResult::kUnknown) {
    probe.hairpinning = report.hairpinning != stun::HairpinningResult::kNone;
  }
  if (report.udp_works) probe.port_preserved = report.mapped.port == local_port_;
  // A binding that outlives the search has no measured lifetime.
  if (done_ && report.lifetime && !report.lifetime->less_than.IsInfinite()) {
    probe.lifetime_ms = report.lifetime->at_least.millis_f();
  }
  return probe;
}

}  // namespace rtclab::scenarios
