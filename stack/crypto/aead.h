// Authenticated encryption with associated data: AES in Galois/Counter Mode as RFC 5116 sections 5.1 and 5.2 define it.
#ifndef RTCLAB_STACK_CRYPTO_AEAD_H_
#define RTCLAB_STACK_CRYPTO_AEAD_H_

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"

namespace rtclab::crypto {

enum class Aead : uint8_t { kAes128Gcm, kAes256Gcm };  // AEAD_AES_128_GCM, AEAD_AES_256_GCM

inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;
constexpr std::size_t AeadKeySize(Aead algorithm) {
  return algorithm == Aead::kAes128Gcm ? 16 : 32;
}

// Ciphertext followed by the tag. `key` and `nonce` have the sizes above (CHECKed); a nonce must never be used twice with a key.
Bytes AeadSeal(Aead algorithm, ByteView key, ByteView nonce, ByteView associated,
               ByteView plaintext);
// The plaintext; nullopt when `sealed` was not made with the same key, nonce and associated data.
std::optional<Bytes> AeadOpen(Aead algorithm, ByteView key, ByteView nonce, ByteView associated,
                              ByteView sealed);

}  // namespace rtclab::crypto

#endif  // RTCLAB_STACK_CRYPTO_AEAD_H_
