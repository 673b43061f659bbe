#include "stack/crypto/aead.h"

#include <openssl/evp.h>

#include <memory>

#include "stack/base/check.h"

namespace rtclab::crypto {
namespace {

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

// Key, nonce and associated data are in; ready for the text. EVP's default nonce size for GCM is the 12 bytes of RFC 5116.
CipherContext StartAead(Aead algorithm, ByteView key, ByteView nonce, ByteView associated,
                        bool seal) {
  CHECK(key.size() == AeadKeySize(algorithm) && nonce.size() == kAeadNonceSize);
  const EVP_CIPHER* const cipher =
      algorithm == Aead::kAes128Gcm ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
  CipherContext context(EVP_CIPHER_CTX_new());
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex(context.get(), cipher, nullptr, key.data(), nonce.data(), seal ? 1 : 0) ==
        1);
  int count = 0;
  CHECK(associated.empty() || EVP_CipherUpdate(context.get(), nullptr, &count, associated.data(),
                                               static_cast<int>(associated.size())) == 1);
  return context;
}

}  // namespace

Bytes AeadSeal(Aead algorithm, ByteView key, ByteView nonce, ByteView associated,
               ByteView plaintext) {
  const CipherContext context = StartAead(algorithm, key, nonce, associated, true);
  Bytes out(plaintext.size() + kAeadTagSize);
  int count = 0;
  CHECK(plaintext.empty() || EVP_CipherUpdate(context.get(), out.data(), &count, plaintext.data(),
                                              static_cast<int>(plaintext.size())) == 1);
  int rest = 0;
  CHECK(EVP_CipherFinal_ex(context.get(), out.data() + count, &rest) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize,
                            out.data() + plaintext.size()) == 1);
  return out;
}

std::optional<Bytes> AeadOpen(Aead algorithm, ByteView key, ByteView nonce, ByteView associated,
                              ByteView sealed) {
  if (sealed.size() < kAeadTagSize) return std::nullopt;
  const CipherContext context = StartAead(algorithm, key, nonce, associated, false);
  const std::size_t size = sealed.size() - kAeadTagSize;
  Bytes tag(sealed.begin() + static_cast<std::ptrdiff_t>(size), sealed.end());
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) == 1);
  Bytes out(size);
  int count = 0;
  CHECK(size == 0 || EVP_CipherUpdate(context.get(), out.data(), &count, sealed.data(),
                                      static_cast<int>(size)) == 1);
  int rest = 0;
  // An empty vector has no place to point to, and the last step writes nothing in this mode.
  uint8_t nothing = 0;
  if (EVP_CipherFinal_ex(context.get(), &nothing, &rest) != 1) return std::nullopt;
  return out;
}

}  // namespace rtclab::crypto
