// What ULPFEC (RFC 5109) and FlexFEC (RFC 8627) have in common: the exclusive or of packets, and the
// search for what it can bring back.
#ifndef RTCLAB_STACK_RTP_FEC_PARITY_H_
#define RTCLAB_STACK_RTP_FEC_PARITY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"

namespace rtclab::rtp {

// The XOR over packets of: the first two header bytes, the length after the fixed header, the timestamp
// (the 80 bits of RFC 5109 section 8.1 and RFC 8627 section 6.2), and everything after the fixed header,
// each padded with zeros to the longest.
struct FecParity {
  std::array<uint8_t, 2> header{};
  uint16_t length = 0;
  uint32_t timestamp = 0;
  Bytes payload;

  // `packet` is a whole RTP packet.
  void Add(ByteView packet);
  // The one packet that is left when all others have been added to what protected them. nullopt when the
  // length does not fit the payload or the result is no RTP packet: the parity was of other packets.
  std::optional<Bytes> Recover(uint16_t sequence, uint32_t ssrc) const;
};

struct FecTarget {
  uint32_t ssrc = 0;
  uint16_t sequence = 0;

  bool operator==(const FecTarget&) const = default;
};

// A repair packet: which packets it protects, and their parity.
struct FecRepair {
  std::vector<FecTarget> targets;
  FecParity parity;
};

// Keeps media and repair packets and recovers whatever has become possible, again and again: a packet
// brought back by one repair packet may be what another one lacked (RFC 8627 section 6.3.4).
class FecRecovery {
 public:
  // Media packets kept for each SSRC (a power of two) and repair packets in all.
  explicit FecRecovery(std::size_t media_capacity = 512, std::size_t repair_capacity = 64);

  // Only packets of these SSRCs are kept and recovered.
  void AddStream(uint32_t ssrc);
  // A media packet has come, also one brought back by other means.
  void AddMedia(ByteView packet);
  void AddRepair(FecRepair repair);
  std::optional<Bytes> PollRecovered();

  uint64_t recovered() const { return recovered_count_; }
  std::size_t waiting_repairs() const { return repairs_.size(); }

 private:
  struct Slot {
    bool used = false;
    uint16_t sequence = 0;
    Bytes packet;
  };
  bool Store(ByteView packet);
  const Slot* Find(const FecTarget& target) const;
  void Search();
  // True: the repair packet has done its work or has none.
  bool TryRepair(const FecRepair& repair, bool& progress);

  std::size_t media_capacity_;
  std::size_t repair_capacity_;
  std::map<uint32_t, std::vector<Slot>> streams_;
  std::deque<FecRepair> repairs_;
  std::deque<Bytes> recovered_;
  uint64_t recovered_count_ = 0;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_FEC_PARITY_H_
