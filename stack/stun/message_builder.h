// Writes a STUN message: attributes in the order they are added, then integrity, then fingerprint (RFC 8489 sections 5 and 14).
#ifndef RTCLAB_STACK_STUN_MESSAGE_BUILDER_H_
#define RTCLAB_STACK_STUN_MESSAGE_BUILDER_H_

#include <span>
#include <string_view>

#include "stack/stun/message.h"

namespace rtclab::stun {

// Values too large for their attribute are a bug of the caller (CHECK), except texts, which are cut between two UTF-8 characters.
class MessageBuilder {
 public:
  MessageBuilder(MessageClass message_class, Method method, const TransactionId& id);
  // A response to `request`: its method, transaction id and, for a classic client, its first 32 id bits (RFC 5389 section 12.2).
  static MessageBuilder ResponseTo(const MessageView& request, MessageClass message_class);
  // An error response with ERROR-CODE; with an empty `reason` the registry's phrase for the code is used.
  static MessageBuilder ErrorResponseTo(const MessageView& request, int code,
                                        std::string_view reason = {});

  MessageBuilder& AddAddress(AttributeType type, const TransportAddress& address);
  MessageBuilder& AddXorAddress(AttributeType type, const TransportAddress& address);
  MessageBuilder& AddFlag(AttributeType type);  // no value
  MessageBuilder& AddU8(AttributeType type, uint8_t value);
  MessageBuilder& AddU16(AttributeType type, uint16_t value);
  MessageBuilder& AddU32(AttributeType type, uint32_t value);
  MessageBuilder& AddU64(AttributeType type, uint64_t value);
  // Cut to 508 bytes (RFC 8489 section 14: fewer than 509 for every text).
  MessageBuilder& AddString(AttributeType type, std::string_view value);
  MessageBuilder& AddBytes(AttributeType type, ByteView value);  // at most 65,000 bytes in all
  // `code` 300 to 699; an empty `reason` gives the registry's phrase.
  MessageBuilder& AddErrorCode(int code, std::string_view reason = {});
  MessageBuilder& AddChangeRequest(const ChangeRequest& change);
  MessageBuilder& AddUnknownAttributes(std::span<const AttributeType> types);
  MessageBuilder& AddPasswordAlgorithm(PasswordAlgorithm algorithm);
  MessageBuilder& AddPasswordAlgorithms(std::span<const PasswordAlgorithm> algorithms);
  // RFC 5780 section 7.6: a run of `size` zero bytes.
  MessageBuilder& AddPadding(std::size_t size);

  // Over all that was added before. After the first of the two only the other one and FINGERPRINT may be added.
  MessageBuilder& AddMessageIntegrity(const IntegrityKey& key);
  // `length` of the HMAC to send: 16, 20, 24, 28 or 32.
  MessageBuilder& AddMessageIntegritySha256(const IntegrityKey& key,
                                            std::size_t length = kMaxIntegritySha256Size);
  // Nothing may be added after it.
  MessageBuilder& AddFingerprint();

  std::size_t size() const { return out_.size(); }
  // Takes the finished message out; the builder is empty afterwards.
  Bytes Build();

 private:
  // Appends the header, the value's room and the zero padding; returns where the value goes.
  uint8_t* Append(AttributeType type, std::size_t size);
  void PatchLength();

  Bytes out_;
  TransactionId id_;
  bool integrity_added_ = false;
  bool fingerprint_added_ = false;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_MESSAGE_BUILDER_H_
