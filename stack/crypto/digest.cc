// OpenSSL's low-level digest functions stay in this one file. They are deprecated in favour of EVP since 3.0, but only they
// give out the compression state, and keeping the state of a key is what makes a keyed HMAC cheap (see README.md).
#include "stack/crypto/digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

namespace rtclab::crypto {
namespace {

constexpr std::size_t kBlock = 64;  // the block size of MD5, SHA-1 and SHA-256

std::array<uint32_t, 5> Save(const SHA_CTX& c) { return {c.h0, c.h1, c.h2, c.h3, c.h4}; }

// The context as it stands after exactly one block.
void Restore(const std::array<uint32_t, 5>& state, SHA_CTX& c) {
  c.h0 = state[0];
  c.h1 = state[1];
  c.h2 = state[2];
  c.h3 = state[3];
  c.h4 = state[4];
  c.Nl = kBlock * 8;
  c.Nh = 0;
  c.num = 0;
}

std::array<uint32_t, 8> Save(const SHA256_CTX& c) {
  std::array<uint32_t, 8> out;
  std::copy(std::begin(c.h), std::end(c.h), out.begin());
  return out;
}

void Restore(const std::array<uint32_t, 8>& state, SHA256_CTX& c) {
  std::copy(state.begin(), state.end(), std::begin(c.h));
  c.Nl = kBlock * 8;
  c.Nh = 0;
  c.num = 0;
  c.md_len = SHA256_DIGEST_LENGTH;
}

using Block = std::array<uint8_t, kBlock>;

// The key zero-padded to a block and combined with `pad` (RFC 2104 section 2).
Block PadKey(ByteView key, uint8_t pad) {
  Block block;
  block.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i) block[i] = static_cast<uint8_t>(key[i] ^ pad);
  return block;
}

// The last block of a digest of one block and `Size` bytes: they, the stop bit and the bit count.
template <std::size_t Size>
Block FinalBlock() {
  Block block{};
  block[Size] = 0x80;
  StoreU64(block.data() + kBlock - 8, (kBlock + Size) * 8);
  return block;
}

}  // namespace

Md5Digest Md5(ByteView data) {
  Md5Digest out;
  MD5(data.data(), data.size(), out.data());
  return out;
}

Sha1Digest Sha1(ByteView data) {
  Sha1Digest out;
  SHA_CTX c;
  SHA1_Init(&c);
  SHA1_Update(&c, data.data(), data.size());
  SHA1_Final(out.data(), &c);
  return out;
}

Sha256Digest Sha256(ByteView data) {
  Sha256Digest out;
  SHA256_CTX c;
  SHA256_Init(&c);
  SHA256_Update(&c, data.data(), data.size());
  SHA256_Final(out.data(), &c);
  return out;
}

HmacSha1::HmacSha1(ByteView key) {
  Sha1Digest hashed;
  if (key.size() > kBlock) {
    hashed = Sha1(key);
    key = hashed;
  }
  SHA_CTX c;
  SHA1_Init(&c);
  SHA1_Transform(&c, PadKey(key, 0x36).data());
  inner_ = Save(c);
  SHA1_Init(&c);
  SHA1_Transform(&c, PadKey(key, 0x5c).data());
  outer_ = Save(c);
}

Sha1Digest HmacSha1::Compute(ByteView first, ByteView second) const {
  SHA_CTX c;
  Restore(inner_, c);
  SHA1_Update(&c, first.data(), first.size());
  SHA1_Update(&c, second.data(), second.size());
  Block last = FinalBlock<SHA_DIGEST_LENGTH>();
  SHA1_Final(last.data(), &c);
  Restore(outer_, c);
  SHA1_Transform(&c, last.data());
  Sha1Digest out;
  const std::array<uint32_t, 5> words = Save(c);
  for (std::size_t i = 0; i < words.size(); ++i) StoreU32(out.data() + 4 * i, words[i]);
  return out;
}

HmacSha256::HmacSha256(ByteView key) {
  Sha256Digest hashed;
  if (key.size() > kBlock) {
    hashed = Sha256(key);
    key = hashed;
  }
  SHA256_CTX c;
  SHA256_Init(&c);
  SHA256_Transform(&c, PadKey(key, 0x36).data());
  inner_ = Save(c);
  SHA256_Init(&c);
  SHA256_Transform(&c, PadKey(key, 0x5c).data());
  outer_ = Save(c);
}

Sha256Digest HmacSha256::Compute(ByteView first, ByteView second) const {
  SHA256_CTX c;
  Restore(inner_, c);
  SHA256_Update(&c, first.data(), first.size());
  SHA256_Update(&c, second.data(), second.size());
  Block last = FinalBlock<SHA256_DIGEST_LENGTH>();
  SHA256_Final(last.data(), &c);
  Restore(outer_, c);
  SHA256_Transform(&c, last.data());
  Sha256Digest out;
  const std::array<uint32_t, 8> words = Save(c);
  for (std::size_t i = 0; i < words.size(); ++i) StoreU32(out.data() + 4 * i, words[i]);
  return out;
}

}  // namespace rtclab::crypto
