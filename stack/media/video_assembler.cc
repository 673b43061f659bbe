#include "stack/media/video_assembler.h"

#include <algorithm>
#include <utility>

#include "stack/rtp/vp8.h"

namespace rtclab::media {

void VideoAssembler::Release(Slot& slot) {
  if (slot.payload.capacity() == 0) return;
  if (spare_.size() < kSpareBuffers) {
    slot.payload.clear();
    spare_.push_back(std::move(slot.payload));
  }
  slot.payload = Bytes();
}

// Makes room so that every packet from floor_ on to `sequence` has a slot of its own; what a jump
// of the sequence leaves behind is dropped.
void VideoAssembler::Grow(int64_t sequence) {
  std::size_t size = std::max(slots_.size(), kLeastSlots);
  const auto span = static_cast<std::size_t>(sequence - floor_);
  while (size < span && size < kMostSlots) size *= 2;
  if (span > size) ClearUpTo(sequence - static_cast<int64_t>(size / 2));
  if (size == slots_.size()) return;
  std::vector<Slot> old(size);
  old.swap(slots_);
  for (Slot& slot : old) {
    if (slot.sequence > floor_) At(slot.sequence) = std::move(slot);
  }
}

VideoAssembler::Slot* VideoAssembler::Claim(int64_t sequence, Outcome& outcome) {
  if (slots_.empty()) floor_ = sequence - static_cast<int64_t>(kLeastSlots) / 2;
  if (sequence <= floor_) {
    outcome = Outcome::kTooOld;
    return nullptr;
  }
  if (slots_.empty() || sequence - floor_ > static_cast<int64_t>(slots_.size())) Grow(sequence);
  Slot& slot = At(sequence);
  if (slot.sequence == sequence) {
    outcome = Outcome::kDuplicate;
    return nullptr;
  }
  Release(slot);
  slot.sequence = sequence;
  slot.used = false;
  slot.padding = false;
  slot.marker = false;
  slot.starts_frame = false;
  outcome = Outcome::kStored;
  return &slot;
}

void VideoAssembler::InsertPadding(int64_t sequence) {
  Outcome outcome;
  if (Slot* slot = Claim(sequence, outcome)) slot->padding = true;
}

VideoAssembler::Outcome VideoAssembler::Insert(const VideoPacket& packet,
                                               std::optional<VideoFrame>& frame) {
  Outcome outcome;
  Slot* slot = Claim(packet.sequence, outcome);
  if (slot == nullptr) return outcome;
  slot->timestamp = packet.timestamp;
  slot->marker = packet.marker;
  slot->starts_frame = packet.starts_frame;
  slot->recovered = packet.recovered;
  slot->arrived = packet.arrived;
  if (!spare_.empty()) {
    slot->payload = std::move(spare_.back());
    spare_.pop_back();
  }
  slot->payload.assign(packet.payload.begin(), packet.payload.end());
  bool malformed = false;
  frame = Complete(packet, malformed);
  return malformed ? Outcome::kMalformed : outcome;
}

std::optional<VideoFrame> VideoAssembler::Complete(const VideoPacket& packet, bool& malformed) {
  const auto part_of_frame = [&](int64_t sequence) {
    if (!Has(sequence)) return false;
    const Slot& slot = At(sequence);
    return !slot.padding && !slot.used && slot.timestamp == packet.timestamp;
  };
  int64_t last = packet.sequence;
  while (!At(last).marker) {
    if (!part_of_frame(++last)) return std::nullopt;
  }
  int64_t first = packet.sequence;
  while (!At(first).starts_frame) {
    if (!part_of_frame(--first)) return std::nullopt;
  }
  VideoFrame frame;
  frame.first_sequence = first;
  frame.last_sequence = last;
  frame.timestamp = packet.timestamp;
  frame.picture_id = packet.picture_id;
  frame.tl0_index = packet.tl0_index;
  frame.temporal_id = packet.temporal_id;
  frame.layer_sync = packet.layer_sync;
  frame.packets = static_cast<int>(last - first + 1);
  frame.completed = packet.arrived;
  frame.first_arrival = packet.arrived;
  scratch_.clear();
  for (int64_t sequence = first; sequence <= last; ++sequence) {
    Slot& slot = At(sequence);
    slot.used = true;
    frame.recovered |= slot.recovered;
    frame.first_arrival = std::min(frame.first_arrival, slot.arrived);
    scratch_.insert(scratch_.end(), slot.payload.begin(), slot.payload.end());
    Release(slot);
  }
  frame.follows = first - 1;
  while (Has(frame.follows) && At(frame.follows).padding) --frame.follows;
  frame.size = static_cast<int64_t>(scratch_.size());
  const auto header = rtp::ParseVp8FrameHeader(scratch_);
  if (!header) {
    malformed = true;
    return std::nullopt;
  }
  frame.key_frame = header->keyframe;
  frame.width = header->width;
  frame.height = header->height;
  frame.identity = ReadVideoFrame(scratch_);
  return frame;
}

void VideoAssembler::ClearUpTo(int64_t sequence) {
  if (slots_.empty() || sequence <= floor_) return;
  const int64_t size = static_cast<int64_t>(slots_.size());
  for (int64_t s = std::max(floor_ + 1, sequence - size + 1); s <= sequence; ++s) {
    if (!Has(s)) continue;
    Release(At(s));
    At(s).sequence = kNoSequence;
  }
  floor_ = sequence;
}

}  // namespace rtclab::media
