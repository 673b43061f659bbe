// Puts VP8 frames together again from RTP payloads that come in any order (RFC 7741 section 4.4).
#ifndef RTCLAB_STACK_RTP_VP8_ASSEMBLER_H_
#define RTCLAB_STACK_RTP_VP8_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/units.h"
#include "stack/rtp/rtp_packet.h"
#include "stack/rtp/unwrapper.h"
#include "stack/rtp/vp8.h"

namespace rtclab::rtp {

struct Vp8Frame {
  int64_t first_sequence = 0;  // unwrapped, of its packets; the stream's first is 65536 and on
  int64_t last_sequence = 0;
  uint32_t timestamp = 0;
  Vp8Descriptor descriptor;  // of the first packet
  bool keyframe = false;
  uint16_t width = 0;  // keyframes only
  uint16_t height = 0;
  Timestamp first_arrival;
  Timestamp last_arrival;
  Bytes data;
};

// Gives each frame as soon as all its packets are there: from one that starts partition 0 to one with the
// marker, sequence numbers without a gap, one timestamp. Frames may come out of order; whether one can be
// decoded is the jitter buffer's business.
class Vp8Assembler {
 public:
  // Holds the youngest `capacity` packets; a power of two, at most 32768.
  explicit Vp8Assembler(std::size_t capacity = 2048);

  // False when the payload is malformed, a duplicate, or older than what has been dropped.
  bool Insert(Timestamp now, const PacketView& packet);
  std::optional<Vp8Frame> PollFrame();
  // Forgets packets before this unwrapped sequence number.
  void DropBefore(int64_t sequence);

  std::size_t buffered_packets() const { return buffered_; }

 private:
  struct Stored {
    int64_t sequence = -1;  // -1: free
    uint32_t timestamp = 0;
    bool marker = false;
    bool start = false;
    bool delivered = false;  // in a frame already: kept to know duplicates
    Timestamp arrival;
    Bytes payload;  // with its descriptor; the buffer is used again
  };
  Stored& SlotOf(int64_t sequence) {
    return slots_[static_cast<std::size_t>(sequence) & (slots_.size() - 1)];
  }
  // The packet with this number if it is there, of this frame, and not delivered.
  Stored* Waiting(int64_t sequence, uint32_t timestamp);
  void TryComplete(int64_t sequence, uint32_t timestamp);
  void Deliver(int64_t first, int64_t last);

  std::vector<Stored> slots_;
  std::optional<int64_t> highest_;
  int64_t dropped_before_ = 0;
  std::size_t buffered_ = 0;
  std::deque<Vp8Frame> frames_;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_VP8_ASSEMBLER_H_
