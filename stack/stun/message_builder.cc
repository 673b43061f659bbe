#include "stack/stun/message_builder.h"

#include <algorithm>
#include <cstring>

#include "stack/base/check.h"
#include "stack/crypto/crc32.h"

namespace rtclab::stun {
namespace {

constexpr std::size_t kMaxMessageSize =
    65'532 + kHeaderSize;  // the length field is 16 bits and a multiple of 4
constexpr std::size_t kMaxWrittenText =
    508;  // RFC 8489 section 14: fewer than 509 bytes when encoding

// At most `limit` bytes, not ending inside a UTF-8 sequence.
std::string_view CutText(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

MessageBuilder::MessageBuilder(MessageClass message_class, Method method, const TransactionId& id)
    : id_(id) {
  out_.reserve(192);
  out_.resize(kHeaderSize);
  StoreU16(out_.data(), EncodeMessageType(message_class, method));
  StoreU32(out_.data() + 4, kMagicCookie);
  std::memcpy(out_.data() + 8, id.data(), id.size());
}

MessageBuilder MessageBuilder::ResponseTo(const MessageView& request, MessageClass message_class) {
  MessageBuilder builder(message_class, request.method(), request.transaction_id());
  StoreU32(builder.out_.data() + 4, request.cookie());
  return builder;
}

MessageBuilder MessageBuilder::ErrorResponseTo(const MessageView& request, int code,
                                               std::string_view reason) {
  MessageBuilder builder = ResponseTo(request, MessageClass::kErrorResponse);
  builder.AddErrorCode(code, reason);
  return builder;
}

uint8_t* MessageBuilder::Append(AttributeType type, std::size_t size) {
  const bool closing = type == AttributeType::kMessageIntegrity ||
                       type == AttributeType::kMessageIntegritySha256 ||
                       type == AttributeType::kFingerprint;
  CHECK(!fingerprint_added_);
  CHECK(closing || !integrity_added_);
  const std::size_t offset = out_.size();
  CHECK(size <= kMaxMessageSize && offset + 4 + size <= kMaxMessageSize);
  out_.resize(offset + 4 + ((size + 3) & ~std::size_t{3}));
  StoreU16(out_.data() + offset, static_cast<uint16_t>(type));
  StoreU16(out_.data() + offset + 2, static_cast<uint16_t>(size));
  return out_.data() + offset + 4;
}

void MessageBuilder::PatchLength() {
  StoreU16(out_.data() + 2, static_cast<uint16_t>(out_.size() - kHeaderSize));
}

MessageBuilder& MessageBuilder::AddAddress(AttributeType type, const TransportAddress& address) {
  CHECK(!address.IsNone());
  const ByteView ip = address.ip.bytes();
  uint8_t* value = Append(type, 4 + ip.size());
  value[1] = address.ip.IsV4() ? 0x01 : 0x02;
  StoreU16(value + 2, address.port);
  std::memcpy(value + 4, ip.data(), ip.size());
  return *this;
}

MessageBuilder& MessageBuilder::AddXorAddress(AttributeType type, const TransportAddress& address) {
  CHECK(!address.IsNone());
  const ByteView ip = address.ip.bytes();
  uint8_t* value = Append(type, 4 + ip.size());
  value[1] = address.ip.IsV4() ? 0x01 : 0x02;
  StoreU16(value + 2, static_cast<uint16_t>(address.port ^ (kMagicCookie >> 16)));
  std::array<uint8_t, 16> mask;
  StoreU32(mask.data(), kMagicCookie);
  std::copy(id_.begin(), id_.end(), mask.begin() + 4);
  for (std::size_t i = 0; i < ip.size(); ++i) value[4 + i] = ip[i] ^ mask[i];
  return *this;
}

MessageBuilder& MessageBuilder::AddFlag(AttributeType type) {
  Append(type, 0);
  return *this;
}

MessageBuilder& MessageBuilder::AddU8(AttributeType type, uint8_t value) {
  *Append(type, 1) = value;
  return *this;
}

MessageBuilder& MessageBuilder::AddU16(AttributeType type, uint16_t value) {
  StoreU16(Append(type, 2), value);
  return *this;
}

MessageBuilder& MessageBuilder::AddU32(AttributeType type, uint32_t value) {
  StoreU32(Append(type, 4), value);
  return *this;
}

MessageBuilder& MessageBuilder::AddU64(AttributeType type, uint64_t value) {
  StoreU64(Append(type, 8), value);
  return *this;
}

MessageBuilder& MessageBuilder::AddString(AttributeType type, std::string_view value) {
  return AddBytes(type, AsBytes(CutText(value, kMaxWrittenText)));
}

MessageBuilder& MessageBuilder::AddBytes(AttributeType type, ByteView value) {
  std::copy(value.begin(), value.end(), Append(type, value.size()));
  return *this;
}

MessageBuilder& MessageBuilder::AddErrorCode(int code, std::string_view reason) {
  CHECK(code >= 300 && code <= 699);
  if (reason.empty()) reason = ReasonPhrase(code);
  reason = CutText(reason, kMaxWrittenText);
  uint8_t* value = Append(AttributeType::kErrorCode, 4 + reason.size());
  value[2] = static_cast<uint8_t>(code / 100);
  value[3] = static_cast<uint8_t>(code % 100);
  std::copy(reason.begin(), reason.end(), value + 4);
  return *this;
}

MessageBuilder& MessageBuilder::AddChangeRequest(const ChangeRequest& change) {
  return AddU32(AttributeType::kChangeRequest,
                (change.change_ip ? 0x4u : 0u) | (change.change_port ? 0x2u : 0u));
}

MessageBuilder& MessageBuilder::AddUnknownAttributes(std::span<const AttributeType> types) {
  uint8_t* value = Append(AttributeType::kUnknownAttributes, 2 * types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    StoreU16(value + 2 * i, static_cast<uint16_t>(types[i]));
  }
  return *this;
}

MessageBuilder& MessageBuilder::AddPasswordAlgorithm(PasswordAlgorithm algorithm) {
  // RFC 8489 section 18.5.1: both algorithms have no parameters.
  StoreU16(Append(AttributeType::kPasswordAlgorithm, 4), static_cast<uint16_t>(algorithm));
  return *this;
}

MessageBuilder& MessageBuilder::AddPasswordAlgorithms(
    std::span<const PasswordAlgorithm> algorithms) {
  uint8_t* value = Append(AttributeType::kPasswordAlgorithms, 4 * algorithms.size());
  for (std::size_t i = 0; i < algorithms.size(); ++i) {
    StoreU16(value + 4 * i, static_cast<uint16_t>(algorithms[i]));
  }
  return *this;
}

MessageBuilder& MessageBuilder::AddPadding(std::size_t size) {
  Append(AttributeType::kPadding, size);
  return *this;
}

MessageBuilder& MessageBuilder::AddMessageIntegrity(const IntegrityKey& key) {
  const std::size_t offset = out_.size();
  uint8_t* value = Append(AttributeType::kMessageIntegrity, kIntegritySize);
  integrity_added_ = true;
  PatchLength();
  const crypto::Sha1Digest mac = key.sha1().Compute({out_.data(), offset});
  std::copy(mac.begin(), mac.end(), value);
  return *this;
}

MessageBuilder& MessageBuilder::AddMessageIntegritySha256(const IntegrityKey& key,
                                                          std::size_t length) {
  CHECK(length >= kMinIntegritySha256Size && length <= kMaxIntegritySha256Size && length % 4 == 0);
  const std::size_t offset = out_.size();
  uint8_t* value = Append(AttributeType::kMessageIntegritySha256, length);
  integrity_added_ = true;
  PatchLength();
  const crypto::Sha256Digest mac = key.sha256().Compute({out_.data(), offset});
  std::copy_n(mac.begin(), length, value);
  return *this;
}

MessageBuilder& MessageBuilder::AddFingerprint() {
  const std::size_t offset = out_.size();
  uint8_t* value = Append(AttributeType::kFingerprint, 4);
  fingerprint_added_ = true;
  PatchLength();
  StoreU32(value, crypto::Crc32({out_.data(), offset}) ^ kFingerprintXor);
  return *this;
}

Bytes MessageBuilder::Build() {
  PatchLength();
  return std::move(out_);
}

}  // namespace rtclab::stun
