#include "stack/rtp/packet_history.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/rtp/rtp_packet.h"

namespace rtclab::rtp {

PacketHistory::PacketHistory(const PacketHistoryConfig& config)
    : config_(config), slots_(config.capacity) {
  CHECK(config.capacity > 0 && config.capacity <= 32768 &&
        (config.capacity & (config.capacity - 1)) == 0);
}

void PacketHistory::Store(Timestamp now, ByteView packet) {
  CHECK(packet.size() >= kFixedHeaderSize);
  const uint16_t sequence = LoadU16(packet.data() + 2);
  Slot& slot = SlotOf(sequence);
  slot.used = true;
  slot.sequence = sequence;
  slot.times_sent = 1;
  slot.first_sent = now;
  slot.last_sent = now;
  slot.packet.assign(packet.begin(), packet.end());
  newest_ = sequence;
  any_ = true;
}

std::optional<ByteView> PacketHistory::Find(uint16_t sequence) const {
  const Slot& slot = SlotOf(sequence);
  if (!slot.used || slot.sequence != sequence) return std::nullopt;
  return ByteView(slot.packet);
}

std::optional<ByteView> PacketHistory::Retransmit(Timestamp now, uint16_t sequence) {
  Slot& slot = SlotOf(sequence);
  if (!slot.used || slot.sequence != sequence || now - slot.first_sent > config_.max_age) {
    ++misses_;
    return std::nullopt;
  }
  // The first request may come early (the receiver saw the gap at once); a further one within an RTT was
  // sent before our retransmission could arrive.
  if (slot.times_sent > 1 && now - slot.last_sent < rtt_) {
    ++suppressed_;
    return std::nullopt;
  }
  ++slot.times_sent;
  slot.last_sent = now;
  ++retransmissions_;
  return ByteView(slot.packet);
}

std::optional<ByteView> PacketHistory::ForPadding(Timestamp now, std::size_t min_size) const {
  if (!any_) return std::nullopt;
  // A handful is enough: packets of a frame are alike in size.
  constexpr std::size_t kLookBack = 16;
  for (std::size_t i = 0; i < std::min(kLookBack, slots_.size()); ++i) {
    const auto sequence = static_cast<uint16_t>(newest_ - i);
    const Slot& slot = SlotOf(sequence);
    if (!slot.used || slot.sequence != sequence || now - slot.first_sent > config_.max_age)
      continue;
    if (slot.packet.size() >= min_size) return ByteView(slot.packet);
  }
  return std::nullopt;
}

void PacketHistory::Clear() {
  for (Slot& slot : slots_) slot.used = false;
  any_ = false;
}

}  // namespace rtclab::rtp
