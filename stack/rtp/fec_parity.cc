#include "stack/rtp/fec_parity.h"

#include <algorithm>
#include <cstring>

#include "stack/base/check.h"
#include "stack/rtp/rtp_packet.h"

namespace rtclab::rtp {
namespace {

// Eight bytes at a time; -O2 would not do it by itself for a length it does not know.
void XorInto(uint8_t* out, ByteView in) {
  std::size_t i = 0;
  for (; i + 8 <= in.size(); i += 8) {
    uint64_t a = 0;
    uint64_t b = 0;
    std::memcpy(&a, out + i, 8);
    std::memcpy(&b, in.data() + i, 8);
    a ^= b;
    std::memcpy(out + i, &a, 8);
  }
  for (; i < in.size(); ++i) out[i] ^= in[i];
}

}  // namespace

void FecParity::Add(ByteView packet) {
  CHECK(packet.size() >= kFixedHeaderSize);
  const ByteView rest = packet.subspan(kFixedHeaderSize);
  header[0] ^= packet[0];
  header[1] ^= packet[1];
  length = static_cast<uint16_t>(length ^ rest.size());
  timestamp ^= LoadU32(packet.data() + 4);
  if (payload.size() < rest.size()) payload.resize(rest.size());
  XorInto(payload.data(), rest);
}

std::optional<Bytes> FecParity::Recover(uint16_t sequence, uint32_t ssrc) const {
  if (length > payload.size()) return std::nullopt;
  Bytes packet(kFixedHeaderSize + length);
  packet[0] = static_cast<uint8_t>((header[0] & 0x3f) | 0x80);
  packet[1] = header[1];
  StoreU16(packet.data() + 2, sequence);
  StoreU32(packet.data() + 4, timestamp);
  StoreU32(packet.data() + 8, ssrc);
  std::copy_n(payload.begin(), length, packet.begin() + kFixedHeaderSize);
  if (!PacketView::Parse(packet)) return std::nullopt;
  return packet;
}

FecRecovery::FecRecovery(std::size_t media_capacity, std::size_t repair_capacity)
    : media_capacity_(media_capacity), repair_capacity_(repair_capacity) {
  CHECK(media_capacity > 0 && media_capacity <= 32768 &&
        (media_capacity & (media_capacity - 1)) == 0);
  CHECK(repair_capacity > 0);
}

void FecRecovery::AddStream(uint32_t ssrc) {
  std::vector<Slot>& slots = streams_[ssrc];
  if (slots.empty()) slots.resize(media_capacity_);
}

// False when it is there already or of an SSRC that is not protected.
bool FecRecovery::Store(ByteView packet) {
  if (packet.size() < kFixedHeaderSize) return false;
  const auto stream = streams_.find(LoadU32(packet.data() + 8));
  if (stream == streams_.end()) return false;
  const uint16_t sequence = LoadU16(packet.data() + 2);
  Slot& slot = stream->second[sequence & (media_capacity_ - 1)];
  if (slot.used && slot.sequence == sequence) return false;
  slot.used = true;
  slot.sequence = sequence;
  slot.packet.assign(packet.begin(), packet.end());
  return true;
}

const FecRecovery::Slot* FecRecovery::Find(const FecTarget& target) const {
  const auto stream = streams_.find(target.ssrc);
  if (stream == streams_.end()) return nullptr;
  const Slot& slot = stream->second[target.sequence & (media_capacity_ - 1)];
  return slot.used && slot.sequence == target.sequence ? &slot : nullptr;
}

void FecRecovery::AddMedia(ByteView packet) {
  if (Store(packet) && !repairs_.empty()) Search();
}

void FecRecovery::AddRepair(FecRepair repair) {
  if (repair.targets.empty()) return;
  const auto known = [this](const FecTarget& t) { return streams_.contains(t.ssrc); };
  if (!std::all_of(repair.targets.begin(), repair.targets.end(), known)) return;
  if (repairs_.size() == repair_capacity_) repairs_.pop_front();
  repairs_.push_back(std::move(repair));
  Search();
}

bool FecRecovery::TryRepair(const FecRepair& repair, bool& progress) {
  const FecTarget* missing = nullptr;
  for (const FecTarget& target : repair.targets) {
    if (Find(target) != nullptr) continue;
    if (missing != nullptr) return false;  // two or more: not yet
    missing = &target;
  }
  if (missing == nullptr) return true;
  FecParity parity = repair.parity;
  for (const FecTarget& target : repair.targets) {
    if (&target != missing) parity.Add(Find(target)->packet);
  }
  auto packet = parity.Recover(missing->sequence, missing->ssrc);
  if (!packet) return true;
  Store(*packet);
  recovered_.push_back(std::move(*packet));
  ++recovered_count_;
  progress = true;
  return true;
}

void FecRecovery::Search() {
  bool progress = true;
  while (progress) {
    progress = false;
    std::erase_if(repairs_, [&](const FecRepair& repair) { return TryRepair(repair, progress); });
  }
}

std::optional<Bytes> FecRecovery::PollRecovered() {
  if (recovered_.empty()) return std::nullopt;
  Bytes packet = std::move(recovered_.front());
  recovered_.pop_front();
  return packet;
}

}  // namespace rtclab::rtp
