// Base64 with the standard alphabet and padding (RFC 4648 section 4).
#ifndef RTCLAB_STACK_CRYPTO_BASE64_H_
#define RTCLAB_STACK_CRYPTO_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"

namespace rtclab::crypto {

std::string Base64Encode(ByteView bytes);
// Strict: padded, no white space, unused bits zero; nullopt for anything else.
std::optional<Bytes> Base64Decode(std::string_view text);

}  // namespace rtclab::crypto

#endif  // RTCLAB_STACK_CRYPTO_BASE64_H_
