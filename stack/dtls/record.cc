#include "stack/dtls/record.h"

#include <utility>

namespace rtclab::dtls {
namespace {

constexpr uint16_t kVersionDtls10 = 0xfeff;
constexpr uint16_t kVersionDtls12 = 0xfefd;

}  // namespace

std::optional<std::pair<RecordHeader, ByteView>> ReadRecord(ByteReader& reader) {
  //  struct { ContentType type; ProtocolVersion version; uint16 epoch; uint48 sequence_number; uint16 length; opaque fragment[length]; }
  ByteReader ahead = reader;
  const auto bytes = ahead.ReadBytes(RecordHeader::kSize);
  if (!bytes) return std::nullopt;
  const uint8_t* p = bytes->data();
  if (p[0] < 20 || p[0] > 23) return std::nullopt;
  RecordHeader header;
  header.type = static_cast<ContentType>(p[0]);
  header.version = LoadU16(p + 1);
  header.epoch = LoadU16(p + 3);
  header.sequence = uint64_t{LoadU16(p + 5)} << 32 | LoadU32(p + 7);
  header.length = LoadU16(p + 11);
  // A ClientHello comes in a record of either version (RFC 6347 section 4.2.1).
  if (header.version != kVersionDtls10 && header.version != kVersionDtls12) return std::nullopt;
  const auto body = ahead.ReadBytes(header.length);
  if (!body) return std::nullopt;
  reader = ahead;
  return std::pair(header, *body);
}

std::optional<DatagramSummary> Summarize(ByteView datagram) {
  DatagramSummary summary;
  ByteReader reader(datagram);
  while (const auto record = ReadRecord(reader)) {
    ++summary.records;
    if (record->first.type == ContentType::kApplicationData) ++summary.application_records;
  }
  if (summary.records == 0) return std::nullopt;
  return summary;
}

}  // namespace rtclab::dtls
