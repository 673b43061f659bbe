#include "stack/turn/access_token.h"

#include <gtest/gtest.h>

#include <string_view>

#include "stack/base/bytes.h"

namespace rtclab::turn {
namespace {

// RFC 7635 appendix A.
constexpr std::string_view kTokenServer = "blackdow.carleon.gov";
constexpr std::string_view kTokenMasterKey = "HGkj32KJGiuy098sdfaqbNjOiaz71923";
constexpr std::string_view kTokenMacKey = "ZksjpweoixXmvn67534m";
constexpr std::string_view kTokenNonce = "h4j3k2l2n4b5";
constexpr uint64_t kTokenTimestamp = 92'470'300'704'768;

struct TokenSample {
  crypto::Aead algorithm;
  const char* bytes;
};
constexpr TokenSample kTokenSamples[] = {
    {crypto::Aead::kAes256Gcm,
     "000c68346a336b326c326e346235617ef134a3d5e44e9a19cc7dc104b0c03d03b2a551d8fdf5cd3b6dca6f10cfb7"
     "7e5b2ddec84d293a5c50499359f0c2e26f76"},
    {crypto::Aead::kAes128Gcm,
     "000c68346a336b326c326e3462357fb9e99f0827be3df1e1bd651493d3031d36df57079784aee5eacb65fad4f27f"
     "ab1a3f97974b69f851b24bf5af09eda357e0"}};

AccessTokenKey SampleTokenKey(crypto::Aead algorithm) {
  const ByteView key = AsBytes(kTokenMasterKey).first(crypto::AeadKeySize(algorithm));
  return {"kid", Bytes(key.begin(), key.end()), algorithm};
}

AccessToken SampleToken() {
  return {Bytes(kTokenMacKey.begin(), kTokenMacKey.end()), TokenTime(kTokenTimestamp), 3600};
}

TEST(AccessTokenTest, MatchesTheSamplesOfTheRfc) {
  for (const TokenSample& sample : kTokenSamples) {
    const AccessTokenKey key = SampleTokenKey(sample.algorithm);
    EXPECT_EQ(ToHex(MakeAccessToken(key, kTokenServer, SampleToken(), AsBytes(kTokenNonce))),
              sample.bytes);
    const auto token = OpenAccessToken(key, kTokenServer, *FromHex(sample.bytes));
    ASSERT_TRUE(token) << token.error().reason;
    EXPECT_EQ(*token, SampleToken());
  }
}

TEST(AccessTokenTest, EveryTruncationAndEveryFlippedBitIsRefused) {
  const AccessTokenKey key = SampleTokenKey(crypto::Aead::kAes256Gcm);
  const Bytes whole = *FromHex(kTokenSamples[0].bytes);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(OpenAccessToken(key, kTokenServer, ByteView(whole).first(size))) << size;
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes altered = whole;
    altered[bit / 8] = static_cast<uint8_t>(altered[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(OpenAccessToken(key, kTokenServer, altered)) << bit;
  }
}

TEST(AccessTokenTest, NonceLengthsThatLieAreRefused) {
  const AccessTokenKey key = SampleTokenKey(crypto::Aead::kAes256Gcm);
  for (const int length : {0, 1, 11, 13, 62, 63, 0x7fff, 0xffff}) {
    Bytes altered = *FromHex(kTokenSamples[0].bytes);
    StoreU16(altered.data(), static_cast<uint16_t>(length));
    EXPECT_FALSE(OpenAccessToken(key, kTokenServer, altered)) << length;
  }
}

TEST(AccessTokenTest, OnlyTheNamedServerAndKeyOpenIt) {
  const Bytes whole = *FromHex(kTokenSamples[0].bytes);
  EXPECT_FALSE(OpenAccessToken(SampleTokenKey(crypto::Aead::kAes256Gcm), "other.example", whole));
  EXPECT_FALSE(OpenAccessToken(SampleTokenKey(crypto::Aead::kAes128Gcm), kTokenServer, whole));
}

// Sealed properly, but not holding the four fields.
TEST(AccessTokenTest, BlocksOfAnotherShapeAreRefused) {
  const AccessTokenKey key = SampleTokenKey(crypto::Aead::kAes256Gcm);
  for (const char* block : {"", "00", "0014", "00020102", "000201020000000000000001",
                            "0002010200000000000000010000003c00",  // a byte too many
                            "0000"
                            "0000000000000001"
                            "0000003c",  // no session key
                            "ffff0102"
                            "0000000000000001"
                            "0000003c"}) {
    Bytes token = {0, 12};
    token.insert(token.end(), kTokenNonce.begin(), kTokenNonce.end());
    const Bytes sealed = crypto::AeadSeal(key.algorithm, key.key, AsBytes(kTokenNonce),
                                          AsBytes(kTokenServer), *FromHex(block));
    token.insert(token.end(), sealed.begin(), sealed.end());
    EXPECT_FALSE(OpenAccessToken(key, kTokenServer, token)) << block;
  }
}

TEST(AccessTokenTest, TimeIsSecondsAndSixtyFourThousandths) {
  const TimeDelta moment = TimeDelta::Seconds(1'410'984'813) + TimeDelta::Millis(500);
  const TokenTime time = TokenTime::FromUnix(moment);
  EXPECT_EQ(time.raw(), uint64_t{1'410'984'813} << 16 | 32'000);
  EXPECT_EQ(time.DistanceTo(moment), TimeDelta::Zero());
  EXPECT_EQ(time.DistanceTo(moment + TimeDelta::Millis(1)), TimeDelta::Millis(1));
  EXPECT_EQ(time.DistanceTo(moment - TimeDelta::Seconds(2)), TimeDelta::Seconds(2));
  EXPECT_TRUE(TokenTime(~uint64_t{0}).DistanceTo(moment).IsInfinite());
}

// Sections 7 and 9, with a delta of 5 s.
TEST(AccessTokenTest, ValidityAndTheLifetimeThatIsLeft) {
  const TimeDelta made = TimeDelta::Seconds(1'700'000'000);
  const AccessToken token{Bytes(20, 1), TokenTime::FromUnix(made), 100};
  const TimeDelta delta = TimeDelta::Seconds(5);
  struct {
    int64_t age_ms;
    bool current;
    int64_t left_ms;
  } const rows[] = {{0, true, 100'000},     {5'000, true, 100'000}, {6'000, true, 99'000},
                    {-6'000, true, 99'000}, {104'999, true, 1},     {105'000, false, 0},
                    {-105'000, false, 0},   {500'000, false, 0}};
  for (const auto& row : rows) {
    const TimeDelta now = made + TimeDelta::Millis(row.age_ms);
    EXPECT_EQ(IsCurrent(token, now, delta), row.current) << row.age_ms;
    EXPECT_EQ(LifetimeLeft(token, now, delta), TimeDelta::Millis(row.left_ms)) << row.age_ms;
  }
}

}  // namespace
}  // namespace rtclab::turn
