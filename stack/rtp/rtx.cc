#include "stack/rtp/rtx.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::rtp {
namespace {

constexpr std::size_t kOsnSize = 2;

// Changes an element's identifier where it stands; not possible (and not done) when the one-byte form
// cannot write the new one.
void RenameElement(std::span<uint8_t> packet, uint8_t from, uint8_t to) {
  if (from == 0 || to == 0) return;
  const auto view = PacketView::Parse(packet);
  if (!view) return;
  const auto value = view->FindExtension(from);
  if (!value) return;
  const auto at = static_cast<std::size_t>(value->data() - packet.data());
  if (IsTwoByteProfile(view->extension_profile())) {
    packet[at - 2] = to;
  } else if (to < 15) {
    packet[at - 1] = static_cast<uint8_t>(to << 4 | (packet[at - 1] & 0x0f));
  }
}

}  // namespace

Bytes WrapRtx(const PacketView& original, const RtxTarget& target, uint16_t rtx_sequence,
              Bytes buffer) {
  const ByteView header = original.bytes().first(original.header_size());
  const ByteView payload = original.payload();
  buffer.clear();
  buffer.reserve(header.size() + kOsnSize + payload.size());
  buffer.insert(buffer.end(), header.begin(), header.end());
  buffer[0] &= 0xDF;  // no padding
  SetPayloadType(buffer, target.payload_type);
  SetSequenceNumber(buffer, rtx_sequence);
  SetSsrc(buffer, target.ssrc);
  RenameElement(buffer, target.rid_extension, target.repaired_rid_extension);
  buffer.resize(header.size() + kOsnSize);
  StoreU16(buffer.data() + header.size(), original.sequence_number());
  buffer.insert(buffer.end(), payload.begin(), payload.end());
  return buffer;
}

Result<Bytes> UnwrapRtx(const PacketView& rtx, uint8_t original_payload_type,
                        uint32_t original_ssrc, uint8_t rid_extension,
                        uint8_t repaired_rid_extension) {
  const ByteView payload = rtx.payload();
  if (payload.size() < kOsnSize)
    return Fail("RTX packet without original sequence number", rtx.header_size());
  const ByteView header = rtx.bytes().first(rtx.header_size());
  Bytes out;
  out.reserve(header.size() + payload.size() - kOsnSize);
  out.insert(out.end(), header.begin(), header.end());
  out[0] &= 0xDF;
  SetPayloadType(out, original_payload_type);
  SetSequenceNumber(out, LoadU16(payload.data()));
  SetSsrc(out, original_ssrc);
  RenameElement(out, repaired_rid_extension, rid_extension);
  out.insert(out.end(), payload.begin() + kOsnSize, payload.end());
  return out;
}

void RtxPayloadTypes::Add(uint8_t rtx, uint8_t apt) {
  CHECK(rtx < 128 && apt < 128);
  apt_[rtx] = apt;
}

std::optional<uint8_t> RtxPayloadTypes::Original(uint8_t rtx) const {
  if (rtx >= 128 || apt_[rtx] == kNone) return std::nullopt;
  return apt_[rtx];
}

std::optional<uint8_t> RtxPayloadTypes::Rtx(uint8_t original) const {
  const auto it = std::find(apt_.begin(), apt_.end(), original);
  if (original >= 128 || it == apt_.end()) return std::nullopt;
  return static_cast<uint8_t>(it - apt_.begin());
}

}  // namespace rtclab::rtp
