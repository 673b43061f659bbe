#include "sim/nat/presets.h"

#include <algorithm>
#include <array>

namespace rtclab::sim {
namespace {

using M = Mapping;
using F = Filtering;

// What the classical four types have in common: RFC 3489 says how they map and filter, and nothing else.
NatBehaviour Classical(Mapping mapping, Filtering filtering) {
  return {.mapping = mapping, .filtering = filtering};
}

// RFC 4787 section 11 with every RECOMMENDED: REQ-1, 2, 3a, 4, 5c, 6, 8 (transparency), 9a; RFC 5382 REQ-5; RFC 5508 REQ-2.
NatBehaviour Rfc4787() {
  return {.mapping = M::kEndpointIndependent,
          .filtering = F::kEndpointIndependent,
          .port_parity = true,
          .port_low = 1,
          .hairpinning = Hairpinning::kExternalSource};
}

// The same with RFC 7857's updates: ports by lot (section 9), parity off (section 8). Filtering is REQ-8's other choice.
NatBehaviour Rfc7857() {
  return {.mapping = M::kEndpointIndependent,
          .filtering = F::kAddressDependent,
          .port_assignment = PortAssignment::kRandom,
          .hairpinning = Hairpinning::kExternalSource};
}

// netfilter ties a port to a connection, not to a socket: the same number serves any number of destinations, and changes
// when another host has it towards the same destination already.
NatBehaviour LinuxMasquerade() {
  return {.mapping = M::kAddressAndPortDependent,
          .filtering = F::kAddressAndPortDependent,
          .port_fallback = PortFallback::kRandom,
          .port_overlapping = true,
          .port_low = 1,
          .refresh = Refresh::kBoth,
          .udp_unreplied_timeout = TimeDelta::Seconds(30),
          .udp_timeout = TimeDelta::Seconds(120),
          .icmp_timeout = TimeDelta::Seconds(30),
          .tcp_transitory_timeout = TimeDelta::Seconds(120),
          .tcp_established_timeout = TimeDelta::Seconds(432000)};
}

NatBehaviour FreebsdPf() {
  return {.mapping = M::kAddressAndPortDependent,
          .filtering = F::kAddressAndPortDependent,
          .port_assignment = PortAssignment::kRandom,
          .port_overlapping = true,
          .port_low = 50001,
          .refresh = Refresh::kBoth,
          .udp_unreplied_timeout = TimeDelta::Seconds(30),
          .udp_timeout = TimeDelta::Seconds(60),
          .icmp_timeout = TimeDelta::Seconds(20),
          .tcp_transitory_timeout = TimeDelta::Seconds(120),
          .tcp_established_timeout = TimeDelta::Seconds(86400)};
}

NatBehaviour CiscoIos() {
  return {.mapping = M::kAddressAndPortDependent,
          .filtering = F::kAddressAndPortDependent,
          .port_fallback = PortFallback::kFirstFree,
          .port_low = 1,
          .refresh = Refresh::kBoth,
          .udp_unreplied_timeout = TimeDelta::Seconds(300),
          .udp_timeout = TimeDelta::Seconds(300),
          .icmp_timeout = TimeDelta::Seconds(60),
          .tcp_transitory_timeout = TimeDelta::Seconds(60),
          .tcp_established_timeout = TimeDelta::Seconds(86400)};
}

NatBehaviour CarrierGrade() {
  return {.mapping = M::kEndpointIndependent,
          .filtering = F::kEndpointIndependent,
          .port_assignment = PortAssignment::kRandom,
          .port_reuse_delay = TimeDelta::Seconds(120),
          .hairpinning = Hairpinning::kExternalSource,
          .max_mappings_per_host = 1000,
          .max_sessions_per_mapping = 1000};
}

NatBehaviour CloudGateway(TimeDelta idle) {
  return {.mapping = M::kAddressAndPortDependent,
          .filtering = F::kAddressAndPortDependent,
          .port_assignment = PortAssignment::kRandom,
          .port_overlapping = true,
          .refresh = Refresh::kBoth,
          .udp_unreplied_timeout = idle,
          .udp_timeout = idle,
          .icmp_timeout = idle,
          .tcp_transitory_timeout = idle,
          .tcp_established_timeout = idle};
}

NatBehaviour GcpCloudNat() {
  NatBehaviour b = CloudGateway(TimeDelta::Seconds(30));
  b.tcp_established_timeout = TimeDelta::Seconds(1200);
  return b;
}

NatBehaviour CloudOneToOne() {
  return {.mapping = M::kEndpointIndependent,
          .filtering = F::kEndpointIndependent,
          .hairpinning = Hairpinning::kExternalSource,
          .one_to_one = true};
}

const std::array<NatPreset, 15> kPresets = {{
    {"full-cone", Classical(M::kEndpointIndependent, F::kEndpointIndependent), "RFC 3489 section 5",
     "One mapping per internal endpoint; anyone may send in through it."},
    {"restricted-cone", Classical(M::kEndpointIndependent, F::kAddressDependent),
     "RFC 3489 section 5",
     "One mapping per internal endpoint; addresses that it has sent to may send in."},
    {"port-restricted-cone", Classical(M::kEndpointIndependent, F::kAddressAndPortDependent),
     "RFC 3489 section 5",
     "One mapping per internal endpoint; addresses and ports that it has sent to may send in."},
    {"symmetric",
     {.mapping = M::kAddressAndPortDependent,
      .filtering = F::kAddressAndPortDependent,
      .port_assignment = PortAssignment::kRandom},
     "RFC 3489 section 5; ports by lot as RFC 6056 section 3.3.1 has it",
     "Another mapping, with another port, for every destination."},
    {"address-dependent",
     {.mapping = M::kAddressDependent,
      .filtering = F::kAddressAndPortDependent,
      .port_assignment = PortAssignment::kSequential},
     "RFC 4787 section 4.1 (Address-Dependent Mapping), section 5",
     "Another mapping for every destination address; ports in sequence."},
    {"rfc4787", Rfc4787(), "RFC 4787 section 11, RFC 5382 section 8, RFC 5508 section 9",
     "Everything that the behaviour RFCs require and recommend, for the greatest transparency."},
    {"rfc7857", Rfc7857(), "RFC 7857 sections 2 to 9, RFC 4787 REQ-8 (the stringent choice)",
     "Conforming, with address-dependent filtering and ports by lot."},
    {"linux-masquerade", LinuxMasquerade(),
     "Linux net/netfilter/nf_nat_core.c (get_unique_tuple, nf_nat_l4proto_unique_tuple) and "
     "Documentation/networking/nf_conntrack-sysctl.rst; RFC 7857 section 3 names the behaviour",
     "Keeps the port towards every destination until another host has it there, then takes one by "
     "lot."},
    {"freebsd-pf", FreebsdPf(), "FreeBSD and OpenBSD pf.conf(5): nat, static-port, set timeout",
     "Another port by lot, from 50001 up, for every destination."},
    {"cisco-ios", CiscoIos(),
     "Cisco, \"NAT: Frequently Asked Questions\" (PAT port ranges); \"Endpoint Agnostic Port "
     "Allocation\" (off by default); \"ip nat translation\" (timeouts)",
     "A port of its own for every session: the host's number if free, else the first free one."},
    {"carrier-grade", CarrierGrade(), "RFC 6888 section 3: REQ-1, 2, 4, 5, 7, 8, 15",
     "Conforming and open, with limits per subscriber (1,000 mappings of 1,000 sessions) and "
     "resting ports."},
    {"aws-nat-gateway", CloudGateway(TimeDelta::Seconds(350)),
     "AWS, Amazon VPC User Guide: \"NAT gateway basics\", \"Troubleshoot NAT gateways\" (350 s "
     "idle)",
     "Symmetric; a port serves several destinations when none is free; 350 s idle."},
    {"gcp-cloud-nat", GcpCloudNat(),
     "Google Cloud, Cloud NAT: \"IP addresses and ports\", \"Tune NAT configuration\" (timeouts)",
     "Symmetric, as endpoint-independent mapping is off by default; UDP 30 s, TCP 20 min."},
    {"azure-nat-gateway", CloudGateway(TimeDelta::Seconds(240)),
     "Microsoft Azure: \"Source Network Address Translation (SNAT) with Azure NAT Gateway\", "
     "\"Azure NAT Gateway resource\" (4 min idle)",
     "Symmetric; a port by lot, used again for another destination when none is free; 4 min idle."},
    {"cloud-one-to-one", CloudOneToOne(),
     "RFC 3022 section 2.1 (basic NAT); AWS, Amazon VPC User Guide: \"Internet gateways\"",
     "A public address for each host; ports stay and nothing is filtered."},
}};

}  // namespace

std::span<const NatPreset> NatPresets() { return kPresets; }

const NatPreset* FindNatPreset(std::string_view name) {
  const auto it = std::ranges::find(kPresets, name, &NatPreset::name);
  return it == kPresets.end() ? nullptr : &*it;
}

}  // namespace rtclab::sim
