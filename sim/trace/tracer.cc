#include "sim/trace/tracer.h"

#include <algorithm>

namespace rtclab::sim {
namespace {

constexpr std::size_t kStunHeaderSize = 20;
constexpr uint32_t kMagicCookie = 0x2112a442;  // RFC 8489 section 5
constexpr uint16_t kSendIndication = 0x0016;   // RFC 8656 section 17
constexpr uint16_t kDataIndication = 0x0017;
constexpr uint16_t kDataAttribute = 0x0013;  // RFC 8656 section 18

bool IsStun(ByteView payload) {
  return payload.size() >= kStunHeaderSize && payload[0] < 4 &&
         LoadU32(payload.data() + 4) == kMagicCookie;
}

ByteView DataOf(ByteView indication) {
  ByteReader reader(indication.subspan(kStunHeaderSize));
  while (auto type = reader.ReadU16()) {
    const auto length = reader.ReadU16();
    if (!length) break;
    const auto value = reader.ReadBytes(std::min<std::size_t>(*length, reader.remaining()));
    if (*type == kDataAttribute) return *value;
    reader.ReadBytes((4u - *length % 4u) % 4u);
  }
  return {};
}

}  // namespace

void Tracer::Emit(const PacketEvent& event) {
  if (event.kind == PacketEventKind::kDropped) {
    ++drop_counts_[{event.where, event.rule}];
    if (drops_.size() < kMaxStoredDrops) {
      drops_.push_back(event);
      drops_.back().payload = {};
    }
  }
  if (sink_ != nullptr) sink_->OnPacketEvent(event);
}

std::optional<std::array<uint8_t, 12>> FindStunTransaction(ByteView payload) {
  // ChannelData: channel numbers 0x4000 to 0x4fff (RFC 8656 section 12), then a length.
  if (payload.size() >= 4 && payload[0] >= 0x40 && payload[0] <= 0x4f) payload = payload.subspan(4);
  if (!IsStun(payload)) return std::nullopt;
  const uint16_t type = LoadU16(payload.data());
  if (type == kSendIndication || type == kDataIndication) {
    const ByteView inner = DataOf(payload);
    if (IsStun(inner)) payload = inner;
  }
  std::array<uint8_t, 12> id;
  std::copy_n(payload.begin() + 8, id.size(), id.begin());
  return id;
}

}  // namespace rtclab::sim
