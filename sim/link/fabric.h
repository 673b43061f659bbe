// What the devices and nodes of one network share.
#ifndef RTCLAB_SIM_LINK_FABRIC_H_
#define RTCLAB_SIM_LINK_FABRIC_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "ns3/packet.h"
#include "sim/link/handover.h"
#include "sim/trace/tracer.h"
#include "sim/trace/wire_tap.h"
#include "stack/base/bytes.h"
#include "stack/base/units.h"

namespace rtclab::sim {

// Virtual time since the run began.
Timestamp SimulatorNow();

class Fabric {
 public:
  Fabric();
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  Tracer& tracer() { return tracer_; }
  Handover& handover() { return handover_; }
  // Not owned; nullptr: no capture.
  void SetTap(WireTap* tap) { tap_ = tap; }
  WireTap* tap() const { return tap_; }

  // ns-3's packet uid, counted from this network's first packet, so that it does not depend on what
  // ran before in the process.
  uint64_t PacketNumber(const ns3::Packet& packet) const { return packet.GetUid() - first_uid_; }

  // Records that `packet` ended at `where` by `rule`. `at_node`: not on a link, so a capture, which
  // has it already as it was on the wire, gets it again on an interface named `where`, with the
  // reason as its comment.
  void Drop(const ns3::Packet& packet, std::string_view where, std::string_view rule,
            std::string detail, bool at_node);
  // Records any other event; callers ask tracer().listening() first.
  PacketEvent MakeEvent(const ns3::Packet& packet, PacketEventKind kind, std::string_view where);

  // The whole packet as bytes, valid until the next call.
  ByteView Flatten(const ns3::Packet& packet);
  // The same in memory of its own, for a packet whose payload a socket's owner gets to see: it may
  // send, drop and trace meanwhile. Deliveries never nest.
  ByteView FlattenForDelivery(const ns3::Packet& packet);
  // At least `size` bytes to build a packet in, valid until the next call.
  uint8_t* BuildBuffer(std::size_t size);

 private:
  Tracer tracer_;
  Handover handover_;
  WireTap* tap_ = nullptr;
  uint64_t first_uid_;
  Bytes flat_;
  Bytes delivery_;
  Bytes build_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_LINK_FABRIC_H_
