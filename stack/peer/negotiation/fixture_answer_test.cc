// Offers and answers of other products (stack/sdp/fixtures): they are answered, and our answer keeps to what they said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "stack/peer/negotiation/negotiation_test_util.h"

namespace rtclab::peer {
namespace {

std::string FixtureText(const std::string& name) {
  const std::string path = std::string(RTCLAB_SDP_FIXTURES "/") + name + ".sdp";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  CHECK(file != nullptr);
  std::string text;
  char buffer[4096];
  while (const std::size_t read = std::fread(buffer, 1, sizeof buffer, file.get()))
    text.append(buffer, read);
  return text;
}

TEST(FixtureAnswerTest, OffersOfOtherProductsAreAnswered) {
  struct {
    const char* name;
    int audio, video, data;  // accepted sections
  } const cases[] = {
      {"aiortc-offer-call", 1, 1, 1},
      {"aiortc-offer-data", 0, 0, 1},
      {"chromium-offer-call", 1, 1, 1},
      {"chromium-offer-data", 0, 0, 1},
      {"chromium-offer-max-bundle", -1, -1, -1},
      {"chromium-offer-recvonly", -1, -1, -1},
      {"chromium-offer-simulcast", 1, 1, 1},
      {"firefox-offer-call", 1, 1, 1},
      {"firefox-offer-data", 0, 0, 1},
      {"firefox-offer-max-bundle", -1, -1, -1},
      {"firefox-offer-recvonly", -1, -1, -1},
      {"firefox-offer-simulcast", 1, 1, 1},
      {"pion-offer-call", 1, 1, 1},
      {"pion-offer-data", 0, 0, 1},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Jsep b(TestNegotiatorConfig(2), 2);
    ASSERT_TRUE(b->AddTrack({"mic", MediaKind::kAudio}));
    ASSERT_TRUE(b->AddTrack({"cam", MediaKind::kVideo}));
    const auto set = b->SetRemoteDescription(SdpType::kOffer, FixtureText(c.name));
    ASSERT_TRUE(set) << set.error().message;
    const auto answered = b->SetLocalDescription();
    ASSERT_TRUE(answered) << answered.error().message;
    const sdp::SessionDescription& offer = b->remote()->sdp;
    const sdp::SessionDescription& answer = b->local()->sdp;
    ASSERT_EQ(answer.media.size(), offer.media.size());
    int accepted[3] = {0, 0, 0};
    for (std::size_t i = 0; i < answer.media.size(); ++i) {
      const sdp::MediaDescription& m = answer.media[i];
      EXPECT_EQ(m.mid(), offer.media[i].mid());
      EXPECT_EQ(m.protocol, offer.media[i].protocol);
      EXPECT_FALSE(m.IsRejected()) << i;
      ++accepted[m.media == "audio" ? 0 : m.media == "video" ? 1 : 2];
      const std::vector<sdp::Codec> offered = sdp::Codecs(offer.media[i]);
      for (const sdp::Codec& codec : sdp::Codecs(m)) {
        const sdp::Codec* same = sdp::FindCodec(offered, codec.payload_type);
        ASSERT_NE(same, nullptr);
        EXPECT_TRUE(same->NameIs(codec.name));
      }
    }
    if (c.audio >= 0) {
      EXPECT_THAT(accepted, testing::ElementsAre(c.audio, c.video, c.data));
    }
    ASSERT_EQ(b->transports().size(), 1u);
    EXPECT_EQ(b->transports()[0].dtls_client, true);
    EXPECT_FALSE(b->transports()[0].remote_fingerprints.empty());
    EXPECT_EQ(b->remote_candidates(b->transports()[0]).lines.empty(),
              FixtureText(c.name).find("a=candidate:") == std::string::npos);
    EXPECT_TRUE(sdp::Parse(b.Local()).has_value());
  }
}

TEST(FixtureAnswerTest, ABrowsersSimulcastOfferIsTakenByAServer) {
  for (const char* name : {"chromium-offer-simulcast", "firefox-offer-simulcast"}) {
    SCOPED_TRACE(name);
    NegotiatorConfig config = TestNegotiatorConfig(2);
    config.accept_simulcast = true;
    Jsep b(config, 2);
    ASSERT_TRUE(b->SetRemoteDescription(SdpType::kOffer, FixtureText(name)));
    ASSERT_TRUE(b->SetLocalDescription());
    EXPECT_THAT(b.Local(), testing::HasSubstr("a=simulcast:recv "));
  }
}

}  // namespace
}  // namespace rtclab::peer
