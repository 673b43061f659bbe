// A STUN message taken apart, to be changed and put together again, signed as it was: also into what MessageBuilder refuses to write.
#ifndef RTCLAB_CONFORMANCE_MUTATION_STUN_EDIT_H_
#define RTCLAB_CONFORMANCE_MUTATION_STUN_EDIT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {

struct StunEdit {
  struct Attribute {
    stun::AttributeType type{};
    Bytes value;
  };

  stun::MessageClass message_class{};
  stun::Method method{};
  uint32_t cookie = 0;
  stun::TransactionId id{};
  std::vector<Attribute> attributes;                       // without integrity and fingerprint
  bool sha1 = false, sha256 = false, fingerprint = false;  // which of those follow

  // What is wrong with the bytes.
  uint8_t padding = 0;     // the padding's bytes
  bool unpadded = false;   // no padding at all
  uint16_t type_bits = 0;  // set in the message type
  int length_error = 0;    // added to the length field, after signing
  bool corrupt_integrity = false;
  bool corrupt_fingerprint = false;
  bool fingerprint_first = false;  // before the other attributes

  // nullopt: not STUN.
  static std::optional<StunEdit> Parse(ByteView bytes);
  // With integrity if there is a key for it.
  Bytes Build(const stun::IntegrityKey* key) const;

  bool IsResponse() const {
    return message_class == stun::MessageClass::kSuccessResponse ||
           message_class == stun::MessageClass::kErrorResponse;
  }
  bool IsSuccess(stun::Method of) const {
    return message_class == stun::MessageClass::kSuccessResponse && method == of;
  }
  bool IsRequest(stun::Method of) const {
    return message_class == stun::MessageClass::kRequest && method == of;
  }
  Attribute* Find(stun::AttributeType type);
  const Attribute* Find(stun::AttributeType type) const;
  bool Has(stun::AttributeType type) const { return Find(type) != nullptr; }
  void Remove(stun::AttributeType type);
  // Adds it, or gives it this value.
  void Set(stun::AttributeType type, Bytes value);
  void SetU32(stun::AttributeType type, uint32_t value);
  std::optional<uint32_t> U32(stun::AttributeType type) const;
  // 0: not an error response.
  int ErrorCode() const;
  // Of an error response: the code, with its reason left as it is.
  void SetErrorCode(int code);
  // Turns a response of any class into this error.
  void MakeError(int code);
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_MUTATION_STUN_EDIT_H_
