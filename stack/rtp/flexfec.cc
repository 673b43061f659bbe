#include "stack/rtp/flexfec.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::rtp {
namespace {

constexpr uint8_t kFlexRetransmit = 0x80;  // R
constexpr uint8_t kFlexFixed = 0x40;       // F
constexpr std::size_t kFlexCommonHeader = 8;
constexpr std::size_t kFlexShortMask = 15;
constexpr std::size_t kFlexMediumMask = 46;

uint32_t SsrcOf(ByteView packet) { return LoadU32(packet.data() + 8); }
uint16_t SequenceOf(ByteView packet) { return LoadU16(packet.data() + 2); }

bool AllAreRtp(std::span<const ByteView> packets) {
  return std::all_of(packets.begin(), packets.end(),
                     [](ByteView p) { return p.size() >= kFixedHeaderSize && p.size() <= 0xFFFF; });
}

void WriteFlexCommon(PacketBuilder& builder, const FecParity& parity, uint8_t variant) {
  const std::span<uint8_t> out = builder.AllocatePayload(kFlexCommonHeader);
  out[0] = static_cast<uint8_t>((parity.header[0] & 0x3f) | variant);
  out[1] = parity.header[1];
  StoreU16(out.data() + 2, parity.length);
  StoreU32(out.data() + 4, parity.timestamp);
}

// One SSRC's protected sequence numbers as base and mask bits.
struct FlexMask {
  uint32_t ssrc = 0;
  uint16_t base = 0;
  std::vector<bool> bits;  // up to the last set one
};

// False when they span more than a mask.
bool AddToMask(std::vector<FlexMask>& masks, ByteView packet) {
  const uint32_t ssrc = SsrcOf(packet);
  auto it = std::find_if(masks.begin(), masks.end(),
                         [ssrc](const FlexMask& m) { return m.ssrc == ssrc; });
  if (it == masks.end()) it = masks.insert(masks.end(), {ssrc, SequenceOf(packet), {}});
  const auto before = static_cast<uint16_t>(it->base - SequenceOf(packet));
  if (before > 0 && before < 0x8000) {
    // A packet in front of the base so far: the bits move back.
    if (before + it->bits.size() > kMaxFlexfecSpan) return false;
    it->bits.insert(it->bits.begin(), before, false);
    it->base = SequenceOf(packet);
  }
  const auto offset = static_cast<uint16_t>(SequenceOf(packet) - it->base);
  if (offset >= kMaxFlexfecSpan) return false;
  if (it->bits.size() <= offset) it->bits.resize(offset + 1u);
  if (it->bits[offset]) return false;  // twice the same packet would cancel itself
  it->bits[offset] = true;
  return true;
}

uint64_t MaskBits(const FlexMask& mask, std::size_t from, std::size_t count) {
  uint64_t out = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    out = out << 1 | (i < mask.bits.size() && mask.bits[i] ? 1u : 0u);
  }
  return out;
}

//   |           SN base_i           |k|          Mask [0-14]        |
//   |k|                   Mask [15-45] (optional)                   |
//   |                     Mask [46-109] (optional)                  |
void WriteMask(PacketBuilder& builder, const FlexMask& mask) {
  const bool medium = mask.bits.size() > kFlexShortMask;
  const bool whole = mask.bits.size() > kFlexMediumMask;
  std::span<uint8_t> out = builder.AllocatePayload(4 + (medium ? 4u : 0u) + (whole ? 8u : 0u));
  StoreU16(out.data(), mask.base);
  StoreU16(out.data() + 2, static_cast<uint16_t>((medium ? 0x8000u : 0u) | MaskBits(mask, 0, 15)));
  if (medium) {
    StoreU32(out.data() + 4,
             static_cast<uint32_t>((whole ? 0x80000000u : 0u) | MaskBits(mask, 15, 31)));
  }
  if (whole) StoreU64(out.data() + 8, MaskBits(mask, 46, 64));
}

bool ReadMask(ByteReader& reader, uint32_t ssrc, std::vector<FecTarget>& targets) {
  const auto base = reader.ReadU16();
  const auto first = reader.ReadU16();
  if (!base || !first) return false;
  const auto take = [&](uint64_t bits, std::size_t count, std::size_t from) {
    for (std::size_t i = 0; i < count; ++i) {
      if ((bits >> (count - 1 - i) & 1) != 0)
        targets.push_back({ssrc, static_cast<uint16_t>(*base + from + i)});
    }
  };
  take(*first & 0x7FFFu, 15, 0);
  if ((*first & 0x8000) == 0) return true;
  const auto second = reader.ReadU32();
  if (!second) return false;
  take(*second & 0x7FFFFFFF, 31, 15);
  if ((*second & 0x80000000) == 0) return true;
  const auto third = reader.ReadU64();
  if (!third) return false;
  take(*third, 64, 46);
  return true;
}

//   |           SN base_i           |  L (columns)  |    D (rows)   |
bool ReadFixed(ByteReader& reader, uint32_t ssrc, std::vector<FecTarget>& targets) {
  const auto base = reader.ReadU16();
  const auto columns = reader.ReadU8();
  const auto rows = reader.ReadU8();
  if (!base || !columns || !rows || *columns == 0) return false;
  const bool row = *rows <= 1;
  const std::size_t count = row ? *columns : *rows;
  const std::size_t step = row ? 1 : *columns;
  for (std::size_t i = 0; i < count; ++i)
    targets.push_back({ssrc, static_cast<uint16_t>(*base + i * step)});
  return true;
}

}  // namespace

FlexfecEncoder::FlexfecEncoder(uint8_t payload_type, uint32_t ssrc, uint16_t first_sequence)
    : payload_type_(payload_type), ssrc_(ssrc), sequence_(first_sequence) {}

PacketBuilder FlexfecEncoder::Begin(uint32_t timestamp, std::span<const uint32_t> protected_ssrcs) {
  PacketBuilder builder({false, payload_type_, sequence_++, timestamp, ssrc_}, 1300);
  for (const uint32_t ssrc : protected_ssrcs) builder.AddCsrc(ssrc);
  return builder;
}

std::optional<Bytes> FlexfecEncoder::ProtectMask(uint32_t timestamp,
                                                 std::span<const ByteView> packets) {
  if (packets.empty() || !AllAreRtp(packets)) return std::nullopt;
  std::vector<FlexMask> masks;
  FecParity parity;
  for (const ByteView packet : packets) {
    if (!AddToMask(masks, packet)) return std::nullopt;
    parity.Add(packet);
  }
  if (masks.size() > kMaxCsrcs) return std::nullopt;
  std::vector<uint32_t> ssrcs;
  ssrcs.reserve(masks.size());
  for (const FlexMask& mask : masks) ssrcs.push_back(mask.ssrc);
  PacketBuilder builder = Begin(timestamp, ssrcs);
  WriteFlexCommon(builder, parity, 0);
  for (const FlexMask& mask : masks) WriteMask(builder, mask);
  builder.AppendPayload(parity.payload);
  return builder.Build();
}

Bytes FlexfecEncoder::FixedRepair(uint32_t timestamp, std::span<const ByteView> packets,
                                  uint8_t columns, uint8_t rows) {
  FecParity parity;
  for (const ByteView packet : packets) parity.Add(packet);
  const uint32_t ssrc = SsrcOf(packets.front());
  PacketBuilder builder = Begin(timestamp, {&ssrc, 1});
  WriteFlexCommon(builder, parity, kFlexFixed);
  const std::span<uint8_t> out = builder.AllocatePayload(4);
  StoreU16(out.data(), SequenceOf(packets.front()));
  out[2] = columns;
  out[3] = rows;
  builder.AppendPayload(parity.payload);
  return builder.Build();
}

std::vector<Bytes> FlexfecEncoder::ProtectBlock(uint32_t timestamp,
                                                std::span<const ByteView> packets, uint8_t columns,
                                                uint8_t rows, FlexfecPattern pattern) {
  if (columns == 0 || rows == 0 || packets.size() != std::size_t{columns} * rows ||
      !AllAreRtp(packets))
    return {};
  // A column of one row could not be told from a row (D of 1).
  if (pattern != FlexfecPattern::kRows && rows < 2) return {};
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (SsrcOf(packets[i]) != SsrcOf(packets[0])) return {};
    if (SequenceOf(packets[i]) != static_cast<uint16_t>(SequenceOf(packets[0]) + i)) return {};
  }
  std::vector<Bytes> out;
  if (pattern != FlexfecPattern::kColumns) {
    const uint8_t depth = pattern == FlexfecPattern::kBoth ? 1 : 0;
    for (std::size_t row = 0; row < rows; ++row) {
      out.push_back(
          FixedRepair(timestamp, packets.subspan(row * columns, columns), columns, depth));
    }
  }
  if (pattern != FlexfecPattern::kRows) {
    for (std::size_t column = 0; column < columns; ++column) {
      std::vector<ByteView> taken;
      for (std::size_t row = 0; row < rows; ++row) taken.push_back(packets[row * columns + column]);
      out.push_back(FixedRepair(timestamp, taken, columns, rows));
    }
  }
  return out;
}

Bytes FlexfecEncoder::Retransmit(uint32_t timestamp, ByteView packet) {
  // The source packet's version, 2, is R = 1 and F = 0 where a FEC header has them.
  PacketBuilder builder = Begin(timestamp, {});
  builder.AppendPayload(packet);
  return builder.Build();
}

//   |R|F|P|X|  CC   |M| PT recovery |        length recovery        |
//   |                          TS recovery                          |
Result<FlexfecPacket> ParseFlexfec(const PacketView& packet) {
  const ByteView payload = packet.payload();
  const std::size_t at = packet.header_size();
  if (payload.size() < kFlexCommonHeader)
    return Fail("FlexFEC ends within its header", at + payload.size());
  const bool fixed = (payload[0] & kFlexFixed) != 0;
  FlexfecPacket out;
  if ((payload[0] & kFlexRetransmit) != 0) {
    if (fixed) return Fail("FlexFEC with R and F", at);
    if (!PacketView::Parse(payload)) return Fail("FlexFEC retransmission of no RTP packet", at);
    out.retransmission.assign(payload.begin(), payload.end());
    return out;
  }
  if (packet.csrc_count() == 0) return Fail("FlexFEC without a protected SSRC", 0);
  ByteReader reader(payload.subspan(kFlexCommonHeader));
  std::vector<FecTarget>& targets = out.repair.targets;
  for (std::size_t i = 0; i < packet.csrc_count(); ++i) {
    const uint32_t ssrc = packet.csrc(i);
    if (!(fixed ? ReadFixed(reader, ssrc, targets) : ReadMask(reader, ssrc, targets))) {
      return Fail("FlexFEC with a bad mask or block size",
                  at + kFlexCommonHeader + reader.offset());
    }
  }
  if (targets.empty()) return Fail("FlexFEC that protects nothing", at);
  out.repair.parity.header = {payload[0], payload[1]};
  out.repair.parity.length = LoadU16(payload.data() + 2);
  out.repair.parity.timestamp = LoadU32(payload.data() + 4);
  const ByteView data = payload.subspan(kFlexCommonHeader + reader.offset());
  out.repair.parity.payload.assign(data.begin(), data.end());
  return out;
}

FlexfecReceiver::FlexfecReceiver(std::span<const uint32_t> protected_ssrcs)
    : ssrcs_(protected_ssrcs.begin(), protected_ssrcs.end()) {
  for (const uint32_t ssrc : ssrcs_) recovery_.AddStream(ssrc);
}

Result<void> FlexfecReceiver::HandleRepair(const PacketView& packet) {
  auto parsed = ParseFlexfec(packet);
  if (!parsed) return tl::unexpected(parsed.error());
  if (parsed->retransmission.empty()) {
    recovery_.AddRepair(std::move(parsed->repair));
    return {};
  }
  if (std::find(ssrcs_.begin(), ssrcs_.end(), SsrcOf(parsed->retransmission)) == ssrcs_.end()) {
    return Fail("FlexFEC retransmission of another SSRC", packet.header_size() + 8);
  }
  recovery_.AddMedia(parsed->retransmission);
  retransmitted_.push_back(std::move(parsed->retransmission));
  return {};
}

std::optional<Bytes> FlexfecReceiver::PollRecovered() {
  if (retransmitted_.empty()) return recovery_.PollRecovered();
  Bytes packet = std::move(retransmitted_.front());
  retransmitted_.pop_front();
  return packet;
}

}  // namespace rtclab::rtp
