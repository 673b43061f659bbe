// Offers and answers of real products (fixtures/README.md): they come back byte for byte, and mean what they say. The
// expected values were read from the files with other tools.
#include <gmock/gmock.h>

#include "stack/sdp/codec.h"
#include "stack/sdp/test_util.h"
#include "stack/sdp/validate.h"

namespace rtclab::sdp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct ExpectedSection {
  std::string_view media;
  uint16_t port;
  std::string_view mid;
  Direction direction;
  Setup setup;
  std::string_view ufrag;
  uint8_t fingerprint_starts;
  std::size_t candidates, codecs, rtcp_fb, extmaps, ssrc_lines;
};
struct ExpectedFixture {
  std::string_view name;
  std::string_view bundle;
  std::vector<ExpectedSection> sections;
};

const std::vector<ExpectedFixture>& ExpectedFixtures() {
  static const auto* fixtures = new std::vector<ExpectedFixture>{
      {"aiortc-answer-call",
       "0 1 2",
       {{"audio", 46670, "0", Direction::kSendRecv, Setup::kActive, "a5re", 0x8F, 2, 3, 0, 2, 1},
        {"video", 46670, "1", Direction::kSendRecv, Setup::kActive, "a5re", 0x8F, 2, 6, 9, 2, 2},
        {"application", 46670, "2", Direction::kSendRecv, Setup::kActive, "a5re", 0x8F, 2, 0, 0, 0,
         0}}},
      {"aiortc-answer-to-chromium-offer-call",
       "0 1 2",
       {{"audio", 40484, "0", Direction::kSendRecv, Setup::kActive, "I7Qz", 0x3B, 2, 3, 0, 2, 1},
        {"video", 40484, "1", Direction::kRecvOnly, Setup::kActive, "I7Qz", 0x3B, 2, 6, 9, 2, 2},
        {"application", 40484, "2", Direction::kSendRecv, Setup::kActive, "I7Qz", 0x3B, 2, 0, 0, 0,
         0}}},
      {"aiortc-answer-to-firefox-offer-call",
       "0 1 2",
       {{"audio", 9, "0", Direction::kSendRecv, Setup::kActive, "Th2W", 0xB0, 0, 3, 0, 2, 1},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "Th2W", 0xB0, 0, 2, 3, 2, 2},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "Th2W", 0xB0, 0, 0, 0, 0,
         0}}},
      {"aiortc-offer-call",
       "0 1 2",
       {{"audio", 47628, "0", Direction::kSendRecv, Setup::kActpass, "P1E5", 0x1C, 2, 3, 0, 2, 1},
        {"video", 40767, "1", Direction::kSendRecv, Setup::kActpass, "i5mk", 0x1C, 2, 6, 9, 2, 2},
        {"application", 45572, "2", Direction::kSendRecv, Setup::kActpass, "MvGQ", 0x1C, 2, 0, 0, 0,
         0}}},
      {"aiortc-offer-data",
       "0",
       {{"application", 43298, "0", Direction::kSendRecv, Setup::kActpass, "ycLk", 0xE6, 2, 0, 0, 0,
         0}}},
      {"chromium-answer-call",
       "0 1 2",
       {{"audio", 42605, "0", Direction::kSendRecv, Setup::kActive, "oTL3", 0xE4, 2, 8, 1, 4, 1},
        {"video", 9, "1", Direction::kSendRecv, Setup::kActive, "oTL3", 0xE4, 0, 23, 50, 11, 2},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "oTL3", 0xE4, 0, 0, 0, 0,
         0}}},
      {"chromium-answer-data",
       "0",
       {{"application", 52109, "0", Direction::kSendRecv, Setup::kActive, "1cOd", 0xA6, 2, 0, 0, 0,
         0}}},
      {"chromium-answer-simulcast",
       "0 1 2",
       {{"audio", 40193, "0", Direction::kRecvOnly, Setup::kActive, "C5cb", 0xB0, 2, 8, 1, 4, 0},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "C5cb", 0xB0, 0, 23, 50, 13, 0},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "C5cb", 0xB0, 0, 0, 0, 0,
         0}}},
      {"chromium-answer-to-firefox-offer-simulcast",
       "0 1 2",
       {{"audio", 36018, "0", Direction::kRecvOnly, Setup::kActive, "b0ya", 0xA7, 4, 5, 1, 3, 0},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "b0ya", 0xA7, 0, 9, 15, 8, 0},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "b0ya", 0xA7, 0, 0, 0, 0,
         0}}},
      {"chromium-answer-to-pion-offer-call",
       "0 1 2",
       {{"audio", 54678, "0", Direction::kRecvOnly, Setup::kActive, "nCA+", 0xF3, 4, 4, 1, 1, 0},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "nCA+", 0xF3, 0, 15, 35, 1, 0},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "nCA+", 0xF3, 0, 0, 0, 0,
         0}}},
      {"chromium-offer-call",
       "0 1 2",
       {{"audio", 54045, "0", Direction::kSendRecv, Setup::kActpass, "hxGi", 0x94, 4, 8, 1, 4, 2},
        {"video", 36770, "1", Direction::kSendRecv, Setup::kActpass, "hxGi", 0x94, 4, 23, 50, 11,
         4},
        {"application", 45923, "2", Direction::kSendRecv, Setup::kActpass, "hxGi", 0x94, 4, 0, 0, 0,
         0}}},
      {"chromium-offer-data",
       "0",
       {{"application", 33164, "0", Direction::kSendRecv, Setup::kActpass, "ckNi", 0x73, 4, 0, 0, 0,
         0}}},
      {"chromium-offer-max-bundle",
       "0 1 2",
       {{"audio", 9, "0", Direction::kSendRecv, Setup::kActpass, "f0im", 0xC3, 0, 8, 1, 4, 2},
        {"video", 9, "1", Direction::kSendRecv, Setup::kActpass, "f0im", 0xC3, 0, 23, 50, 11, 4},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActpass, "f0im", 0xC3, 0, 0, 0, 0,
         0}}},
      {"chromium-offer-recvonly",
       "0 1",
       {{"audio", 44468, "0", Direction::kRecvOnly, Setup::kActpass, "Unyi", 0x9D, 4, 8, 1, 4, 0},
        {"video", 38117, "1", Direction::kRecvOnly, Setup::kActpass, "Unyi", 0x9D, 4, 34, 77, 11,
         0}}},
      {"chromium-offer-simulcast",
       "0 1 2",
       {{"audio", 57372, "0", Direction::kSendRecv, Setup::kActpass, "PJQ8", 0xFE, 4, 8, 1, 4, 2},
        {"video", 60712, "1", Direction::kSendOnly, Setup::kActpass, "PJQ8", 0xFE, 4, 23, 50, 13,
         0},
        {"application", 45159, "2", Direction::kSendRecv, Setup::kActpass, "PJQ8", 0xFE, 4, 0, 0, 0,
         0}}},
      {"firefox-answer-call",
       "0 1 2",
       {{"audio", 9, "0", Direction::kSendRecv, Setup::kActive, "fd26e937", 0x9C, 4, 5, 4, 3, 1},
        {"video", 9, "1", Direction::kSendRecv, Setup::kActive, "fd26e937", 0x9C, 0, 9, 25, 4, 2},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "fd26e937", 0x9C, 0, 0, 0, 0,
         0}}},
      {"firefox-answer-data",
       "0",
       {{"application", 9, "0", Direction::kSendRecv, Setup::kActive, "b014cfbf", 0x14, 4, 0, 0, 0,
         0}}},
      {"firefox-answer-simulcast",
       "0 1 2",
       {{"audio", 9, "0", Direction::kRecvOnly, Setup::kActive, "76d1ab41", 0xCE, 4, 5, 4, 3, 1},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "76d1ab41", 0xCE, 0, 9, 25, 4, 1},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "76d1ab41", 0xCE, 0, 0, 0, 0,
         0}}},
      {"firefox-answer-to-aiortc-offer-call",
       "0 1 2",
       {{"audio", 9, "0", Direction::kRecvOnly, Setup::kActive, "dbd781c4", 0xCF, 4, 3, 0, 2, 1},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "dbd781c4", 0xCF, 0, 2, 3, 2, 1},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "dbd781c4", 0xCF, 0, 0, 0, 0,
         0}}},
      {"firefox-answer-to-chromium-offer-simulcast",
       "0 1 2",
       {{"audio", 9, "0", Direction::kRecvOnly, Setup::kActive, "22e00819", 0x73, 4, 5, 1, 3, 1},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "22e00819", 0x73, 0, 9, 15, 5, 1},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "22e00819", 0x73, 0, 0, 0, 0,
         0}}},
      {"firefox-answer-to-pion-offer-call",
       "0 1 2",
       {{"audio", 9, "0", Direction::kRecvOnly, Setup::kActive, "adbf9789", 0xF5, 4, 4, 4, 1, 1},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "adbf9789", 0xF5, 0, 4, 10, 1, 1},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "adbf9789", 0xF5, 0, 0, 0, 0,
         0}}},
      {"firefox-offer-call",
       "0 1 2",
       {{"audio", 9, "0", Direction::kSendRecv, Setup::kActpass, "1ad2229f", 0x23, 8, 5, 4, 4, 1},
        {"video", 9, "1", Direction::kSendRecv, Setup::kActpass, "1ad2229f", 0x23, 8, 9, 25, 5, 2},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActpass, "1ad2229f", 0x23, 4, 0, 0, 0,
         0}}},
      {"firefox-offer-data",
       "0",
       {{"application", 9, "0", Direction::kSendRecv, Setup::kActpass, "3120fe4f", 0xE5, 4, 0, 0, 0,
         0}}},
      {"firefox-offer-max-bundle",
       "0 1 2",
       {{"audio", 9, "0", Direction::kSendRecv, Setup::kActpass, "96f588a2", 0x91, 0, 5, 4, 4, 1},
        {"video", 0, "1", Direction::kSendRecv, Setup::kActpass, "96f588a2", 0x91, 0, 9, 25, 5, 2},
        {"application", 0, "2", Direction::kSendRecv, Setup::kActpass, "96f588a2", 0x91, 0, 0, 0, 0,
         0}}},
      {"firefox-offer-recvonly",
       "0 1",
       {{"audio", 9, "0", Direction::kRecvOnly, Setup::kActpass, "02a5ad20", 0xE5, 8, 5, 4, 4, 1},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActpass, "02a5ad20", 0xE5, 8, 9, 25, 5,
         1}}},
      {"firefox-offer-simulcast",
       "0 1 2",
       {{"audio", 9, "0", Direction::kSendRecv, Setup::kActpass, "c1b9b874", 0xE2, 8, 5, 4, 4, 1},
        {"video", 9, "1", Direction::kSendOnly, Setup::kActpass, "c1b9b874", 0xE2, 8, 9, 25, 8, 6},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActpass, "c1b9b874", 0xE2, 4, 0, 0, 0,
         0}}},
      {"pion-answer-call",
       "0 1 2",
       {{"audio", 9, "0", Direction::kSendRecv, Setup::kActive, "QKigJtzyJHHkcZUt", 0x0D, 4, 4, 4,
         1, 4},
        {"video", 9, "1", Direction::kSendRecv, Setup::kActive, "QKigJtzyJHHkcZUt", 0x0D, 0, 17, 83,
         1, 4},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "QKigJtzyJHHkcZUt", 0x0D, 0,
         0, 0, 0, 0}}},
      {"pion-answer-to-chromium-offer-simulcast",
       "0 1 2",
       {{"audio", 9, "0", Direction::kRecvOnly, Setup::kActive, "buZpiIvBvXjXaNzs", 0xA5, 4, 4, 1,
         1, 0},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "buZpiIvBvXjXaNzs", 0xA5, 0, 11, 30,
         1, 0},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "buZpiIvBvXjXaNzs", 0xA5, 0,
         0, 0, 0, 0}}},
      {"pion-answer-to-firefox-offer-call",
       "0 1 2",
       {{"audio", 9, "0", Direction::kRecvOnly, Setup::kActive, "kbhAkaDArVrOQEHw", 0xF3, 4, 4, 4,
         1, 0},
        {"video", 9, "1", Direction::kRecvOnly, Setup::kActive, "kbhAkaDArVrOQEHw", 0xF3, 0, 3, 15,
         1, 0},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActive, "kbhAkaDArVrOQEHw", 0xF3, 0,
         0, 0, 0, 0}}},
      {"pion-offer-call",
       "0 1 2",
       {{"audio", 9, "0", Direction::kSendRecv, Setup::kActpass, "jOOyKkbkadtrNiKu", 0x2D, 4, 4, 4,
         1, 4},
        {"video", 9, "1", Direction::kSendRecv, Setup::kActpass, "jOOyKkbkadtrNiKu", 0x2D, 0, 17,
         83, 1, 4},
        {"application", 9, "2", Direction::kSendRecv, Setup::kActpass, "jOOyKkbkadtrNiKu", 0x2D, 0,
         0, 0, 0, 0}}},
      {"pion-offer-data",
       "0",
       {{"application", 9, "0", Direction::kSendRecv, Setup::kActpass, "mNbNImGdwbIhyVRu", 0xF3, 4,
         0, 0, 0, 0}}},
  };
  return *fixtures;
}

SessionDescription ParseFixture(std::string_view name) {
  auto description = Parse(ReadFixture(name));
  if (!description) ADD_FAILURE() << name << ": " << description.error().ToString();
  return description.value_or(SessionDescription{});
}

TEST(SdpFixtureTest, RoundTripIsByteIdentical) {
  for (const ExpectedFixture& fixture : ExpectedFixtures()) {
    const std::string text = ReadFixture(fixture.name);
    const auto description = Parse(text);
    ASSERT_TRUE(description) << fixture.name << ": " << description.error().ToString();
    EXPECT_EQ(Serialize(*description), text) << fixture.name;
  }
}

TEST(SdpFixtureTest, SectionsAreWhatTheFilesSay) {
  for (const ExpectedFixture& fixture : ExpectedFixtures()) {
    const SessionDescription d = ParseFixture(fixture.name);
    ASSERT_EQ(d.BundleGroups().size(), 1u) << fixture.name;
    EXPECT_EQ(ToString(*d.BundleGroups()[0]), std::string("group:BUNDLE ").append(fixture.bundle));
    ASSERT_EQ(d.media.size(), fixture.sections.size()) << fixture.name;
    for (std::size_t i = 0; i < d.media.size(); ++i) {
      SCOPED_TRACE(std::string(fixture.name).append(", section ").append(std::to_string(i)));
      const MediaDescription& media = d.media[i];
      const ExpectedSection& expected = fixture.sections[i];
      EXPECT_EQ(media.media, expected.media);
      EXPECT_EQ(media.port, expected.port);
      EXPECT_EQ(media.mid(), expected.mid);
      EXPECT_EQ(media.direction(), expected.direction);
      EXPECT_EQ(d.IndexOfMid(expected.mid), i);
      EXPECT_FALSE(media.IsRejected());
      const TransportDescription transport = DescribeTransport(d, media);
      EXPECT_EQ(transport.setup, expected.setup);
      EXPECT_EQ(transport.ice_ufrag, expected.ufrag);
      EXPECT_GE(transport.ice_pwd.size(), 22u);
      EXPECT_EQ(transport.fingerprints.front().algorithm, "sha-256");
      EXPECT_EQ(transport.fingerprints.front().value.front(), expected.fingerprint_starts);
      EXPECT_EQ(transport.candidates.size(), expected.candidates);
      EXPECT_EQ(transport.rtcp_mux, media.IsRtp());
      EXPECT_EQ(media.IsSctp(), expected.media == "application");
      EXPECT_EQ(Codecs(media).size(), expected.codecs);
      EXPECT_EQ(media.attributes.All<RtcpFb>().size(), expected.rtcp_fb);
      EXPECT_EQ(media.attributes.All<Extmap>().size(), expected.extmaps);
      EXPECT_EQ(media.attributes.All<Ssrc>().size(), expected.ssrc_lines);
    }
  }
}

// aiortc 1.4 numbers extensions per section, which Chromium refuses with "codec collision for header extension id=2"; its data
// sections are those of the drafts. Nothing else is wrong with any of the files.
TEST(SdpFixtureTest, ValidationFindsWhatBrowsersRefuse) {
  for (const ExpectedFixture& fixture : ExpectedFixtures()) {
    const bool answer = fixture.name.find("-answer") != fixture.name.npos;
    std::vector<std::string> errors;
    for (const Issue& issue :
         Validate(ParseFixture(fixture.name),
                  answer ? DescriptionType::kAnswer : DescriptionType::kOffer)) {
      if (issue.severity == Severity::kError)
        errors.push_back(issue.id);
      else
        EXPECT_EQ(issue.id, "sctp-legacy") << fixture.name << ": " << issue.message;
    }
    const bool per_section_ids = fixture.name == "aiortc-offer-call" ||
                                 fixture.name == "aiortc-answer-call" ||
                                 fixture.name == "firefox-answer-to-aiortc-offer-call";
    if (per_section_ids)
      EXPECT_THAT(errors, ElementsAre("bundle-extmap-conflict")) << fixture.name;
    else
      EXPECT_THAT(errors, IsEmpty()) << fixture.name;
  }
}

TEST(SdpFixtureTest, AnswersMatchTheirOffers) {
  for (const ExpectedFixture& fixture : ExpectedFixtures()) {
    const std::size_t answer = fixture.name.find("-answer-");
    if (answer == fixture.name.npos) continue;
    const std::string_view what = fixture.name.substr(answer + 8);
    const std::string offer_name =
        what.starts_with("to-")
            ? std::string(what.substr(3))
            : std::string(fixture.name.substr(0, answer)).append("-offer-").append(what);
    const SessionDescription a = ParseFixture(fixture.name);
    const SessionDescription o = ParseFixture(offer_name);
    ASSERT_EQ(a.media.size(), o.media.size()) << fixture.name;
    for (std::size_t i = 0; i < a.media.size(); ++i) {
      EXPECT_EQ(a.media[i].mid(), o.media[i].mid()) << fixture.name;
      EXPECT_EQ(a.media[i].media, o.media[i].media) << fixture.name;
      // RFC 3264 section 6.1: an answer chooses among the offer's codecs, by the same payload types here.
      const std::vector<Codec> offered = Codecs(o.media[i]);
      for (const Codec& codec : Codecs(a.media[i])) {
        const Codec* found = FindCodec(offered, codec.payload_type);
        ASSERT_NE(found, nullptr) << fixture.name << " " << int{codec.payload_type};
        EXPECT_TRUE(found->NameIs(codec.name)) << fixture.name;
      }
    }
  }
}

TEST(SdpFixtureTest, ChromiumSimulcastOffer) {
  const SessionDescription d = ParseFixture("chromium-offer-simulcast");
  EXPECT_EQ(d.origin.session_id, 6159737898776091815u);
  EXPECT_EQ(d.origin.session_version, 2u);
  EXPECT_TRUE(d.attributes.Has(Flag::kExtmapAllowMixed));
  ASSERT_NE(d.attributes.Find<MsidSemantic>(), nullptr);
  EXPECT_TRUE(d.attributes.Find<MsidSemantic>()->space_after_colon);

  const MediaDescription& audio = *d.FindMid("0");
  const std::vector<Codec> audio_codecs = Codecs(audio);
  EXPECT_EQ(audio_codecs[0].name, "opus");
  EXPECT_EQ(audio_codecs[0].channels, 2);
  EXPECT_EQ(audio_codecs[0].clock_rate, 48000u);
  EXPECT_EQ(audio_codecs[0].Parameter("useinbandfec"), "1");
  EXPECT_TRUE(audio_codecs[0].HasFeedback("transport-cc"));
  EXPECT_EQ(FindCodec(audio_codecs, 63)->fmtp, "111/111");

  const MediaDescription& video = *d.FindMid("1");
  EXPECT_EQ(video.line, 43);
  const std::vector<Codec> codecs = Codecs(video);
  EXPECT_TRUE(codecs[0].NameIs("vp8"));
  EXPECT_THAT(codecs[0].feedback,
              ElementsAre(Feedback{"goog-remb", ""}, Feedback{"transport-cc", ""},
                          Feedback{"ccm", "fir"}, Feedback{"nack", ""}, Feedback{"nack", "pli"}));
  EXPECT_EQ(codecs[1].AssociatedPayloadType(), 96);
  EXPECT_EQ(FindCodec(codecs, 102)->Parameter("profile-level-id"), "42001f");
  EXPECT_EQ(video.attributes.All<Rid>().size(), 3u);
  EXPECT_EQ(video.attributes.Find<Rid>()->id, "h");
  const std::vector<SimulcastStream> layers = {{{"h", false}}, {{"m", false}}, {{"l", false}}};
  EXPECT_EQ(video.attributes.Find<Simulcast>()->send, layers);
  EXPECT_THAT(video.attributes.Find<Simulcast>()->recv, IsEmpty());
  EXPECT_EQ(
      video.attributes.All<Extmap>()[11]->uri,
      "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension");
  EXPECT_EQ(video.attributes.FindOther("rtcp-xr")->value, "rcvr-rtt=all");

  const MediaDescription& data = *d.FindMid("2");
  EXPECT_THAT(data.formats, ElementsAre("webrtc-datachannel"));
  EXPECT_EQ(data.attributes.Find<SctpPort>()->value, 5000);
  EXPECT_EQ(data.attributes.Find<MaxMessageSize>()->bytes, 262144u);
  EXPECT_THAT(Codecs(data), IsEmpty());
}

TEST(SdpFixtureTest, FirefoxOffers) {
  const SessionDescription d = ParseFixture("firefox-offer-simulcast");
  EXPECT_EQ(d.origin.username, "mozilla...THIS_IS_SDPARTA-99.0");
  const MediaDescription& video = *d.FindMid("1");
  const auto groups = video.attributes.All<SsrcGroup>();
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(*groups[0], (SsrcGroup{"FID", {2596366721, 1175843561}}));
  EXPECT_EQ(video.attributes.Find<Msid>()->track_id, "{bd168d33-c081-43ad-a3a2-a3e729f64354}");
  EXPECT_EQ(video.attributes.Find<Rtcp>()->address->address,
            "a4a7d2aa-94fb-4add-8684-f172a8c95c7f.local");
  EXPECT_EQ(video.attributes.All<Extmap>()[3]->direction, Direction::kRecvOnly);
  EXPECT_TRUE(DescribeTransport(d, video).end_of_candidates);
  // The session's fingerprint and options hold for every section.
  EXPECT_EQ(DescribeTransport(d, video).fingerprints.size(), 1u);
  EXPECT_THAT(DescribeTransport(d, video).ice_options, ElementsAre("trickle"));

  const SessionDescription bundled = ParseFixture("firefox-offer-max-bundle");
  EXPECT_EQ(bundled.media[1].port, 0);
  EXPECT_TRUE(bundled.media[1].attributes.Has(Flag::kBundleOnly));
  EXPECT_FALSE(bundled.media[1].IsRejected());
}

TEST(SdpFixtureTest, AiortcLegacyDataSection) {
  const SessionDescription d = ParseFixture("aiortc-offer-data");
  const MediaDescription& data = d.media[0];
  EXPECT_EQ(data.protocol, "DTLS/SCTP");
  EXPECT_TRUE(data.IsSctp());
  EXPECT_THAT(data.formats, ElementsAre("5000"));
  EXPECT_EQ(*data.attributes.Find<Sctpmap>(), (Sctpmap{5000, "webrtc-datachannel", 65535}));
  EXPECT_EQ(data.attributes.Find<MaxMessageSize>()->bytes, 65536u);
}

TEST(SdpFixtureTest, PionAnswerToChromiumSimulcast) {
  const SessionDescription d = ParseFixture("pion-answer-to-chromium-offer-simulcast");
  const MediaDescription& video = *d.FindMid("1");
  const std::vector<SimulcastStream> layers = {{{"m", false}}, {{"l", false}}, {{"h", false}}};
  EXPECT_EQ(video.attributes.Find<Simulcast>()->recv, layers);
  EXPECT_EQ(video.attributes.Find<Rid>()->direction, RidDirection::kRecv);
  EXPECT_EQ(video.attributes.Find<RtcpFb>()->trailing_space, true);
  EXPECT_TRUE(Codecs(video)[0].HasFeedback("goog-remb"));
}

}  // namespace
}  // namespace rtclab::sdp
