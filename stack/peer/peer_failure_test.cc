// Peers that lie, vanish or send garbage: the connection ends with a named reason, or goes on as if nothing had happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/peer/peer_lab_test_util.h"

namespace rtclab::peer {
namespace {

void AddChannel(PeerLab& lab) {
  CHECK(lab.a().CreateDataChannel(lab.now(), {.label = "data"}).has_value());
}

std::vector<std::string> Reasons(PeerLab& lab, int side) {
  std::vector<std::string> reasons;
  for (const auto& e : lab.Events<ConnectionFailed>(side)) reasons.push_back(e.reason);
  return reasons;
}

TEST(PeerFailureTest, AnotherFingerprintIsAnAttack) {
  for (const int liar : {0, 1}) {
    PeerLab lab;
    AddChannel(lab);
    lab.signal_filter = [liar](int sender, Signal& signal) {
      auto* d = std::get_if<SessionDescriptionInit>(&signal);
      if (d == nullptr || sender != liar) return true;
      const std::size_t at = d->sdp.find("a=fingerprint:sha-256 ") + 22;
      d->sdp[at] = d->sdp[at] == '0' ? '1' : '0';
      return true;
    };
    ASSERT_TRUE(lab.RunUntil(
        [&] { return lab.side(1 - liar).pc.connection_state() == ConnectionState::kFailed; }));
    EXPECT_THAT(Reasons(lab, 1 - liar), testing::Contains("dtls-fingerprint-mismatch"));
    ASSERT_TRUE(lab.side(1 - liar).pc.failure());
    EXPECT_EQ(lab.side(1 - liar).pc.failure()->reason, "dtls-fingerprint-mismatch");
    // The other one is told by an alert.
    lab.RunFor(TimeDelta::Seconds(5));
    EXPECT_NE(lab.side(liar).pc.connection_state(), ConnectionState::kConnected);
    EXPECT_FALSE(lab.Events<datachannel::ChannelOpen>(0).size() != 0);
  }
}

TEST(PeerFailureTest, APeerThatVanishesInTheHandshakeIsATimeout) {
  struct Case {
    int side;
    ice::ConsentConfig consent;
    std::string reason;
  };
  ice::ConsentConfig off;
  off.enabled = false;
  const Case cases[] = {
      {0, {}, "ice-failed"},  // consent is not given any more
      {1, {}, "ice-failed"},
      {0, off, "dtls-timeout"},  // without consent checks the handshake's own limit ends it
      {1, off, "dtls-timeout"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.reason + std::to_string(c.side));
    PeerConfig config = LabPeerConfig();
    config.ice.consent = c.consent;
    PeerLab lab(config, config);
    AddChannel(lab);
    lab.filter = [](int, Transmit& t) { return !(t.payload[0] >= 20 && t.payload[0] <= 63); };
    ASSERT_TRUE(lab.RunUntil([&] {
      return lab.a().timeline().dtls_started && lab.b().timeline().dtls_started &&
             lab.a().timeline().pair_selected && lab.b().timeline().pair_selected;
    }));
    lab.side(1 - c.side).mute = true;
    ASSERT_TRUE(lab.RunUntil(
        [&] { return lab.side(c.side).pc.connection_state() == ConnectionState::kFailed; },
        TimeDelta::Seconds(120)));
    EXPECT_THAT(Reasons(lab, c.side), testing::Contains(c.reason));
  }
}

TEST(PeerFailureTest, DtlsThatNeverComesThroughTimesOut) {
  PeerLab lab;
  AddChannel(lab);
  lab.filter = [](int, Transmit& t) { return !(t.payload[0] >= 20 && t.payload[0] <= 63); };
  ASSERT_TRUE(lab.RunUntil([&] { return lab.a().connection_state() == ConnectionState::kFailed; },
                           TimeDelta::Seconds(120)));
  EXPECT_THAT(Reasons(lab, 0), testing::ElementsAre("dtls-timeout"));
}

TEST(PeerFailureTest, WithoutAnyPathIceFails) {
  PeerLab lab;
  AddChannel(lab);
  lab.filter = [](int, Transmit&) { return false; };
  ASSERT_TRUE(lab.RunUntil([&] { return lab.a().connection_state() == ConnectionState::kFailed; },
                           TimeDelta::Seconds(120)));
  EXPECT_THAT(Reasons(lab, 0), testing::ElementsAre("ice-failed"));
  EXPECT_EQ(lab.a().ice_connection_state(), IceConnectionState::kFailed);
  // A restart brings it back.
  lab.filter = {};
  lab.a().RestartIce(lab.now());
  EXPECT_TRUE(lab.Connect());
  EXPECT_FALSE(lab.a().failure());
}

TEST(PeerFailureTest, APeerThatGoesAwayLaterDisconnectsAndFails) {
  PeerLab lab;
  AddChannel(lab);
  ASSERT_TRUE(lab.Connect());
  lab.RunFor(TimeDelta::Seconds(10));
  lab.side(1).mute = true;
  ASSERT_TRUE(
      lab.RunUntil([&] { return lab.a().connection_state() == ConnectionState::kDisconnected; }));
  ASSERT_TRUE(lab.RunUntil([&] { return lab.a().connection_state() == ConnectionState::kFailed; }));
}

TEST(PeerFailureTest, GarbageOnEveryLayerIsCountedAndHarmless) {
  PeerLab lab;
  AddChannel(lab);
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Video("cam")));
  ASSERT_TRUE(lab.RunUntil([&] {
    return lab.BothConnected() && lab.a().timeline().data_channel_open &&
           lab.b().timeline().first_frame;
  }));
  const ice::CandidatePair pair =
      *lab.b().transport(lab.b().transports()[0])->agent().selected_pair();
  const TransportAddress from = pair.remote.address, to = pair.local.base;
  Rng garbage(99, "garbage");
  for (int i = 0; i < 2000; ++i) {
    Bytes packet(garbage.Uniform(0, 300));
    garbage.Fill(packet);
    // All the first bytes that mean something (RFC 7983), and all others.
    static constexpr uint8_t kFirst[] = {0, 1, 20, 22, 23, 25, 64, 128, 144, 191};
    if (!packet.empty() && i % 11 < 10) packet[0] = kFirst[i % 11];
    if (packet.size() > 1 && i % 3 == 0) packet[1] = 200;  // RTCP
    lab.b().HandlePacket(lab.now(), {from, to, packet});
    if (i % 50 == 0) lab.RunFor(TimeDelta::Millis(5));
  }
  // What was sent before, again: replays.
  std::vector<Transmit> seen;
  lab.filter = [&seen](int sender, Transmit& t) {
    if (sender == 0 && seen.size() < 200) seen.push_back(t);
    return true;
  };
  lab.RunFor(TimeDelta::Seconds(1));
  for (const Transmit& t : seen) {
    lab.b().HandlePacket(lab.now(), {t.source, t.destination, t.payload});
    Bytes cut(t.payload.begin(),
              t.payload.begin() + static_cast<std::ptrdiff_t>(t.payload.size() / 2));
    lab.b().HandlePacket(lab.now(), {t.source, t.destination, cut});
  }
  lab.filter = {};
  const auto& counters = lab.b().transport(lab.b().transports()[0])->counters();
  EXPECT_GT(counters.srtp_replays, 0u);
  EXPECT_GT(counters.srtp_auth_failures, 0u);
  EXPECT_GT(counters.unknown_packets, 0u);
  const auto before = lab.Events<datachannel::MessageReceived>(1).size();
  EXPECT_TRUE(lab.BothConnected());
  lab.RunFor(TimeDelta::Seconds(2));
  EXPECT_TRUE(lab.BothConnected());
  EXPECT_TRUE(Reasons(lab, 1).empty());
  EXPECT_EQ(lab.Events<datachannel::MessageReceived>(1).size(), before);
}

TEST(PeerFailureTest, PacketsFromStrangersAreNotEvenLookedAt) {
  PeerLab lab;
  AddChannel(lab);
  ASSERT_TRUE(lab.Connect());
  const PeerTransport* t = lab.b().transport(lab.b().transports()[0]);
  const uint64_t before = t->counters().packets_received;
  const TransportAddress stranger = *TransportAddress::Parse("192.0.2.66:666");
  const Bytes hello = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
  lab.b().HandlePacket(lab.now(), {stranger, t->hosts()[0], hello});
  lab.b().HandlePacket(lab.now(), {stranger, stranger, hello});  // no socket of ours
  EXPECT_EQ(t->counters().packets_received, before);
}

TEST(PeerFailureTest, ARefusedDataSectionClosesTheChannels) {
  PeerLab lab;
  lab.signal_filter = [](int sender, Signal& signal) {
    auto* d = std::get_if<SessionDescriptionInit>(&signal);
    if (d == nullptr || sender != 1) return sender == 0;
    const std::size_t at = d->sdp.find("m=application ");
    const std::size_t space = d->sdp.find(' ', at + 14);
    d->sdp.replace(at + 14, space - at - 14, "0");
    d->sdp.erase(d->sdp.find("a=group:BUNDLE"), d->sdp.find("\r\n", d->sdp.find("a=group:BUNDLE")) +
                                                    2 - d->sdp.find("a=group:BUNDLE"));
    return true;
  };
  AddChannel(lab);
  lab.RunFor(TimeDelta::Seconds(2));
  EXPECT_EQ(lab.Events<datachannel::ChannelClosed>(0).size(), 1u);
  EXPECT_THAT(Reasons(lab, 0), testing::ElementsAre("data-refused"));
  EXPECT_EQ(lab.Events<NegotiationNeeded>(0).size(), 1u);  // it is not asked for again
  EXPECT_TRUE(lab.a().transports().empty());
}

}  // namespace
}  // namespace rtclab::peer
