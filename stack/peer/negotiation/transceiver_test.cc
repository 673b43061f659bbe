// Transceivers as the application handles them: webrtc-pc sections 5.1, 5.2 and 5.4.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/peer/negotiation/negotiation_test_util.h"

namespace rtclab::peer {
namespace {

TEST(AddTrackTest, ReusesASenderThatNeverSent) {
  Jsep a;
  const auto first = a->AddTransceiver(MediaKind::kAudio, {.direction = Direction::kRecvOnly});
  const auto second = a->AddTransceiver(MediaKind::kVideo, {.direction = Direction::kInactive});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(a->AddTrack({"mic", MediaKind::kAudio}).value(), *first);
  EXPECT_EQ(a->AddTrack({"cam", MediaKind::kVideo}).value(), *second);
  EXPECT_EQ(a.transceiver(0).direction, Direction::kSendRecv);
  EXPECT_EQ(a.transceiver(1).direction, Direction::kSendOnly);
  EXPECT_NE(a->AddTrack({"mic2", MediaKind::kAudio}).value(), *first);
  const auto again = a->AddTrack({"mic", MediaKind::kAudio});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().name, ErrorName::kInvalidAccessError);
}

TEST(AddTrackTest, DoesNotReuseASenderThatHasSentOrStops) {
  JsepPair pair;
  const auto id = pair.a->AddTrack({"mic", MediaKind::kAudio});
  ASSERT_TRUE(id);
  ASSERT_EQ(pair.Negotiate(), "");
  ASSERT_TRUE(pair.a->RemoveTrack(*id));
  EXPECT_EQ(pair.a.transceiver(0).direction, Direction::kRecvOnly);
  EXPECT_TRUE(pair.a.NeedsNegotiation());
  EXPECT_NE(pair.a->AddTrack({"mic", MediaKind::kAudio}).value(), *id);
  Jsep b;
  const auto stopping = b->AddTransceiver(MediaKind::kAudio);
  ASSERT_TRUE(stopping && b->Stop(*stopping));
  EXPECT_NE(b->AddTrack({"mic", MediaKind::kAudio}).value(), *stopping);
}

TEST(AddTrackTest, AnAnswererSendsOnTheOfferedSection) {
  JsepPair pair;
  ASSERT_TRUE(pair.a->AddTrack({"mic", MediaKind::kAudio}));
  // Before the offer: the section takes the transceiver of addTrack(), not that of addTransceiver() (RFC 8829 section 5.10).
  ASSERT_TRUE(pair.b->AddTransceiver(MediaKind::kAudio));
  const auto id = pair.b->AddTrack({"mic-b", MediaKind::kAudio});
  ASSERT_TRUE(id);
  ASSERT_EQ(pair.Negotiate(), "");
  const Transceiver* t = pair.b->FindTransceiver(*id);
  EXPECT_EQ(t->mid, "0");
  EXPECT_EQ(t->current_direction, Direction::kSendRecv);
}

TEST(AddTransceiverTest, RefusesEncodingsThatMakeNoSense) {
  Jsep a;
  const auto refused = [&a](std::vector<EncodingParameters> encodings) {
    TransceiverInit init;
    init.send_encodings = std::move(encodings);
    const auto id = a->AddTransceiver(MediaKind::kVideo, init);
    return id ? std::optional<ErrorName>() : id.error().name;
  };
  EXPECT_EQ(refused({{.rid = "a b"}}), ErrorName::kTypeError);
  EXPECT_EQ(refused({{.rid = "a"}, {}}), ErrorName::kTypeError);
  EXPECT_EQ(refused({{.rid = "a"}, {.rid = "a"}}), ErrorName::kTypeError);
  EXPECT_EQ(refused({{.scale_resolution_down_by = 0.5}}), ErrorName::kRangeError);
  EXPECT_EQ(refused({{.max_framerate = 0.0}}), ErrorName::kRangeError);
  EXPECT_TRUE(a->transceivers().empty());
  EXPECT_EQ(refused({{}, {}, {}}), std::nullopt);
  const auto& encodings = a.transceiver(0).sender.encodings;
  ASSERT_EQ(encodings.size(), 3u);
  EXPECT_EQ(encodings[1].parameters.rid, "1");
  EXPECT_EQ(encodings[1].parameters.scale_resolution_down_by, 2.0);
  EXPECT_NE(encodings[0].ssrc, encodings[1].ssrc);
  EXPECT_EQ(refused({{.rid = "only"}}), std::nullopt);
  EXPECT_EQ(a.transceiver(1).sender.encodings[0].parameters.rid, "");
}

TEST(SetEncodingsTest, ChangesValuesButNotTheirNumberOrNames) {
  Jsep a;
  TransceiverInit init;
  init.send_encodings = {{.rid = "a"}, {.rid = "b"}};
  const auto id = a->AddTransceiver(MediaKind::kVideo, init);
  ASSERT_TRUE(id);
  EXPECT_TRUE(a->SetEncodings(*id, {{.rid = "a", .active = false}, {.rid = "b"}}));
  EXPECT_FALSE(a.transceiver(0).sender.encodings[0].parameters.active);
  EXPECT_EQ(a->SetEncodings(*id, {{.rid = "a"}}).error().name,
            ErrorName::kInvalidModificationError);
  EXPECT_EQ(a->SetEncodings(*id, {{.rid = "b"}, {.rid = "a"}}).error().name,
            ErrorName::kInvalidModificationError);
}

TEST(StopTest, IsStoppingUntilTheOtherSideKnows) {
  JsepPair pair;
  const auto id = pair.a->AddTransceiver(MediaKind::kAudio);
  ASSERT_TRUE(id);
  ASSERT_EQ(pair.Negotiate(), "");
  ASSERT_TRUE(pair.a->Stop(*id));
  EXPECT_TRUE(pair.a.transceiver(0).stopping);
  EXPECT_FALSE(pair.a.transceiver(0).stopped);
  EXPECT_EQ(pair.a->SetDirection(*id, Direction::kSendRecv).error().name,
            ErrorName::kInvalidStateError);
  EXPECT_FALSE(pair.a->ReplaceTrack(*id, std::nullopt));
  (void)pair.b.Events();
  // An answer is not affected by stopping (webrtc-pc section 5.4.2): the peer's offer goes through, inactive.
  ASSERT_EQ(JsepPair::Negotiate(pair.b, pair.a), "");
  EXPECT_FALSE(pair.a.LocalSection(0).IsRejected());
  EXPECT_EQ(pair.a.LocalSection(0).direction(), Direction::kInactive);
  EXPECT_TRUE(pair.a.NeedsNegotiation());
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_TRUE(pair.a->transceivers().empty());
  EXPECT_TRUE(pair.b->transceivers().empty());
  EXPECT_FALSE(pair.a.NeedsNegotiation());
}

TEST(StopTest, BeforeAnyNegotiationNothingIsOffered) {
  Jsep a;
  const auto id = a->AddTransceiver(MediaKind::kAudio);
  ASSERT_TRUE(id && a->Stop(*id));
  EXPECT_EQ(a.Offer().find("m="), std::string::npos);
}

TEST(TrackEventsTest, ComeAndGoWithTheDirection) {
  JsepPair pair;
  const auto id = pair.a->AddTrack({"mic", MediaKind::kAudio}, {"s1"});
  ASSERT_TRUE(id);
  ASSERT_EQ(pair.Negotiate(), "");
  auto added = pair.b.Take<TrackAdded>();
  ASSERT_EQ(added.size(), 1u);
  EXPECT_THAT(added[0].streams, testing::ElementsAre("s1"));
  ASSERT_TRUE(pair.a->SetDirection(*id, Direction::kInactive));
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_EQ(pair.b.Take<TrackRemoved>().size(), 1u);
  ASSERT_TRUE(pair.a->SetDirection(*id, Direction::kSendOnly));
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_EQ(pair.b.Take<TrackAdded>().size(), 1u);
  // Another stream is told too, the same one is not.
  ASSERT_TRUE(pair.a->SetStreams(*id, {"s1", "s2"}));
  ASSERT_EQ(pair.Negotiate(), "");
  added = pair.b.Take<TrackAdded>();
  ASSERT_EQ(added.size(), 1u);
  EXPECT_THAT(added[0].streams, testing::ElementsAre("s1", "s2"));
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_TRUE(pair.b.Take<TrackAdded>().empty());
}

TEST(ClosedTest, EveryCallIsRefused) {
  Jsep a;
  const auto id = a->AddTransceiver(MediaKind::kAudio);
  ASSERT_TRUE(id);
  a->Close();
  EXPECT_EQ(a->AddTrack({"x", MediaKind::kAudio}).error().name, ErrorName::kInvalidStateError);
  EXPECT_EQ(a->AddTransceiver(MediaKind::kAudio).error().name, ErrorName::kInvalidStateError);
  EXPECT_EQ(a->Stop(*id).error().name, ErrorName::kInvalidStateError);
  EXPECT_EQ(a->CreateOffer().error().name, ErrorName::kInvalidStateError);
  EXPECT_EQ(a->SetRemoteDescription(SdpType::kOffer, "").error().name,
            ErrorName::kInvalidStateError);
  EXPECT_TRUE(a.transceiver(0).stopped);
}

}  // namespace
}  // namespace rtclab::peer
