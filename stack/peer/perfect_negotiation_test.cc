// Glare and rollback between two live connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/peer/peer_lab_test_util.h"

namespace rtclab::peer {
namespace {

TEST(PerfectNegotiationTest, BothOfferAtOnceAndBothGetWhatTheyWant) {
  PeerLab lab;
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic-a")));
  ASSERT_TRUE(lab.b().AddTrack(lab.now(), MediaTrack::Video("cam-b")));
  ASSERT_TRUE(lab.a().CreateDataChannel(lab.now(), {.label = "a"}));
  ASSERT_TRUE(lab.b().CreateDataChannel(lab.now(), {.label = "b"}));
  ASSERT_TRUE(lab.Connect());
  lab.RunFor(TimeDelta::Seconds(3));
  EXPECT_EQ(lab.side(0).negotiation.ignored_offers(), 1);
  EXPECT_EQ(lab.side(1).negotiation.ignored_offers(), 0);
  for (const int i : {0, 1}) {
    EXPECT_EQ(lab.side(i).pc.signaling_state(), SignalingState::kStable);
    EXPECT_EQ(lab.side(i).pc.transceivers().size(), 2u) << i;
    EXPECT_EQ(lab.Events<datachannel::ChannelOpen>(i).size(), 2u) << i;
    EXPECT_TRUE(lab.side(i).pc.timeline().first_frame) << i;
    for (const PeerError& e : lab.side(i).signal_errors) ADD_FAILURE() << i << ": " << e.message;
    EXPECT_EQ(lab.side(i).pc.transports().size(), 1u);
  }
}

TEST(PerfectNegotiationTest, GlareInTheMiddleOfACall) {
  PeerLab lab;
  ASSERT_TRUE(lab.a().CreateDataChannel(lab.now(), {.label = "a"}));
  ASSERT_TRUE(lab.Connect());
  lab.RunFor(TimeDelta::Seconds(1));
  // Both restart ICE and both add a track, at the same time.
  lab.a().RestartIce(lab.now());
  lab.b().RestartIce(lab.now());
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic-a")));
  ASSERT_TRUE(lab.b().AddTrack(lab.now(), MediaTrack::Audio("mic-b")));
  lab.RunFor(TimeDelta::Seconds(10));
  EXPECT_TRUE(lab.BothConnected());
  EXPECT_EQ(lab.side(0).negotiation.ignored_offers(), 1);
  for (const int i : {0, 1}) {
    EXPECT_TRUE(lab.side(i).pc.timeline().first_frame) << i;
    EXPECT_TRUE(lab.side(i).signal_errors.empty());
    // The handshake of the beginning is still the one.
    EXPECT_EQ(lab.Events<DtlsTransportChanged>(i).size(), 2u);
    EXPECT_EQ(lab.side(i).pc.transceivers().size(), 1u);
  }
}

TEST(PerfectNegotiationTest, ManyChangesAtRandomTimesEndInAgreement) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    PeerLab lab(LabPeerConfig(), LabPeerConfig(), seed);
    Rng choice(seed, "choice");
    for (int step = 0; step < 25; ++step) {
      const int who = static_cast<int>(choice.Uniform(0, 1));
      PeerConnection& pc = lab.side(who).pc;
      const auto& all = pc.transceivers();
      const std::string name = std::to_string(who) + "-" + std::to_string(step);
      switch (choice.Uniform(0, 5)) {
        case 0:
          (void)pc.AddTrack(lab.now(), MediaTrack::Audio(name), {"s"});
          break;
        case 1:
          (void)pc.AddTransceiver(lab.now(), MediaKind::kVideo);
          break;
        case 2:
          if (!all.empty()) (void)pc.StopTransceiver(lab.now(), all.front().id);
          break;
        case 3:
          if (!all.empty())
            (void)pc.SetDirection(lab.now(), all.back().id,
                                  static_cast<Direction>(choice.Uniform(0, 3)));
          break;
        case 4:
          pc.RestartIce(lab.now());
          break;
        case 5:
          (void)pc.CreateDataChannel(lab.now(), {.label = name});
          break;
      }
      lab.RunFor(TimeDelta::Millis(static_cast<int64_t>(choice.Uniform(0, 40))));
    }
    lab.RunFor(TimeDelta::Seconds(10));
    ASSERT_TRUE(lab.side(0).signal_errors.empty()) << lab.side(0).signal_errors[0].message;
    ASSERT_TRUE(lab.side(1).signal_errors.empty()) << lab.side(1).signal_errors[0].message;
    EXPECT_TRUE(lab.BothConnected());
    ASSERT_EQ(lab.a().transceivers().size(), lab.b().transceivers().size());
    for (const Transceiver& t : lab.a().transceivers()) {
      const auto& others = lab.b().transceivers();
      const auto other = std::find_if(others.begin(), others.end(),
                                      [&t](const Transceiver& o) { return o.mid == t.mid; });
      ASSERT_NE(other, others.end());
      EXPECT_EQ(sdp::Reverse(*other->current_direction), *t.current_direction);
    }
    EXPECT_EQ(lab.a().signaling_state(), SignalingState::kStable);
    EXPECT_EQ(lab.b().signaling_state(), SignalingState::kStable);
  }
}

}  // namespace
}  // namespace rtclab::peer
