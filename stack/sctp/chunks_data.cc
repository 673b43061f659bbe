#include "stack/sctp/chunks_data.h"

namespace rtclab::sctp {
namespace {

bool IsType(const ChunkView& chunk, ChunkType type) {
  return chunk.type == static_cast<uint8_t>(type);
}

}  // namespace

Result<DataChunk> DataChunk::Parse(const ChunkView& chunk) {
  const bool interleaved = IsType(chunk, ChunkType::kIData);
  const std::size_t header = (interleaved ? kIDataHeader : kDataHeader) - 4;
  if (chunk.value.size() < header) return Fail("DATA header cut off", chunk.offset);
  const uint8_t* p = chunk.value.data();
  DataChunk data;
  data.flags = chunk.flags;
  data.tsn = LoadU32(p);
  data.stream = LoadU16(p + 4);
  if (interleaved) {
    data.sequence = LoadU32(p + 8);
    (data.begin() ? data.ppid : data.fsn) = LoadU32(p + 12);
  } else {
    data.sequence = LoadU16(p + 6);
    data.ppid = LoadU32(p + 8);
  }
  data.payload = chunk.value.subspan(header);
  return data;
}

void DataChunk::AppendTo(Bytes& packet, bool interleaved) const {
  uint8_t header[kIDataHeader];
  const std::size_t size = interleaved ? kIDataHeader : kDataHeader;
  const std::size_t length = size + payload.size();
  header[0] = static_cast<uint8_t>(interleaved ? ChunkType::kIData : ChunkType::kData);
  header[1] = flags;
  StoreU16(header + 2, static_cast<uint16_t>(length));
  StoreU32(header + 4, tsn);
  StoreU16(header + 8, stream);
  if (interleaved) {
    StoreU16(header + 10, 0);
    StoreU32(header + 12, sequence);
    StoreU32(header + 16, begin() ? ppid : fsn);
  } else {
    StoreU16(header + 10, static_cast<uint16_t>(sequence));
    StoreU32(header + 12, ppid);
  }
  packet.insert(packet.end(), header, header + size);
  packet.insert(packet.end(), payload.begin(), payload.end());
  static constexpr uint8_t kZeros[3] = {};
  packet.insert(packet.end(), kZeros, kZeros + (Padded(length) - length));
}

Result<SackChunk> SackChunk::Parse(const ChunkView& chunk) {
  if (chunk.value.size() < kHeader - 4) return Fail("SACK cut off", chunk.offset);
  const uint8_t* p = chunk.value.data();
  const std::size_t gap_count = LoadU16(p + 8);
  const std::size_t duplicate_count = LoadU16(p + 10);
  if (chunk.value.size() != kHeader - 4 + 4 * (gap_count + duplicate_count)) {
    return Fail("SACK's counts contradict its length", chunk.offset + 12);
  }
  SackChunk sack;
  sack.cumulative_tsn = LoadU32(p);
  sack.a_rwnd = LoadU32(p + 4);
  p += kHeader - 4;
  sack.gaps.reserve(gap_count);
  for (std::size_t i = 0; i < gap_count; ++i, p += 4) {
    const GapBlock block{LoadU16(p), LoadU16(p + 2)};
    // The cumulative TSN would cover a block that starts at 1, or touches the one before.
    const uint16_t before = sack.gaps.empty() ? uint16_t{0} : sack.gaps.back().end;
    if (block.start <= before || block.end < block.start) {
      return Fail("SACK's gap blocks are not ascending",
                  static_cast<std::size_t>(chunk.offset + kHeader + 4 * i));
    }
    sack.gaps.push_back(block);
  }
  sack.duplicates.reserve(duplicate_count);
  for (std::size_t i = 0; i < duplicate_count; ++i, p += 4) sack.duplicates.push_back(LoadU32(p));
  return sack;
}

void SackChunk::AppendTo(Bytes& packet) const {
  ChunkWriter out(packet, ChunkType::kSack);
  out.U32(cumulative_tsn);
  out.U32(a_rwnd);
  out.U16(static_cast<uint16_t>(gaps.size()));
  out.U16(static_cast<uint16_t>(duplicates.size()));
  for (const GapBlock& gap : gaps) {
    out.U16(gap.start);
    out.U16(gap.end);
  }
  for (const uint32_t tsn : duplicates) out.U32(tsn);
  out.Finish();
}

Result<ForwardTsnChunk> ForwardTsnChunk::Parse(const ChunkView& chunk) {
  const bool interleaved = IsType(chunk, ChunkType::kIForwardTsn);
  const std::size_t entry = interleaved ? 8 : 4;
  if (chunk.value.size() < 4 || (chunk.value.size() - 4) % entry != 0) {
    return Fail("FORWARD-TSN of a wrong length", chunk.offset);
  }
  ForwardTsnChunk forward;
  forward.new_cumulative_tsn = LoadU32(chunk.value.data());
  forward.skipped.reserve((chunk.value.size() - 4) / entry);
  for (std::size_t at = 4; at < chunk.value.size(); at += entry) {
    const uint8_t* p = chunk.value.data() + at;
    forward.skipped.push_back(interleaved ? Skipped{LoadU16(p), (p[3] & 1) != 0, LoadU32(p + 4)}
                                          : Skipped{LoadU16(p), false, LoadU16(p + 2)});
  }
  return forward;
}

void ForwardTsnChunk::AppendTo(Bytes& packet, bool interleaved) const {
  ChunkWriter out(packet, interleaved ? ChunkType::kIForwardTsn : ChunkType::kForwardTsn);
  out.U32(new_cumulative_tsn);
  for (const Skipped& skip : skipped) {
    out.U16(skip.stream);
    if (interleaved) {
      out.U16(skip.unordered ? 1 : 0);
      out.U32(skip.sequence);
    } else {
      out.U16(static_cast<uint16_t>(skip.sequence));
    }
  }
  out.Finish();
}

}  // namespace rtclab::sctp
