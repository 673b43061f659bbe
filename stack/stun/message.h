// The STUN message: reading (MessageView) and writing (MessageBuilder, in message_builder.h). RFC 8489 sections 5 and 14.
#ifndef RTCLAB_STACK_STUN_MESSAGE_H_
#define RTCLAB_STACK_STUN_MESSAGE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/error.h"
#include "stack/base/ip_address.h"
#include "stack/base/rng.h"
#include "stack/stun/attribute.h"
#include "stack/stun/integrity.h"

namespace rtclab::stun {

inline constexpr std::size_t kHeaderSize = 20;           // RFC 8489 section 5
inline constexpr uint32_t kMagicCookie = 0x2112a442;     // RFC 8489 section 5
inline constexpr uint32_t kFingerprintXor = 0x5354554e;  // RFC 8489 section 14.7
inline constexpr std::size_t kMaxTextSize = 763;   // RFC 8489 section 14: what a reader must accept
inline constexpr std::size_t kIntegritySize = 20;  // RFC 8489 section 14.5
inline constexpr std::size_t kMinIntegritySha256Size = 16;  // RFC 8489 section 14.6
inline constexpr std::size_t kMaxIntegritySha256Size = 32;  // RFC 8489 section 14.6

enum class MessageClass : uint8_t { kRequest, kIndication, kSuccessResponse, kErrorResponse };
std::string_view ToString(MessageClass message_class);

using TransactionId = std::array<uint8_t, 12>;
// 96 random bits (RFC 8489 section 6: uniformly chosen).
TransactionId NewTransactionId(Rng& rng);

// The 14-bit message type: the class's two bits stand at bits 4 and 8 of the method (RFC 8489 section 5, figure 3).
constexpr uint16_t EncodeMessageType(MessageClass message_class, Method method) {
  const auto c = static_cast<uint16_t>(message_class);
  const auto m = static_cast<uint16_t>(method);
  return static_cast<uint16_t>((m & 0x0f) | (m & 0x70) << 1 | (m & 0xf80) << 2 | (c & 1) << 4 |
                               (c & 2) << 7);
}
constexpr MessageClass DecodeMessageClass(uint16_t type) {
  return static_cast<MessageClass>((type >> 4 & 1) | (type >> 7 & 2));
}
constexpr Method DecodeMethod(uint16_t type) {
  return static_cast<Method>((type & 0x0f) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
}

// ERROR-CODE, RFC 8489 section 14.8.
struct ErrorCode {
  int code = 0;             // 300 to 699
  std::string_view reason;  // UTF-8 for diagnosis only

  bool operator==(const ErrorCode&) const = default;
};

// CHANGE-REQUEST, RFC 5780 section 7.2.
struct ChangeRequest {
  bool change_ip = false;
  bool change_port = false;

  bool operator==(const ChangeRequest&) const = default;
};

// One entry of PASSWORD-ALGORITHMS, RFC 8489 section 14.11. The algorithm may be one that we don't know.
struct PasswordAlgorithmEntry {
  PasswordAlgorithm algorithm = PasswordAlgorithm::kMd5;
  ByteView parameters;
};

// An attribute as it stands in the message.
struct AttributeView {
  AttributeType type;
  ByteView value;      // without padding
  std::size_t offset;  // of the attribute's header in the message
};

// Values of the address attributes, for those who hold an attribute's value. Errors say what is wrong with it.
Result<TransportAddress> ParseAddress(ByteView value);
Result<TransportAddress> ParseXorAddress(ByteView value, const TransactionId& id);

// Reads a message in place; the bytes must outlive the view. Makes no allocation unless a getter returns a vector.
//
// RFC 8489 section 9: attributes that follow MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 don't exist for any getter here, except
// those two and FINGERPRINT.
class MessageView {
 public:
  // Goes forward over the attributes.
  class Iterator {
   public:
    AttributeView operator*() const {
      return {static_cast<AttributeType>(LoadU16(base_ + offset_)),
              {base_ + offset_ + 4, LoadU16(base_ + offset_ + 2)},
              offset_};
    }
    Iterator& operator++() {
      offset_ += 4 + ((std::size_t{LoadU16(base_ + offset_ + 2)} + 3) & ~std::size_t{3});
      return *this;
    }
    bool operator==(const Iterator& o) const { return offset_ == o.offset_; }

   private:
    friend class MessageView;
    Iterator(const uint8_t* base, std::size_t offset) : base_(base), offset_(offset) {}
    const uint8_t* base_;
    std::size_t offset_;
  };
  struct Range {
    Iterator first;
    Iterator last;
    Iterator begin() const { return first; }
    Iterator end() const { return last; }
  };

  // Exactly one message. Fails, with the offset, on fewer than 20 bytes, a type whose first two bits are not zero, a magic cookie
  // that is not one, a length that is no multiple of 4 or does not reach exactly the end, and an attribute that does not fit.
  static Result<MessageView> Parse(ByteView bytes);
  // The same for a message of an RFC 3489 client, which has 16 transaction id bytes and no magic cookie (RFC 5389 section 12.2).
  static Result<MessageView> ParseClassic(ByteView bytes);

  MessageClass message_class() const { return DecodeMessageClass(LoadU16(bytes_.data())); }
  Method method() const { return DecodeMethod(LoadU16(bytes_.data())); }
  bool IsRequest() const { return message_class() == MessageClass::kRequest; }
  bool IsIndication() const { return message_class() == MessageClass::kIndication; }
  bool IsSuccess() const { return message_class() == MessageClass::kSuccessResponse; }
  bool IsError() const { return message_class() == MessageClass::kErrorResponse; }
  bool IsResponse() const { return IsSuccess() || IsError(); }
  const TransactionId& transaction_id() const { return id_; }
  // The magic cookie, or the first 32 bits of a classic message's transaction id.
  uint32_t cookie() const { return LoadU32(bytes_.data() + 4); }
  ByteView bytes() const { return bytes_; }

  // The ordinary attributes in order: those before the first of MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT.
  Range attributes() const {
    return {Iterator(bytes_.data(), kHeaderSize), Iterator(bytes_.data(), ordinary_end_)};
  }

  bool Has(AttributeType type) const { return Find(type).has_value(); }
  // The value of the first occurrence, without padding.
  std::optional<ByteView> Find(AttributeType type) const;

  // Typed getters: nullopt when the attribute is absent or its value is not well formed; Has() tells which.
  std::optional<TransportAddress> GetAddress(AttributeType type) const;
  std::optional<TransportAddress> GetXorAddress(AttributeType type) const;
  std::optional<uint8_t> GetU8(AttributeType type) const;    // exactly 1 byte
  std::optional<uint16_t> GetU16(AttributeType type) const;  // exactly 2 bytes
  std::optional<uint32_t> GetU32(AttributeType type) const;  // exactly 4 bytes
  std::optional<uint64_t> GetU64(AttributeType type) const;  // exactly 8 bytes
  // Text of at most 763 bytes (255 for ALTERNATE-DOMAIN); its UTF-8 is not checked.
  std::optional<std::string_view> GetString(AttributeType type) const;
  std::optional<ErrorCode> GetErrorCode() const;
  std::optional<ChangeRequest> GetChangeRequest() const;
  // Empty also when the attribute is absent; nullopt only when it is malformed.
  std::optional<std::vector<AttributeType>> GetUnknownAttributes() const;
  // PASSWORD-ALGORITHMS in order; nullopt when absent, empty or malformed.
  std::optional<std::vector<PasswordAlgorithmEntry>> GetPasswordAlgorithms() const;
  // PASSWORD-ALGORITHM: exactly one entry.
  std::optional<PasswordAlgorithmEntry> GetPasswordAlgorithm() const;
  // Every occurrence, as in CreatePermission's XOR-PEER-ADDRESS; nullopt if one of them is malformed.
  std::optional<std::vector<TransportAddress>> GetXorAddresses(AttributeType type) const;
  std::optional<std::vector<TransportAddress>> GetAddresses(AttributeType type) const;

  // Comprehension-required attributes that are neither in `known` nor one of the three handled here, each once, in order.
  std::vector<AttributeType> UnknownRequired(std::span<const AttributeType> known) const;

  bool HasIntegrity() const { return integrity_ != 0; }
  bool HasIntegritySha256() const { return integrity_sha256_ != 0; }
  bool HasFingerprint() const { return fingerprint_ != 0; }
  // Whether the attribute is there, has its proper size and holds the HMAC of what precedes it. RFC 8489 section 14.5.
  bool VerifyIntegrity(const IntegrityKey& key) const;
  // RFC 8489 section 14.6: a usage that allows truncation says so with `min_size`: 16, 20, 24, 28 or 32 bytes.
  bool VerifyIntegritySha256(const IntegrityKey& key,
                             std::size_t min_size = kMaxIntegritySha256Size) const;
  // Whether FINGERPRINT is there, is the last attribute and holds the right CRC. RFC 8489 section 14.7.
  bool VerifyFingerprint() const;

 private:
  explicit MessageView(ByteView bytes) : bytes_(bytes) {}
  static Result<MessageView> ParseStructure(ByteView bytes, bool classic);
  // Feeds the message up to `offset` to `hmac` with the length field reaching `end`.
  template <typename Hmac>
  auto ComputeHmac(const Hmac& hmac, std::size_t offset, std::size_t end) const;
  ByteView ValueAt(std::size_t offset) const {
    return bytes_.subspan(offset + 4, LoadU16(bytes_.data() + offset + 2));
  }

  ByteView bytes_;
  TransactionId id_{};
  // Offsets of attribute headers; 0 means absent.
  uint32_t ordinary_end_ = kHeaderSize;
  uint32_t integrity_ = 0;
  uint32_t integrity_sha256_ = 0;
  uint32_t fingerprint_ = 0;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_MESSAGE_H_
