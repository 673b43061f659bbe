#include "stack/datachannel/dcep.h"

#include <optional>

#include "stack/base/check.h"

namespace rtclab::datachannel {
namespace {

constexpr uint8_t kUnorderedBit = 0x80;
constexpr std::size_t kOpenHeaderSize = 12;

// How many continuation bytes follow `first` and what the second byte of the sequence may be
// (RFC 3629 section 4); nullopt for a byte that begins nothing.
struct Utf8Lead {
  std::size_t following;
  uint8_t second_low;
  uint8_t second_high;
};
std::optional<Utf8Lead> ReadUtf8Lead(uint8_t first) {
  if (first < 0x80) return Utf8Lead{0, 0, 0};
  if (first >= 0xC2 && first <= 0xDF) return Utf8Lead{1, 0x80, 0xBF};
  if (first == 0xE0) return Utf8Lead{2, 0xA0, 0xBF};
  if (first == 0xED) return Utf8Lead{2, 0x80, 0x9F};
  if (first >= 0xE1 && first <= 0xEF) return Utf8Lead{2, 0x80, 0xBF};
  if (first == 0xF0) return Utf8Lead{3, 0x90, 0xBF};
  if (first >= 0xF1 && first <= 0xF3) return Utf8Lead{3, 0x80, 0xBF};
  if (first == 0xF4) return Utf8Lead{3, 0x80, 0x8F};
  return std::nullopt;
}

// RFC 8832 section 5.1:
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Message Type |  Channel Type |            Priority           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Reliability Parameter                      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Label Length          |       Protocol Length         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   \                             Label                             /
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   \                            Protocol                           /
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
Result<DcepMessage> ParseOpen(ByteReader reader) {
  const auto channel_type = reader.ReadU8();
  const auto priority = reader.ReadU16();
  const auto parameter = reader.ReadU32();
  const auto label_length = reader.ReadU16();
  const auto protocol_length = reader.ReadU16();
  if (!protocol_length) {
    return Fail("DATA_CHANNEL_OPEN is shorter than its fixed fields", reader.offset());
  }
  const uint8_t kind = *channel_type & static_cast<uint8_t>(~kUnorderedBit);
  if (kind > static_cast<uint8_t>(Reliability::kTimed)) {
    return Fail("DATA_CHANNEL_OPEN has an unassigned channel type", 1);
  }
  if (reader.remaining() != std::size_t{*label_length} + *protocol_length) {
    return Fail("DATA_CHANNEL_OPEN has lengths of label and protocol that do not fill it",
                reader.offset());
  }
  DataChannelOpen open;
  open.reliability = static_cast<Reliability>(kind);
  open.ordered = (*channel_type & kUnorderedBit) == 0;
  open.priority = *priority;
  // RFC 8832 section 5.1: ignored for a reliable channel.
  open.reliability_parameter = open.reliability == Reliability::kReliable ? 0 : *parameter;
  open.label = AsString(*reader.ReadBytes(*label_length));
  if (!IsUtf8(open.label)) return Fail("DATA_CHANNEL_OPEN: label is not UTF-8", kOpenHeaderSize);
  const std::size_t protocol_offset = kOpenHeaderSize + *label_length;
  open.protocol = AsString(*reader.ReadBytes(*protocol_length));
  if (!IsUtf8(open.protocol)) {
    return Fail("DATA_CHANNEL_OPEN: protocol is not UTF-8", protocol_offset);
  }
  return open;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = ReadUtf8Lead(static_cast<uint8_t>(text[i++]));
    if (!lead || text.size() - i < lead->following) return false;
    for (std::size_t k = 0; k < lead->following; ++k, ++i) {
      const auto byte = static_cast<uint8_t>(text[i]);
      const uint8_t low = k == 0 ? lead->second_low : 0x80;
      const uint8_t high = k == 0 ? lead->second_high : 0xBF;
      if (byte < low || byte > high) return false;
    }
  }
  return true;
}

Result<DcepMessage> ParseDcep(ByteView message) {
  ByteReader reader(message);
  const auto type = reader.ReadU8();
  if (!type) return Fail("DCEP message is empty");
  switch (static_cast<DcepType>(*type)) {
    case DcepType::kOpen:
      return ParseOpen(reader);
    case DcepType::kAck:
      // RFC 8832 section 5.2: one byte. What an extension may append is nothing to refuse.
      return DataChannelAck{};
  }
  return Fail("DCEP message type is unassigned");
}

Bytes BuildDcep(const DataChannelOpen& open) {
  CHECK(open.label.size() <= 0xFFFF && open.protocol.size() <= 0xFFFF);
  ByteWriter writer(kOpenHeaderSize + open.label.size() + open.protocol.size());
  writer.WriteU8(static_cast<uint8_t>(DcepType::kOpen));
  writer.WriteU8(static_cast<uint8_t>(static_cast<uint8_t>(open.reliability) |
                                      (open.ordered ? 0 : kUnorderedBit)));
  writer.WriteU16(open.priority);
  writer.WriteU32(open.reliability == Reliability::kReliable ? 0 : open.reliability_parameter);
  writer.WriteU16(static_cast<uint16_t>(open.label.size()));
  writer.WriteU16(static_cast<uint16_t>(open.protocol.size()));
  writer.WriteBytes(AsBytes(open.label));
  writer.WriteBytes(AsBytes(open.protocol));
  return writer.Take();
}

Bytes BuildDcep(const DataChannelAck&) { return {static_cast<uint8_t>(DcepType::kAck)}; }

}  // namespace rtclab::datachannel
