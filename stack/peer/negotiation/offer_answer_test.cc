// What offers and answers say, and what both together make of sections, directions, codecs and transports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "stack/peer/negotiation/negotiation_test_util.h"

namespace rtclab::peer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> CodecNames(const std::vector<sdp::Codec>& codecs) {
  std::vector<std::string> names;
  for (const sdp::Codec& c : codecs) names.push_back(c.name);
  return names;
}

std::vector<std::string> BundleOf(const sdp::SessionDescription& d) {
  const auto groups = d.BundleGroups();
  return groups.empty() ? std::vector<std::string>() : groups[0]->mids;
}

TEST(OfferTest, AnEmptyOfferHasNoSections) {
  Jsep a;
  const std::string offer = a.Offer();
  EXPECT_THAT(offer, testing::StartsWith("v=0\r\no=- "));
  EXPECT_THAT(offer, HasSubstr("s=-\r\nt=0 0\r\n"));
  EXPECT_THAT(offer, HasSubstr("a=ice-options:trickle ice2\r\n"));
  EXPECT_THAT(offer, Not(HasSubstr("m=")));
}

TEST(OfferTest, TheVersionOfTheOriginGrowsWithEveryOffer) {
  Jsep a;
  const auto first = sdp::Parse(a.Offer()), second = sdp::Parse(a.Offer());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->origin.session_id, second->origin.session_id);
  EXPECT_EQ(first->origin.session_version + 1, second->origin.session_version);
  EXPECT_LT(first->origin.session_id, uint64_t{1} << 63);
}

TEST(OfferTest, SectionsComeInTheOrderOfTransceiversAndDataLast) {
  Jsep a;
  a->WantData();
  ASSERT_TRUE(a->AddTransceiver(MediaKind::kVideo));
  ASSERT_TRUE(a->AddTransceiver(MediaKind::kAudio, {.direction = Direction::kRecvOnly}));
  ASSERT_TRUE(a->SetLocalDescription());
  const sdp::SessionDescription& d = a->local()->sdp;
  ASSERT_EQ(d.media.size(), 3u);
  EXPECT_EQ(d.media[0].media, "video");
  EXPECT_EQ(d.media[1].media, "audio");
  EXPECT_EQ(d.media[1].direction(), Direction::kRecvOnly);
  EXPECT_EQ(d.media[2].media, "application");
  EXPECT_EQ(d.media[2].protocol, "UDP/DTLS/SCTP");
  EXPECT_THAT(BundleOf(d), ElementsAre("0", "1", "2"));
  for (const auto& m : d.media) {
    EXPECT_EQ(*m.attributes.Find<sdp::Setup>(), sdp::Setup::kActpass);
    EXPECT_NE(m.attributes.Find<sdp::Fingerprint>(), nullptr);
  }
  EXPECT_TRUE(sdp::Parse(a.Local()).has_value());
}

struct PolicyCase {
  BundlePolicy policy;
  std::vector<bool> own;  // of audio, audio, video, data
};
TEST(OfferTest, TheBundlePolicySaysWhichSectionsHaveATransportOfTheirOwn) {
  const PolicyCase cases[] = {
      {BundlePolicy::kBalanced, {true, false, true, true}},
      {BundlePolicy::kMaxCompat, {true, true, true, true}},
      {BundlePolicy::kMaxBundle, {true, false, false, false}},
  };
  for (const PolicyCase& c : cases) {
    SCOPED_TRACE(ToString(c.policy));
    NegotiatorConfig config = TestNegotiatorConfig();
    config.bundle_policy = c.policy;
    JsepPair pair(config, TestNegotiatorConfig(2));
    for (const MediaKind kind : {MediaKind::kAudio, MediaKind::kAudio, MediaKind::kVideo})
      ASSERT_TRUE(pair.a->AddTransceiver(kind));
    pair.a->WantData();
    ASSERT_TRUE(pair.a->SetLocalDescription());
    std::size_t transports = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const sdp::MediaDescription& m = pair.a.LocalSection(i);
      transports += c.own[i] ? 1 : 0;
      EXPECT_EQ(m.attributes.Find<sdp::IceUfrag>() != nullptr, c.own[i]) << i;
      EXPECT_EQ(m.attributes.Has(sdp::Flag::kBundleOnly), !c.own[i]) << i;
      EXPECT_EQ(m.port == 0, !c.own[i]) << i;
    }
    EXPECT_EQ(pair.a->transports().size(), transports);
    // The answer bundles all of it.
    ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
    ASSERT_EQ(JsepPair::Answer(pair.a, pair.b), "");
    ASSERT_EQ(pair.a->transports().size(), 1u);
    ASSERT_EQ(pair.b->transports().size(), 1u);
    EXPECT_THAT(pair.a->transports()[0].mids, ElementsAre("0", "1", "2", "3"));
    EXPECT_EQ(pair.a->transports()[0].local, pair.b->transports()[0].remote);
    EXPECT_EQ(pair.a->transports()[0].remote, pair.b->transports()[0].local);
  }
}

TEST(AnswerTest, ActpassIsAnsweredActiveAndTheAnswererIsControlled) {
  JsepPair pair;
  pair.a->WantData();
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_EQ(*pair.b.LocalSection(0).attributes.Find<sdp::Setup>(), sdp::Setup::kActive);
  const JsepTransport& a = pair.a->transports()[0];
  const JsepTransport& b = pair.b->transports()[0];
  EXPECT_EQ(a.dtls_client, false);
  EXPECT_EQ(b.dtls_client, true);
  EXPECT_TRUE(a.controlling);
  EXPECT_FALSE(b.controlling);
  EXPECT_EQ(a.remote_fingerprints[0].value, Bytes(32, 2));
  ASSERT_TRUE(pair.a->sctp() && pair.b->sctp());
  EXPECT_EQ(pair.a->sctp()->remote_max_message_size, 262'144u);
  EXPECT_EQ(pair.a->signaling_state(), SignalingState::kStable);
  EXPECT_EQ(pair.b->signaling_state(), SignalingState::kStable);
}

TEST(AnswerTest, AnUnbundledAnswerKeepsATransportForEachSection) {
  NegotiatorConfig legacy = TestNegotiatorConfig(2);
  legacy.bundle = false;
  JsepPair pair(TestNegotiatorConfig(1), legacy);
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));  // bundle-only: such a peer refuses it
  pair.a->WantData();
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_EQ(pair.a->transports().size(), 3u);
  EXPECT_EQ(pair.b->transports().size(), 3u);
  EXPECT_EQ(pair.a->transport_of("2"), -1);
  for (const char* mid : {"0", "1", "3"}) {
    const JsepTransport* a = pair.a->FindTransport(pair.a->transport_of(mid));
    const JsepTransport* b = pair.b->FindTransport(pair.b->transport_of(mid));
    ASSERT_TRUE(a != nullptr && b != nullptr);
    EXPECT_EQ(a->local, b->remote);
    EXPECT_THAT(a->mids, ElementsAre(mid));
  }
  // And it stays so, without a group for what was answered outside of one.
  ASSERT_TRUE(pair.a->SetLocalDescription());
  EXPECT_TRUE(pair.a->local()->sdp.BundleGroups().empty());
  EXPECT_EQ(pair.a->transports().size(), 3u);
}

TEST(AnswerTest, DirectionsAreIntersected) {
  struct {
    Direction offered, own, answered;
  } const cases[] = {
      {Direction::kSendRecv, Direction::kSendRecv, Direction::kSendRecv},
      {Direction::kSendRecv, Direction::kRecvOnly, Direction::kRecvOnly},
      {Direction::kSendRecv, Direction::kSendOnly, Direction::kSendOnly},
      {Direction::kSendRecv, Direction::kInactive, Direction::kInactive},
      {Direction::kSendOnly, Direction::kSendRecv, Direction::kRecvOnly},
      {Direction::kSendOnly, Direction::kSendOnly, Direction::kInactive},
      {Direction::kRecvOnly, Direction::kSendRecv, Direction::kSendOnly},
      {Direction::kRecvOnly, Direction::kRecvOnly, Direction::kInactive},
      {Direction::kInactive, Direction::kSendRecv, Direction::kInactive},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(ToString(c.offered)) + " " + std::string(ToString(c.own)));
    JsepPair pair;
    ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio, {.direction = c.offered}));
    ASSERT_TRUE(pair.a->SetLocalDescription());
    ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
    ASSERT_TRUE(pair.b->SetDirection(pair.b.transceiver(0).id, c.own));
    ASSERT_EQ(JsepPair::Answer(pair.a, pair.b), "");
    EXPECT_EQ(pair.b.LocalSection(0).direction(), c.answered);
    EXPECT_EQ(pair.b.transceiver(0).current_direction, c.answered);
    EXPECT_EQ(pair.a.transceiver(0).current_direction, sdp::Reverse(c.answered));
  }
}

TEST(AnswerTest, CodecsComeWithRtxAndTheOfferersPayloadTypes) {
  NegotiatorConfig other = TestNegotiatorConfig(2);
  for (CodecCapability& c : other.capabilities.video.codecs) {
    c.codec.payload_type = static_cast<uint8_t>(c.codec.payload_type + 10);
    if (c.rtx_payload_type) c.rtx_payload_type = static_cast<uint8_t>(*c.rtx_payload_type + 10);
  }
  JsepPair pair(TestNegotiatorConfig(1), other);
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
  ASSERT_EQ(pair.Negotiate(), "");
  const auto& codecs = pair.b.transceiver(0).receiver.codecs;
  EXPECT_THAT(CodecNames(codecs), ElementsAre("VP8", "rtx", "red", "rtx", "ulpfec", "flexfec"));
  EXPECT_EQ(codecs[0].payload_type, 96);
  EXPECT_EQ(codecs[1].AssociatedPayloadType(), 96);
  EXPECT_TRUE(codecs[0].HasFeedback("nack", "pli"));
  // A section offered the other way later takes the same numbers.
  ASSERT_TRUE(pair.b->AddTransceiver(MediaKind::kVideo));
  ASSERT_EQ(JsepPair::Negotiate(pair.b, pair.a), "");
  EXPECT_EQ(pair.a.transceiver(1).receiver.codecs[0].payload_type, 96);
}

TEST(AnswerTest, CodecPreferencesOrderAndLeaveOut) {
  JsepPair pair;
  const auto id = pair.a->AddTransceiver(MediaKind::kVideo);
  ASSERT_TRUE(id && pair.a->SetCodecPreferences(
                        *id, {{.name = "flexfec"}, {.name = "vp8"}, {.name = "rtx"}}));
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_THAT(CodecNames(sdp::Codecs(pair.b.LocalSection(0))),
              ElementsAre("flexfec", "VP8", "rtx"));
  const auto refused = pair.a->SetCodecPreferences(*id, {{.name = "AV1"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().name, ErrorName::kInvalidModificationError);
  EXPECT_FALSE(pair.a->SetCodecPreferences(*id, {{.name = "rtx"}, {.name = "red"}}));
}

TEST(AnswerTest, ASectionWithoutACommonCodecIsRejectedAndItsGroupWithIt) {
  NegotiatorConfig deaf = TestNegotiatorConfig(2);
  deaf.capabilities.audio.codecs.clear();
  {
    JsepPair pair(TestNegotiatorConfig(1), deaf);
    ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
    ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
    ASSERT_EQ(pair.Negotiate(), "");
    EXPECT_FALSE(pair.b.LocalSection(0).IsRejected());
    EXPECT_TRUE(pair.b.LocalSection(1).IsRejected());
    EXPECT_THAT(BundleOf(pair.b->local()->sdp), ElementsAre("0"));
    EXPECT_EQ(pair.a->transceivers().size(), 1u);  // stopped and gone
  }
  {
    // RFC 8843 section 7.3.3: the tagged section is the audio one.
    JsepPair pair(TestNegotiatorConfig(1), deaf);
    ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
    ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
    ASSERT_EQ(pair.Negotiate(), "");
    EXPECT_TRUE(pair.b.LocalSection(1).IsRejected());
    EXPECT_TRUE(pair.a->transports().empty());
  }
}

TEST(AnswerTest, HeaderExtensionsAreCommonOnesWithStableIds) {
  NegotiatorConfig other = TestNegotiatorConfig(2);
  other.capabilities.audio.extensions = {{std::string(kUriMid), 9},
                                         {std::string(kUriTransportCc), 1}};
  JsepPair pair(TestNegotiatorConfig(1), other);
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
  ASSERT_EQ(pair.Negotiate(), "");
  const auto ids = [](const sdp::MediaDescription& m) {
    std::vector<std::string> all;
    for (const sdp::Extmap* e : m.attributes.All<sdp::Extmap>())
      all.push_back(std::to_string(e->id) + " " + e->uri);
    return all;
  };
  const std::vector<std::string> expected = {"3 " + std::string(kUriTransportCc),
                                             "4 " + std::string(kUriMid)};
  EXPECT_EQ(ids(pair.b.LocalSection(0)), expected);
  ASSERT_EQ(JsepPair::Negotiate(pair.b, pair.a), "");
  EXPECT_EQ(ids(pair.b.LocalSection(0)), expected);
}

// RFC 6904 section 4.1: both forms are offered; who can encrypts, and nobody uses both forms of one extension.
TEST(AnswerTest, ExtensionsAreEncryptedWhereBothSidesCan) {
  for (const bool offerer_can : {false, true}) {
    for (const bool answerer_can : {false, true}) {
      SCOPED_TRACE(std::to_string(offerer_can) + std::to_string(answerer_can));
      NegotiatorConfig first = TestNegotiatorConfig(1), second = TestNegotiatorConfig(2);
      first.capabilities.encrypted_extensions = offerer_can;
      second.capabilities.encrypted_extensions = answerer_can;
      JsepPair pair(first, second);
      ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
      ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
      ASSERT_EQ(pair.Negotiate(), "");
      for (const std::size_t section : {0u, 1u}) {
        const auto offered = pair.a.LocalSection(section).attributes.All<sdp::Extmap>();
        const auto answered = pair.b.LocalSection(section).attributes.All<sdp::Extmap>();
        std::set<uint16_t> ids;
        for (const sdp::Extmap* e : offered) ids.insert(e->id);
        EXPECT_EQ(ids.size(), offered.size());
        EXPECT_LE(*ids.rbegin(), 14) << "the one-byte form's";
        EXPECT_EQ(offered.size(), answered.size() * (offerer_can ? 2 : 1));
        for (const sdp::Extmap* e : answered) {
          EXPECT_EQ(e->uri == "urn:ietf:params:rtp-hdrext:encrypt", offerer_can && answerer_can);
          EXPECT_EQ(e->attributes.empty(), !(offerer_can && answerer_can));
        }
      }
      // They stay what they are.
      const auto before = pair.b.LocalSection(0).attributes.All<sdp::Extmap>();
      const std::vector<uint16_t> ids = {before[0]->id, before[1]->id};
      ASSERT_EQ(JsepPair::Negotiate(pair.b, pair.a), "");
      const auto after = pair.a.LocalSection(0).attributes.All<sdp::Extmap>();
      EXPECT_EQ(ids, (std::vector<uint16_t>{after[0]->id, after[1]->id}));
    }
  }
}

TEST(AnswerTest, StreamsAreSignalledByMsidAndLipSyncGroups) {
  JsepPair pair;
  ASSERT_TRUE(pair.a->AddTrack({"mic", MediaKind::kAudio}, {"camera"}));
  ASSERT_TRUE(pair.a->AddTrack({"cam", MediaKind::kVideo}, {"camera"}));
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
  ASSERT_TRUE(pair.a->SetLocalDescription());
  EXPECT_THAT(pair.a.Local(), HasSubstr("a=group:LS 0 1\r\n"));
  EXPECT_THAT(pair.a.Local(), HasSubstr("a=msid:camera\r\n"));
  EXPECT_THAT(pair.a.Local(), HasSubstr("a=msid:-\r\n"));
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
  const auto tracks = pair.b.Take<TrackAdded>();
  ASSERT_EQ(tracks.size(), 3u);
  EXPECT_THAT(tracks[0].streams, ElementsAre("camera"));
  EXPECT_TRUE(tracks[2].streams.empty());
}

TEST(SimulcastTest, EncodingsAreOfferedByRidAndNarrowedByTheAnswer) {
  for (const bool accepts : {true, false}) {
    NegotiatorConfig other = TestNegotiatorConfig(2);
    other.accept_simulcast = accepts;
    JsepPair pair(TestNegotiatorConfig(1), other);
    TransceiverInit init;
    init.send_encodings = {{.rid = "l"}, {.rid = "m"}, {.rid = "h"}};
    ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo, init));
    ASSERT_EQ(pair.Negotiate(), "");
    EXPECT_THAT(pair.a.Local(), HasSubstr("a=simulcast:send l;m;h\r\n"));
    const auto& encodings = pair.a.transceiver(0).sender.encodings;
    ASSERT_EQ(encodings.size(), accepts ? 3u : 1u);
    EXPECT_EQ(encodings[0].parameters.scale_resolution_down_by, 4.0);
    if (accepts) {
      EXPECT_THAT(pair.b.Local(), HasSubstr("a=simulcast:recv l;m;h\r\n"));
    }
  }
}

TEST(SimulcastTest, AnOfferToReceiveItMakesEncodings) {
  JsepPair pair;
  ASSERT_TRUE(pair.b->AddTrack({"cam", MediaKind::kVideo}));
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo, {.direction = Direction::kRecvOnly}));
  std::string offer = pair.a.Offer();
  offer += "a=rid:1 recv\r\na=rid:2 recv\r\na=simulcast:recv 1;2\r\n";
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, offer));
  ASSERT_TRUE(pair.b->SetLocalDescription());
  EXPECT_THAT(pair.b.Local(), HasSubstr("a=simulcast:send 1;2\r\n"));
  ASSERT_EQ(pair.b.transceiver(0).sender.encodings.size(), 2u);
  EXPECT_EQ(pair.b.transceiver(0).sender.encodings[0].parameters.scale_resolution_down_by, 2.0);
}

TEST(RenegotiationTest, VideoJoinsADataCallOnTheSameTransport) {
  JsepPair pair;
  pair.a->WantData();
  ASSERT_EQ(pair.Negotiate(), "");
  const int transport = pair.a->transports()[0].id;
  const ice::Credentials local = pair.a->transports()[0].local;
  ASSERT_TRUE(pair.a->AddTrack({"cam", MediaKind::kVideo}));
  EXPECT_TRUE(pair.a.NeedsNegotiation());
  ASSERT_EQ(pair.Negotiate(), "");
  ASSERT_EQ(pair.a->transports().size(), 1u);
  EXPECT_EQ(pair.a->transports()[0].id, transport);
  EXPECT_EQ(pair.a->transports()[0].local, local);
  EXPECT_THAT(pair.a->transports()[0].mids, ElementsAre("0", "1"));
  EXPECT_EQ(pair.a.LocalSection(1).attributes.Find<sdp::IceUfrag>(), nullptr);
  EXPECT_FALSE(pair.a.LocalSection(1).attributes.Has(sdp::Flag::kBundleOnly));
  EXPECT_EQ(pair.b->transceivers().size(), 1u);
  EXPECT_FALSE(pair.a.NeedsNegotiation());
}

TEST(RenegotiationTest, AStoppedSectionIsRecycledWithANewMid) {
  JsepPair pair;
  const auto audio = pair.a->AddTransceiver(MediaKind::kAudio);
  ASSERT_TRUE(audio && pair.a->AddTransceiver(MediaKind::kVideo));
  ASSERT_EQ(pair.Negotiate(), "");
  const ice::Credentials local = pair.a->transports()[0].local;
  ASSERT_TRUE(pair.a->Stop(*audio));
  EXPECT_TRUE(pair.a.NeedsNegotiation());
  ASSERT_EQ(pair.Negotiate(), "");
  // The video section speaks for the transport now.
  EXPECT_TRUE(pair.a.LocalSection(0).IsRejected());
  EXPECT_NE(pair.a.LocalSection(1).attributes.Find<sdp::IceUfrag>(), nullptr);
  EXPECT_EQ(pair.a->transports()[0].local, local);
  EXPECT_EQ(pair.a->transceivers().size(), 1u);
  EXPECT_EQ(pair.b->transceivers().size(), 1u);
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_EQ(pair.a->local()->sdp.media.size(), 2u);
  EXPECT_EQ(pair.a.LocalSection(0).media, "video");
  EXPECT_EQ(pair.a.LocalSection(0).mid(), "2");
  EXPECT_EQ(pair.a->transports().size(), 1u);
  EXPECT_EQ(pair.a->transports()[0].local, local);
  EXPECT_FALSE(pair.a.NeedsNegotiation());
  EXPECT_FALSE(pair.b.NeedsNegotiation());
}

TEST(RenegotiationTest, AnIceRestartChangesBothSidesCredentialsAndKeepsTheRoles) {
  JsepPair pair;
  pair.a->WantData();
  ASSERT_EQ(pair.Negotiate(), "");
  const JsepTransport before = pair.a->transports()[0];
  for (const bool by_method : {true, false}) {
    const JsepTransport last = pair.b->transports()[0];
    if (by_method) {
      pair.b->RestartIce();
      EXPECT_TRUE(pair.b.NeedsNegotiation());
    }
    // The answerer of the first exchange restarts: DTLS roles stay.
    ASSERT_EQ(JsepPair::Negotiate(pair.b, pair.a, {.ice_restart = !by_method}), "");
    const JsepTransport& now = pair.b->transports()[0];
    EXPECT_NE(now.local, last.local);
    EXPECT_NE(now.remote, last.remote);
    EXPECT_EQ(now.id, last.id);
    EXPECT_EQ(now.dtls_client, true);
    EXPECT_EQ(now.dtls_generation, 0);
    EXPECT_EQ(pair.a->transports()[0].dtls_client, before.dtls_client);
    EXPECT_EQ(*pair.a.LocalSection(0).attributes.Find<sdp::Setup>(), sdp::Setup::kPassive);
    EXPECT_FALSE(pair.b.NeedsNegotiation());
  }
}

}  // namespace
}  // namespace rtclab::peer
