// The signaling state machine: webrtc-pc section 4.3.1, RFC 8829 section 3.2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "stack/peer/negotiation/negotiation_test_util.h"

namespace rtclab::peer {
namespace {

constexpr SignalingState kAllStates[] = {SignalingState::kStable,
                                         SignalingState::kHaveLocalOffer,
                                         SignalingState::kHaveRemoteOffer,
                                         SignalingState::kHaveLocalPranswer,
                                         SignalingState::kHaveRemotePranswer,
                                         SignalingState::kClosed};

// A peer in this state, with one that can make descriptions for it.
struct InState {
  explicit InState(SignalingState state) {
    pair.a->WantData();
    pair.b->WantData();
    switch (state) {
      case SignalingState::kStable:
        break;
      case SignalingState::kHaveLocalOffer:
        CHECK(pair.a->SetLocalDescription().has_value());
        break;
      case SignalingState::kHaveRemoteOffer:
        Offer();
        break;
      case SignalingState::kHaveLocalPranswer:
        Offer();
        CHECK(pair.a->SetLocalDescription(SdpType::kPranswer).has_value());
        break;
      case SignalingState::kHaveRemotePranswer:
        CHECK(pair.a->SetLocalDescription().has_value());
        CHECK(pair.a->SetRemoteDescription(SdpType::kPranswer, AnswerFor()).has_value());
        break;
      case SignalingState::kClosed:
        pair.a->Close();
        break;
    }
    CHECK(pair.a->signaling_state() == state);
  }
  void Offer() { CHECK(pair.a->SetRemoteDescription(SdpType::kOffer, OfferText()).has_value()); }
  // A peer's offer, also as an update of an earlier one.
  std::string OfferText() { return pair.b.Offer(); }
  // What a peer answers to the pending local offer, or an answer to nothing.
  std::string AnswerFor() {
    if (pair.a->pending_local() == nullptr || pair.a->pending_local()->type != SdpType::kOffer) {
      JsepPair other;
      other.a->WantData();
      CHECK(other.a->SetLocalDescription().has_value());
      CHECK(other.b->SetRemoteDescription(SdpType::kOffer, other.a.Local()).has_value());
      return other.b->CreateAnswer()->sdp;
    }
    Jsep answerer(TestNegotiatorConfig(2), 2);
    CHECK(answerer->SetRemoteDescription(SdpType::kOffer, pair.a.Local()).has_value());
    return answerer->CreateAnswer()->sdp;
  }
  JsepPair pair;
};

struct StateCase {
  const char* what;
  std::function<PeerResult<void>(InState&)> act;
  // By the order of kAllStates: the state after, or empty for InvalidStateError.
  std::vector<std::optional<SignalingState>> after;
};

TEST(SignalingStateTest, EveryCallInEveryState) {
  using S = SignalingState;
  const std::optional<S> no;
  const auto local = [](SdpType type) {
    return [type](InState& s) { return s.pair.a->SetLocalDescription(type); };
  };
  const auto remote_answer = [](SdpType type) {
    return [type](InState& s) { return s.pair.a->SetRemoteDescription(type, s.AnswerFor()); };
  };
  const StateCase cases[] = {
      {"local offer",
       local(SdpType::kOffer),
       {S::kHaveLocalOffer, S::kHaveLocalOffer, no, no, no, no}},
      {"local answer", local(SdpType::kAnswer), {no, no, S::kStable, S::kStable, no, no}},
      {"local pranswer",
       local(SdpType::kPranswer),
       {no, no, S::kHaveLocalPranswer, S::kHaveLocalPranswer, no, no}},
      {"local rollback", local(SdpType::kRollback), {no, S::kStable, S::kStable, no, no, no}},
      // In have-local-offer our own offer is rolled back.
      {"remote offer",
       [](InState& s) { return s.pair.a->SetRemoteDescription(SdpType::kOffer, s.OfferText()); },
       {S::kHaveRemoteOffer, S::kHaveRemoteOffer, S::kHaveRemoteOffer, no, no, no}},
      {"remote answer", remote_answer(SdpType::kAnswer), {no, S::kStable, no, no, S::kStable, no}},
      {"remote pranswer",
       remote_answer(SdpType::kPranswer),
       {no, S::kHaveRemotePranswer, no, no, S::kHaveRemotePranswer, no}},
      {"remote rollback",
       [](InState& s) { return s.pair.a->SetRemoteDescription(SdpType::kRollback, ""); },
       {no, S::kStable, S::kStable, no, no, no}},
      {"implicit",
       [](InState& s) { return s.pair.a->SetLocalDescription(); },
       {S::kHaveLocalOffer, S::kHaveLocalOffer, S::kStable, S::kStable, no, no}},
      {"createOffer",
       [](InState& s) -> PeerResult<void> {
         if (const auto r = s.pair.a->CreateOffer(); !r) return tl::unexpected(r.error());
         return {};
       },
       {S::kStable, S::kHaveLocalOffer, no, no, no, no}},
      {"createAnswer",
       [](InState& s) -> PeerResult<void> {
         if (const auto r = s.pair.a->CreateAnswer(); !r) return tl::unexpected(r.error());
         return {};
       },
       {no, no, S::kHaveRemoteOffer, S::kHaveLocalPranswer, no, no}},
  };
  for (const StateCase& c : cases) {
    for (std::size_t i = 0; i < std::size(kAllStates); ++i) {
      SCOPED_TRACE(std::string(c.what) + " in " + std::string(ToString(kAllStates[i])));
      InState s(kAllStates[i]);
      (void)s.pair.a.Events();
      const PeerResult<void> result = c.act(s);
      if (c.after[i]) {
        ASSERT_TRUE(result) << result.error().message;
        EXPECT_EQ(s.pair.a->signaling_state(), *c.after[i]);
      } else {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().name, ErrorName::kInvalidStateError) << result.error().message;
        EXPECT_EQ(s.pair.a->signaling_state(), kAllStates[i]);
        EXPECT_TRUE(s.pair.a.Take<SignalingStateChanged>().empty());
      }
    }
  }
}

TEST(SignalingStateTest, DescriptionsMoveFromPendingToCurrent) {
  JsepPair pair;
  pair.a->WantData();
  ASSERT_TRUE(pair.a->SetLocalDescription());
  EXPECT_NE(pair.a->pending_local(), nullptr);
  EXPECT_EQ(pair.a->current_local(), nullptr);
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
  EXPECT_NE(pair.b->pending_remote(), nullptr);
  ASSERT_EQ(JsepPair::Answer(pair.a, pair.b), "");
  for (Jsep* side : {&pair.a, &pair.b}) {
    EXPECT_EQ((*side)->pending_local(), nullptr);
    EXPECT_EQ((*side)->pending_remote(), nullptr);
    EXPECT_NE((*side)->current_local(), nullptr);
    EXPECT_NE((*side)->current_remote(), nullptr);
  }
  EXPECT_EQ(pair.a->can_trickle(), true);
}

TEST(SignalingStateTest, ADescriptionThatWasChangedIsNotSet) {
  Jsep a;
  a->WantData();
  const std::string offer = a.Offer();
  for (const std::string& sdp : {offer + "a=x\r\n", std::string("v=0\r\n")}) {
    const auto set = a->SetLocalDescription(SdpType::kOffer, sdp);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().name, ErrorName::kInvalidModificationError);
  }
  // Only the one created last counts.
  const std::string second = a.Offer();
  EXPECT_FALSE(a->SetLocalDescription(SdpType::kOffer, offer));
  EXPECT_TRUE(a->SetLocalDescription(SdpType::kOffer, second));
}

TEST(SignalingStateTest, AnImplicitOfferTakesTheLastOneUnlessItIsOutOfDate) {
  Jsep a;
  a->WantData();
  const std::string offer = a.Offer();
  ASSERT_TRUE(a->SetLocalDescription());
  EXPECT_EQ(a.Local(), offer);
  Jsep b;
  b->WantData();
  const std::string before = b.Offer();
  ASSERT_TRUE(b->AddTransceiver(MediaKind::kAudio));
  ASSERT_TRUE(b->SetLocalDescription());
  EXPECT_EQ(b->local()->sdp.media.size(), 2u);
}

TEST(NegotiationNeededTest, IsSaidOnceAndAgainWhenSomethingChanges) {
  JsepPair pair;
  EXPECT_FALSE(pair.a.NeedsNegotiation());
  const auto audio = pair.a->AddTransceiver(MediaKind::kAudio);
  ASSERT_TRUE(audio);
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
  EXPECT_EQ(pair.a.Take<NegotiationNeeded>().size(), 1u);
  pair.a->WantData();
  EXPECT_FALSE(pair.a.NeedsNegotiation());  // the flag is up already
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_FALSE(pair.a.NeedsNegotiation());
  EXPECT_FALSE(pair.b.NeedsNegotiation());

  ASSERT_TRUE(pair.a->SetDirection(*audio, Direction::kRecvOnly));
  EXPECT_TRUE(pair.a.NeedsNegotiation());
  ASSERT_EQ(pair.Negotiate(), "");
  EXPECT_FALSE(pair.a.NeedsNegotiation());
  ASSERT_TRUE(pair.a->SetDirection(*audio, Direction::kRecvOnly));
  EXPECT_FALSE(pair.a.NeedsNegotiation());
  // Streams are signalled by msid.
  ASSERT_TRUE(pair.a->SetDirection(*audio, Direction::kSendRecv));
  ASSERT_EQ(pair.Negotiate(), "");
  ASSERT_TRUE(pair.a->SetStreams(*audio, {"other"}));
  EXPECT_TRUE(pair.a.NeedsNegotiation());
}

TEST(NegotiationNeededTest, WhatHappensDuringAnExchangeIsSaidAfterIt) {
  JsepPair pair;
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio));
  ASSERT_TRUE(pair.a->SetLocalDescription());
  (void)pair.a.Events();
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kVideo));
  EXPECT_FALSE(pair.a.NeedsNegotiation());
  ASSERT_TRUE(pair.b->SetRemoteDescription(SdpType::kOffer, pair.a.Local()));
  ASSERT_EQ(JsepPair::Answer(pair.a, pair.b), "");
  const auto events = pair.a.Events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<SignalingStateChanged>(events[0]));
  EXPECT_TRUE(std::holds_alternative<NegotiationNeeded>(events[1]));
}

TEST(NegotiationNeededTest, AnAnswererNeedsNoneForWhatItWasNotOffered) {
  JsepPair pair;
  ASSERT_TRUE(pair.a->AddTransceiver(MediaKind::kAudio, {.direction = Direction::kRecvOnly}));
  ASSERT_TRUE(pair.b->AddTrack({"mic", MediaKind::kAudio}));
  (void)pair.b.Events();
  ASSERT_EQ(pair.Negotiate(), "");
  // sendrecv here, but only sendonly was possible: nothing to negotiate.
  EXPECT_EQ(pair.b.transceiver(0).direction, Direction::kSendRecv);
  EXPECT_EQ(pair.b.transceiver(0).current_direction, Direction::kSendOnly);
  EXPECT_FALSE(pair.b.NeedsNegotiation());
}

}  // namespace
}  // namespace rtclab::peer
