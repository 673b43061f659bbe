#include "stack/rtp/vp8_assembler.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::rtp {

Vp8Assembler::Vp8Assembler(std::size_t capacity) : slots_(capacity) {
  CHECK(capacity > 0 && capacity <= 32768 && (capacity & (capacity - 1)) == 0);
}

bool Vp8Assembler::Insert(Timestamp now, const PacketView& packet) {
  const ByteView payload = packet.payload();
  const auto parsed = ParseVp8Payload(payload);
  if (!parsed) return false;
  // One turn ahead, so that what comes before the first packet is not negative.
  const int64_t sequence = highest_ ? *highest_ + WrappingDistance(static_cast<uint16_t>(*highest_),
                                                                   packet.sequence_number())
                                    : 0x10000 + int64_t{packet.sequence_number()};
  const auto capacity = static_cast<int64_t>(slots_.size());
  if (sequence < 0 || sequence < dropped_before_ || (highest_ && sequence <= *highest_ - capacity))
    return false;
  Stored& slot = SlotOf(sequence);
  if (slot.sequence == sequence) return false;
  if (slot.sequence >= 0 && !slot.delivered) --buffered_;
  slot.sequence = sequence;
  slot.timestamp = packet.timestamp();
  slot.marker = packet.marker();
  slot.start = parsed->descriptor.start_of_partition && parsed->descriptor.partition == 0;
  slot.delivered = false;
  slot.arrival = now;
  slot.payload.assign(payload.begin(), payload.end());
  ++buffered_;
  highest_ = highest_ ? std::max(*highest_, sequence) : sequence;
  TryComplete(sequence, slot.timestamp);
  return true;
}

Vp8Assembler::Stored* Vp8Assembler::Waiting(int64_t sequence, uint32_t timestamp) {
  if (sequence < 0) return nullptr;
  Stored& slot = SlotOf(sequence);
  const bool fits = slot.sequence == sequence && slot.timestamp == timestamp && !slot.delivered;
  return fits ? &slot : nullptr;
}

// A frame is whole when from this packet one comes to its start backwards and to its marker forwards.
void Vp8Assembler::TryComplete(int64_t sequence, uint32_t timestamp) {
  int64_t first = sequence;
  for (;; --first) {
    const Stored* slot = Waiting(first, timestamp);
    if (slot == nullptr) return;
    if (slot->start) break;
  }
  int64_t last = sequence;
  for (;; ++last) {
    const Stored* slot = Waiting(last, timestamp);
    if (slot == nullptr) return;
    if (slot->marker) break;
  }
  Deliver(first, last);
}

void Vp8Assembler::Deliver(int64_t first, int64_t last) {
  Vp8Frame frame;
  frame.first_sequence = first;
  frame.last_sequence = last;
  frame.timestamp = SlotOf(first).timestamp;
  frame.first_arrival = SlotOf(first).arrival;
  std::size_t size = 0;
  for (int64_t s = first; s <= last; ++s) size += SlotOf(s).payload.size();
  frame.data.reserve(size);
  for (int64_t s = first; s <= last; ++s) {
    Stored& slot = SlotOf(s);
    const auto parsed = ParseVp8Payload(slot.payload);
    CHECK(parsed.has_value());
    if (s == first) frame.descriptor = parsed->descriptor;
    frame.data.insert(frame.data.end(), parsed->data.begin(), parsed->data.end());
    frame.first_arrival = std::min(frame.first_arrival, slot.arrival);
    frame.last_arrival = std::max(frame.last_arrival, slot.arrival);
    slot.delivered = true;
    --buffered_;
  }
  if (const auto header = ParseVp8FrameHeader(frame.data)) {
    frame.keyframe = header->keyframe;
    frame.width = header->width;
    frame.height = header->height;
  }
  frames_.push_back(std::move(frame));
}

std::optional<Vp8Frame> Vp8Assembler::PollFrame() {
  if (frames_.empty()) return std::nullopt;
  Vp8Frame frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

void Vp8Assembler::DropBefore(int64_t sequence) {
  dropped_before_ = std::max(dropped_before_, sequence);
  for (Stored& slot : slots_) {
    if (slot.sequence < 0 || slot.sequence >= dropped_before_) continue;
    if (!slot.delivered) --buffered_;
    slot.sequence = -1;
  }
}

}  // namespace rtclab::rtp
