#include "stack/turn/attributes.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageView;

// RFC 8489 section 14.1.
constexpr uint8_t kFamilyIpv4 = 0x01;
constexpr uint8_t kFamilyIpv6 = 0x02;

AddressFamily DecodeFamily(uint8_t value) {
  if (value == kFamilyIpv4) return AddressFamily::kIpv4;
  if (value == kFamilyIpv6) return AddressFamily::kIpv6;
  return AddressFamily::kNone;
}

uint8_t EncodeFamily(AddressFamily family) {
  CHECK(family != AddressFamily::kNone);
  return family == AddressFamily::kIpv4 ? kFamilyIpv4 : kFamilyIpv6;
}

}  // namespace

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |        Channel Number         |         RFFU = 0              |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
std::optional<uint16_t> GetChannelNumber(const MessageView& message) {
  const auto value = message.GetU32(AttributeType::kChannelNumber);
  if (!value) return std::nullopt;
  return static_cast<uint16_t>(*value >> 16);
}

void AddChannelNumber(MessageBuilder& builder, uint16_t number) {
  builder.AddU32(AttributeType::kChannelNumber, uint32_t{number} << 16);
}

// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |     Family    |            Reserved                           |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
std::optional<AddressFamily> GetFamily(const MessageView& message, AttributeType type) {
  const auto value = message.GetU32(type);
  if (!value) return std::nullopt;
  return DecodeFamily(static_cast<uint8_t>(*value >> 24));
}

void AddFamily(MessageBuilder& builder, AttributeType type, AddressFamily family) {
  builder.AddU32(type, uint32_t{EncodeFamily(family)} << 24);
}

// +-+-+-+-+-+-+-+-+
// |R|    RFFU     |
// +-+-+-+-+-+-+-+-+
std::optional<bool> GetEvenPort(const MessageView& message) {
  const auto value = message.GetU8(AttributeType::kEvenPort);
  if (!value) return std::nullopt;
  return (*value & 0x80) != 0;
}

void AddEvenPort(MessageBuilder& builder, bool reserve_next) {
  builder.AddU8(AttributeType::kEvenPort, reserve_next ? 0x80 : 0x00);
}

// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |    Protocol   |                    RFFU                       |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
std::optional<uint8_t> GetRequestedTransport(const MessageView& message) {
  const auto value = message.GetU32(AttributeType::kRequestedTransport);
  if (!value) return std::nullopt;
  return static_cast<uint8_t>(*value >> 24);
}

void AddRequestedTransport(MessageBuilder& builder, uint8_t protocol) {
  builder.AddU32(AttributeType::kRequestedTransport, uint32_t{protocol} << 24);
}

// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |  Family       |    Reserved             |Class|     Number    |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |      Reason Phrase (variable)                                ..
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
std::optional<AddressError> GetAddressError(const MessageView& message) {
  const auto value = message.Find(AttributeType::kAddressErrorCode);
  if (!value || value->size() < 4 || value->size() > 4 + stun::kMaxTextSize) return std::nullopt;
  const int error_class = (*value)[2] & 0x07;
  const int number = (*value)[3];
  if (error_class < 3 || error_class > 6 || number > 99) return std::nullopt;
  return AddressError{DecodeFamily((*value)[0]), error_class * 100 + number,
                      AsString(value->subspan(4))};
}

void AddAddressError(MessageBuilder& builder, AddressFamily family, int code) {
  const std::string_view reason = stun::ReasonPhrase(code);
  Bytes value(4 + reason.size());
  value[0] = EncodeFamily(family);
  value[2] = static_cast<uint8_t>(code / 100);
  value[3] = static_cast<uint8_t>(code % 100);
  std::copy(reason.begin(), reason.end(), value.begin() + 4);
  builder.AddBytes(AttributeType::kAddressErrorCode, value);
}

// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |  Reserved                     |  ICMP Type  |  ICMP Code      |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |                          Error Data                           |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// The figure draws seven bits for the type and nine for the code. Both are octets in ICMP, and octets are what we write.
std::optional<IcmpReport> GetIcmp(const MessageView& message) {
  const auto value = message.Find(AttributeType::kIcmp);
  if (!value || value->size() != 8) return std::nullopt;
  return IcmpReport{(*value)[2], (*value)[3], LoadU32(value->data() + 4)};
}

void AddIcmp(MessageBuilder& builder, const IcmpReport& icmp) {
  builder.AddU64(AttributeType::kIcmp,
                 uint64_t{icmp.type} << 40 | uint64_t{icmp.code} << 32 | uint64_t{icmp.error_data});
}

}  // namespace rtclab::turn
