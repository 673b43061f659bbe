#include "stack/rtp/rtp_packet.h"

#include <gmock/gmock.h>

#include "stack/rtp/header_extensions.h"
#include "stack/rtp/test_util.h"

namespace rtclab::rtp {
namespace {

using ::testing::ElementsAre;
using testing::ExpectEveryPrefixRefused;
using testing::Hex;

// Version 2, padding, extension, two CSRCs, marker, type 96; one-byte elements 1 (3 bytes), 2 (2 bytes) with
// a padding byte between them; payload "abc"; three bytes of padding.
constexpr std::string_view kFullPacket =
    "b2e0 1234 01020304 a1a2a3a4  c1c1c1c1 c2c2c2c2  bede 0002 12 aabbcc 00 21 dd ee  616263 "
    "000003";

TEST(RtpPacketTest, ReadsEveryField) {
  const Bytes bytes = Hex(kFullPacket);
  const auto view = PacketView::Parse(bytes);
  ASSERT_TRUE(view) << view.error().reason;
  EXPECT_EQ(view->header(), (RtpHeader{true, 96, 0x1234, 0x01020304, 0xa1a2a3a4}));
  ASSERT_EQ(view->csrc_count(), 2u);
  EXPECT_EQ(view->csrc(1), 0xc2c2c2c2u);
  EXPECT_EQ(view->extension_profile(), 0xBEDE);
  EXPECT_EQ(view->header_size(), 32u);
  EXPECT_EQ(view->padding_size(), 3u);
  EXPECT_EQ(AsString(view->payload()), "abc");
  EXPECT_EQ(ToHex(view->FindExtension(1).value()), "aabbcc");
  EXPECT_EQ(ToHex(view->FindExtension(2).value()), "ddee");
  EXPECT_FALSE(view->FindExtension(3));
}

// Without padding the payload has any length, so only what is in front of it can be cut; with padding the
// last byte's count must fit too.
TEST(RtpPacketTest, RefusesEveryTruncationOfTheHeader) {
  const Bytes bytes =
      Hex("92 e0 1234 01020304 a1a2a3a4  c1c1c1c1 c2c2c2c2  bede 0002 12 aabbcc 00 21 dd ee");
  ASSERT_TRUE(PacketView::Parse(bytes));
  ExpectEveryPrefixRefused(bytes, [](ByteView b) { return PacketView::Parse(b).has_value(); });
}

TEST(RtpPacketTest, RefusesWhatDoesNotAddUp) {
  const struct {
    const char* what;
    std::string_view bytes;
  } cases[] = {
      {"version 1", "40e0 1234 01020304 a1a2a3a4"},
      {"version 3", "c0e0 1234 01020304 a1a2a3a4"},
      {"padding without a byte", "a060 1234 01020304 a1a2a3a4"},
      {"padding count 0", "a060 1234 01020304 a1a2a3a4 6100"},
      {"padding longer than the payload", "a060 1234 01020304 a1a2a3a4 6103"},
      {"extension of 65535 words", "9060 1234 01020304 a1a2a3a4 bede ffff 00000000"},
  };
  for (const auto& c : cases) EXPECT_FALSE(PacketView::Parse(Hex(c.bytes))) << c.what;
}

TEST(RtpPacketTest, PaddingMayBeAllThereIs) {
  const Bytes bytes = Hex("a060 1234 01020304 a1a2a3a4 00000004");
  const auto view = PacketView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->payload().empty());
  EXPECT_EQ(view->padding_size(), 4u);
}

TEST(RtpPacketTest, ElementsEndWhereRfc8285SaysSo) {
  const struct {
    const char* what;
    std::string_view extension;
    std::vector<int> ids;
  } cases[] = {
      {"one-byte: 15 ends", "bede0002 10aa f0bb 20cc 0000", {1}},
      {"one-byte: 0 with a length ends", "bede0002 10aa 01bbcc 20 0000", {1}},
      {"one-byte: padding between", "bede0002 000010aa 0020cc00", {1, 2}},
      {"one-byte: cut short", "bede0001 10aa 23 01", {1}},
      {"two-byte: empty value, 15, 255", "10000002 0100 0f01aa ff01bb", {1, 15, 255}},
      {"two-byte: appbits", "100f0001 0102aabb", {1}},
      {"two-byte: cut short", "10000001 0103aabb", {}},
      {"another profile", "abcd0001 10aa0000", {}},
  };
  for (const auto& c : cases) {
    const Bytes bytes = Hex("9060 1234 01020304 a1a2a3a4" + std::string(c.extension));
    const auto view = PacketView::Parse(bytes);
    ASSERT_TRUE(view) << c.what << ": " << view.error().reason;
    std::vector<int> ids;
    view->ForEachExtension([&](uint8_t id, ByteView) { ids.push_back(id); });
    EXPECT_EQ(ids, c.ids) << c.what;
  }
}

TEST(RtpPacketTest, BuilderWritesTheSameBytes) {
  PacketBuilder builder({true, 96, 0x1234, 0x01020304, 0xa1a2a3a4});
  builder.AddCsrc(0xc1c1c1c1);
  builder.AddCsrc(0xc2c2c2c2);
  EXPECT_TRUE(builder.AddExtension(1, Hex("aabbcc")));
  EXPECT_TRUE(builder.AddExtension(2, Hex("ddee")));
  builder.AppendPayload(AsBytes("abc"));
  EXPECT_EQ(ToHex(builder.Build(3)), ToHex(Hex("b2e0 1234 01020304 a1a2a3a4 c1c1c1c1 c2c2c2c2 bede "
                                               "0002 12aabbcc 21ddee 00 616263 000003")));
}

TEST(RtpPacketTest, AnElementTooLongTurnsAllIntoTheTwoByteForm) {
  PacketBuilder builder({false, 96, 1, 2, 3});
  EXPECT_TRUE(builder.AddExtension(1, Hex("aabb")));
  EXPECT_TRUE(builder.AddExtension(2, Bytes(17, 0xcc)));
  EXPECT_TRUE(builder.AddExtension(200, {}));
  const Bytes bytes = builder.Build();
  const auto view = PacketView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->extension_profile(), kTwoByteProfile);
  EXPECT_EQ(ToHex(view->FindExtension(1).value()), "aabb");
  EXPECT_EQ(view->FindExtension(2)->size(), 17u);
  EXPECT_TRUE(view->FindExtension(200)->empty());
}

TEST(RtpPacketTest, RefusesElementsThatFitNoForm) {
  PacketBuilder builder({false, 96, 1, 2, 3});
  builder.SetOneByteOnly();
  EXPECT_FALSE(builder.AddExtension(0, Hex("aa")));
  EXPECT_FALSE(builder.AddExtension(15, Hex("aa")));
  EXPECT_FALSE(builder.AddExtension(1, Bytes(17)));
  EXPECT_FALSE(builder.ReserveExtension(1, 0));
  EXPECT_EQ(builder.Build().size(), kFixedHeaderSize);
  PacketBuilder mixed({false, 96, 1, 2, 3});
  EXPECT_FALSE(mixed.AddExtension(1, Bytes(256)));
}

TEST(RtpPacketTest, ReservedValuesAreRewrittenInPlace) {
  PacketBuilder builder({false, 96, 1, 2, 3});
  EXPECT_TRUE(builder.ReserveExtension(5, 3));
  EXPECT_TRUE(builder.ReserveExtension(6, 2));
  builder.AppendPayload(AsBytes("payload"));
  Bytes packet = builder.Build();
  const std::size_t size = packet.size();
  StoreAbsSendTime(MutableExtension(packet, 5), Timestamp::Millis(1500));
  StoreTransportSequence(MutableExtension(packet, 6), 0xfedc);
  SetSequenceNumber(packet, 77);
  SetSsrc(packet, 88);
  SetTimestamp(packet, 99);
  SetPayloadType(packet, 100);
  SetMarker(packet, true);
  ASSERT_EQ(packet.size(), size);
  const auto view = PacketView::Parse(packet);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header(), (RtpHeader{true, 100, 77, 99, 88}));
  EXPECT_EQ(ReadAbsSendTime(*view->FindExtension(5)), 3u << 17);
  EXPECT_EQ(ReadTransportSequence(*view->FindExtension(6)), 0xfedc);
  EXPECT_EQ(AsString(view->payload()), "payload");
  EXPECT_TRUE(MutableExtension(packet, 7).empty());
  EXPECT_TRUE(MutableExtension(std::span(packet).first(11), 5).empty());
}

TEST(RtpPacketTest, RandomPacketsComeBackTheSame) {
  constexpr uint64_t kSeed = 20260101;
  SCOPED_TRACE(kSeed);
  Rng rng(kSeed);
  for (int i = 0; i < 300; ++i) {
    const Bytes packet = testing::RandomRtp(rng, rng.NextU32(), static_cast<uint16_t>(i));
    const auto view = PacketView::Parse(packet);
    ASSERT_TRUE(view);
    PacketBuilder builder(view->header(), Bytes());
    for (std::size_t c = 0; c < view->csrc_count(); ++c) builder.AddCsrc(view->csrc(c));
    view->ForEachExtension(
        [&](uint8_t id, ByteView value) { EXPECT_TRUE(builder.AddExtension(id, value)); });
    builder.AppendPayload(view->payload());
    Bytes again = builder.Build(static_cast<uint8_t>(view->padding_size()));
    EXPECT_EQ(again, packet);
  }
}

TEST(RtpPacketTest, TellsRtpFromRtcp) {
  EXPECT_TRUE(LooksLikeRtcp(Hex("80c8000000000000")));
  EXPECT_FALSE(LooksLikeRtp(Hex("80c80000000000000000000000000000")));
  EXPECT_TRUE(LooksLikeRtp(Hex("806012340102030401020304")));
  EXPECT_TRUE(LooksLikeRtp(Hex("80e012340102030401020304")));
  EXPECT_FALSE(LooksLikeRtcp(Hex("80e012340102030401020304")));
  EXPECT_FALSE(LooksLikeRtp(Hex("8060123401020304010203")));
  EXPECT_FALSE(LooksLikeRtp(Hex("006012340102030401020304")));
}

TEST(HeaderExtensionsTest, MapHoldsOneIdentifierAnExtension) {
  ExtensionMap map;
  EXPECT_TRUE(map.Register(ExtensionType::kMid, 4));
  EXPECT_FALSE(map.Register(ExtensionType::kAudioLevel, 4));
  EXPECT_FALSE(map.Register(ExtensionType::kAudioLevel, 0));
  EXPECT_FALSE(map.Register(ExtensionType::kAudioLevel, 15));
  EXPECT_TRUE(map.Register(ExtensionType::kMid, 9));
  EXPECT_EQ(map.Id(ExtensionType::kMid), 9);
  EXPECT_EQ(map.Type(9), ExtensionType::kMid);
  EXPECT_FALSE(map.Type(4));
  EXPECT_FALSE(map.Type(0));
  EXPECT_FALSE(map.Has(ExtensionType::kAbsSendTime));
}

TEST(HeaderExtensionsTest, UrisGoBothWays) {
  for (std::size_t i = 0; i < kExtensionTypeCount; ++i) {
    const auto type = static_cast<ExtensionType>(i);
    EXPECT_EQ(ExtensionFromUri(ExtensionUri(type)), type);
  }
  EXPECT_EQ(ExtensionFromUri("urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
            ExtensionType::kAudioLevel);
  EXPECT_FALSE(ExtensionFromUri("urn:ietf:params:rtp-hdrext:toffset"));
}

TEST(HeaderExtensionsTest, AbsSendTimeWrapsEvery64Seconds) {
  EXPECT_EQ(ToAbsSendTime(Timestamp::Seconds(1)), 1u << 18);
  EXPECT_EQ(ToAbsSendTime(Timestamp::Seconds(65)), 1u << 18);
  EXPECT_NEAR(AbsSendTimeDelta(ToAbsSendTime(Timestamp::Millis(63'900)),
                               ToAbsSendTime(Timestamp::Millis(64'100)))
                  .millis_f(),
              200, 0.01);
  EXPECT_NEAR(AbsSendTimeDelta(ToAbsSendTime(Timestamp::Millis(64'100)),
                               ToAbsSendTime(Timestamp::Millis(63'900)))
                  .millis_f(),
              -200, 0.01);
  EXPECT_FALSE(ReadAbsSendTime(Hex("0102")));
}

TEST(HeaderExtensionsTest, ValuesOfOtherSizesAreRefused) {
  EXPECT_EQ(ReadAudioLevel(Hex("85")), (AudioLevel{true, 5}));
  EXPECT_EQ(EncodeAudioLevel({false, 127}), 0x7f);
  EXPECT_FALSE(ReadAudioLevel({}));
  EXPECT_FALSE(ReadAudioLevel(Hex("8500")));
  EXPECT_EQ(ReadTransportSequence(Hex("01020000")), 0x0102);
  EXPECT_FALSE(ReadTransportSequence(Hex("010203")));
  EXPECT_EQ(ReadTextExtension(AsBytes("hi")), "hi");
  EXPECT_FALSE(ReadTextExtension({}));
  EXPECT_FALSE(ReadTextExtension(Hex("6100")));
}

}  // namespace
}  // namespace rtclab::rtp
