// What happened to a packet and by which rule: the raw material of every explanation.
#ifndef RTCLAB_SIM_TRACE_PACKET_EVENT_H_
#define RTCLAB_SIM_TRACE_PACKET_EVENT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/trace/packet_info.h"
#include "stack/base/bytes.h"
#include "stack/base/ip_address.h"
#include "stack/base/units.h"

namespace rtclab::sim {

enum class PacketEventKind : uint8_t {
  kSent,        // a host put it on the network
  kReceived,    // a host's socket got it
  kTranslated,  // a NAT rewrote it
  kDropped,     // it ended here, by `rule`
};

struct PacketEvent {
  Timestamp time;
  PacketEventKind kind = PacketEventKind::kSent;
  uint64_t packet =
      0;              // the same number on a packet's whole way through the network, NATs included
  std::string where;  // "nat/home-a", "firewall/office", "link/home-a/up", "host/alice"
  std::string
      rule;  // a stable id, e.g. "nat.filter.address-and-port-dependent"; empty unless dropped
  std::string detail;                   // one sentence for a person
  FlowTuple tuple;                      // as it arrived at `where`
  std::optional<FlowTuple> translated;  // kTranslated: as it left
  std::size_t size = 0;                 // bytes of IP packet
  // Transaction id of a STUN message in the payload, also inside a TURN Send indication or
  // ChannelData: what ties a packet to an ICE check.
  std::optional<std::array<uint8_t, 12>> stun_transaction;
  ByteView payload;  // of UDP; valid during the sink's call only
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TRACE_PACKET_EVENT_H_
