#include "stack/sdp/codec.h"

#include <gmock/gmock.h>

#include "stack/sdp/test_util.h"

namespace rtclab::sdp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

MediaDescription ParseSection(std::initializer_list<std::string_view> lines) {
  const auto d = Parse(Lines({"v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"}) + Lines(lines));
  if (!d) {
    ADD_FAILURE() << d.error().ToString();
    return {};
  }
  return d->media.at(0);
}

TEST(SdpCodecTest, JoinsTheLinesOfAPayloadType) {
  const MediaDescription media =
      ParseSection({"m=video 9 UDP/TLS/RTP/SAVPF 98 97 99", "a=rtcp-fb:* nack", "a=fmtp:97 apt=98",
                    "a=rtpmap:97 rtx/90000", "a=rtpmap:98 H264/90000", "a=rtcp-fb:98 nack pli",
                    "a=rtcp-fb:98 nack", "a=fmtp:98 profile-level-id=42e01f; packetization-mode=1",
                    "a=fmtp:98 x-more"});
  const std::vector<Codec> codecs = Codecs(media);
  ASSERT_EQ(codecs.size(), 3u);
  EXPECT_EQ(codecs[0].payload_type, 98);
  EXPECT_TRUE(codecs[0].NameIs("h264"));
  EXPECT_FALSE(codecs[0].NameIs("H265"));
  EXPECT_THAT(codecs[0].feedback, ElementsAre(Feedback{"nack", ""}, Feedback{"nack", "pli"}));
  EXPECT_EQ(codecs[0].Parameter("PACKETIZATION-MODE"), "1");
  EXPECT_EQ(codecs[0].Parameter("x-more"), "");
  EXPECT_EQ(codecs[0].Parameter("absent"), std::nullopt);
  EXPECT_EQ(codecs[0].AssociatedPayloadType(), std::nullopt);
  EXPECT_EQ(codecs[1].AssociatedPayloadType(), 98);
  EXPECT_TRUE(codecs[1].HasFeedback("nack"));
  EXPECT_FALSE(codecs[1].HasFeedback("nack", "pli"));
  EXPECT_EQ(codecs[2].name, "");
  EXPECT_EQ(codecs[2].clock_rate, 0u);
  EXPECT_EQ(FindCodec(codecs, 97), &codecs[1]);
  EXPECT_EQ(FindCodec(codecs, 96), nullptr);
}

TEST(SdpCodecTest, StaticTypesNeedNoRtpmap) {
  const std::vector<Codec> codecs =
      Codecs(ParseSection({"m=audio 9 RTP/AVP 0 9 10 20 8", "a=rtpmap:8 other/16000/2"}));
  ASSERT_EQ(codecs.size(), 5u);
  EXPECT_EQ(codecs[0].name, "PCMU");
  EXPECT_EQ(codecs[1].clock_rate, 8000u);
  EXPECT_EQ(codecs[2].channels, 2);
  EXPECT_EQ(codecs[3].name, "");
  EXPECT_EQ(codecs[4].name, "other");
  EXPECT_EQ(codecs[4].channels, 2);
  EXPECT_EQ(StaticCodec(1), std::nullopt);
  EXPECT_EQ(StaticCodec(34)->name, "H263");
  EXPECT_EQ(StaticCodec(96), std::nullopt);
}

TEST(SdpCodecTest, AptOutsideTheRangeIsNone) {
  for (const std::string_view line :
       {"a=fmtp:97 apt=128", "a=fmtp:97 apt=x", "a=fmtp:97 apt=", "a=fmtp:97 apt", "a=fmtp:97 0"})
    EXPECT_EQ(Codecs(ParseSection({"m=video 9 RTP/AVP 97", line}))[0].AssociatedPayloadType(),
              std::nullopt)
        << line;
}

TEST(SdpCodecTest, ParametersOfEveryForm) {
  using Pair = std::pair<std::string, std::optional<std::string>>;
  EXPECT_THAT(
      ParseParameters("a=1;b = 2 ; c;;d=x=y; "),
      ElementsAre(Pair{"a", "1"}, Pair{"b", "2"}, Pair{"c", std::nullopt}, Pair{"d", "x=y"}));
  EXPECT_THAT(ParseParameters("0-16"), ElementsAre(Pair{"0-16", std::nullopt}));
  EXPECT_THAT(ParseParameters(""), IsEmpty());
  EXPECT_EQ(FormatParameters(ParseParameters("a=1; c ;d=x=y")), "a=1;c;d=x=y");
}

TEST(SdpCodecTest, AddCodecIsReadBackByCodecs) {
  MediaDescription media;
  media.media = "audio";
  media.protocol = "UDP/TLS/RTP/SAVPF";
  const Codec opus{111, "opus",           48000,
                   2,   "useinbandfec=1", {{"transport-cc", ""}, {"nack", "pli"}}};
  const Codec pcmu{0, "PCMU", 8000, 1, "", {}};
  AddCodec(media, opus);
  AddCodec(media, pcmu);
  EXPECT_THAT(Codecs(media), ElementsAre(opus, pcmu));
  std::string text;
  AppendTo(text, media);
  EXPECT_EQ(text, Lines({"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "a=rtpmap:111 opus/48000/2",
                         "a=rtcp-fb:111 transport-cc", "a=rtcp-fb:111 nack pli",
                         "a=fmtp:111 useinbandfec=1", "a=rtpmap:0 PCMU/8000"}));
}

}  // namespace
}  // namespace rtclab::sdp
