// Puts VP8 frames together again from RTP payloads that come in any order (RFC 7741 section 4.4).
#ifndef RTCLAB_STACK_RTP_VP8_ASSEMBLER_H_
#define RTCLAB_STACK_RTP_VP8_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/units.h"
#include "stack/rtp/rtp_packet.h"
#include "stack/rtp/unwrapper.h"
#include "stack/rtp/vp8.h"

namespace rtclab::rtp {

struct Vp8Frame {
  int64_t first_sequence = 0;  // unwrapped, of its packets
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
  explicit Vp8Assembler(std::size_t max_packets = 2048);

  // False when the payload is malformed, a duplicate, or older than what has been dropped.
  bool Insert(Timestamp now, const PacketView& packet);
  std::optional<Vp8Frame> PollFrame();
  // Forgets packets before this unwrapped sequence number.
  void DropBefore(int64_t sequence);

  std::size_t buffered_packets() const { return packets_.size(); }

 private:
  struct Stored {
    uint32_t timestamp;
    bool marker;
    bool start;
    bool delivered;  // in a frame already: kept to know duplicates
    Timestamp arrival;
    Bytes payload;  // with its descriptor
  };
  void TryComplete(std::map<int64_t, Stored>::iterator at);

  std::size_t max_packets_;
  SequenceUnwrapper unwrapper_;
  std::map<int64_t, Stored> packets_;
  std::optional<int64_t> dropped_before_;
  std::deque<Vp8Frame> frames_;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_VP8_ASSEMBLER_H_
