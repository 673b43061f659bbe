#include "stack/rtp/vp8.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::rtp {
namespace {

constexpr uint8_t kVp8ExtendedBit = 0x80;
constexpr uint8_t kVp8PictureIdBit = 0x80;
constexpr uint8_t kVp8Tl0Bit = 0x40;
constexpr uint8_t kVp8TemporalBit = 0x20;
constexpr uint8_t kVp8KeyIndexBit = 0x10;

// The optional bytes after the first (X is set).
bool ReadVp8Extension(ByteReader& reader, Vp8Descriptor& descriptor) {
  const auto flags = reader.ReadU8();
  if (!flags) return false;
  if ((*flags & kVp8PictureIdBit) != 0) {
    const auto first = reader.ReadU8();
    if (!first) return false;
    descriptor.wide_picture_id = (*first & 0x80) != 0;
    descriptor.picture_id = *first & 0x7f;
    if (descriptor.wide_picture_id) {
      const auto second = reader.ReadU8();
      if (!second) return false;
      descriptor.picture_id = static_cast<uint16_t>((*first & 0x7f) << 8 | *second);
    }
  }
  if ((*flags & kVp8Tl0Bit) != 0) {
    descriptor.tl0_pic_idx = reader.ReadU8();
    if (!descriptor.tl0_pic_idx) return false;
  }
  if ((*flags & (kVp8TemporalBit | kVp8KeyIndexBit)) != 0) {
    const auto byte = reader.ReadU8();
    if (!byte) return false;
    if ((*flags & kVp8TemporalBit) != 0) {
      descriptor.temporal = {static_cast<uint8_t>(*byte >> 6), (*byte & 0x20) != 0};
    }
    if ((*flags & kVp8KeyIndexBit) != 0) descriptor.key_index = *byte & 0x1f;
  }
  return true;
}

bool IsExtended(const Vp8Descriptor& d) {
  return d.picture_id || d.tl0_pic_idx || d.temporal || d.key_index;
}

}  // namespace

//         0 1 2 3 4 5 6 7
//        +-+-+-+-+-+-+-+-+
//        |X|R|N|S|R| PID | (REQUIRED)
//        +-+-+-+-+-+-+-+-+
//   X:   |I|L|T|K| RSV   | (OPTIONAL)
//        +-+-+-+-+-+-+-+-+
//   I:   |M| PictureID   | (OPTIONAL)
//        +-+-+-+-+-+-+-+-+
//        |   PictureID   |
//        +-+-+-+-+-+-+-+-+
//   L:   |   TL0PICIDX   | (OPTIONAL)
//        +-+-+-+-+-+-+-+-+
//   T/K: |TID|Y| KEYIDX  | (OPTIONAL)
//        +-+-+-+-+-+-+-+-+
Result<Vp8Payload> ParseVp8Payload(ByteView payload) {
  ByteReader reader(payload);
  const auto first = reader.ReadU8();
  if (!first) return Fail("VP8 payload of no bytes");
  Vp8Payload out;
  out.descriptor.non_reference = (*first & 0x20) != 0;
  out.descriptor.start_of_partition = (*first & 0x10) != 0;
  out.descriptor.partition = *first & 0x07;
  if ((*first & kVp8ExtendedBit) != 0 && !ReadVp8Extension(reader, out.descriptor)) {
    return Fail("VP8 payload ends within its descriptor", reader.offset());
  }
  if (reader.empty()) return Fail("VP8 descriptor without a payload", reader.offset());
  out.data = payload.subspan(reader.offset());
  return out;
}

std::size_t Vp8DescriptorSize(const Vp8Descriptor& d) {
  if (!IsExtended(d)) return 1;
  const std::size_t picture = !d.picture_id ? 0 : d.wide_picture_id ? 2 : 1;
  return 2 + picture + (d.tl0_pic_idx ? 1 : 0) + (d.temporal || d.key_index ? 1 : 0);
}

void WriteVp8Descriptor(const Vp8Descriptor& d, uint8_t* out) {
  const bool extended = IsExtended(d);
  *out++ = static_cast<uint8_t>((extended ? kVp8ExtendedBit : 0) | (d.non_reference ? 0x20 : 0) |
                                (d.start_of_partition ? 0x10 : 0) | (d.partition & 0x07));
  if (!extended) return;
  *out++ = static_cast<uint8_t>(
      (d.picture_id ? kVp8PictureIdBit : 0) | (d.tl0_pic_idx ? kVp8Tl0Bit : 0) |
      (d.temporal ? kVp8TemporalBit : 0) | (d.key_index ? kVp8KeyIndexBit : 0));
  if (d.picture_id && d.wide_picture_id) {
    StoreU16(out, static_cast<uint16_t>(0x8000 | *d.picture_id));
    out += 2;
  } else if (d.picture_id) {
    CHECK(*d.picture_id < 128);
    *out++ = static_cast<uint8_t>(*d.picture_id);
  }
  if (d.tl0_pic_idx) *out++ = *d.tl0_pic_idx;
  if (d.temporal || d.key_index) {
    unsigned byte = d.key_index.value_or(0) & 0x1fu;
    if (d.temporal) byte |= (d.temporal->id & 3u) << 6 | (d.temporal->layer_sync ? 0x20u : 0u);
    *out = static_cast<uint8_t>(byte);
  }
}

//   |Size0|H| VER |P|  then Size1, Size2: 19 bits of size, least significant first. P is 0 for a keyframe,
//   which goes on with 9d 01 2a and width and height, 14 bits each with 2 bits of scale, little-endian.
Result<Vp8FrameHeader> ParseVp8FrameHeader(ByteView frame) {
  if (frame.size() < 3) return Fail("VP8 frame shorter than its header", frame.size());
  Vp8FrameHeader header;
  const uint32_t tag = frame[0] | uint32_t{frame[1]} << 8 | uint32_t{frame[2]} << 16;
  header.keyframe = (tag & 1) == 0;
  header.version = static_cast<uint8_t>(tag >> 1 & 7);
  header.show_frame = (tag >> 4 & 1) != 0;
  header.first_partition_size = tag >> 5;
  if (!header.keyframe) return header;
  if (frame.size() < 10) return Fail("VP8 keyframe shorter than its header", frame.size());
  if (frame[3] != 0x9d || frame[4] != 0x01 || frame[5] != 0x2a)
    return Fail("VP8 keyframe without start code", 3);
  header.width = static_cast<uint16_t>((frame[6] | frame[7] << 8) & 0x3fff);
  header.height = static_cast<uint16_t>((frame[8] | frame[9] << 8) & 0x3fff);
  return header;
}

void WriteVp8FrameHeader(const Vp8FrameHeader& header, Bytes& out) {
  const uint32_t tag = (header.keyframe ? 0u : 1u) | (header.version & 7u) << 1 |
                       (header.show_frame ? 0x10u : 0u) |
                       (header.first_partition_size & 0x7FFFF) << 5;
  for (const int shift : {0, 8, 16}) out.push_back(static_cast<uint8_t>(tag >> shift));
  if (!header.keyframe) return;
  for (const int byte : {0x9d, 0x01, 0x2a}) out.push_back(static_cast<uint8_t>(byte));
  for (const unsigned size : {header.width & 0x3fffu, header.height & 0x3fffu}) {
    out.push_back(static_cast<uint8_t>(size));
    out.push_back(static_cast<uint8_t>(size >> 8));
  }
}

Vp8Packetizer::Vp8Packetizer(ByteView frame, const Vp8Descriptor& descriptor,
                             std::size_t max_payload)
    : frame_(frame), descriptor_(descriptor), descriptor_size_(Vp8DescriptorSize(descriptor)) {
  CHECK(!frame.empty() && max_payload > descriptor_size_);
  const std::size_t room = max_payload - descriptor_size_;
  count_ = (frame.size() + room - 1) / room;
  descriptor_.partition = 0;
}

// Sizes differ by at most one byte.
std::size_t Vp8Packetizer::PieceSize(std::size_t index) const {
  return frame_.size() / count_ + (index < frame_.size() % count_ ? 1 : 0);
}

std::size_t Vp8Packetizer::NextSize() const {
  return index_ == count_ ? 0 : descriptor_size_ + PieceSize(index_);
}

bool Vp8Packetizer::Next(uint8_t* out) {
  CHECK(index_ < count_);
  const std::size_t size = PieceSize(index_);
  descriptor_.start_of_partition = index_ == 0;
  WriteVp8Descriptor(descriptor_, out);
  std::copy_n(frame_.begin() + static_cast<std::ptrdiff_t>(offset_), size, out + descriptor_size_);
  offset_ += size;
  return ++index_ == count_;
}

}  // namespace rtclab::rtp
