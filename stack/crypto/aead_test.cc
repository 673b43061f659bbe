#include "stack/crypto/aead.h"

#include <gtest/gtest.h>

#include "stack/base/bytes.h"

namespace rtclab::crypto {
namespace {

struct GcmVector {
  Aead algorithm;
  const char* key;
  const char* nonce;
  const char* associated;
  const char* plaintext;
  const char* sealed;
};

// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: test cases 1, 2, 4, 13, 14 and 16.
constexpr GcmVector kGcmVectors[] = {
    {Aead::kAes128Gcm, "00000000000000000000000000000000", "000000000000000000000000", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {Aead::kAes128Gcm, "00000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000",
     "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
    {Aead::kAes128Gcm, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {Aead::kAes256Gcm, "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {Aead::kAes256Gcm, "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {Aead::kAes256Gcm, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"}};

TEST(AeadTest, MatchesThePublishedVectors) {
  for (const GcmVector& v : kGcmVectors) {
    const Bytes key = *FromHex(v.key);
    const Bytes nonce = *FromHex(v.nonce);
    const Bytes associated = *FromHex(v.associated);
    const Bytes plaintext = *FromHex(v.plaintext);
    const Bytes sealed = AeadSeal(v.algorithm, key, nonce, associated, plaintext);
    EXPECT_EQ(ToHex(sealed), v.sealed);
    EXPECT_EQ(AeadOpen(v.algorithm, key, nonce, associated, sealed), plaintext);
  }
}

TEST(AeadTest, AnyChangedBitOrMissingByteFails) {
  const Bytes key(16, 1);
  const Bytes nonce(12, 2);
  const Bytes associated = {'a', 'd'};
  const Bytes sealed = AeadSeal(Aead::kAes128Gcm, key, nonce, associated, Bytes{1, 2, 3});
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes altered = sealed;
    altered[bit / 8] = static_cast<uint8_t>(altered[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(AeadOpen(Aead::kAes128Gcm, key, nonce, associated, altered)) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(AeadOpen(Aead::kAes128Gcm, key, nonce, associated, ByteView(sealed).first(size)))
        << size;
  }
  EXPECT_FALSE(AeadOpen(Aead::kAes128Gcm, key, nonce, {}, sealed));
  EXPECT_FALSE(AeadOpen(Aead::kAes128Gcm, key, Bytes(12, 3), associated, sealed));
  EXPECT_FALSE(AeadOpen(Aead::kAes128Gcm, Bytes(16, 9), nonce, associated, sealed));
}

}  // namespace
}  // namespace rtclab::crypto
