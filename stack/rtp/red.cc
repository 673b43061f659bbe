#include "stack/rtp/red.h"

#include <array>

namespace rtclab::rtp {

//    0                   1                    2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3  4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |F|   block PT  |  timestamp offset         |   block length    |  F = 1; the primary: |0| block PT |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
Result<std::vector<RedBlock>> ParseRed(ByteView payload) {
  struct Header {
    uint8_t payload_type;
    uint16_t offset;
    std::size_t length;
  };
  std::vector<Header> redundant;
  ByteReader reader(payload);
  uint8_t primary = 0;
  for (;;) {
    const auto first = reader.ReadU8();
    if (!first) return Fail("RED payload ends within its headers", reader.offset());
    if ((*first & 0x80) == 0) {
      primary = *first;
      break;
    }
    const auto high = reader.ReadU16();
    const auto low = reader.ReadU8();
    if (!high || !low) return Fail("RED payload ends within its headers", reader.offset());
    const uint32_t word = uint32_t{*high} << 8 | *low;
    redundant.push_back({static_cast<uint8_t>(*first & 0x7f), static_cast<uint16_t>(word >> 10),
                         word & kMaxRedLength});
  }
  std::vector<RedBlock> blocks;
  blocks.reserve(redundant.size() + 1);
  for (const Header& header : redundant) {
    const auto data = reader.ReadBytes(header.length);
    if (!data) return Fail("RED payload ends within a block", reader.offset());
    blocks.push_back({header.payload_type, header.offset, *data});
  }
  blocks.push_back({primary, 0, payload.subspan(reader.offset())});
  return blocks;
}

bool AppendRed(std::span<const RedBlock> blocks, Bytes& out) {
  if (blocks.empty()) return false;
  const std::span<const RedBlock> redundant = blocks.first(blocks.size() - 1);
  for (const RedBlock& block : redundant) {
    if (block.data.size() > kMaxRedLength || block.timestamp_offset > kMaxRedOffset) return false;
  }
  for (const RedBlock& block : redundant) {
    out.resize(out.size() + 4);
    StoreU32(out.data() + out.size() - 4, (0x80u | block.payload_type) << 24 |
                                              uint32_t{block.timestamp_offset} << 10 |
                                              static_cast<uint32_t>(block.data.size()));
  }
  out.push_back(blocks.back().payload_type & 0x7f);
  for (const RedBlock& block : blocks) out.insert(out.end(), block.data.begin(), block.data.end());
  return true;
}

}  // namespace rtclab::rtp
