// Rollback: RFC 8829 section 5.7 and the steps of webrtc-pc section 4.4.1.5.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/peer/negotiation/negotiation_test_util.h"

namespace rtclab::peer {
namespace {

TEST(RollbackTest, ALocalOfferLeavesNoTrace) {
  Jsep a;
  const auto id = a->AddTransceiver(MediaKind::kAudio);
  ASSERT_TRUE(id && a->SetLocalDescription());
  EXPECT_EQ(a.transceiver(0).mid, "0");
  EXPECT_EQ(a->transports().size(), 1u);
  ASSERT_TRUE(a->SetLocalDescription(SdpType::kRollback));
  EXPECT_EQ(a->signaling_state(), SignalingState::kStable);
  EXPECT_EQ(a->local(), nullptr);
  EXPECT_TRUE(a->transports().empty());
  ASSERT_EQ(a->transceivers().size(), 1u);
  EXPECT_EQ(a.transceiver(0).mid, std::nullopt);
  EXPECT_TRUE(a.NeedsNegotiation());
  ASSERT_TRUE(a->SetLocalDescription());
  EXPECT_EQ(a->local()->sdp.media.size(), 1u);
}

TEST(RollbackTest, ARemoteOffersTransceiversGoUnlessATrackIsOnThem) {
  JsepPair pair;
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
  ASSERT_TRUE(pair.a->SetLocalDescription());
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
  EXPECT_EQ(pair.b.Take<TrackAdded>().size(), 2u);
  const auto reused = pair.b->AddTrack({"mic", MediaKind::kAudio});
  ASSERT_TRUE(reused);
  EXPECT_EQ(*reused, pair.b.transceiver(0).id);
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kRollback, ""));
  ASSERT_EQ(pair.b->transceivers().size(), 1u);
  EXPECT_EQ(pair.b.transceiver(0).id, *reused);
  EXPECT_EQ(pair.b.transceiver(0).mid, std::nullopt);
  EXPECT_EQ(pair.b.Take<TrackRemoved>().size(), 1u);
  EXPECT_EQ(pair.b->remote(), nullptr);
}

TEST(RollbackTest, WhatWasNegotiatedBeforeIsBack) {
  JsepPair pair;
  const auto audio = pair.a->AddTransceiver(MediaKind::kAudio);
  ASSERT_TRUE(audio);
  ASSERT_EQ(pair.Negotiate(), "");
  const std::string local = pair.a.Local();
  const std::vector<JsepTransport> transports = pair.a->transports();
  ASSERT_TRUE(pair.a->SetDirection(*audio, Direction::kInactive));
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
  pair.a->WantData();
  ASSERT_TRUE(pair.a->SetLocalDescription());
  EXPECT_NE(pair.a.Local(), local);
  ASSERT_TRUE(pair.a->SetLocalDescription(SdpType::kRollback));
  EXPECT_EQ(pair.a.Local(), local);
  EXPECT_EQ(pair.a->transports(), transports);
  EXPECT_EQ(pair.a->sctp(), std::nullopt);
  // What the application did stays done.
  EXPECT_EQ(pair.a.transceiver(0).direction, Direction::kInactive);
  EXPECT_EQ(pair.a.transceiver(0).current_direction, Direction::kSendOnly);
  EXPECT_EQ(pair.a->transceivers().size(), 2u);
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_EQ(pair.b.transceiver(0).current_direction, Direction::kInactive);
}

TEST(RollbackTest, AnIceRestartThatWasRolledBackIsOfferedAgainWithTheSameCredentials) {
  JsepPair pair;
  pair.a->WantData();
  ASSERT_EQ(pair.Negotiate(), "");
  const ice::Credentials before = pair.a->transports()[0].local;
  pair.a->RestartIce();
  ASSERT_TRUE(pair.a->SetLocalDescription());
  const ice::Credentials restarted = pair.a->transports()[0].local;
  EXPECT_NE(restarted, before);
  ASSERT_TRUE(pair.a->SetLocalDescription(SdpType::kRollback));
  EXPECT_EQ(pair.a->transports()[0].local, before);
  EXPECT_TRUE(pair.a.NeedsNegotiation());
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_EQ(pair.a->transports()[0].local, restarted);
  EXPECT_FALSE(pair.a.NeedsNegotiation());
}

TEST(RollbackTest, AnOfferInGlareRollsOursBackEvenIfItIsUnsound) {
  JsepPair pair;
  pair.a->WantData();
  pair.b->WantData();
  ASSERT_TRUE(pair.a->SetLocalDescription());
  const std::string offer = pair.b.Offer();
  const auto syntax = pair.a->SetRemoteDescription(SdpType::kOffer, "v=1\r\n");
  ASSERT_FALSE(syntax);
  EXPECT_EQ(pair.a->signaling_state(), SignalingState::kHaveLocalOffer);
  ASSERT_TRUE(pair.a->SetRemoteDescription(SdpType::kOffer, offer));
  EXPECT_EQ(pair.a->signaling_state(), SignalingState::kHaveRemoteOffer);
  EXPECT_EQ(pair.a->pending_local(), nullptr);
  // The way through stable shows.
  std::vector<SignalingState> states;
  for (const auto& e : pair.a.Take<SignalingStateChanged>()) states.push_back(e.state);
  EXPECT_THAT(states, testing::ElementsAre(SignalingState::kHaveLocalOffer, SignalingState::kStable,
                                           SignalingState::kHaveRemoteOffer));
}

TEST(RollbackTest, EncodingsFromAnOfferToReceiveSimulcastGoBack) {
  JsepPair pair;
  ASSERT_TRUE(pair.b->AddTrack({"cam", MediaKind::kVideo}));
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo, {.direction = Direction::kRecvOnly}));
  const std::string offer =
      pair.a.Offer() + "a=rid:1 recv\r\na=rid:2 recv\r\na=simulcast:recv 1;2\r\n";
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, offer));
  EXPECT_EQ(pair.b.transceiver(0).sender.encodings.size(), 2u);
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kRollback, ""));
  ASSERT_EQ(pair.b.transceiver(0).sender.encodings.size(), 1u);
  EXPECT_EQ(pair.b.transceiver(0).sender.encodings[0].parameters.rid, "");
}

}  // namespace
}  // namespace rtclab::peer
