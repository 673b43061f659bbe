// The RFCs' vectors hold the reference, and the reference holds the session: RFC 7714 starts from session keys and RFC 3711 has no
// whole packet, so neither can be put through a session directly.
#include <gtest/gtest.h>

#include "stack/srtp/srtp_test_util.h"

namespace rtclab::srtp {
namespace {

Bytes Hex(std::string_view text) { return *FromHex(text); }

// RFC 3711 appendix B.2.
TEST(SrtpVectorTest, AesCounterModeKeyStream) {
  const Bytes key = Hex("2B7E151628AED2A6ABF7158809CF4F3C");
  const Bytes stream =
      AesCounter(key, Hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"), Bytes(1'044'512, 0));
  EXPECT_EQ(ToHex(ByteView(stream).first(48)),
            "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
            "41e95b3bb0a2e8dd477901e4fca894c0");
  EXPECT_EQ(ToHex(ByteView(stream).last(48)),
            "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae"
            "6a2cc3787889374fbeb4c81b17ba6c44");
}

// RFC 3711 appendix B.3.
TEST(SrtpVectorTest, KeyDerivation) {
  const Bytes key = Hex("E1F97A0D3E018BE0D64FA32C06DE4139");
  const Bytes salt = Hex("0EC675AD498AFEEBB6960B3AABE6");
  EXPECT_EQ(ToHex(DeriveKey(key, salt, 0, 16)), "c61e7a93744f39ee10734afe3ff7a087");
  EXPECT_EQ(ToHex(DeriveKey(key, salt, 2, 14)), "30cbbc08863d8c85d49db34a9ae1");
  EXPECT_EQ(ToHex(DeriveKey(key, salt, 1, 94)),
            "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce"
            "e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25"
            "6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2");
}

constexpr std::string_view kSalt = "517569642070726f2071756f";
constexpr std::string_view kKey128 = "000102030405060708090a0b0c0d0e0f";
constexpr std::string_view kKey256 =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kRtpHeader = "8040f17b8041f8d35501a0b2";
constexpr std::string_view kRtpPayload =
    "47616c6c696120657374206f6d6e697320646976697361"
    "20696e207061727465732074726573";

// RFC 7714 sections 16.1.1 and 16.2.1.
TEST(SrtpVectorTest, GcmRtp) {
  const Bytes iv = Reference::GcmIv(Hex(kSalt), Reference::Index(0x5501a0b2, 0, 0xf17b));
  EXPECT_EQ(ToHex(iv), "51753c6580c2726f20718414");
  EXPECT_EQ(ToHex(AesGcm(Hex(kKey128), iv, Hex(kRtpHeader), Hex(kRtpPayload))),
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b"
            "36de3adf8833899d7f27beb16a9152cf765ee4390cce");
  const Bytes sealed = AesGcm(Hex(kKey256), iv, Hex(kRtpHeader), Hex(kRtpPayload));
  EXPECT_EQ(ToHex(ByteView(sealed).first(38)),
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b");
}

// RFC 7714 section 17.1.
TEST(SrtpVectorTest, GcmRtcp) {
  const Bytes iv = Reference::GcmIv(Hex(kSalt), Reference::Index(0x4d617273, 0, 0x05d4));
  EXPECT_EQ(ToHex(iv), "517524055203726f207170bb");
  EXPECT_EQ(ToHex(AesGcm(Hex(kKey128), iv, Hex("81c8000d4d617273800005d4"),
                         Hex("4e5450314e545032525450200000042a0000e9304c756e61"
                             "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"))),
            "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda"
            "4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade");
}

class SrtpReferenceTest : public testing::TestWithParam<uint16_t> {};

TEST_P(SrtpReferenceTest, SessionsProtectAsTheFormulasSay) {
  const MasterKey master = TestKey(GetParam());
  const Reference reference(master.profile, master.key, master.salt);
  Session sender = MakeSession(master, Direction::kSend);
  Session receiver = MakeSession(master, Direction::kReceive);
  for (const std::size_t payload : {0u, 1u, 15u, 16u, 1'200u}) {
    const Bytes plain = RtpPacket(0xcafe, static_cast<uint16_t>(100 + payload), payload);
    Bytes packet = plain;
    ASSERT_TRUE(sender.Protect(packet));
    EXPECT_EQ(packet, reference.Protect(plain, 12, 0)) << payload;
    EXPECT_EQ(packet.size(), plain.size() + sender.rtp_overhead());
    ASSERT_TRUE(receiver.Unprotect(packet));
    EXPECT_EQ(packet, plain);
  }
  for (uint32_t index = 1; index <= 3; ++index) {
    const Bytes plain = RtcpPacket(0xcafe);
    Bytes packet = plain;
    ASSERT_TRUE(sender.ProtectRtcp(packet));
    EXPECT_EQ(packet, reference.ProtectRtcp(plain, index));
    EXPECT_EQ(packet.size(), plain.size() + sender.rtcp_overhead());
    ASSERT_TRUE(receiver.UnprotectRtcp(packet));
    EXPECT_EQ(packet, plain);
  }
}

// RFC 3711 section 3.3.1: the rollover counter is part of the index on both sides, also across loss and reordering.
TEST_P(SrtpReferenceTest, SequenceNumbersRollOver) {
  const MasterKey master = TestKey(GetParam());
  const Reference reference(master.profile, master.key, master.salt);
  Session sender = MakeSession(master, Direction::kSend);
  Session receiver = MakeSession(master, Direction::kReceive);
  std::vector<std::pair<Bytes, Bytes>> late;
  for (uint32_t index = 65'500; index<4 * 65'536 + 10; index += index % 65'536> 65'000 ? 1 : 311) {
    const Bytes plain = RtpPacket(1, static_cast<uint16_t>(index), 20);
    Bytes packet = plain;
    ASSERT_TRUE(sender.Protect(packet));
    ASSERT_EQ(packet, reference.Protect(plain, 12, index >> 16)) << index;
    // The last packet before each rollover arrives after it.
    if (index % 65'536 == 65'535) {
      late.emplace_back(packet, plain);
      continue;
    }
    ASSERT_TRUE(receiver.Unprotect(packet)) << index;
    ASSERT_EQ(packet, plain);
    for (auto& [delayed, expected] : std::exchange(late, {})) {
      ASSERT_TRUE(receiver.Unprotect(delayed)) << index;
      ASSERT_EQ(delayed, expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, SrtpReferenceTest,
                         testing::Values(kCmProfile, kGcm128Profile, kGcm256Profile),
                         [](const auto& test) { return ProfileName(test.param); });

}  // namespace
}  // namespace rtclab::srtp
