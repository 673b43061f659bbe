// VP8 in RTP (RFC 7741): the payload descriptor, what the payload header of a frame says (RFC 6386
// section 9.1), cutting a frame into packets and putting it together again.
#ifndef RTCLAB_STACK_RTP_VP8_H_
#define RTCLAB_STACK_RTP_VP8_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"

namespace rtclab::rtp {

// RFC 7741 section 4.2.
struct Vp8Descriptor {
  bool non_reference = false;          // N
  bool start_of_partition = false;     // S
  uint8_t partition = 0;               // PID, 0 to 7
  std::optional<uint16_t> picture_id;  // 15 bits; written in two bytes, read in one or two
  bool wide_picture_id = true;         // M: as read; writing with false needs picture_id < 128
  std::optional<uint8_t> tl0_pic_idx;
  struct TemporalLayer {
    uint8_t id = 0;           // TID, 0 to 3
    bool layer_sync = false;  // Y

    bool operator==(const TemporalLayer&) const = default;
  };
  std::optional<TemporalLayer> temporal;
  std::optional<uint8_t> key_index;  // KEYIDX, 5 bits

  bool operator==(const Vp8Descriptor&) const = default;
};

struct Vp8Payload {
  Vp8Descriptor descriptor;
  ByteView data;  // the VP8 payload; refers to what was parsed
};

// Errors: cut short, and no VP8 payload after the descriptor.
Result<Vp8Payload> ParseVp8Payload(ByteView payload);
std::size_t Vp8DescriptorSize(const Vp8Descriptor& descriptor);
// Writes Vp8DescriptorSize() bytes to `out`.
void WriteVp8Descriptor(const Vp8Descriptor& descriptor, uint8_t* out);

// The first bytes of a frame (RFC 7741 section 4.3, RFC 6386 section 9.1).
struct Vp8FrameHeader {
  bool keyframe = false;
  uint8_t version = 0;
  bool show_frame = false;
  uint32_t first_partition_size = 0;
  // Keyframes only.
  uint16_t width = 0;
  uint16_t height = 0;

  bool operator==(const Vp8FrameHeader&) const = default;
};
// `frame` begins with partition 0. Errors: shorter than the header (3 bytes, 10 for a keyframe), a
// keyframe without its start code.
Result<Vp8FrameHeader> ParseVp8FrameHeader(ByteView frame);
// Writes a header: 3 bytes, or 10 of a keyframe.
void WriteVp8FrameHeader(const Vp8FrameHeader& header, Bytes& out);

// Cuts a frame into RTP payloads of at most `max_payload` bytes, of nearly equal size; `descriptor` is of
// the frame: S and PID are set here. Everything goes as partition 0 continued, as section 4.4 allows. The
// packet with the marker is the last.
class Vp8Packetizer {
 public:
  // `frame` must outlive this; not empty. `max_payload` > descriptor size.
  Vp8Packetizer(ByteView frame, const Vp8Descriptor& descriptor, std::size_t max_payload);
  std::size_t packet_count() const { return count_; }
  // The size of the next payload; 0 after the last.
  std::size_t NextSize() const;
  // Writes the next payload into `out`, which holds NextSize() bytes. True: it is the last.
  bool Next(uint8_t* out);

 private:
  std::size_t PieceSize(std::size_t index) const;

  ByteView frame_;
  Vp8Descriptor descriptor_;
  std::size_t descriptor_size_;
  std::size_t count_;
  std::size_t index_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_VP8_H_
