// What any message of a server has to look like (RFC 8489 sections 5, 7 and 14), read straight from the bytes so that a malformed one
// can be judged too. Pure functions: a case, or whoever has a whole run's exchange, calls them on every message.
#ifndef RTCLAB_CONFORMANCE_CASES_RFC8489_MESSAGE_CHECKS_H_
#define RTCLAB_CONFORMANCE_CASES_RFC8489_MESSAGE_CHECKS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/stun/attribute.h"

namespace rtclab::conformance {

// An attribute as far as the bytes go.
struct LenientAttribute {
  uint16_t type = 0;
  ByteView value;    // without padding
  ByteView padding;  // 0 to 3 bytes
  std::size_t offset = 0;
};

// A STUN message read without judging: as many attributes as fit.
struct LenientMessage {
  uint16_t type = 0;
  uint16_t length = 0;
  uint32_t cookie = 0;
  ByteView id;  // 12 bytes
  std::vector<LenientAttribute> attributes{};
  bool whole = true;  // false: an attribute reaches past the end

  const LenientAttribute* Find(stun::AttributeType type) const;
  bool IsError() const { return (type & 0x0110) == 0x0110; }
};

// nullopt: fewer than 20 bytes.
std::optional<LenientMessage> ReadLeniently(ByteView bytes);
// Whether the bytes begin like a STUN message: 20 bytes, two zero bits.
bool LooksLikeStun(ByteView bytes);

// The number of characters of UTF-8 text; nullopt when it is not UTF-8 (RFC 3629 section 4).
std::optional<std::size_t> Utf8Characters(ByteView text);

// Each gives what is wrong with the message, or nothing.
using MessageCheck = std::optional<std::string> (*)(const LenientMessage& message, ByteView bytes);

std::optional<std::string> LengthFault(const LenientMessage& message, ByteView bytes);  // section 5
std::optional<std::string> PaddingFault(const LenientMessage& message,
                                        ByteView bytes);  // section 14
std::optional<std::string> ErrorCodeMissing(const LenientMessage& message,
                                            ByteView bytes);  // 6.3.1.1
std::optional<std::string> ErrorClassFault(const LenientMessage& message, ByteView bytes);  // 14.8
std::optional<std::string> ErrorReservedFault(const LenientMessage& message, ByteView bytes);
std::optional<std::string> ReasonFault(const LenientMessage& message, ByteView bytes);
std::optional<std::string> SoftwareFault(const LenientMessage& message, ByteView bytes);  // 14.14
std::optional<std::string> FirstByteFault(const LenientMessage& message,
                                          ByteView bytes);  // 14.1, 14.2
std::optional<std::string> FingerprintPlaceFault(const LenientMessage& message,
                                                 ByteView bytes);  // 14.7
std::optional<std::string> FingerprintValueFault(const LenientMessage& message, ByteView bytes);
std::optional<std::string> UnknownListFault(const LenientMessage& message,
                                            ByteView bytes);  // 14.13
std::optional<std::string> RealmNonceSizeFault(const LenientMessage& message,
                                               ByteView bytes);  // 14.9, 14.10
std::optional<std::string> RealmNonceGrammarFault(const LenientMessage& message, ByteView bytes);
std::optional<std::string> AlgorithmsFault(const LenientMessage& message, ByteView bytes);  // 14.11

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_RFC8489_MESSAGE_CHECKS_H_
