// A hash table from a packet's addresses to a small number. NAT and firewall look up every packet in one; it has no order
// and can't be walked, so no order can show in a result.
#ifndef RTCLAB_SIM_TRACE_FLOW_MAP_H_
#define RTCLAB_SIM_TRACE_FLOW_MAP_H_

#include <array>
#include <cstdint>
#include <vector>

#include "sim/trace/packet_info.h"
#include "stack/base/bytes.h"
#include "stack/base/check.h"

namespace rtclab::sim {

// A protocol and two transport addresses in five words. IPv4 sits in the low words only.
struct FlowKey {
  std::array<uint64_t, 5> words{};

  FlowKey() = default;
  FlowKey(IpProtocol protocol, const TransportAddress& a, const TransportAddress& b) {
    Pack(a.ip, words[0], words[1]);
    Pack(b.ip, words[2], words[3]);
    words[4] = uint64_t{static_cast<uint8_t>(protocol)} |
               uint64_t{static_cast<uint8_t>(a.ip.family())} << 8 |
               uint64_t{static_cast<uint8_t>(b.ip.family())} << 16 | uint64_t{a.port} << 32 |
               uint64_t{b.port} << 48;
  }
  // One address alone, such as a host's.
  explicit FlowKey(const IpAddress& a) : FlowKey(IpProtocol{}, {a, 0}, {}) {}

  bool operator==(const FlowKey&) const = default;

  uint64_t Hash() const {
    uint64_t h = Mix(words[0] ^ 0xa0761d6478bd642fu, words[2] ^ 0xe7037ed1a0b428dbu);
    h ^= Mix(words[1] ^ 0x8ebc6af09c88c6e3u, words[3] ^ 0x589965cc75374cc3u);
    return Mix(h ^ words[4], 0x1d8e4e27c47d124fu);
  }

 private:
  static void Pack(const IpAddress& ip, uint64_t& low, uint64_t& high) {
    if (ip.IsV4()) {
      low = LoadU32(ip.bytes().data());
    } else if (ip.IsV6()) {
      low = LoadU64(ip.bytes().data() + 8);
      high = LoadU64(ip.bytes().data());
    }
  }
  // Both halves of the 128-bit product, folded.
  static uint64_t Mix(uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
};

// Open addressing with linear probing and deletion by shifting back; at most 5/8 full.
class FlowMap {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // kNone when absent.
  uint32_t Find(const FlowKey& key) const {
    if (size_ == 0) return kNone;
    for (std::size_t i = Slot(key);; i = (i + 1) & mask_) {
      if (slots_[i].value == kNone) return kNone;
      if (slots_[i].key == key) return slots_[i].value;
    }
  }

  // Inserts or replaces; `value` must not be kNone.
  void Set(const FlowKey& key, uint32_t value) {
    CHECK(value != kNone);
    if ((size_ + 1) * 8 > slots_.size() * 5) Grow();
    std::size_t i = Slot(key);
    while (slots_[i].value != kNone && slots_[i].key != key) i = (i + 1) & mask_;
    if (slots_[i].value == kNone) ++size_;
    slots_[i] = {key, value};
  }

  // Does nothing when absent.
  void Erase(const FlowKey& key) {
    if (size_ == 0) return;
    std::size_t hole = Slot(key);
    while (slots_[hole].key != key || slots_[hole].value == kNone) {
      if (slots_[hole].value == kNone) return;
      hole = (hole + 1) & mask_;
    }
    --size_;
    // Whatever was pushed past the hole by a collision moves back into it.
    for (std::size_t i = (hole + 1) & mask_; slots_[i].value != kNone; i = (i + 1) & mask_) {
      const std::size_t home = Slot(slots_[i].key);
      if (((i - home) & mask_) >= ((i - hole) & mask_)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole].value = kNone;
  }

  std::size_t size() const { return size_; }

 private:
  struct Entry {
    FlowKey key;
    uint32_t value = kNone;
  };

  std::size_t Slot(const FlowKey& key) const { return key.Hash() & mask_; }

  void Grow() {
    std::vector<Entry> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Entry& entry : old) {
      if (entry.value == kNone) continue;
      std::size_t i = Slot(entry.key);
      while (slots_[i].value != kNone) i = (i + 1) & mask_;
      slots_[i] = entry;
    }
  }

  std::vector<Entry> slots_;
  std::size_t mask_ = 0;
  std::size_t size_ = 0;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TRACE_FLOW_MAP_H_
