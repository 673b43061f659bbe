// A second, plain implementation of SRTP for the tests to hold the first against, straight from the RFCs' formulas and itself held
// against their vectors; and packets to protect.
#ifndef RTCLAB_STACK_SRTP_SRTP_TEST_UTIL_H_
#define RTCLAB_STACK_SRTP_SRTP_TEST_UTIL_H_

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/crypto/digest.h"
#include "stack/srtp/session.h"

namespace rtclab::srtp {

constexpr uint16_t kCmProfile = 0x0001;
constexpr uint16_t kGcm128Profile = 0x0007;
constexpr uint16_t kGcm256Profile = 0x0008;
inline std::string ProfileName(uint16_t profile) {
  return profile == kCmProfile ? "AesCm128Sha1" : profile == kGcm128Profile ? "Gcm128" : "Gcm256";
}

inline Bytes Concat(ByteView a, ByteView b) {
  Bytes all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// AES in counter mode (RFC 3711 section 4.1.1): its own inverse.
inline Bytes AesCounter(ByteView key, ByteView iv, ByteView data) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  CHECK(EVP_EncryptInit_ex(context, key.size() == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(),
                           nullptr, key.data(), iv.data()) == 1);
  Bytes out(data.size());
  int size = 0;
  CHECK(EVP_EncryptUpdate(context, out.data(), &size, data.data(), static_cast<int>(data.size())) ==
        1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

// AES-GCM with its 16-byte tag at the end (RFC 7714 section 5.1).
inline Bytes AesGcm(ByteView key, ByteView iv, ByteView aad, ByteView data) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  CHECK(EVP_EncryptInit_ex(context, key.size() == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(),
                           nullptr, key.data(), iv.data()) == 1);
  int size = 0;
  CHECK(EVP_EncryptUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size())) == 1);
  Bytes out(data.size() + 16);
  CHECK(EVP_EncryptUpdate(context, out.data(), &size, data.data(), static_cast<int>(data.size())) ==
        1);
  CHECK(EVP_EncryptFinal_ex(context, out.data() + size, &size) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, out.data() + data.size()) == 1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

// RFC 3711 section 4.3.1 with a key derivation rate of zero. A 12-byte salt gets two zeros at its right (RFC 7714 section 11).
inline Bytes DeriveKey(ByteView key, ByteView salt, uint8_t label, std::size_t size) {
  Bytes iv(salt.begin(), salt.end());
  iv.resize(16, 0);
  iv[7] ^= label;
  return AesCounter(key, iv, Bytes(size, 0));
}

// One master key, and packets protected with it by the formulas.
class Reference {
 public:
  Reference(uint16_t profile, Bytes key, Bytes salt)
      : gcm_(profile != kCmProfile), key_(std::move(key)), salt_(std::move(salt)) {}

  // `roc`: the rollover counter. `header` bytes stay in the clear.
  Bytes Protect(ByteView packet, std::size_t header, uint32_t roc) const {
    const ByteView clear = packet.first(header);
    const Bytes key = DeriveKey(key_, salt_, 0, key_.size());
    const Bytes salt = DeriveKey(key_, salt_, 2, salt_.size());
    const Bytes index = Index(LoadU32(packet.data() + 8), roc, LoadU16(packet.data() + 2));
    if (gcm_) {
      return Concat(clear, AesGcm(key, GcmIv(salt, index), clear, packet.subspan(header)));
    }
    Bytes out = Concat(clear, AesCounter(key, CounterIv(salt, index), packet.subspan(header)));
    Bytes roc_bytes(4);
    StoreU32(roc_bytes.data(), roc);
    const auto tag = crypto::HmacSha1(DeriveKey(key_, salt_, 1, 20)).Compute(out, roc_bytes);
    out.insert(out.end(), tag.begin(), tag.begin() + 10);
    return out;
  }

  Bytes ProtectRtcp(ByteView packet, uint32_t srtcp_index) const {
    const ByteView clear = packet.first(8);
    const Bytes key = DeriveKey(key_, salt_, 3, key_.size());
    const Bytes salt = DeriveKey(key_, salt_, 5, salt_.size());
    const Bytes index =
        Index(LoadU32(packet.data() + 4), srtcp_index >> 16, static_cast<uint16_t>(srtcp_index));
    Bytes word(4);
    StoreU32(word.data(), srtcp_index | 0x80000000);
    if (gcm_) {
      const Bytes sealed = AesGcm(key, GcmIv(salt, index), Concat(clear, word), packet.subspan(8));
      return Concat(Concat(clear, sealed), word);
    }
    Bytes out =
        Concat(Concat(clear, AesCounter(key, CounterIv(salt, index), packet.subspan(8))), word);
    const auto tag = crypto::HmacSha1(DeriveKey(key_, salt_, 4, 20)).Compute(out);
    out.insert(out.end(), tag.begin(), tag.begin() + 10);
    return out;
  }

  // The key stream of RFC 6904 section 3.1 for a packet's extension block.
  Bytes ExtensionKeyStream(ByteView packet, uint32_t roc, std::size_t size) const {
    const Bytes key = DeriveKey(key_, salt_, 6, key_.size());
    const Bytes salt = DeriveKey(key_, salt_, 7, salt_.size());
    const Bytes index = Index(LoadU32(packet.data() + 8), roc, LoadU16(packet.data() + 2));
    return AesCounter(key, CounterIv(salt, index), Bytes(size, 0));
  }

  // SSRC, then 48 bits of index: ten bytes that both kinds of IV are made of.
  static Bytes Index(uint32_t ssrc, uint32_t high, uint16_t low) {
    Bytes index(10);
    StoreU32(index.data(), ssrc);
    StoreU32(index.data() + 4, high);
    StoreU16(index.data() + 8, low);
    return index;
  }
  // RFC 7714 section 8.1.
  static Bytes GcmIv(ByteView salt, ByteView index) {
    Bytes iv(salt.begin(), salt.end());
    for (std::size_t i = 0; i < 10; ++i) iv[2 + i] ^= index[i];
    return iv;
  }
  // RFC 3711 section 4.1.1.
  static Bytes CounterIv(ByteView salt, ByteView index) {
    Bytes iv(salt.begin(), salt.end());
    iv.resize(16, 0);
    for (std::size_t i = 0; i < 10; ++i) iv[4 + i] ^= index[i];
    return iv;
  }

 private:
  bool gcm_;
  Bytes key_, salt_;
};

struct MasterKey {
  uint16_t profile;
  Bytes key, salt;
};

// A key that differs in every byte.
inline MasterKey TestKey(uint16_t profile, uint8_t first = 1) {
  MasterKey master{profile, Bytes(profile == kGcm256Profile ? 32 : 16),
                   Bytes(profile == kCmProfile ? 14 : 12)};
  uint8_t next = first;
  for (uint8_t& byte : master.key) byte = next++;
  for (uint8_t& byte : master.salt) byte = static_cast<uint8_t>(0x80 + next++);
  return master;
}

inline Session MakeSession(const MasterKey& master, Direction direction,
                           const SessionOptions& options = {}) {
  auto session = Session::Create(master.profile, master.key, master.salt, direction, options);
  CHECK(session.has_value());
  return std::move(*session);
}

// Version 2, payload type 96, 12 bytes of header.
inline Bytes RtpPacket(uint32_t ssrc, uint16_t sequence, std::size_t payload = 100) {
  Bytes packet(12 + payload);
  packet[0] = 0x80;
  packet[1] = 96;
  StoreU16(packet.data() + 2, sequence);
  StoreU32(packet.data() + 4, 1'000u + sequence);
  StoreU32(packet.data() + 8, ssrc);
  for (std::size_t i = 0; i < payload; ++i) packet[12 + i] = static_cast<uint8_t>(i * 7);
  return packet;
}

// A receiver report with one block.
inline Bytes RtcpPacket(uint32_t ssrc) {
  Bytes packet(32, 0x11);
  packet[0] = 0x81;
  packet[1] = 201;
  StoreU16(packet.data() + 2, 7);
  StoreU32(packet.data() + 4, ssrc);
  return packet;
}

}  // namespace rtclab::srtp

#endif  // RTCLAB_STACK_SRTP_SRTP_TEST_UTIL_H_
