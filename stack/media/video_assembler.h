// From packets to VP8 frames (RFC 7741 section 4.5.1): a frame is complete when its packets follow
// each other without a gap from the one that starts it to the one with the marker.
#ifndef RTCLAB_STACK_MEDIA_VIDEO_ASSEMBLER_H_
#define RTCLAB_STACK_MEDIA_VIDEO_ASSEMBLER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/units.h"
#include "stack/media/frame_content.h"

namespace rtclab::media {

// What an RTP packet and its payload descriptor say. Numbers are unwrapped; -1 where absent.
struct VideoPacket {
  int64_t sequence = 0;
  int64_t timestamp = 0;
  bool marker = false;
  bool starts_frame = false;  // S = 1 and PID = 0
  Timestamp arrived;
  bool recovered = false;  // by retransmission or FEC
  int64_t picture_id = -1;
  int64_t tl0_index = -1;
  int temporal_id = 0;
  bool layer_sync = false;
  bool non_reference = false;
  ByteView payload;  // VP8 data; valid during the call
};

struct VideoFrame {
  int64_t first_sequence = 0;
  int64_t last_sequence = 0;
  // The packet that this frame must follow to be next in order: the one before it, packets of pure
  // padding left out.
  int64_t follows = 0;
  int64_t timestamp = 0;
  bool key_frame = false;
  int64_t picture_id = -1;
  int64_t tl0_index = -1;
  int temporal_id = 0;
  bool layer_sync = false;
  int width = 0;  // key frames
  int height = 0;
  int64_t size = 0;
  int packets = 0;
  bool recovered = false;  // any of its packets was
  Timestamp first_arrival;
  Timestamp completed;
  FrameIdentity identity;
};

class VideoAssembler {
 public:
  enum class Outcome : uint8_t { kStored, kDuplicate, kTooOld, kMalformed };

  // `frame` gets the frame that this packet completed, if it did. kMalformed: the frame that it
  // completed is no VP8 frame.
  Outcome Insert(const VideoPacket& packet, std::optional<VideoFrame>& frame);
  // A packet without payload: padding. It can complete nothing but is no gap either.
  void InsertPadding(int64_t sequence);
  // Packets up to and with this one are not wanted any more.
  void ClearUpTo(int64_t sequence);

 private:
  static constexpr int64_t kNoSequence = INT64_MIN;
  struct Slot {
    int64_t sequence = kNoSequence;
    int64_t timestamp = 0;
    bool used = false;  // part of a frame that was handed out
    bool padding = false;
    bool marker = false;
    bool starts_frame = false;
    bool recovered = false;
    Timestamp arrived;
    Bytes payload;
  };
  static constexpr std::size_t kLeastSlots = 128;
  static constexpr std::size_t kMostSlots = 4096;
  static constexpr std::size_t kSpareBuffers = 64;

  Slot& At(int64_t sequence) {
    return slots_[static_cast<std::size_t>(sequence) & (slots_.size() - 1)];
  }
  bool Has(int64_t sequence) { return At(sequence).sequence == sequence; }
  Slot* Claim(int64_t sequence, Outcome& outcome);
  void Grow(int64_t sequence);
  std::optional<VideoFrame> Complete(const VideoPacket& packet, bool& malformed);
  void Release(Slot& slot);

  std::vector<Slot> slots_;
  std::vector<Bytes> spare_;  // payload buffers to be used again
  Bytes scratch_;             // the frame being put together
  int64_t floor_ = 0;         // everything up to here is done with
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_VIDEO_ASSEMBLER_H_
