// RFC 5780 discovery against the simulated NATs: two implementations of RFC 4787 that know nothing of each other agree.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "scenarios/execution/probe_driver.h"
#include "scenarios/execution/server_program.h"
#include "scenarios/execution/spec_for_test.h"
#include "scenarios/executor.h"
#include "sim/nat/presets.h"

namespace rtclab::scenarios {
namespace {

using sim::Filtering;
using sim::Hairpinning;
using sim::Mapping;
using sim::Refresh;
using stun::HairpinningResult;

constexpr Mapping kMappings[] = {Mapping::kEndpointIndependent, Mapping::kAddressDependent,
                                 Mapping::kAddressAndPortDependent};
constexpr Filtering kFilterings[] = {Filtering::kEndpointIndependent, Filtering::kAddressDependent,
                                     Filtering::kAddressAndPortDependent};

// alice behind the NAT and a STUN server with two addresses on the core.
RunSpec SpecOf(const sim::NatBehaviour& nat, bool lifetime) {
  RunSpec spec;
  spec.id = spec.scenario = "test";
  spec.network.seed = spec.seed = 1;
  AddLan(spec, "home", nat);
  AddHost(spec, "alice", "home");
  AddServer(spec, "stun", /*turn=*/false);
  spec.network.hosts.back().addresses = 2;
  spec.servers.back().behaviour_discovery = true;
  spec.probes.push_back(
      {.name = "discovery", .host = "alice", .server = "stun", .start = {}, .lifetime = lifetime});
  spec.max_duration = TimeDelta::Seconds(6 * 3600);
  return spec;
}

// The same run without the executor, for what its result leaves out.
stun::NatReport ReportOf(const sim::NatBehaviour& nat, bool lifetime) {
  const RunSpec spec = SpecOf(nat, lifetime);
  auto network = sim::Network::Build(spec.network);
  EXPECT_TRUE(network);
  const auto server = StartServer(spec.servers[0], **network);
  const std::vector<ServerAccess> servers = {DescribeAccess(spec.servers[0], **network)};
  ProbeDriver driver(spec.probes[0], **network, servers, [&] { (*network)->Stop(); });
  (*network)->RunUntil(Timestamp::Zero() + spec.max_duration);
  EXPECT_TRUE(driver.done());
  return driver.Report();
}

// The words of both sides for one class: those of the report.
std::string Name(Mapping mapping) {
  return std::string(ToString(static_cast<stun::MappingResult>(1 + static_cast<int>(mapping))));
}
std::string Name(Filtering filtering) {
  return std::string(ToString(static_cast<stun::FilteringResult>(1 + static_cast<int>(filtering))));
}

TEST(DiscoveryTest, EveryPresetIsClassifiedAsConfigured) {
  for (const sim::NatPreset& preset : sim::NatPresets()) {
    SCOPED_TRACE(std::string(preset.name));
    const Outcome outcome = Execute(SpecOf(preset.behaviour, /*lifetime=*/false), {});
    ASSERT_EQ(outcome.run.verdict, results::Verdict::kPass) << outcome.run.error;
    const results::Probe& probe = outcome.run.probes.at(0);
    EXPECT_EQ(probe.state, "done");
    // netfilter ties a port to a connection and prefers the host's own number for each: while no other host wants it, every
    // destination sees the same one, which is what discovery calls endpoint-independent.
    const bool keeps_its_port =
        preset.behaviour.port_overlapping &&
        preset.behaviour.port_assignment == sim::PortAssignment::kPreservation;
    EXPECT_EQ(keeps_its_port, preset.name == "linux-masquerade");
    EXPECT_EQ(probe.mapping,
              Name(keeps_its_port ? Mapping::kEndpointIndependent : preset.behaviour.mapping));
    EXPECT_EQ(probe.filtering, Name(preset.behaviour.filtering));
    EXPECT_EQ(probe.hairpinning, preset.behaviour.hairpinning != Hairpinning::kNone);
    // Ports by lot or in sequence may hit the internal one by chance.
    const bool preserves = preset.behaviour.one_to_one ||
                           preset.behaviour.port_assignment == sim::PortAssignment::kPreservation;
    if (preserves) {
      EXPECT_EQ(probe.port_preserved, true);
    }
  }
}

TEST(DiscoveryTest, EveryMappingFilteringAndHairpinningIsRecognised) {
  for (const Mapping mapping : kMappings) {
    for (const Filtering filtering : kFilterings) {
      for (const Hairpinning hairpinning :
           {Hairpinning::kNone, Hairpinning::kInternalSource, Hairpinning::kExternalSource}) {
        sim::NatBehaviour nat = NatOf(mapping, filtering);
        nat.hairpinning = hairpinning;
        const stun::NatReport report = ReportOf(nat, /*lifetime=*/false);
        SCOPED_TRACE(Name(mapping) + " " + Name(filtering) + " " +
                     std::to_string(static_cast<int>(hairpinning)));
        EXPECT_EQ(std::string(ToString(report.mapping)), Name(mapping));
        EXPECT_EQ(std::string(ToString(report.filtering)), Name(filtering));
        EXPECT_TRUE(report.translated);
        EXPECT_FALSE(report.generic_alg);
        // Towards the NAT's own address another mapping is used than towards the server, unless the mapping is
        // endpoint-independent. The filter of the mapping that the server told of then knows the server only, so whether
        // the NAT would hairpin shows where there is no filter.
        const bool shows = mapping == Mapping::kEndpointIndependent ||
                           filtering == Filtering::kEndpointIndependent;
        const int expected = 1 + (shows ? static_cast<int>(hairpinning) : 0);
        EXPECT_EQ(report.hairpinning, static_cast<HairpinningResult>(expected));
      }
    }
  }
}

// A Binding request is answered, so it is the timeout of replied bindings that is measured.
TEST(DiscoveryTest, BindingLifetimeAndRefreshDirectionAreMeasured) {
  struct Timeouts {
    int unreplied_s, replied_s;
  };
  for (const Timeouts timeouts : {Timeouts{30, 30}, Timeouts{30, 120}, Timeouts{300, 300}}) {
    for (const Refresh refresh : {Refresh::kOutbound, Refresh::kInbound, Refresh::kBoth}) {
      SCOPED_TRACE(std::to_string(timeouts.replied_s) + " " +
                   std::to_string(static_cast<int>(refresh)));
      sim::NatBehaviour nat = PortRestricted();
      nat.udp_unreplied_timeout = TimeDelta::Seconds(timeouts.unreplied_s);
      nat.udp_timeout = TimeDelta::Seconds(timeouts.replied_s);
      nat.refresh = refresh;
      const stun::NatReport report = ReportOf(nat, /*lifetime=*/true);
      ASSERT_TRUE(report.lifetime);
      // The NAT's clock starts when a packet passes it, which is up to a round trip after it was sent.
      const TimeDelta configured = TimeDelta::Seconds(timeouts.replied_s);
      const TimeDelta round_trip = TimeDelta::Millis(60);
      EXPECT_LE(report.lifetime->at_least, configured + round_trip);
      EXPECT_GE(report.lifetime->less_than, configured - round_trip);
      EXPECT_LE(report.lifetime->less_than - report.lifetime->at_least, TimeDelta::Seconds(1));
      EXPECT_EQ(report.lifetime->refreshed_by_inbound, refresh != Refresh::kOutbound);
    }
  }
}

TEST(DiscoveryTest, TheLifetimeIsPartOfTheResult) {
  sim::NatBehaviour nat = PortRestricted();
  nat.udp_unreplied_timeout = nat.udp_timeout = TimeDelta::Seconds(120);
  const Outcome outcome = Execute(SpecOf(nat, /*lifetime=*/true), {});
  const results::Probe& probe = outcome.run.probes.at(0);
  ASSERT_TRUE(probe.lifetime_ms);
  EXPECT_NEAR(*probe.lifetime_ms, 120'000, 1'100);
}

}  // namespace
}  // namespace rtclab::scenarios
