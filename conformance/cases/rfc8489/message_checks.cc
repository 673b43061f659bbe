#include "conformance/cases/rfc8489/message_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/crypto/crc32.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using MessageFault = std::optional<std::string>;

std::string CheckedName(uint16_t type) {
  const std::string_view name = stun::ToString(static_cast<AttributeType>(type));
  return name == "unknown" ? fmt::format("attribute 0x{:04x}", type) : std::string(name);
}

bool Utf8Continuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The bytes of the character that begins here; 0 when it is none (RFC 3629 section 4).
std::size_t Utf8Length(ByteView text) {
  const uint8_t first = text[0];
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                           : first >= 0xe0 && first <= 0xef ? 3
                           : first >= 0xf0 && first <= 0xf4 ? 4
                                                            : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!Utf8Continuation(text[i])) return 0;
  }
  const bool overlong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
  const bool surrogate = first == 0xed && text[1] > 0x9f;
  const bool beyond = first == 0xf4 && text[1] > 0x8f;
  return overlong || surrogate || beyond ? 0 : size;
}

// Text of fewer than 128 characters, which RFC 8489 section 14 asks of several attributes.
MessageFault ShortTextFault(const LenientMessage& message, AttributeType type, ByteView text) {
  if (message.Find(type) == nullptr) return std::nullopt;
  const auto characters = Utf8Characters(text);
  const std::string name(stun::ToString(type));
  if (!characters) return fmt::format("{} is not UTF-8: {}", name, ToHex(text));
  if (*characters >= 128) return fmt::format("{} has {} characters", name, *characters);
  return std::nullopt;
}

// RFC 3261 section 25.1: qdtext and quoted-pair, that is the inside of a quoted string.
MessageFault QuotedTextFault(std::string_view name, ByteView text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const uint8_t c = text[i];
    if (c == '"') return fmt::format("{} holds a double quote at byte {}", name, i);
    if (c == '\\') {
      if (++i == text.size() || text[i] >= 0x80 || text[i] == '\r' || text[i] == '\n') {
        return fmt::format("{} holds a lone backslash at byte {}", name, i - 1);
      }
    } else if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f) {
      return fmt::format("{} holds the byte 0x{:02x} at byte {}", name, c, i);
    }
  }
  return std::nullopt;
}

bool CarriesAddress(uint16_t type) {
  switch (static_cast<AttributeType>(type)) {
    case AttributeType::kMappedAddress:
    case AttributeType::kXorMappedAddress:
    case AttributeType::kXorRelayedAddress:
    case AttributeType::kXorPeerAddress:
    case AttributeType::kAlternateServer:
    case AttributeType::kResponseOrigin:
    case AttributeType::kOtherAddress:
      return true;
    default:
      return false;
  }
}

}  // namespace

const LenientAttribute* LenientMessage::Find(AttributeType wanted) const {
  const auto it = std::find_if(attributes.begin(), attributes.end(), [&](const auto& attribute) {
    return attribute.type == static_cast<uint16_t>(wanted);
  });
  return it == attributes.end() ? nullptr : &*it;
}

std::optional<LenientMessage> ReadLeniently(ByteView bytes) {
  if (bytes.size() < stun::kHeaderSize) return std::nullopt;
  LenientMessage out;
  out.type = LoadU16(bytes.data());
  out.length = LoadU16(bytes.data() + 2);
  out.cookie = LoadU32(bytes.data() + 4);
  out.id = bytes.subspan(8, 12);
  std::size_t at = stun::kHeaderSize;
  while (at + 4 <= bytes.size()) {
    const std::size_t size = LoadU16(bytes.data() + at + 2);
    const std::size_t room = bytes.size() - at - 4;
    if (size > room) break;
    const std::size_t padded = std::min((size + 3) & ~std::size_t{3}, room);
    out.attributes.push_back({LoadU16(bytes.data() + at), bytes.subspan(at + 4, size),
                              bytes.subspan(at + 4 + size, padded - size), at});
    at += 4 + padded;
  }
  out.whole = at == bytes.size();
  return out;
}

bool LooksLikeStun(ByteView bytes) {
  return bytes.size() >= stun::kHeaderSize && (bytes[0] & 0xc0) == 0;
}

std::optional<std::size_t> Utf8Characters(ByteView text) {
  std::size_t characters = 0;
  while (!text.empty()) {
    const std::size_t size = Utf8Length(text);
    if (size == 0) return std::nullopt;
    text = text.subspan(size);
    ++characters;
  }
  return characters;
}

MessageFault LengthFault(const LenientMessage& message, ByteView bytes) {
  if (message.length % 4 != 0) {
    return fmt::format("its length field says {}, no multiple of 4", message.length);
  }
  if (message.length + stun::kHeaderSize != bytes.size()) {
    return fmt::format("its length field says {}, and {} bytes follow the header", message.length,
                       bytes.size() - stun::kHeaderSize);
  }
  if (!message.whole) return "its attributes don't end where the message ends";
  return std::nullopt;
}

MessageFault PaddingFault(const LenientMessage& message, ByteView) {
  for (const LenientAttribute& attribute : message.attributes) {
    if (std::any_of(attribute.padding.begin(), attribute.padding.end(),
                    [](uint8_t byte) { return byte != 0; })) {
      return fmt::format("{} is padded with {}", CheckedName(attribute.type),
                         ToHex(attribute.padding));
    }
  }
  return std::nullopt;
}

MessageFault ErrorCodeMissing(const LenientMessage& message, ByteView) {
  if (!message.IsError()) return std::nullopt;
  const LenientAttribute* code = message.Find(AttributeType::kErrorCode);
  if (code == nullptr) return "an error response without ERROR-CODE";
  if (code->value.size() < 4) return fmt::format("ERROR-CODE of {} bytes", code->value.size());
  return std::nullopt;
}

MessageFault ErrorClassFault(const LenientMessage& message, ByteView) {
  const LenientAttribute* code = message.Find(AttributeType::kErrorCode);
  if (code == nullptr || code->value.size() < 4) return std::nullopt;
  const int error_class = code->value[2] & 7;
  const int number = code->value[3];
  if (error_class < 3 || error_class > 6) return fmt::format("error class {}", error_class);
  if (number > 99) return fmt::format("error number {}", number);
  return std::nullopt;
}

MessageFault ErrorReservedFault(const LenientMessage& message, ByteView) {
  const LenientAttribute* code = message.Find(AttributeType::kErrorCode);
  if (code == nullptr || code->value.size() < 4) return std::nullopt;
  const ByteView v = code->value;
  if (v[0] != 0 || v[1] != 0 || (v[2] & 0xf8) != 0) {
    return fmt::format("ERROR-CODE begins with {}", ToHex(v.first(4)));
  }
  return std::nullopt;
}

MessageFault ReasonFault(const LenientMessage& message, ByteView) {
  const LenientAttribute* code = message.Find(AttributeType::kErrorCode);
  if (code == nullptr || code->value.size() < 4) return std::nullopt;
  return ShortTextFault(message, AttributeType::kErrorCode, code->value.subspan(4));
}

MessageFault SoftwareFault(const LenientMessage& message, ByteView) {
  const LenientAttribute* software = message.Find(AttributeType::kSoftware);
  if (software == nullptr) return std::nullopt;
  return ShortTextFault(message, AttributeType::kSoftware, software->value);
}

MessageFault FirstByteFault(const LenientMessage& message, ByteView) {
  for (const LenientAttribute& attribute : message.attributes) {
    if (CarriesAddress(attribute.type) && !attribute.value.empty() && attribute.value[0] != 0) {
      return fmt::format("{} begins with 0x{:02x}", CheckedName(attribute.type),
                         attribute.value[0]);
    }
  }
  return std::nullopt;
}

MessageFault FingerprintPlaceFault(const LenientMessage& message, ByteView) {
  if (message.Find(AttributeType::kFingerprint) == nullptr) return std::nullopt;
  const uint16_t last = message.attributes.back().type;
  if (last != static_cast<uint16_t>(AttributeType::kFingerprint)) {
    return fmt::format("{} follows FINGERPRINT", CheckedName(last));
  }
  return std::nullopt;
}

MessageFault FingerprintValueFault(const LenientMessage& message, ByteView bytes) {
  const LenientAttribute* fingerprint = message.Find(AttributeType::kFingerprint);
  if (fingerprint == nullptr) return std::nullopt;
  if (fingerprint->value.size() != 4) {
    return fmt::format("FINGERPRINT of {} bytes", fingerprint->value.size());
  }
  const uint32_t right = crypto::Crc32(bytes.first(fingerprint->offset)) ^ stun::kFingerprintXor;
  const uint32_t sent = LoadU32(fingerprint->value.data());
  if (sent != right) {
    return fmt::format("FINGERPRINT is 0x{:08x}, the bytes before it give 0x{:08x}", sent, right);
  }
  return std::nullopt;
}

MessageFault UnknownListFault(const LenientMessage& message, ByteView) {
  const LenientAttribute* list = message.Find(AttributeType::kUnknownAttributes);
  if (list == nullptr) return std::nullopt;
  const LenientAttribute* code = message.Find(AttributeType::kErrorCode);
  const bool is_420 = message.IsError() && code != nullptr && code->value.size() >= 4 &&
                      (code->value[2] & 7) == 4 && code->value[3] == 20;
  if (!is_420) return "UNKNOWN-ATTRIBUTES in a message that is no 420";
  return std::nullopt;
}

MessageFault RealmNonceSizeFault(const LenientMessage& message, ByteView) {
  for (const AttributeType type : {AttributeType::kRealm, AttributeType::kNonce}) {
    const LenientAttribute* text = message.Find(type);
    if (text == nullptr) continue;
    if (MessageFault fault = ShortTextFault(message, type, text->value)) return fault;
  }
  return std::nullopt;
}

MessageFault RealmNonceGrammarFault(const LenientMessage& message, ByteView) {
  for (const AttributeType type : {AttributeType::kRealm, AttributeType::kNonce}) {
    const LenientAttribute* text = message.Find(type);
    if (text == nullptr) continue;
    if (MessageFault fault = QuotedTextFault(stun::ToString(type), text->value)) return fault;
  }
  return std::nullopt;
}

MessageFault AlgorithmsFault(const LenientMessage& message, ByteView) {
  const LenientAttribute* list = message.Find(AttributeType::kPasswordAlgorithms);
  if (list == nullptr) return std::nullopt;
  ByteView rest = list->value;
  if (rest.empty()) return "PASSWORD-ALGORITHMS lists nothing";
  while (!rest.empty()) {
    if (rest.size() < 4) return "PASSWORD-ALGORITHMS ends within an entry";
    const std::size_t parameters = LoadU16(rest.data() + 2);
    const std::size_t padded = 4 + ((parameters + 3) & ~std::size_t{3});
    if (rest.size() < 4 + parameters) {
      return fmt::format("PASSWORD-ALGORITHMS: parameters of {} bytes reach past its end",
                         parameters);
    }
    rest = rest.subspan(std::min(padded, rest.size()));
  }
  return std::nullopt;
}

}  // namespace rtclab::conformance
