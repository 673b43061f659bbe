#include "stack/rtp/rtp_packet.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::rtp {
namespace {

constexpr std::size_t kExtensionHeaderSize = 4;

}  // namespace

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                           timestamp                           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |           synchronization source (SSRC) identifier            |
//   +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//   |            contributing source (CSRC) identifiers             |
//   |                             ....                              |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |      defined by profile       |           length              |  with X
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
Result<PacketView> PacketView::Parse(ByteView bytes) {
  if (bytes.size() < kFixedHeaderSize)
    return Fail("RTP packet shorter than 12 bytes", bytes.size());
  if (bytes[0] >> 6 != 2) return Fail("RTP version is not 2", 0);
  PacketView view(bytes);
  std::size_t at = kFixedHeaderSize + 4 * view.csrc_count();
  if (bytes.size() < at) return Fail("RTP packet ends within its CSRC list", bytes.size());
  view.extension_offset_ = at;
  if (view.has_extension()) {
    if (bytes.size() - at < kExtensionHeaderSize) {
      return Fail("RTP packet ends within its extension header", bytes.size());
    }
    view.extension_profile_ = LoadU16(bytes.data() + at);
    const std::size_t size = 4 * std::size_t{LoadU16(bytes.data() + at + 2)};
    at += kExtensionHeaderSize;
    if (bytes.size() - at < size) return Fail("RTP packet ends within its extension", bytes.size());
    view.extension_offset_ = at;
    at += size;
  }
  view.header_size_ = at;
  if ((bytes[0] & 0x20) != 0) {
    view.padding_size_ = bytes.back();
    if (at == bytes.size() || view.padding_size_ == 0 || view.padding_size_ > bytes.size() - at) {
      return Fail("RTP padding count does not fit the packet", bytes.size() - 1);
    }
  }
  return view;
}

RtpHeader PacketView::header() const {
  return {marker(), payload_type(), sequence_number(), timestamp(), ssrc()};
}

bool LooksLikeRtp(ByteView datagram) {
  return datagram.size() >= kFixedHeaderSize && datagram[0] >> 6 == 2 &&
         (datagram[1] < 192 || datagram[1] > 223);
}

bool LooksLikeRtcp(ByteView datagram) {
  return datagram.size() >= 8 && datagram[0] >> 6 == 2 && datagram[1] >= 192 && datagram[1] <= 223;
}

PacketBuilder::PacketBuilder(const RtpHeader& header, std::size_t capacity)
    : PacketBuilder(header, [capacity] {
        Bytes buffer;
        buffer.reserve(std::max(capacity, kFixedHeaderSize));
        return buffer;
      }()) {}

PacketBuilder::PacketBuilder(const RtpHeader& header, Bytes buffer) : out_(std::move(buffer)) {
  CHECK(header.payload_type < 128);
  out_.clear();
  out_.resize(kFixedHeaderSize);
  out_[0] = 0x80;
  out_[1] = static_cast<uint8_t>(header.payload_type | (header.marker ? 0x80 : 0));
  StoreU16(out_.data() + 2, header.sequence_number);
  StoreU32(out_.data() + 4, header.timestamp);
  StoreU32(out_.data() + 8, header.ssrc);
}

void PacketBuilder::AddCsrc(uint32_t csrc) {
  CHECK(extension_header_ == 0 && !payload_begun_ && (out_[0] & 0x0f) < kMaxCsrcs);
  ++out_[0];
  out_.resize(out_.size() + 4);
  StoreU32(out_.data() + out_.size() - 4, csrc);
}

bool PacketBuilder::AddExtension(uint8_t id, ByteView value) {
  const std::size_t before = out_.size();
  const std::span<uint8_t> element = AllocateElement(id, value.size());
  if (element.data() == nullptr) {
    CHECK(out_.size() == before);
    return false;
  }
  std::copy(value.begin(), value.end(), element.begin());
  return true;
}

bool PacketBuilder::ReserveExtension(uint8_t id, std::size_t size) {
  return AllocateElement(id, size).data() != nullptr;
}

// Room for an element's value, zeroed; no data pointer when it fits no form.
std::span<uint8_t> PacketBuilder::AllocateElement(uint8_t id, std::size_t size) {
  CHECK(!payload_begun_);
  const bool fits_one_byte = id >= 1 && id <= 14 && size >= 1 && size <= 16;
  if (id == 0 || size > 255 || (!fits_one_byte && one_byte_only_)) return {};
  if (!extension_open_) OpenExtension();
  if (!fits_one_byte && !two_byte_) ConvertToTwoByte();
  if (two_byte_) {
    out_.push_back(id);
    out_.push_back(static_cast<uint8_t>(size));
  } else {
    out_.push_back(static_cast<uint8_t>(id << 4 | (size - 1)));
  }
  out_.resize(out_.size() + size);
  return {out_.data() + out_.size() - size, size};
}

void PacketBuilder::OpenExtension() {
  extension_open_ = true;
  extension_header_ = out_.size();
  out_[0] |= 0x10;
  out_.resize(out_.size() + kExtensionHeaderSize);
  StoreU16(out_.data() + extension_header_, kOneByteProfile);
}

// The elements written so far, in the other form: one byte more each.
void PacketBuilder::ConvertToTwoByte() {
  two_byte_ = true;
  const std::size_t begin = extension_header_ + kExtensionHeaderSize;
  StoreU16(out_.data() + extension_header_, kTwoByteProfile);
  const Bytes elements(out_.begin() + static_cast<std::ptrdiff_t>(begin), out_.end());
  out_.resize(begin);
  ForEachElement(kOneByteProfile, elements, [this](uint8_t id, ByteView value) {
    out_.push_back(id);
    out_.push_back(static_cast<uint8_t>(value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
  });
}

void PacketBuilder::CloseExtension() {
  payload_begun_ = true;
  if (!extension_open_) return;
  const std::size_t begin = extension_header_ + kExtensionHeaderSize;
  const std::size_t words = (out_.size() - begin + 3) / 4;
  out_.resize(begin + 4 * words);
  StoreU16(out_.data() + extension_header_ + 2, static_cast<uint16_t>(words));
}

void PacketBuilder::AppendPayload(ByteView bytes) {
  if (!payload_begun_) CloseExtension();
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

std::span<uint8_t> PacketBuilder::AllocatePayload(std::size_t count) {
  if (!payload_begun_) CloseExtension();
  out_.resize(out_.size() + count);
  return {out_.data() + out_.size() - count, count};
}

Bytes PacketBuilder::Build(uint8_t padding) {
  if (!payload_begun_) CloseExtension();
  if (padding > 0) {
    out_[0] |= 0x20;
    out_.resize(out_.size() + padding);
    out_.back() = padding;
  }
  return std::move(out_);
}

std::span<uint8_t> MutableExtension(std::span<uint8_t> packet, uint8_t id) {
  const auto view = PacketView::Parse(packet);
  if (!view) return {};
  const auto value = view->FindExtension(id);
  if (!value) return {};
  return packet.subspan(static_cast<std::size_t>(value->data() - packet.data()), value->size());
}

}  // namespace rtclab::rtp
