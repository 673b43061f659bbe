#include "stack/crypto/digest.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

#include "stack/crypto/constant_time.h"

namespace rtclab::crypto {
namespace {

TEST(DigestTest, KnownAnswers) {
  EXPECT_EQ(ToHex(Md5(AsBytes("abc"))), "900150983cd24fb0d6963f7d28e17f72");  // RFC 1321 A.5
  EXPECT_EQ(ToHex(Md5({})), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(ToHex(Sha1(AsBytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");  // FIPS 180
  EXPECT_EQ(ToHex(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HmacTest, VectorsOfRfc2202AndRfc4231) {
  const Bytes key(20, 0x0b);
  EXPECT_EQ(ToHex(HmacSha1(key).Compute(AsBytes("Hi There"))),
            "b617318655057264e28bc0b6fb378c8ef146be00");
  EXPECT_EQ(ToHex(HmacSha256(key).Compute(AsBytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  const std::string_view what = "what do ya want for nothing?";
  EXPECT_EQ(ToHex(HmacSha1(AsBytes("Jefe")).Compute(AsBytes(what))),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(ToHex(HmacSha256(AsBytes("Jefe")).Compute(AsBytes(what))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// Every key size around a block and every message size around two blocks, whole and in two parts, against OpenSSL's one-shot HMAC.
TEST(HmacTest, AgreesWithOpenSsl) {
  Bytes data(300);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 7 + 3);
  for (const std::size_t key_size : {0u, 1u, 20u, 63u, 64u, 65u, 128u, 200u}) {
    const ByteView key = ByteView(data).last(key_size);
    const HmacSha1 sha1(key);
    const HmacSha256 sha256(key);
    for (std::size_t size = 0; size <= 140; ++size) {
      const ByteView message = ByteView(data).first(size);
      std::array<uint8_t, 64> expected;
      unsigned int length = 0;
      HMAC(EVP_sha1(), data.data() + data.size() - key_size, static_cast<int>(key_size),
           message.data(), size, expected.data(), &length);
      ASSERT_EQ(ToHex(sha1.Compute(message)), ToHex(ByteView(expected).first(length)));
      ASSERT_EQ(ToHex(sha1.Compute(message.first(size / 3), message.subspan(size / 3))),
                ToHex(ByteView(expected).first(length)));
      HMAC(EVP_sha256(), data.data() + data.size() - key_size, static_cast<int>(key_size),
           message.data(), size, expected.data(), &length);
      ASSERT_EQ(ToHex(sha256.Compute(message)), ToHex(ByteView(expected).first(length)));
      ASSERT_EQ(ToHex(sha256.Compute(message.first(size / 3), message.subspan(size / 3))),
                ToHex(ByteView(expected).first(length)));
    }
  }
}

TEST(ConstantTimeTest, ComparesSizeAndBytes) {
  EXPECT_TRUE(ConstantTimeEqual({}, {}));
  EXPECT_TRUE(ConstantTimeEqual(AsBytes("abc"), AsBytes("abc")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("abc"), AsBytes("abd")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("abc"), AsBytes("ab")));
}

}  // namespace
}  // namespace rtclab::crypto
