#include "stack/crypto/constant_time.h"

#include <openssl/crypto.h>

namespace rtclab::crypto {

bool ConstantTimeEqual(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace rtclab::crypto
