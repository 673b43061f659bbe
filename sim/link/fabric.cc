#include "sim/link/fabric.h"

#include <utility>

#include "ns3/simulator.h"
#include "sim/trace/ip_view.h"

namespace rtclab::sim {
namespace {

ByteView CopyOut(const ns3::Packet& packet, Bytes& buffer) {
  const uint32_t size = packet.GetSize();
  if (buffer.size() < size) buffer.resize(size);
  packet.CopyData(buffer.data(), size);
  return ByteView(buffer).first(size);
}

}  // namespace

Timestamp SimulatorNow() { return Timestamp::Nanos(ns3::Simulator::Now().GetTimeStep()); }

Fabric::Fabric()
    : first_uid_(ns3::Packet(nullptr, 0).GetUid() + 1),
      flat_(2048),
      delivery_(2048),
      build_(2048) {}

ByteView Fabric::Flatten(const ns3::Packet& packet) { return CopyOut(packet, flat_); }

ByteView Fabric::FlattenForDelivery(const ns3::Packet& packet) {
  return CopyOut(packet, delivery_);
}

uint8_t* Fabric::BuildBuffer(std::size_t size) {
  if (build_.size() < size) build_.resize(size);
  return build_.data();
}

PacketEvent Fabric::MakeEvent(const ns3::Packet& packet, PacketEventKind kind,
                              std::string_view where) {
  PacketEvent event;
  event.time = SimulatorNow();
  event.kind = kind;
  event.packet = PacketNumber(packet);
  event.where = where;
  event.size = packet.GetSize();
  const ByteView bytes = Flatten(packet);
  if (const auto view = IpView::Parse(bytes, bytes.size())) event.tuple = view->tuple;
  event.payload = UdpPayload(bytes);
  event.stun_transaction = FindStunTransaction(event.payload);
  return event;
}

void Fabric::Drop(const ns3::Packet& packet, std::string_view where, std::string_view rule,
                  std::string detail, bool at_node) {
  PacketEvent event = MakeEvent(packet, PacketEventKind::kDropped, where);
  event.rule = rule;
  event.detail = std::move(detail);
  if (at_node && tap_ != nullptr) {
    tap_->OnPacket(where, TapDirection::kNone, event.time, Flatten(packet),
                   event.rule + ": " + event.detail);
  }
  tracer_.Emit(event);
}

}  // namespace rtclab::sim
