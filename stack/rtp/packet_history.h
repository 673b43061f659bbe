// The packets a sender has sent, kept for retransmission (RFC 4588 section 3, RFC 4585 section 6.2.1).
#ifndef RTCLAB_STACK_RTP_PACKET_HISTORY_H_
#define RTCLAB_STACK_RTP_PACKET_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/units.h"

namespace rtclab::rtp {

struct PacketHistoryConfig {
  std::size_t capacity = 1024;  // packets; a power of two, at most 32768
  TimeDelta max_age =
      TimeDelta::Seconds(1);  // older ones are of no use; media raises it with the RTT
};

// One stream's packets by sequence number. Slots and their buffers are used again: once warm, keeping a
// packet costs a copy and no allocation.
class PacketHistory {
 public:
  explicit PacketHistory(const PacketHistoryConfig& config = {});

  // Remembers a sent packet (a whole RTP packet). It takes the place of the one `capacity` before it.
  void Store(Timestamp now, ByteView packet);
  // The packet to send again because of a NACK; its bytes are valid until the next Store(). nullopt when
  // it is not there (any more), too old, or was sent less than an RTT ago: the NACK may have crossed it.
  std::optional<ByteView> Retransmit(Timestamp now, uint16_t sequence);
  // The youngest packet of at least `min_size` bytes that is not older than max_age: what is sent again
  // as padding of use (a probe).
  std::optional<ByteView> ForPadding(Timestamp now, std::size_t min_size) const;
  // The packet without further conditions.
  std::optional<ByteView> Find(uint16_t sequence) const;
  void SetRtt(TimeDelta rtt) { rtt_ = rtt; }
  void SetMaxAge(TimeDelta age) { config_.max_age = age; }
  void Clear();

  uint64_t retransmissions() const { return retransmissions_; }
  uint64_t misses() const { return misses_; }          // asked for, not there or too old
  uint64_t suppressed() const { return suppressed_; }  // asked for again within an RTT

 private:
  struct Slot {
    bool used = false;
    uint16_t sequence = 0;
    uint16_t times_sent = 0;
    Timestamp first_sent;
    Timestamp last_sent;
    Bytes packet;
  };
  Slot& SlotOf(uint16_t sequence) { return slots_[sequence & (slots_.size() - 1)]; }
  const Slot& SlotOf(uint16_t sequence) const { return slots_[sequence & (slots_.size() - 1)]; }

  PacketHistoryConfig config_;
  TimeDelta rtt_ = TimeDelta::Zero();
  std::vector<Slot> slots_;
  uint16_t newest_ = 0;
  bool any_ = false;
  uint64_t retransmissions_ = 0;
  uint64_t misses_ = 0;
  uint64_t suppressed_ = 0;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_PACKET_HISTORY_H_
