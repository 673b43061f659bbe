// Two connections from nothing to channels and media, and what happens to them in between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "stack/peer/peer_lab_test_util.h"
#include "stack/rtp/rtp_packet.h"
#include "stack/stun/demux.h"

namespace rtclab::peer {
namespace {

using datachannel::ChannelId;

ChannelId OpenChannel(PeerLab& lab, int side, datachannel::ChannelInit init = {.label = "data"}) {
  const auto id = lab.side(side).pc.CreateDataChannel(lab.now(), init);
  CHECK(id.has_value());
  lab.DrainAll();
  return *id;
}

bool IsOpen(PeerLab& lab, int side) { return !lab.Events<datachannel::ChannelOpen>(side).empty(); }

std::vector<std::string> Texts(PeerLab& lab, int side) {
  std::vector<std::string> texts;
  for (const auto& m : lab.Events<datachannel::MessageReceived>(side))
    texts.emplace_back(AsString(m.payload));
  return texts;
}

double Sum(PeerConnection& pc, Timestamp now, StatsType type, std::string_view member) {
  double sum = 0;
  for (const StatsReport report = pc.GetStats(now); const Stats* s : report.OfType(type))
    sum += s->Number(member).value_or(0);
  return sum;
}

TEST(PeerSessionTest, ADataChannelOpensAndCarriesMessagesBothWays) {
  PeerLab lab;
  const ChannelId channel = OpenChannel(lab, 0);
  ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0) && IsOpen(lab, 1); }));
  EXPECT_LT(lab.now(), Timestamp::Millis(300));
  EXPECT_TRUE(lab.BothConnected());
  const auto announced = lab.Events<datachannel::ChannelAnnounced>(1);
  ASSERT_EQ(announced.size(), 1u);
  EXPECT_EQ(announced[0].init.label, "data");
  // RFC 8832 section 6: the offerer is the DTLS server, its identifiers are odd.
  EXPECT_EQ(lab.a().channel_stream_id(channel), 1);
  ASSERT_TRUE(lab.a().Send(lab.now(), channel, false, Bytes{'h', 'i'}));
  ASSERT_TRUE(lab.b().Send(lab.now(), announced[0].id, true, Bytes{'y', 'o'}));
  lab.RunFor(TimeDelta::Millis(100));
  EXPECT_THAT(Texts(lab, 1), testing::ElementsAre("hi"));
  EXPECT_THAT(Texts(lab, 0), testing::ElementsAre("yo"));
  EXPECT_TRUE(lab.side(0).signal_errors.empty());
}

TEST(PeerSessionTest, TheTimelineHasThePhasesInTheirOrder) {
  PeerLab lab;
  OpenChannel(lab, 0);
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Video("cam")));
  ASSERT_TRUE(lab.RunUntil(
      [&] { return lab.a().timeline().data_channel_open && lab.b().timeline().first_frame; }));
  for (PeerConnection* pc : {&lab.a(), &lab.b()}) {
    const Timeline& t = pc->timeline();
    const std::optional<Timestamp> phases[] = {t.gathering_started, t.first_valid_pair,
                                               t.dtls_started, t.dtls_connected, t.sctp_connected};
    Timestamp last;
    for (const auto& phase : phases) {
      ASSERT_TRUE(phase.has_value());
      EXPECT_LE(last, *phase);
      last = *phase;
    }
    EXPECT_TRUE(t.gathering_complete && t.ice_connected && t.pair_selected && t.connected);
  }
  EXPECT_TRUE(lab.a().timeline().first_media_sent);
  EXPECT_TRUE(lab.b().timeline().first_media_received);
  EXPECT_LT(*lab.b().timeline().first_media_received, *lab.b().timeline().first_frame);
}

TEST(PeerSessionTest, StatesGoThroughTheirNames) {
  PeerLab lab;
  OpenChannel(lab, 0);
  ASSERT_TRUE(lab.Connect());
  std::vector<std::string> states;
  for (const auto& e : lab.Events<ConnectionStateChanged>(0))
    states.emplace_back(ToString(e.state));
  EXPECT_THAT(states, testing::ElementsAre("connecting", "connected"));
  states.clear();
  for (const auto& e : lab.Events<SignalingStateChanged>(0)) states.emplace_back(ToString(e.state));
  EXPECT_THAT(states, testing::ElementsAre("have-local-offer", "stable"));
  states.clear();
  for (const auto& e : lab.Events<IceGatheringStateChanged>(0))
    states.emplace_back(ToString(e.state));
  EXPECT_THAT(states, testing::ElementsAre("gathering", "complete"));
  EXPECT_EQ(lab.Events<NegotiationNeeded>(0).size(), 1u);
  EXPECT_EQ(lab.Events<NegotiationNeeded>(1).size(), 0u);
}

TEST(PeerSessionTest, AnAudioAndVideoCallPlaysOnBothSides) {
  PeerLab lab;
  for (int i : {0, 1}) {
    ASSERT_TRUE(lab.side(i).pc.AddTrack(lab.now(), MediaTrack::Audio("mic"), {"s"}));
    ASSERT_TRUE(lab.side(i).pc.AddTrack(lab.now(), MediaTrack::Video("cam"), {"s"}));
  }
  ASSERT_TRUE(lab.Connect());
  lab.RunFor(TimeDelta::Seconds(5));
  for (PeerConnection* pc : {&lab.a(), &lab.b()}) {
    EXPECT_GT(Sum(*pc, lab.now(), StatsType::kInboundRtp, "framesDecoded"), 100);
    EXPECT_GT(Sum(*pc, lab.now(), StatsType::kInboundRtp, "totalSamplesReceived"), 4 * 48'000);
    EXPECT_EQ(Sum(*pc, lab.now(), StatsType::kInboundRtp, "packetsLost"), 0);
    EXPECT_EQ(pc->transports().size(), 1u);
    const PeerTransportCounters& c = pc->transport(pc->transports()[0])->counters();
    EXPECT_EQ(c.srtp_auth_failures + c.srtp_replays + c.srtp_other_failures, 0u);
  }
  // One exchange was enough for both sides' tracks.
  EXPECT_EQ(lab.a().transceivers().size(), 2u);
  EXPECT_EQ(lab.b().transceivers().size(), 2u);
}

// RFC 6904: what demultiplexing needs (MID, RID) is in encrypted elements, and more of them are negotiated while packets flow.
TEST(PeerSessionTest, HeaderExtensionsAreEncryptedWhereNegotiated) {
  PeerConfig config = LabPeerConfig();
  config.capabilities.encrypted_extensions = true;
  PeerLab lab(config, config);
  std::set<uint8_t> ids, values;  // of elements as they go, and of those with a single byte
  lab.filter = [&](int sender, Transmit& t) {
    if (sender != 0 || stun::Classify(t.payload) != stun::PacketKind::kRtp) return true;
    const auto packet = rtp::PacketView::Parse(t.payload);
    if (!packet) return true;
    for (uint8_t id = 1; id <= 14; ++id) {
      const auto value = packet->FindExtension(id);
      if (value) ids.insert(id);
      if (value && value->size() == 1) values.insert(value->front());
    }
    return true;
  };
  const auto negotiated = [&lab] {
    std::set<uint8_t> all;
    const auto answer = sdp::Parse(lab.a().current_remote_description()->sdp);
    for (const sdp::MediaDescription& m : answer->media) {
      for (const sdp::Extmap* e : m.attributes.All<sdp::Extmap>()) {
        EXPECT_EQ(e->uri, "urn:ietf:params:rtp-hdrext:encrypt");
        all.insert(static_cast<uint8_t>(e->id));
      }
    }
    return all;
  };
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic")));
  ASSERT_TRUE(lab.RunUntil([&] { return lab.b().timeline().first_frame.has_value(); }));
  lab.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(ids.size(), 4u);
  EXPECT_THAT(negotiated(), testing::IsSupersetOf(ids));
  // The MID and the audio level of silence, in the clear, would have two values.
  EXPECT_GT(values.size(), 20u);
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Video("cam")));
  lab.RunFor(TimeDelta::Seconds(3));
  EXPECT_THAT(negotiated(), testing::IsSupersetOf(ids));
  int first_frames = 0;
  for (const MediaEvent& e : lab.Events<MediaEvent>(1))
    first_frames += std::holds_alternative<media::FirstFrameReceived>(e.event) ? 1 : 0;
  EXPECT_EQ(first_frames, 2);
  const PeerTransportCounters& counters = lab.b().transport(lab.b().transports()[0])->counters();
  EXPECT_EQ(counters.srtp_auth_failures + counters.srtp_replays + counters.srtp_other_failures, 0u);
}

TEST(PeerSessionTest, VideoJoinsADataCallWithoutAnotherHandshake) {
  PeerLab lab;
  const ChannelId channel = OpenChannel(lab, 0);
  ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0); }));
  ASSERT_TRUE(lab.b().AddTrack(lab.now(), MediaTrack::Video("cam")));
  ASSERT_TRUE(lab.a().Send(lab.now(), channel, false, Bytes(100'000, 'x')));
  ASSERT_TRUE(lab.RunUntil([&] { return lab.a().timeline().first_frame.has_value(); }));
  lab.RunFor(TimeDelta::Seconds(1));
  EXPECT_EQ(lab.a().transports().size(), 1u);
  EXPECT_EQ(lab.Events<DtlsTransportChanged>(0).size(), 2u);  // connecting, connected
  EXPECT_EQ(lab.Events<SocketsWanted>(0).size(), 1u);
  ASSERT_EQ(Texts(lab, 1).size(), 1u);
  EXPECT_EQ(Texts(lab, 1)[0].size(), 100'000u);
  // And goes again.
  ASSERT_TRUE(lab.b().StopTransceiver(lab.now(), lab.b().transceivers()[0].id));
  lab.RunFor(TimeDelta::Seconds(1));
  EXPECT_TRUE(lab.a().transceivers().empty());
  const double packets = Sum(lab.b(), lab.now(), StatsType::kTransport, "packetsSent");
  lab.RunFor(TimeDelta::Seconds(2));
  EXPECT_LT(Sum(lab.b(), lab.now(), StatsType::kTransport, "packetsSent") - packets, 20);
  EXPECT_TRUE(lab.BothConnected());
}

TEST(PeerSessionTest, AnIceRestartKeepsDtlsAndTheChannel) {
  PeerLab lab;
  const ChannelId channel = OpenChannel(lab, 0);
  ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0); }));
  lab.RunFor(TimeDelta::Seconds(5));
  for (const int who : {0, 1}) {
    const int transport = lab.a().transports()[0];
    const std::string before = lab.a().transport(transport)->agent().local_credentials().ufrag;
    lab.side(who).pc.RestartIce(lab.now());
    lab.RunFor(TimeDelta::Seconds(5));
    EXPECT_NE(lab.a().transport(transport)->agent().local_credentials().ufrag, before);
    EXPECT_EQ(lab.a().transport(transport)->ice_state(), ice::AgentState::kCompleted);
    EXPECT_EQ(lab.b().transport(lab.b().transports()[0])->ice_state(), ice::AgentState::kCompleted);
    EXPECT_TRUE(lab.BothConnected());
    ASSERT_TRUE(lab.a().Send(lab.now(), channel, false, Bytes{'s'}));
    lab.RunFor(TimeDelta::Seconds(1));
    EXPECT_EQ(Texts(lab, 1).size(), static_cast<std::size_t>(who) + 1);
  }
  EXPECT_EQ(lab.Events<DtlsTransportChanged>(0).size(), 2u);
}

TEST(PeerSessionTest, AnUnbundledAnswerRunsATransportForEachSection) {
  PeerConfig legacy = LabPeerConfig();
  legacy.bundle = false;
  PeerLab lab(LabPeerConfig(), legacy);
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic")));
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Video("cam")));
  const ChannelId channel = OpenChannel(lab, 0);
  ASSERT_TRUE(lab.Connect());
  EXPECT_EQ(lab.a().transports().size(), 3u);
  EXPECT_EQ(lab.b().transports().size(), 3u);
  ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0); }));
  ASSERT_TRUE(lab.a().Send(lab.now(), channel, false, Bytes{'u'}));
  lab.RunFor(TimeDelta::Seconds(3));
  EXPECT_EQ(Texts(lab, 1).size(), 1u);
  EXPECT_GT(Sum(lab.b(), lab.now(), StatsType::kInboundRtp, "framesDecoded"), 50);
  EXPECT_GT(Sum(lab.b(), lab.now(), StatsType::kInboundRtp, "totalSamplesReceived"), 48'000);
  EXPECT_EQ(lab.a().GetStats(lab.now()).OfType(StatsType::kTransport).size(), 3u);
}

TEST(PeerSessionTest, WhenThePeerBundlesTheOtherTransportsSocketsAreGivenBack) {
  PeerLab lab;
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic")));
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Video("cam")));
  OpenChannel(lab, 0);
  ASSERT_TRUE(lab.Connect());
  EXPECT_EQ(lab.Events<SocketsWanted>(0).size(), 3u);
  const auto released = lab.Events<SocketsReleased>(0);
  ASSERT_EQ(released.size(), 2u);
  EXPECT_EQ(released[0].addresses.size(), 1u);
  EXPECT_EQ(lab.Events<SocketsWanted>(1).size(), 1u);
  EXPECT_EQ(lab.a().transports().size(), 1u);
}

TEST(PeerSessionTest, SimulcastReachesAPeerThatTakesIt) {
  PeerConfig server = LabPeerConfig();
  server.accept_simulcast = true;
  PeerLab lab(LabPeerConfig(), server);
  TransceiverInit init;
  init.direction = Direction::kSendOnly;
  init.send_encodings = {{.rid = "l"}, {.rid = "h"}};
  ASSERT_TRUE(lab.a().AddTransceiver(lab.now(), MediaTrack::Video("cam"), init));
  lab.DrainAll();
  ASSERT_TRUE(lab.Connect());
  lab.RunFor(TimeDelta::Seconds(5));
  EXPECT_EQ(lab.a().GetStats(lab.now()).OfType(StatsType::kOutboundRtp).size(), 2u);
  const StatsReport report = lab.b().GetStats(lab.now());
  const auto inbound = report.OfType(StatsType::kInboundRtp);
  ASSERT_EQ(inbound.size(), 2u);
  for (const Stats* s : inbound) EXPECT_GT(s->Number("framesDecoded").value_or(0), 20) << s->id;
}

struct LossCase {
  double loss;
  TimeDelta jitter;
};
TEST(PeerSessionTest, SetUpAndTransferSurviveLossDuplicatesAndReordering) {
  for (int percent = 0; percent <= 30; percent += 5) {
    SCOPED_TRACE(percent);
    PeerLab lab(LabPeerConfig(), LabPeerConfig(), static_cast<uint64_t>(percent) + 1);
    lab.loss = percent / 100.0;
    lab.duplicate = 0.05;
    lab.jitter = TimeDelta::Millis(15);
    // At 30 % consent runs out now and then: half of the checks are lost, and six in a row end it (RFC 7675 section 5.1).
    lab.restart_on_failure = true;
    const ChannelId channel = OpenChannel(lab, 0);
    ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0); }, TimeDelta::Seconds(120)));
    Bytes message(50'000);
    Rng content(static_cast<uint64_t>(percent), "content");
    content.Fill(message);
    const auto digest = crypto::Sha256(message);
    ASSERT_TRUE(lab.a().Send(lab.now(), channel, true, message));
    ASSERT_TRUE(lab.RunUntil([&] { return !lab.Events<datachannel::MessageReceived>(1).empty(); },
                             TimeDelta::Seconds(600)))
        << ToString(lab.a().ice_connection_state()) << " "
        << (lab.a().failure() ? lab.a().failure()->reason : "") << " "
        << (lab.b().failure() ? lab.b().failure()->reason : "");
    const auto received = lab.Events<datachannel::MessageReceived>(1);
    ASSERT_EQ(received.size(), 1u);
    EXPECT_EQ(crypto::Sha256(received[0].payload), digest);
  }
}

// RTO.Max of RFC 9260 (60 s) would let an unlucky transfer stand still for minutes.
TEST(PeerSessionTest, HeavyLossNeverSilencesATransferForLong) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE(seed);
    PeerConfig config = LabPeerConfig();
    config.ice.consent.enabled = false;  // it runs out now and then, and is not what this is about
    PeerLab lab(config, config, seed);
    const ChannelId channel = OpenChannel(lab, 0);
    ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0); }));
    lab.loss = 0.3;
    for (int i = 0; i < 50; ++i)
      ASSERT_TRUE(lab.a().Send(lab.now(), channel, true, Bytes(1000, static_cast<uint8_t>(i))));
    Timestamp last = lab.now();
    TimeDelta longest;
    bool small = true;
    lab.filter = [&](int sender, Transmit& t) {
      if (sender != 0 || t.payload.size() < 1000) return true;  // SACKs and checks
      longest = std::max(longest, lab.now() - last);
      last = lab.now();
      small = small && lab.a().association()->metrics().rto <= TimeDelta::Seconds(3);
      return true;
    };
    ASSERT_TRUE(
        lab.RunUntil([&] { return lab.Events<datachannel::MessageReceived>(1).size() == 50; },
                     TimeDelta::Seconds(300)));
    EXPECT_LE(longest, TimeDelta::Millis(3010));
    EXPECT_TRUE(small);
  }
}

TEST(PeerSessionTest, TheSameSeedGivesTheSameDatagrams) {
  const auto run = [](uint64_t seed) {
    PeerLab lab(LabPeerConfig(), LabPeerConfig(), seed);
    lab.trace = true;
    lab.loss = 0.05;
    OpenChannel(lab, 0);
    CHECK(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic")).has_value());
    CHECK(lab.b().AddTrack(lab.now(), MediaTrack::Video("cam")).has_value());
    lab.RunFor(TimeDelta::Seconds(3));
    EXPECT_TRUE(lab.BothConnected());
    return lab.TraceDigest();
  };
  const std::string first = run(7);
  EXPECT_EQ(first, run(7));
  EXPECT_NE(first, run(8));
}

TEST(PeerSessionTest, DtlsBeforeTheAnswerIsKept) {
  PeerLab lab;
  OpenChannel(lab, 0);
  lab.signal_filter = [&lab](int sender, Signal& signal) {
    const auto* d = std::get_if<SessionDescriptionInit>(&signal);
    // The answer takes its time; candidates and the ClientHello overtake it.
    lab.signal_delay = sender == 1 && d != nullptr ? TimeDelta::Millis(400) : TimeDelta::Millis(10);
    return sender == 0 || d != nullptr;
  };
  ASSERT_TRUE(lab.Connect());
  const Timestamp answered = lab.b().timeline().dtls_started.value();
  EXPECT_LT(answered, Timestamp::Millis(400));
  // Without it the client's first flight would come again only a second later.
  EXPECT_LT(*lab.a().timeline().dtls_connected, Timestamp::Millis(700));
}

TEST(PeerSessionTest, ARelayOnlyConnectionGathersNoHostCandidates) {
  PeerConfig config = LabPeerConfig();
  config.configuration.ice_transport_policy = IceTransportPolicy::kRelay;
  PeerLab lab(config, LabPeerConfig());
  OpenChannel(lab, 0);
  lab.RunFor(TimeDelta::Seconds(2));
  for (const IceCandidate& c : lab.Events<IceCandidate>(0)) EXPECT_EQ(c.candidate.candidate, "");
  EXPECT_FALSE(lab.BothConnected());
}

TEST(PeerSessionTest, EitherSideMayClose) {
  for (const int who : {0, 1}) {
    PeerLab lab;
    OpenChannel(lab, 0);
    ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic")));
    ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0) && IsOpen(lab, 1); }));
    PeerConnection& closing = lab.side(who).pc;
    closing.Close(lab.now());
    closing.Close(lab.now());
    EXPECT_EQ(closing.signaling_state(), SignalingState::kClosed);
    EXPECT_EQ(closing.connection_state(), ConnectionState::kClosed);
    EXPECT_EQ(closing.ice_connection_state(), IceConnectionState::kClosed);
    const auto refused = closing.AddTrack(lab.now(), MediaTrack::Audio("more"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().name, ErrorName::kInvalidStateError);
    EXPECT_FALSE(closing.CreateDataChannel(lab.now(), {.label = "x"}));
    EXPECT_FALSE(closing.SetLocalDescription(lab.now()));
    lab.RunFor(TimeDelta::Seconds(1));
    EXPECT_EQ(lab.Events<datachannel::ChannelClosed>(1 - who).size(), 1u);
    ASSERT_FALSE(lab.Events<DtlsTransportChanged>(1 - who).empty());
    EXPECT_EQ(lab.Events<DtlsTransportChanged>(1 - who).back().state, DtlsTransportState::kClosed);
    EXPECT_TRUE(closing.NextTimeout().IsInfinite());
  }
}

TEST(PeerSessionTest, NegotiatedChannelsWithEqualIdsMeetWithoutAnnouncement) {
  PeerLab lab;
  datachannel::ChannelInit init{.label = "n", .negotiated = true, .id = 7};
  const ChannelId a = OpenChannel(lab, 0, init);
  OpenChannel(lab, 1, init);
  ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0) && IsOpen(lab, 1); }));
  ASSERT_TRUE(lab.a().Send(lab.now(), a, false, Bytes{'n'}));
  lab.RunFor(TimeDelta::Millis(100));
  EXPECT_EQ(Texts(lab, 1).size(), 1u);
  EXPECT_TRUE(lab.Events<datachannel::ChannelAnnounced>(1).empty());
}

TEST(PeerSessionTest, OtherSctpPortsAndMessageSizesComeFromTheDescriptions) {
  PeerConfig other = LabPeerConfig();
  other.sctp.local_port = 6001;
  other.max_message_size = 1000;
  PeerLab lab(LabPeerConfig(), other);
  const ChannelId channel = OpenChannel(lab, 0);
  ASSERT_TRUE(lab.RunUntil([&] { return IsOpen(lab, 0); }));
  EXPECT_EQ(lab.a().max_message_size(), 1000u);
  const auto sent = lab.a().Send(lab.now(), channel, true, Bytes(1001));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().name, ErrorName::kTypeError);
  EXPECT_TRUE(lab.a().Send(lab.now(), channel, true, Bytes(1000)));
}

}  // namespace
}  // namespace rtclab::peer
