#include "conformance/mutation/stun_edit.h"

#include <algorithm>

#include "stack/crypto/crc32.h"

namespace rtclab::conformance {
namespace {

void AppendU16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void AppendAttribute(Bytes& out, stun::AttributeType type, ByteView value) {
  AppendU16(out, static_cast<uint16_t>(type));
  AppendU16(out, value.size());
  out.insert(out.end(), value.begin(), value.end());
}

// The length field says that the message ends `more` bytes behind what is there.
void SetLength(Bytes& out, std::size_t more) {
  StoreU16(out.data() + 2, static_cast<uint16_t>(out.size() + more - stun::kHeaderSize));
}

}  // namespace

std::optional<StunEdit> StunEdit::Parse(ByteView bytes) {
  const auto view = stun::MessageView::Parse(bytes);
  if (!view) return std::nullopt;
  StunEdit edit;
  edit.message_class = view->message_class();
  edit.method = view->method();
  edit.cookie = view->cookie();
  edit.id = view->transaction_id();
  for (const stun::AttributeView& attribute : view->attributes()) {
    edit.attributes.push_back(
        {attribute.type, Bytes(attribute.value.begin(), attribute.value.end())});
  }
  edit.sha1 = view->HasIntegrity();
  edit.sha256 = view->HasIntegritySha256();
  edit.fingerprint = view->HasFingerprint();
  edit.corrupt_fingerprint = edit.fingerprint && !view->VerifyFingerprint();
  return edit;
}

Bytes StunEdit::Build(const stun::IntegrityKey* key) const {
  Bytes out;
  AppendU16(out, stun::EncodeMessageType(message_class, method) | type_bits);
  AppendU16(out, 0);
  AppendU16(out, cookie >> 16);
  AppendU16(out, cookie & 0xffff);
  out.insert(out.end(), id.begin(), id.end());
  const auto add_fingerprint = [&] {
    SetLength(out, 8);
    uint32_t value = crypto::Crc32(out) ^ stun::kFingerprintXor;
    if (corrupt_fingerprint) value ^= 1;
    Bytes bytes(4);
    StoreU32(bytes.data(), value);
    AppendAttribute(out, stun::AttributeType::kFingerprint, bytes);
  };
  if (fingerprint && fingerprint_first) add_fingerprint();
  for (const Attribute& attribute : attributes) {
    AppendAttribute(out, attribute.type, attribute.value);
    while (!unpadded && out.size() % 4 != 0) out.push_back(padding);
  }
  const auto add_integrity = [&](stun::AttributeType type, auto mac) {
    if (corrupt_integrity) mac[0] ^= 0x80;
    AppendAttribute(out, type, mac);
  };
  if (sha1 && key != nullptr) {
    SetLength(out, 24);
    add_integrity(stun::AttributeType::kMessageIntegrity, key->sha1().Compute(out));
  }
  if (sha256 && key != nullptr) {
    SetLength(out, 36);
    add_integrity(stun::AttributeType::kMessageIntegritySha256, key->sha256().Compute(out));
  }
  if (fingerprint && !fingerprint_first) add_fingerprint();
  SetLength(out, 0);
  if (length_error != 0) {
    StoreU16(out.data() + 2, static_cast<uint16_t>(LoadU16(out.data() + 2) + length_error));
  }
  return out;
}

StunEdit::Attribute* StunEdit::Find(stun::AttributeType type) {
  const auto it = std::find_if(attributes.begin(), attributes.end(),
                               [&](const Attribute& a) { return a.type == type; });
  return it == attributes.end() ? nullptr : &*it;
}

const StunEdit::Attribute* StunEdit::Find(stun::AttributeType type) const {
  return const_cast<StunEdit*>(this)->Find(type);
}

void StunEdit::Remove(stun::AttributeType type) {
  std::erase_if(attributes, [&](const Attribute& a) { return a.type == type; });
}

void StunEdit::Set(stun::AttributeType type, Bytes value) {
  if (Attribute* found = Find(type)) {
    found->value = std::move(value);
  } else {
    attributes.push_back({type, std::move(value)});
  }
}

void StunEdit::SetU32(stun::AttributeType type, uint32_t value) {
  Bytes bytes(4);
  StoreU32(bytes.data(), value);
  Set(type, std::move(bytes));
}

std::optional<uint32_t> StunEdit::U32(stun::AttributeType type) const {
  const Attribute* found = Find(type);
  if (found == nullptr || found->value.size() != 4) return std::nullopt;
  return LoadU32(found->value.data());
}

int StunEdit::ErrorCode() const {
  const Attribute* found = Find(stun::AttributeType::kErrorCode);
  if (found == nullptr || found->value.size() < 4) return 0;
  return found->value[2] * 100 + found->value[3];
}

void StunEdit::SetErrorCode(int code) {
  Attribute* found = Find(stun::AttributeType::kErrorCode);
  if (found == nullptr || found->value.size() < 4) return;
  found->value[2] = static_cast<uint8_t>(code / 100);
  found->value[3] = static_cast<uint8_t>(code % 100);
}

void StunEdit::MakeError(int code) {
  message_class = stun::MessageClass::kErrorResponse;
  attributes.clear();
  Set(stun::AttributeType::kErrorCode, Bytes(4));
  SetErrorCode(code);
}

}  // namespace rtclab::conformance
