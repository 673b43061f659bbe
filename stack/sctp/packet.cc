#include "stack/sctp/packet.h"

#include <array>

#include "stack/crypto/crc32c.h"

namespace rtclab::sctp {
namespace {

uint32_t PacketCrc(ByteView packet) {
  static constexpr std::array<uint8_t, 4> kNoChecksum{};
  uint32_t crc = crypto::Crc32c(packet.first(8));
  crc = crypto::Crc32c(kNoChecksum, crc);
  return crypto::Crc32c(packet.subspan(CommonHeader::kSize), crc);
}

// RFC 9260 appendix A: the CRC goes out with its least significant byte first.
uint32_t LoadLittle(const uint8_t* p) {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

}  // namespace

Result<PacketView> PacketView::Parse(ByteView packet) {
  if (packet.size() < CommonHeader::kSize + 4) {
    return Fail("SCTP packet shorter than a common header and a chunk", packet.size());
  }
  const uint8_t* p = packet.data();
  return PacketView({LoadU16(p), LoadU16(p + 2), LoadU32(p + 4)}, packet);
}

bool PacketView::ChecksumCorrect() const {
  return LoadLittle(bytes_.data() + 8) == PacketCrc(bytes_);
}

bool PacketView::ChecksumZero() const { return LoadU32(bytes_.data() + 8) == 0; }

Result<std::optional<ChunkView>> PacketView::NextChunk(std::size_t& offset) const {
  if (offset >= bytes_.size()) return std::optional<ChunkView>();
  const std::size_t left = bytes_.size() - offset;
  if (left < 4) return Fail("chunk header cut off", offset);
  const uint8_t* p = bytes_.data() + offset;
  const std::size_t length = LoadU16(p + 2);
  if (length < 4) return Fail("chunk length below 4", offset);
  if (length > left) return Fail("chunk longer than the packet", offset);
  const ChunkView chunk{p[0], p[1], bytes_.subspan(offset + 4, length - 4),
                        bytes_.subspan(offset, length), offset};
  offset += Padded(length);
  return std::optional(chunk);
}

Bytes BeginPacket(const CommonHeader& header, std::size_t reserve) {
  Bytes packet;
  packet.reserve(reserve);
  packet.resize(CommonHeader::kSize);
  StoreU16(packet.data(), header.source_port);
  StoreU16(packet.data() + 2, header.destination_port);
  StoreU32(packet.data() + 4, header.verification_tag);
  return packet;
}

void WriteChecksum(Bytes& packet) {
  const uint32_t crc = PacketCrc(packet);
  for (int i = 0; i < 4; ++i) packet[8 + i] = static_cast<uint8_t>(crc >> (8 * i));
}

}  // namespace rtclab::sctp
