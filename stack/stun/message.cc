#include "stack/stun/message.h"

#include <algorithm>
#include <cstring>

#include "stack/base/check.h"
#include "stack/crypto/constant_time.h"
#include "stack/crypto/crc32.h"

namespace rtclab::stun {
namespace {

constexpr uint8_t kFamilyIpv4 = 0x01;  // RFC 8489 section 14.1
constexpr uint8_t kFamilyIpv6 = 0x02;

constexpr std::size_t Padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// 0                   1                   2                   3
// 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// |0 0 0 0 0 0 0 0|    Family     |           Port                |
// |                 Address (32 bits or 128 bits)                 |
Result<std::size_t> AddressSize(ByteView value) {
  if (value.size() < 4) return Fail("expected an address of 8 or 20 bytes", value.size());
  const std::size_t size = value[1] == kFamilyIpv4 ? 4 : value[1] == kFamilyIpv6 ? 16 : 0;
  if (size == 0) return Fail("expected address family 1 or 2", 1);
  if (value.size() != 4 + size) return Fail("the address does not have its family's size", 4);
  return size;
}

}  // namespace

std::string_view ToString(MessageClass message_class) {
  switch (message_class) {
    case MessageClass::kRequest:
      return "request";
    case MessageClass::kIndication:
      return "indication";
    case MessageClass::kSuccessResponse:
      return "success response";
    case MessageClass::kErrorResponse:
      return "error response";
  }
  return "unknown";
}

TransactionId NewTransactionId(Rng& rng) {
  TransactionId id;
  rng.Fill(id);
  return id;
}

Result<TransportAddress> ParseAddress(ByteView value) {
  const Result<std::size_t> size = AddressSize(value);
  if (!size) return tl::unexpected(size.error());
  return TransportAddress{*IpAddress::FromBytes(value.subspan(4, *size)),
                          LoadU16(value.data() + 2)};
}

Result<TransportAddress> ParseXorAddress(ByteView value, const TransactionId& id) {
  const Result<std::size_t> size = AddressSize(value);
  if (!size) return tl::unexpected(size.error());
  // RFC 8489 section 14.2: the mask is the cookie, then for IPv6 the transaction id.
  std::array<uint8_t, 16> mask;
  StoreU32(mask.data(), kMagicCookie);
  std::copy(id.begin(), id.end(), mask.begin() + 4);
  std::array<uint8_t, 16> plain;
  for (std::size_t i = 0; i < *size; ++i) plain[i] = value[4 + i] ^ mask[i];
  return TransportAddress{*IpAddress::FromBytes({plain.data(), *size}),
                          static_cast<uint16_t>(LoadU16(value.data() + 2) ^ (kMagicCookie >> 16))};
}

Result<MessageView> MessageView::Parse(ByteView bytes) { return ParseStructure(bytes, false); }

Result<MessageView> MessageView::ParseClassic(ByteView bytes) {
  return ParseStructure(bytes, true);
}

// 0                   1                   2                   3
// 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// |0 0|     STUN Message Type     |         Message Length        |
// |                         Magic Cookie                          |
// |                     Transaction ID (96 bits)                  |
Result<MessageView> MessageView::ParseStructure(ByteView bytes, bool classic) {
  if (bytes.size() < kHeaderSize) {
    return Fail("expected a STUN header of 20 bytes", bytes.size());
  }
  const uint8_t* base = bytes.data();
  if ((base[0] & 0xc0) != 0) return Fail("the first two bits are not zero", 0);
  const std::size_t length = LoadU16(base + 2);
  if (length % 4 != 0) return Fail("the message length is no multiple of 4", 2);
  if (length + kHeaderSize != bytes.size()) {
    return Fail("the message length does not reach the end", 2);
  }
  if (!classic && LoadU32(base + 4) != kMagicCookie) return Fail("expected the magic cookie", 4);

  MessageView view(bytes);
  std::memcpy(view.id_.data(), base + 8, view.id_.size());
  uint32_t ordinary_end = 0;
  const auto end = static_cast<uint32_t>(bytes.size());
  for (uint32_t offset = kHeaderSize; offset < end;) {
    // The length and every attribute are multiples of 4, so an attribute's header fits.
    const auto type = static_cast<AttributeType>(LoadU16(base + offset));
    const auto next = static_cast<uint32_t>(offset + 4 + Padded(LoadU16(base + offset + 2)));
    if (next > end) return Fail("an attribute reaches beyond the message", offset);
    uint32_t* slot = nullptr;
    if (type == AttributeType::kMessageIntegrity) slot = &view.integrity_;
    if (type == AttributeType::kMessageIntegritySha256) slot = &view.integrity_sha256_;
    if (type == AttributeType::kFingerprint) slot = &view.fingerprint_;
    if (slot != nullptr) {
      // What follows FINGERPRINT, which is the last attribute (RFC 8489 section 14.7), is ignored like a repetition.
      if (*slot == 0 && (view.fingerprint_ == 0)) *slot = offset;
      if (ordinary_end == 0) ordinary_end = offset;
    }
    offset = next;
  }
  view.ordinary_end_ = ordinary_end != 0 ? ordinary_end : end;
  return view;
}

std::optional<ByteView> MessageView::Find(AttributeType type) const {
  uint32_t offset = 0;
  if (type == AttributeType::kMessageIntegrity) {
    offset = integrity_;
  } else if (type == AttributeType::kMessageIntegritySha256) {
    offset = integrity_sha256_;
  } else if (type == AttributeType::kFingerprint) {
    offset = fingerprint_;
  } else {
    for (const AttributeView attribute : attributes()) {
      if (attribute.type == type) return attribute.value;
    }
  }
  if (offset == 0) return std::nullopt;
  return ValueAt(offset);
}

std::optional<TransportAddress> MessageView::GetAddress(AttributeType type) const {
  const std::optional<ByteView> value = Find(type);
  if (!value) return std::nullopt;
  const Result<TransportAddress> address = ParseAddress(*value);
  return address ? std::optional(*address) : std::nullopt;
}

std::optional<TransportAddress> MessageView::GetXorAddress(AttributeType type) const {
  const std::optional<ByteView> value = Find(type);
  if (!value) return std::nullopt;
  const Result<TransportAddress> address = ParseXorAddress(*value, id_);
  return address ? std::optional(*address) : std::nullopt;
}

std::optional<uint8_t> MessageView::GetU8(AttributeType type) const {
  const std::optional<ByteView> value = Find(type);
  if (!value || value->size() != 1) return std::nullopt;
  return (*value)[0];
}

std::optional<uint16_t> MessageView::GetU16(AttributeType type) const {
  const std::optional<ByteView> value = Find(type);
  if (!value || value->size() != 2) return std::nullopt;
  return LoadU16(value->data());
}

std::optional<uint32_t> MessageView::GetU32(AttributeType type) const {
  const std::optional<ByteView> value = Find(type);
  if (!value || value->size() != 4) return std::nullopt;
  return LoadU32(value->data());
}

std::optional<uint64_t> MessageView::GetU64(AttributeType type) const {
  const std::optional<ByteView> value = Find(type);
  if (!value || value->size() != 8) return std::nullopt;
  return LoadU64(value->data());
}

std::optional<std::string_view> MessageView::GetString(AttributeType type) const {
  const std::optional<ByteView> value = Find(type);
  // RFC 8489 section 14.16: a DNS name of at most 255 characters.
  const std::size_t limit = type == AttributeType::kAlternateDomain ? 255 : kMaxTextSize;
  if (!value || value->size() > limit) return std::nullopt;
  return AsString(*value);
}

// |           Reserved, should be 0         |Class|     Number    |
// |      Reason Phrase (variable)                                ..
std::optional<ErrorCode> MessageView::GetErrorCode() const {
  const std::optional<ByteView> value = Find(AttributeType::kErrorCode);
  if (!value || value->size() < 4 || value->size() > 4 + kMaxTextSize) return std::nullopt;
  const int hundreds = (*value)[2] & 0x07;
  const int number = (*value)[3];
  if (hundreds < 3 || hundreds > 6 || number > 99) return std::nullopt;
  return ErrorCode{hundreds * 100 + number, AsString(value->subspan(4))};
}

// |0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 A B 0|  A: change IP, B: change port
std::optional<ChangeRequest> MessageView::GetChangeRequest() const {
  const std::optional<uint32_t> flags = GetU32(AttributeType::kChangeRequest);
  if (!flags) return std::nullopt;
  return ChangeRequest{(*flags & 0x4) != 0, (*flags & 0x2) != 0};
}

std::optional<std::vector<AttributeType>> MessageView::GetUnknownAttributes() const {
  std::vector<AttributeType> out;
  const std::optional<ByteView> value = Find(AttributeType::kUnknownAttributes);
  if (!value) return out;
  if (value->size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < value->size(); i += 2) {
    out.push_back(static_cast<AttributeType>(LoadU16(value->data() + i)));
  }
  return out;
}

namespace {

// One or more of: algorithm (16 bits), parameter length (16 bits), parameters padded to 4 bytes (RFC 8489 section 14.11). The
// last padding may be missing, since it may count as the attribute's own.
std::optional<std::vector<PasswordAlgorithmEntry>> ParsePasswordAlgorithms(ByteView value) {
  std::vector<PasswordAlgorithmEntry> out;
  while (!value.empty()) {
    if (value.size() < 4) return std::nullopt;
    const std::size_t length = LoadU16(value.data() + 2);
    if (length > value.size() - 4) return std::nullopt;
    out.push_back(
        {static_cast<PasswordAlgorithm>(LoadU16(value.data())), value.subspan(4, length)});
    value = value.subspan(std::min(value.size(), 4 + Padded(length)));
  }
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::vector<PasswordAlgorithmEntry>> MessageView::GetPasswordAlgorithms() const {
  const std::optional<ByteView> value = Find(AttributeType::kPasswordAlgorithms);
  if (!value) return std::nullopt;
  return ParsePasswordAlgorithms(*value);
}

std::optional<PasswordAlgorithmEntry> MessageView::GetPasswordAlgorithm() const {
  const std::optional<ByteView> value = Find(AttributeType::kPasswordAlgorithm);
  if (!value) return std::nullopt;
  const auto entries = ParsePasswordAlgorithms(*value);
  if (!entries || entries->size() != 1) return std::nullopt;
  return entries->front();
}

std::optional<std::vector<TransportAddress>> MessageView::GetXorAddresses(
    AttributeType type) const {
  std::vector<TransportAddress> out;
  for (const AttributeView attribute : attributes()) {
    if (attribute.type != type) continue;
    const Result<TransportAddress> address = ParseXorAddress(attribute.value, id_);
    if (!address) return std::nullopt;
    out.push_back(*address);
  }
  return out;
}

std::optional<std::vector<TransportAddress>> MessageView::GetAddresses(AttributeType type) const {
  std::vector<TransportAddress> out;
  for (const AttributeView attribute : attributes()) {
    if (attribute.type != type) continue;
    const Result<TransportAddress> address = ParseAddress(attribute.value);
    if (!address) return std::nullopt;
    out.push_back(*address);
  }
  return out;
}

std::vector<AttributeType> MessageView::UnknownRequired(
    std::span<const AttributeType> known) const {
  std::vector<AttributeType> out;
  const auto contains = [](std::span<const AttributeType> set, AttributeType type) {
    return std::find(set.begin(), set.end(), type) != set.end();
  };
  for (const AttributeView attribute : attributes()) {
    if (!IsComprehensionRequired(attribute.type)) continue;
    if (!contains(known, attribute.type) && !contains(out, attribute.type)) {
      out.push_back(attribute.type);
    }
  }
  return out;
}

template <typename Hmac>
auto MessageView::ComputeHmac(const Hmac& hmac, std::size_t offset, std::size_t end) const {
  // The length field is adjusted in a copy of the first block; the rest is read in place.
  std::array<uint8_t, 64> head;
  const std::size_t head_size = std::min(offset, head.size());
  std::memcpy(head.data(), bytes_.data(), head_size);
  StoreU16(head.data() + 2, static_cast<uint16_t>(end - kHeaderSize));
  return hmac.Compute({head.data(), head_size}, bytes_.subspan(head_size, offset - head_size));
}

bool MessageView::VerifyIntegrity(const IntegrityKey& key) const {
  if (integrity_ == 0) return false;
  const ByteView value = ValueAt(integrity_);
  if (value.size() != kIntegritySize) return false;
  const crypto::Sha1Digest mac =
      ComputeHmac(key.sha1(), integrity_, integrity_ + 4 + kIntegritySize);
  return crypto::ConstantTimeEqual(value, mac);
}

bool MessageView::VerifyIntegritySha256(const IntegrityKey& key, std::size_t min_size) const {
  CHECK(min_size >= kMinIntegritySha256Size && min_size <= kMaxIntegritySha256Size);
  if (integrity_sha256_ == 0) return false;
  const ByteView value = ValueAt(integrity_sha256_);
  if (value.size() < min_size || value.size() > kMaxIntegritySha256Size || value.size() % 4 != 0) {
    return false;
  }
  const crypto::Sha256Digest mac =
      ComputeHmac(key.sha256(), integrity_sha256_, integrity_sha256_ + 4 + value.size());
  return crypto::ConstantTimeEqual(value, ByteView(mac).first(value.size()));
}

bool MessageView::VerifyFingerprint() const {
  // RFC 8489 section 14.7: the last attribute, so that the length field already reaches its end.
  if (fingerprint_ == 0 || fingerprint_ + 8 != bytes_.size()) return false;
  const ByteView value = ValueAt(fingerprint_);
  if (value.size() != 4) return false;
  return LoadU32(value.data()) == (crypto::Crc32(bytes_.first(fingerprint_)) ^ kFingerprintXor);
}

}  // namespace rtclab::stun
