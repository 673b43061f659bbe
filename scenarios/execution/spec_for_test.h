// Small runs, built without the scenario language: what the tests and benchmarks of this room run.
#ifndef RTCLAB_SCENARIOS_EXECUTION_SPEC_FOR_TEST_H_
#define RTCLAB_SCENARIOS_EXECUTION_SPEC_FOR_TEST_H_

#include <string>

#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

inline sim::LinkSpec LinkOf(TimeDelta delay) {
  sim::LinkSpec link;
  link.up.delay = link.down.delay = delay;
  return link;
}

inline sim::NatBehaviour NatOf(sim::Mapping mapping, sim::Filtering filtering) {
  sim::NatBehaviour nat;
  nat.mapping = mapping;
  nat.filtering = filtering;
  return nat;
}

inline sim::NatBehaviour PortRestricted() {
  return NatOf(sim::Mapping::kEndpointIndependent, sim::Filtering::kAddressAndPortDependent);
}

inline sim::NatBehaviour Symmetric() {
  sim::NatBehaviour nat =
      NatOf(sim::Mapping::kAddressAndPortDependent, sim::Filtering::kAddressAndPortDependent);
  nat.port_assignment = sim::PortAssignment::kRandom;
  return nat;
}

inline void AddLan(RunSpec& spec, const std::string& name, std::optional<sim::NatBehaviour> nat) {
  sim::LanSpec lan;
  lan.name = name;
  lan.nat = nat;
  lan.uplink = LinkOf(TimeDelta::Millis(10));
  spec.network.lans.push_back(lan);
}

inline void AddHost(RunSpec& spec, const std::string& name, const std::string& lan) {
  sim::HostSpec host;
  host.name = name;
  host.attachments.push_back({.lan = lan, .access = {}});
  spec.network.hosts.push_back(host);
}

inline void AddServer(RunSpec& spec, const std::string& name, bool turn) {
  AddHost(spec, name, "");
  spec.network.hosts.back().attachments.front().access = LinkOf(TimeDelta::Millis(5));
  ServerSpec server;
  server.name = server.host = name;
  server.turn = turn;
  spec.servers.push_back(server);
}

// alice in LAN a and bob in LAN b, with those NATs, a STUN and, when `turn`, a TURN server on the core; one session "call".
inline RunSpec TwoHosts(std::optional<sim::NatBehaviour> nat_a,
                        std::optional<sim::NatBehaviour> nat_b, bool turn = true) {
  RunSpec spec;
  spec.id = spec.scenario = "test";
  spec.network.seed = spec.seed = 1;
  AddLan(spec, "a", nat_a);
  AddLan(spec, "b", nat_b);
  AddHost(spec, "alice", "a");
  AddHost(spec, "bob", "b");
  AddServer(spec, "stun", false);
  SessionSpec session;
  session.name = "call";
  session.a.host = "alice";
  session.b.host = "bob";
  session.signalling_delay = TimeDelta::Millis(20);
  session.a.ice.servers = {"stun"};
  if (turn) {
    AddServer(spec, "turn", true);
    session.a.ice.servers.push_back("turn");
  }
  session.b.ice.servers = session.a.ice.servers;
  spec.sessions.push_back(session);
  return spec;
}

// The same two as peer connections with one data channel, which is only opened, and no media.
inline RunSpec TwoPeers(std::optional<sim::NatBehaviour> nat_a,
                        std::optional<sim::NatBehaviour> nat_b, bool turn = true) {
  RunSpec spec = TwoHosts(nat_a, nat_b, turn);
  PeerSpec& peer = spec.sessions[0].peer.emplace();
  peer.channels.emplace_back().label = "data";
  return spec;
}

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_SPEC_FOR_TEST_H_
