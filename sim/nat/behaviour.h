// What a NAT does, in the terms of RFC 4787 (UDP), RFC 5382 (TCP), RFC 5508 (ICMP) and RFC 7857
// (updates).
#ifndef RTCLAB_SIM_NAT_BEHAVIOUR_H_
#define RTCLAB_SIM_NAT_BEHAVIOUR_H_

#include <cstdint>

#include "stack/base/units.h"

namespace rtclab::sim {

// RFC 4787 section 4.1: when a mapping is reused for another destination.
enum class Mapping : uint8_t { kEndpointIndependent, kAddressDependent, kAddressAndPortDependent };
// RFC 4787 section 5: who may send in through a mapping.
enum class Filtering : uint8_t {
  kEndpointIndependent,
  kAddressDependent,
  kAddressAndPortDependent
};
// RFC 4787 section 4.2.1: how the external port is chosen. kPreservation keeps the internal port
// and falls back as PortFallback says; kSequential takes the next free one after the last given;
// kOverloading gives the internal port even when another internal host has it already.
enum class PortAssignment : uint8_t { kPreservation, kSequential, kRandom, kOverloading };
// kPreservation when the port is taken: the next free port, the first free one from the bottom of
// the range, or a free one by lot.
enum class PortFallback : uint8_t { kNextFree, kFirstFree, kRandom };
// RFC 4787 section 4.1 "IP address pooling": whether one internal host always gets the same
// external address.
enum class Pooling : uint8_t { kPaired, kArbitrary };
// RFC 4787 section 6: what the inner host that is reached by hairpinning sees as the source.
enum class Hairpinning : uint8_t { kNone, kInternalSource, kExternalSource };
// RFC 4787 section 4.3: which direction's packets keep a mapping alive.
enum class Refresh : uint8_t { kOutbound, kInbound, kBoth };

struct NatBehaviour {
  Mapping mapping = Mapping::kEndpointIndependent;
  Filtering filtering = Filtering::kAddressAndPortDependent;
  PortAssignment port_assignment = PortAssignment::kPreservation;
  PortFallback port_fallback = PortFallback::kNextFree;
  // RFC 7857 section 3: one external endpoint may serve several mappings as long as their
  // destinations differ. Needs address-and-port-dependent mapping and filtering. This is what makes
  // Linux keep the port towards every destination.
  bool port_overlapping = false;
  bool port_parity = false;      // RFC 4787 section 4.2.2: even maps to even, odd to odd
  bool port_contiguity = false;  // RFC 4787 section 4.2.3: RTCP's port follows RTP's
  uint16_t port_low = 1024;      // external ports used, both ends included
  uint16_t port_high = 65535;
  // RFC 6888 section 3 REQ-8: how long a released port stays away from other hosts.
  TimeDelta port_reuse_delay = TimeDelta::Zero();
  Pooling pooling = Pooling::kPaired;
  Hairpinning hairpinning = Hairpinning::kNone;
  Refresh refresh = Refresh::kOutbound;
  // Per-state UDP timeouts: until a reply has been seen, and after (Linux: 30 s and 120 s). RFC
  // 4787 section 4.3 wants at least 2 minutes for both.
  TimeDelta udp_unreplied_timeout = TimeDelta::Seconds(300);
  TimeDelta udp_timeout = TimeDelta::Seconds(300);
  TimeDelta icmp_timeout = TimeDelta::Seconds(60);  // RFC 5508 section 3.2 REQ-2: at least 60 s
  TimeDelta tcp_transitory_timeout = TimeDelta::Seconds(240);  // RFC 5382 section 5 REQ-5
  TimeDelta tcp_established_timeout = TimeDelta::Seconds(7440);
  bool translate_icmp_errors = true;  // RFC 5508 section 4
  int max_mappings = 65536;           // in all; a packet that needs one more is dropped
  int max_mappings_per_host = 65536;  // RFC 6888 section 3 REQ-4 limits a subscriber
  int max_sessions_per_mapping = 65536;
  bool one_to_one =
      false;  // a cloud's static address translation: port kept, nothing filtered by the NAT itself
  bool translate_ipv6 = false;  // off: IPv6 is routed and only filtered statefully (RFC 6092)

  bool operator==(const NatBehaviour&) const = default;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_NAT_BEHAVIOUR_H_
