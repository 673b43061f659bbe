#include "stack/rtp/ulpfec.h"

#include <algorithm>

#include "stack/rtp/red.h"
#include "stack/rtp/rtp_packet.h"

namespace rtclab::rtp {
namespace {

constexpr std::size_t kUlpfecHeader = 10;
constexpr uint8_t kUlpfecLongMask = 0x40;

Bytes WriteUlpfec(const FecParity& parity, uint16_t base, uint64_t mask, bool long_mask) {
  Bytes out;
  out.reserve(kUlpfecHeader + 8 + parity.payload.size());
  out.resize(kUlpfecHeader + (long_mask ? 8 : 4));
  // The version's place has E (0) and L.
  out[0] = static_cast<uint8_t>((parity.header[0] & 0x3f) | (long_mask ? kUlpfecLongMask : 0));
  out[1] = parity.header[1];
  StoreU16(out.data() + 2, base);
  StoreU32(out.data() + 4, parity.timestamp);
  StoreU16(out.data() + 8, parity.length);
  StoreU16(out.data() + 10, static_cast<uint16_t>(parity.payload.size()));
  // `mask` has the first sequence number as bit 47.
  StoreU16(out.data() + 12, static_cast<uint16_t>(mask >> 32));
  if (long_mask) StoreU32(out.data() + 14, static_cast<uint32_t>(mask));
  out.insert(out.end(), parity.payload.begin(), parity.payload.end());
  return out;
}

}  // namespace

std::size_t FecPacketCount(std::size_t media_packets, uint8_t protection) {
  if (protection == 0 || media_packets == 0) return 0;
  const std::size_t count = (media_packets * protection + 128) / 256;
  return std::clamp<std::size_t>(count, 1, media_packets);
}

std::vector<Bytes> EncodeUlpfec(std::span<const ByteView> packets, std::size_t count) {
  if (packets.empty() || count == 0) return {};
  for (const ByteView packet : packets) {
    if (packet.size() < kFixedHeaderSize || packet.size() > 0xFFFF) return {};
  }
  const uint16_t base = LoadU16(packets.front().data() + 2);
  const auto offset_of = [base](ByteView packet) {
    return static_cast<std::size_t>(static_cast<uint16_t>(LoadU16(packet.data() + 2) - base));
  };
  const auto too_far = [&](ByteView p) { return offset_of(p) >= kMaxUlpfecSpan; };
  if (std::any_of(packets.begin(), packets.end(), too_far)) return {};
  const bool long_mask = offset_of(packets.back()) >= 16;
  count = std::min(count, packets.size());
  std::vector<Bytes> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    FecParity parity;
    uint64_t mask = 0;
    for (std::size_t p = i; p < packets.size(); p += count) {
      parity.Add(packets[p]);
      mask |= uint64_t{1} << (47 - offset_of(packets[p]));
    }
    out.push_back(WriteUlpfec(parity, base, mask, long_mask));
  }
  return out;
}

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |E|L|P|X|  CC   |M| PT recovery |            SN base            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                          TS recovery                          |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |        length recovery        |       Protection Length       |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |             mask              |  mask cont. (with L), 32 bits |
Result<FecRepair> ParseUlpfec(ByteView payload, uint32_t ssrc) {
  ByteReader reader(payload);
  const auto fixed = reader.ReadBytes(kUlpfecHeader);
  const auto protection = reader.ReadU16();
  const auto mask_high = reader.ReadU16();
  if (!fixed || !protection || !mask_high)
    return Fail("ULPFEC ends within its header", payload.size());
  if ((payload[0] & 0x80) != 0) return Fail("ULPFEC with the reserved E bit", 0);
  uint64_t mask = uint64_t{*mask_high} << 32;
  if ((payload[0] & kUlpfecLongMask) != 0) {
    const auto mask_low = reader.ReadU32();
    if (!mask_low) return Fail("ULPFEC ends within its mask", payload.size());
    mask |= *mask_low;
  }
  if (mask == 0) return Fail("ULPFEC that protects nothing", kUlpfecHeader + 2);
  const auto data = reader.ReadBytes(*protection);
  if (!data) return Fail("ULPFEC shorter than its protection length", payload.size());
  FecRepair repair;
  repair.parity.header = {payload[0], payload[1]};
  repair.parity.timestamp = LoadU32(payload.data() + 4);
  repair.parity.length = LoadU16(payload.data() + 8);
  repair.parity.payload.assign(data->begin(), data->end());
  const uint16_t base = LoadU16(payload.data() + 2);
  for (std::size_t i = 0; i < kMaxUlpfecSpan; ++i) {
    if ((mask >> (47 - i) & 1) != 0)
      repair.targets.push_back({ssrc, static_cast<uint16_t>(base + i)});
  }
  return repair;
}

UlpfecReceiver::UlpfecReceiver(uint32_t ssrc, uint8_t red_payload_type, uint8_t ulpfec_payload_type)
    : ssrc_(ssrc), red_(red_payload_type), ulpfec_(ulpfec_payload_type) {
  recovery_.AddStream(ssrc);
}

Result<std::optional<Bytes>> UlpfecReceiver::HandlePacket(ByteView packet) {
  const auto view = PacketView::Parse(packet);
  if (!view) return tl::unexpected(view.error());
  if (view->ssrc() != ssrc_) return Fail("packet of another SSRC", 8);
  if (view->payload_type() != red_) {
    recovery_.AddMedia(packet);
    return std::optional(Bytes(packet.begin(), packet.end()));
  }
  const auto blocks = ParseRed(view->payload());
  if (!blocks)
    return Fail(std::string(blocks.error().reason), view->header_size() + blocks.error().offset);
  const RedBlock& primary = blocks->back();
  if (primary.payload_type == ulpfec_) {
    auto repair = ParseUlpfec(primary.data, ssrc_);
    if (!repair) return tl::unexpected(repair.error());
    recovery_.AddRepair(std::move(*repair));
    return std::optional<Bytes>();
  }
  // The media packet without RED, which is what the parity was made of: same header, its own payload type.
  Bytes media(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(view->header_size()));
  SetPayloadType(media, primary.payload_type);
  media.insert(media.end(), primary.data.begin(), primary.data.end());
  media[0] &= 0xDF;
  recovery_.AddMedia(media);
  return std::optional(std::move(media));
}

}  // namespace rtclab::rtp
