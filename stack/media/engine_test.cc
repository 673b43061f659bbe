// Engines back to back: what a call delivers on clean and on bad paths.
#include "stack/media/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/media/test_util.h"
#include "stack/rtp/rtp_packet.h"
#include "stack/rtp/rtx.h"

namespace rtclab::media {
namespace {

using testing::AudioStream;
using testing::CallEngine;
using testing::EventsOf;
using testing::Feedback;
using ::testing::IsEmpty;
using testing::Kbps;
using testing::Ms;
using testing::Pair;
using testing::PipeConfig;
using testing::ReceiverOf;
using testing::SendOneWay;
using ::testing::SizeIs;
using testing::VideoStream;

InboundRtpStats InboundOf(const EngineStats& stats, Kind kind) {
  for (const auto& inbound : stats.inbound_rtp) {
    if (inbound.kind == kind) return inbound;
  }
  return {};
}

TEST(EngineTest, CleanCallDeliversEveryFrameIntact) {
  Pair pair(CallEngine(), CallEngine(), {}, {});
  pair.a.SetReceiveStreams(pair.now, {ReceiverOf(AudioStream(0)), ReceiverOf(VideoStream(0))});
  pair.b.SetReceiveStreams(pair.now, {ReceiverOf(AudioStream(0)), ReceiverOf(VideoStream(0))});
  pair.a.SetSendStreams(pair.now, {AudioStream(100), VideoStream(200)});
  pair.b.SetSendStreams(pair.now, {AudioStream(300), VideoStream(400)});
  pair.Connect();
  pair.RunFor(TimeDelta::Seconds(10));
  const Timestamp start = Timestamp::Seconds(1);
  for (Engine* engine : {&pair.a, &pair.b}) {
    const EngineStats stats = engine->stats(pair.now);
    ASSERT_THAT(stats.inbound_rtp, SizeIs(2));
    const InboundRtpStats video = InboundOf(stats, Kind::kVideo);
    EXPECT_EQ(video.packets_lost, 0);
    EXPECT_EQ(video.frames_corrupt, 0u);
    EXPECT_EQ(video.frames_unverified, 0u);
    EXPECT_EQ(video.frames_dropped, 0u);
    EXPECT_EQ(video.packets_discarded, 0u);
    EXPECT_EQ(video.freeze_count, 0u);
    EXPECT_EQ(video.nack_count, 0u);
    EXPECT_EQ(video.pli_count, 0u);
    EXPECT_NEAR(video.frames_rendered, 300, 15);
    EXPECT_LT(*video.first_frame_time - start, Ms(150));
    EXPECT_LT(video.total_end_to_end_delay / static_cast<double>(video.end_to_end_delay_count),
              0.080);
    const InboundRtpStats audio = InboundOf(stats, Kind::kAudio);
    EXPECT_EQ(audio.concealed_samples, 0u);
    EXPECT_EQ(audio.frames_corrupt, 0u);
    EXPECT_NEAR(static_cast<double>(audio.total_samples_received), 480'000, 5'000);
    ASSERT_THAT(stats.remote_inbound_rtp, SizeIs(2));
    EXPECT_NEAR(*stats.remote_inbound_rtp[1].round_trip_time, 0.050, 0.002);
    EXPECT_EQ(stats.packets_unknown_stream, 0u);
    // The path is wide, so the controller has found more than it began with.
    EXPECT_GT(stats.available_outgoing_bitrate, 1'500'000);
  }
  EXPECT_THAT(EventsOf<FirstFrameReceived>(pair.b_events), SizeIs(2));
  EXPECT_THAT(EventsOf<FreezeStarted>(pair.b_events), IsEmpty());
}

struct LossCase {
  double loss;
  double least_rendered;  // of about 600 frames
  double most_frozen;     // seconds of 20
};

class EngineLossTest : public ::testing::TestWithParam<LossCase> {};

TEST_P(EngineLossTest, RetransmissionsKeepVideoGoing) {
  PipeConfig pipe;
  pipe.loss = GetParam().loss;
  Pair pair(CallEngine(congestion::ControllerKind::kNone), CallEngine(), pipe, pipe);
  auto video = VideoStream(200);
  std::get<VideoModelConfig>(video.source).max_rate = Kbps(800);
  SendOneWay(pair, {AudioStream(100), video});
  pair.RunFor(TimeDelta::Seconds(20));
  const EngineStats received = pair.b.stats(pair.now);
  const InboundRtpStats in = InboundOf(received, Kind::kVideo);
  EXPECT_EQ(in.frames_corrupt, 0u);
  EXPECT_GE(in.frames_rendered, GetParam().least_rendered);
  EXPECT_LE(in.total_freezes_duration, GetParam().most_frozen);
  EXPECT_EQ(in.nack_count > 0, GetParam().loss > 0);
  const EngineStats sent = pair.a.stats(pair.now);
  if (GetParam().loss > 0) {
    EXPECT_NEAR(sent.remote_inbound_rtp.back().fraction_lost, GetParam().loss, 0.12);
    EXPECT_GT(sent.outbound_rtp.back().retransmitted_packets_sent, 0u);
  }
  EXPECT_EQ(InboundOf(received, Kind::kAudio).frames_corrupt, 0u);
}

INSTANTIATE_TEST_SUITE_P(Loss, EngineLossTest,
                         ::testing::Values(LossCase{0, 590, 0}, LossCase{0.01, 585, 0.2},
                                           LossCase{0.05, 550, 0.5}, LossCase{0.1, 480, 2},
                                           LossCase{0.2, 300, 8}, LossCase{0.3, 120, 12}));

TEST(EngineTest, EveryControllerCarriesACallEndToEnd) {
  for (const auto kind : {congestion::ControllerKind::kGcc, congestion::ControllerKind::kNada,
                          congestion::ControllerKind::kScream, congestion::ControllerKind::kNone}) {
    for (const auto feedback : {Feedback::kTransportWide, Feedback::kCongestionControl}) {
      SCOPED_TRACE(congestion::ControllerKindName(kind));
      PipeConfig pipe;
      pipe.rate = Kbps(4000);
      Pair pair(CallEngine(kind), CallEngine(), pipe, {});
      SendOneWay(pair, {AudioStream(100, feedback), VideoStream(200, feedback)});
      pair.RunFor(TimeDelta::Seconds(10));
      const EngineStats received = pair.b.stats(pair.now);
      const InboundRtpStats in = InboundOf(received, Kind::kVideo);
      EXPECT_GT(in.frames_rendered, 270u);
      EXPECT_EQ(in.frames_corrupt, 0u);
      // Nothing is in the way, so the encoder gets what it wants.
      EXPECT_GT(static_cast<double>(in.bytes_received) * 8 / 10, 700'000);
    }
  }
}

TEST(EngineTest, RembAloneLimitsASenderToANarrowPath) {
  PipeConfig narrow;
  narrow.rate = Kbps(800);
  Pair pair(CallEngine(), CallEngine(), narrow, {});
  auto video = VideoStream(200, Feedback::kRemb);
  video.extensions.transport_cc = 0;
  SendOneWay(pair, {video});
  pair.RunFor(TimeDelta::Seconds(30));
  const EngineStats received = pair.b.stats(pair.now);
  ASSERT_TRUE(received.available_incoming_bitrate.has_value());
  EXPECT_LT(*received.available_incoming_bitrate, 1'200'000);
  const Sample sample = pair.a.SampleSeries(pair.now);
  EXPECT_LT(sample.target, Kbps(1200));
  EXPECT_GT(InboundOf(received, Kind::kVideo).frames_rendered, 600u);
}

TEST(EngineTest, SameSeedSameBytes) {
  const auto run = [](uint64_t seed) {
    PipeConfig pipe;
    pipe.loss = 0.05;
    pipe.jitter = Ms(10);
    pipe.digest = true;
    Pair pair(CallEngine(), CallEngine(), pipe, pipe, seed);
    SendOneWay(pair, {AudioStream(100), VideoStream(200)});
    pair.RunFor(TimeDelta::Seconds(5));
    return std::pair(pair.ab.digest, pair.ba.digest);
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(EngineTest, BottleneckIsFoundAndItsQueueStaysShort) {
  PipeConfig narrow;
  narrow.rate = Kbps(1000);
  Pair pair(CallEngine(), CallEngine(), narrow, {});
  SendOneWay(pair, {AudioStream(100), VideoStream(200)});
  pair.RunFor(TimeDelta::Seconds(20));
  pair.a.SampleSeries(pair.now);
  pair.b.SampleSeries(pair.now);
  pair.RunFor(TimeDelta::Seconds(20));
  const Sample sent = pair.a.SampleSeries(pair.now);
  const Sample received = pair.b.SampleSeries(pair.now);
  EXPECT_GT(received.receive_rate, Kbps(600));
  EXPECT_LE(received.receive_rate, Kbps(1000));
  EXPECT_LT(received.receive_queue_delay, Ms(150));
  EXPECT_GT(sent.rtt, Ms(45));
  EXPECT_EQ(sent.interval, TimeDelta::Seconds(20));
}

TEST(EngineTest, SimulcastLayersArriveAsStreamsOfTheirOwn) {
  auto video = VideoStream(200);
  video.encodings = {Encoding{200, 201, "q"}, Encoding{210, 211, "h"}, Encoding{220, 221, "f"}};
  video.encodings[0].scale_down_by = 4;
  video.encodings[1].scale_down_by = 2;
  EngineConfig config = CallEngine(congestion::ControllerKind::kNone);
  config.congestion.limits = {Kbps(5000), Kbps(5000), Kbps(5000)};
  PipeConfig pipe;
  pipe.loss = 0.02;
  Pair pair(config, CallEngine(), pipe, {});
  SendOneWay(pair, {video});
  pair.RunFor(TimeDelta::Seconds(10));
  const EngineStats stats = pair.b.stats(pair.now);
  ASSERT_THAT(stats.inbound_rtp, SizeIs(3));
  const std::vector<std::pair<std::string, uint32_t>> expected = {
      {"q", 320}, {"h", 640}, {"f", 1280}};
  for (const auto& [rid, width] : expected) {
    const auto it = std::find_if(stats.inbound_rtp.begin(), stats.inbound_rtp.end(),
                                 [&rid = rid](const auto& in) { return in.rid == rid; });
    ASSERT_NE(it, stats.inbound_rtp.end()) << rid;
    EXPECT_EQ(it->frame_width, width);
    EXPECT_GT(it->frames_rendered, 270u) << rid;
    EXPECT_EQ(it->frames_corrupt, 0u);
    EXPECT_GT(it->retransmitted_packets_received, 0u) << rid;
    EXPECT_TRUE(it->rtx_ssrc.has_value());
  }
  // Without its rate the upper layers are off.
  pair.a.SetRateLimits(pair.now, {Kbps(100), Kbps(200), Kbps(200)});
  pair.RunFor(TimeDelta::Seconds(2));
  const uint32_t before = pair.a.stats(pair.now).outbound_rtp[2].frames_sent;
  pair.RunFor(TimeDelta::Seconds(2));
  const EngineStats sent = pair.a.stats(pair.now);
  EXPECT_EQ(sent.outbound_rtp[2].frames_sent, before);
  EXPECT_EQ(sent.outbound_rtp[2].quality_limitation_reason, QualityLimitation::kBandwidth);
  EXPECT_GT(sent.outbound_rtp[0].frames_per_second, 25);
}

TEST(EngineTest, LostKeyframeWithoutRetransmissionIsAskedForAgain) {
  auto video = VideoStream(200);
  video.codec.nack = false;
  video.codec.rtx_payload_type.reset();
  video.encodings[0].rtx_ssrc = 0;
  PipeConfig pipe;
  int count = 0;
  pipe.drop = [&](const MediaPacket& packet) { return !packet.rtcp && count++ == 1; };
  Pair pair(CallEngine(), CallEngine(), pipe, {});
  SendOneWay(pair, {video});
  pair.RunFor(TimeDelta::Seconds(5));
  const EngineStats stats = pair.b.stats(pair.now);
  ASSERT_THAT(stats.inbound_rtp, SizeIs(1));
  EXPECT_GE(stats.inbound_rtp[0].pli_count, 1u);
  EXPECT_GT(stats.inbound_rtp[0].frames_rendered, 100u);
  const auto asked = EventsOf<KeyframeRequested>(pair.b_events);
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked[0].reason, KeyframeReason::kNoKeyframeYet);
  EXPECT_GE(pair.a.stats(pair.now).outbound_rtp[0].key_frames_encoded, 2u);
  EXPECT_EQ(pair.a.stats(pair.now).outbound_rtp[0].pli_count, stats.inbound_rtp[0].pli_count);
}

TEST(EngineTest, LossInMidStreamFreezesUntilTheKeyframe) {
  auto video = VideoStream(200);
  std::get<VideoModelConfig>(video.source).adapt_resolution = false;
  video.codec.nack = false;
  video.codec.pli = false;  // leaves FIR
  PipeConfig pipe;
  bool drop = false;
  pipe.drop = [&](const MediaPacket& packet) { return !packet.rtcp && drop; };
  Pair pair(CallEngine(), CallEngine(), pipe, {});
  SendOneWay(pair, {video});
  pair.RunFor(TimeDelta::Seconds(3));
  drop = true;
  pair.RunFor(Ms(300));
  drop = false;
  pair.RunFor(TimeDelta::Seconds(3));
  const InboundRtpStats in = pair.b.stats(pair.now).inbound_rtp[0];
  EXPECT_EQ(in.fir_count, 1u);
  EXPECT_EQ(in.pli_count, 0u);
  EXPECT_EQ(in.freeze_count, 1u);
  EXPECT_NEAR(in.total_freezes_duration, 0.5, 0.25);
  EXPECT_THAT(EventsOf<FreezeStarted>(pair.b_events), SizeIs(1));
  const auto ended = EventsOf<FreezeEnded>(pair.b_events);
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_DOUBLE_EQ(ended[0].duration.seconds(), in.total_freezes_duration);
  EXPECT_EQ(in.key_frames_decoded, 2u);
}

TEST(EngineTest, FecRecoversWithoutRetransmission) {
  struct Case {
    FecKind kind;
    double loss;
  };
  for (const Case c : {Case{FecKind::kUlpfec, 0.03}, Case{FecKind::kFlexfec, 0.03},
                       Case{FecKind::kUlpfec, 0.1}, Case{FecKind::kFlexfec, 0.1}}) {
    SCOPED_TRACE(static_cast<int>(c.kind));
    auto video = VideoStream(200);
    video.codec.nack = false;
    video.fec.kind = c.kind;
    video.fec.payload_type = 116;
    video.fec.red_payload_type = 115;
    video.fec.ssrc = c.kind == FecKind::kFlexfec ? 250 : 0;
    video.fec.protection = 0.5;
    PipeConfig pipe;
    pipe.loss = c.loss;
    Pair pair(CallEngine(congestion::ControllerKind::kNone), CallEngine(), pipe, {});
    SendOneWay(pair, {video});
    pair.RunFor(TimeDelta::Seconds(10));
    const InboundRtpStats in = pair.b.stats(pair.now).inbound_rtp[0];
    EXPECT_GT(in.packets_recovered_by_fec, 20u);
    EXPECT_GT(in.fec_packets_received, 300u);
    EXPECT_EQ(in.frames_corrupt, 0u);
    EXPECT_EQ(in.frames_unverified, 0u);
    EXPECT_GT(in.frames_rendered, c.loss < 0.05 ? 270u : 70u);
    EXPECT_EQ(in.nack_count, 0u);
    EXPECT_GT(pair.a.stats(pair.now).outbound_rtp[0].fec_packets_sent, 300u);
  }
}

TEST(EngineTest, FecAndRetransmissionsWorkTogether) {
  for (const FecKind kind : {FecKind::kUlpfec, FecKind::kFlexfec}) {
    auto video = VideoStream(200);
    video.fec.kind = kind;
    video.fec.payload_type = 116;
    video.fec.red_payload_type = 115;
    video.fec.ssrc = kind == FecKind::kFlexfec ? 250 : 0;
    PipeConfig pipe;
    pipe.loss = 0.1;
    Pair pair(CallEngine(congestion::ControllerKind::kNone), CallEngine(), pipe, {});
    SendOneWay(pair, {video});
    pair.RunFor(TimeDelta::Seconds(10));
    const InboundRtpStats in = pair.b.stats(pair.now).inbound_rtp[0];
    EXPECT_GT(in.packets_recovered_by_fec, 20u);
    EXPECT_GT(in.retransmitted_packets_received, 20u);
    EXPECT_EQ(in.frames_corrupt, 0u);
    EXPECT_GT(in.frames_rendered, 270u);
  }
}

// As Chromium does it: the RED packet as it was, with the payload type that names RED in apt=.
TEST(EngineTest, ARetransmissionOfARedPacketIsTaken) {
  auto video = VideoStream(200);
  video.codec.nack = false;  // nothing else brings back what is lost
  video.fec = {.kind = FecKind::kUlpfec,
               .payload_type = 116,
               .red_payload_type = 115,
               .red_rtx_payload_type = 117};
  video.fec.protection = 0;
  const uint32_t rtx_ssrc = video.encodings[0].rtx_ssrc;
  PipeConfig pipe;
  std::vector<Bytes> again;
  int count = 0;
  pipe.drop = [&](const MediaPacket& packet) {
    const auto view = rtp::PacketView::Parse(packet.bytes);
    if (packet.rtcp || view->payload_type() != 115 || ++count % 10 != 0) return false;
    const auto sequence = static_cast<uint16_t>(again.size());
    again.push_back(rtp::WrapRtx(*view, {.payload_type = 117, .ssrc = rtx_ssrc}, sequence));
    return true;
  };
  Pair pair(CallEngine(congestion::ControllerKind::kNone), CallEngine(), pipe, {});
  pair.b.SetReceiveStreams(pair.now, {ReceiverOf(video, /*signal_ssrcs=*/true)});
  pair.a.SetSendStreams(pair.now, {video});
  pair.Connect();
  std::size_t fed = 0;
  for (int i = 0; i < 200; ++i) {
    pair.RunFor(Ms(10));
    for (; fed < again.size(); ++fed) pair.b.HandleRtp(pair.now, again[fed]);
  }
  const EngineStats stats = pair.b.stats(pair.now);
  EXPECT_EQ(stats.packets_unknown_stream, 0u);
  ASSERT_THAT(stats.inbound_rtp, SizeIs(1));
  EXPECT_GT(fed, 10u);
  EXPECT_EQ(stats.inbound_rtp[0].retransmitted_packets_received, fed);
  EXPECT_EQ(stats.inbound_rtp[0].frames_corrupt, 0u);
  EXPECT_EQ(stats.inbound_rtp[0].pli_count, 0u);
  EXPECT_GT(stats.inbound_rtp[0].frames_rendered, 50u);
}

TEST(EngineTest, ReorderingIsNoLoss) {
  PipeConfig pipe;
  pipe.jitter = Ms(15);
  pipe.reorder = true;
  Pair pair(CallEngine(), CallEngine(), pipe, {});
  SendOneWay(pair, {AudioStream(100), VideoStream(200)});
  pair.RunFor(TimeDelta::Seconds(10));
  const EngineStats stats = pair.b.stats(pair.now);
  const InboundRtpStats in = InboundOf(stats, Kind::kVideo);
  EXPECT_LE(in.packets_lost, 5);  // those overtaken at the end
  EXPECT_EQ(in.frames_corrupt, 0u);
  EXPECT_EQ(in.freeze_count, 0u);
  EXPECT_EQ(in.pli_count, 0u);
  EXPECT_GT(in.frames_rendered, 280u);
}

TEST(EngineTest, PausedStreamGoesOnWithAKeyframe) {
  Pair pair(CallEngine(), CallEngine(), {}, {});
  auto video = VideoStream(200);
  std::get<VideoModelConfig>(video.source).adapt_resolution = false;
  auto audio = AudioStream(100);
  SendOneWay(pair, {audio, video});
  pair.RunFor(TimeDelta::Seconds(3));
  video.active = audio.active = false;
  pair.a.SetSendStreams(pair.now, {audio, video});
  pair.RunFor(Ms(500));
  const uint32_t frames = pair.b.stats(pair.now).inbound_rtp[1].frames_rendered;
  pair.RunFor(TimeDelta::Seconds(6));
  EXPECT_EQ(pair.b.stats(pair.now).inbound_rtp[1].frames_rendered, frames);
  EXPECT_EQ(pair.b.stats(pair.now).inbound_rtp[1].pli_count, 0u);
  video.active = audio.active = true;
  pair.a.SetSendStreams(pair.now, {audio, video});
  pair.RunFor(TimeDelta::Seconds(3));
  const EngineStats stats = pair.b.stats(pair.now);
  const InboundRtpStats in = InboundOf(stats, Kind::kVideo);
  EXPECT_GT(in.frames_rendered, frames + 80);
  EXPECT_EQ(in.key_frames_decoded, 2u);
  EXPECT_EQ(in.pause_count, 1u);
  EXPECT_EQ(in.frames_corrupt, 0u);
  EXPECT_GT(InboundOf(stats, Kind::kAudio).total_samples_received, 48'000u * 5);
}

TEST(EngineTest, AudioAloneWithDiscontinuousTransmission) {
  Pair pair(CallEngine(), CallEngine(), {}, {});
  auto audio = AudioStream(100);
  auto& source = std::get<AudioModelConfig>(audio.source);
  source.talk_spurt = kP59TalkSpurt;
  source.pause = kP59Pause;
  audio.codec.fmtp["usedtx"] = "1";
  SendOneWay(pair, {audio});
  pair.RunFor(TimeDelta::Seconds(60));
  const InboundRtpStats in = pair.b.stats(pair.now).inbound_rtp[0];
  // 3000 frames of 20 ms; about 39 % are speech, and two a second in the pauses.
  EXPECT_NEAR(static_cast<double>(in.packets_received), 1270, 300);
  EXPECT_EQ(in.concealed_samples, 0u);
  EXPECT_EQ(in.packets_discarded, 0u);
  EXPECT_NEAR(static_cast<double>(in.total_samples_received), 60 * 48'000, 0.05 * 60 * 48'000);
  EXPECT_GT(in.total_audio_energy, 0);
}

TEST(EngineTest, LostAudioIsConcealed) {
  PipeConfig pipe;
  pipe.loss = 0.05;
  Pair pair(CallEngine(), CallEngine(), pipe, {});
  SendOneWay(pair, {AudioStream(100)});
  pair.RunFor(TimeDelta::Seconds(20));
  const InboundRtpStats in = pair.b.stats(pair.now).inbound_rtp[0];
  EXPECT_GT(in.packets_lost, 20);
  EXPECT_NEAR(static_cast<double>(in.concealed_samples) / 960, static_cast<double>(in.packets_lost),
              0.4 * static_cast<double>(in.packets_lost));
  EXPECT_GT(in.concealment_events, 20u);
}

TEST(EngineTest, EndedStreamSaysGoodbye) {
  Pair pair(CallEngine(), CallEngine(), {}, {});
  SendOneWay(pair, {AudioStream(100), VideoStream(200)});
  pair.RunFor(TimeDelta::Seconds(2));
  pair.a.Stop(pair.now);
  pair.Drain();
  pair.RunFor(TimeDelta::Seconds(10));
  EXPECT_THAT(EventsOf<RemoteBye>(pair.b_events), SizeIs(2));
  // An ended stream does not freeze and asks for nothing.
  EXPECT_THAT(EventsOf<FreezeStarted>(pair.b_events), IsEmpty());
  EXPECT_EQ(pair.b.stats(pair.now).inbound_rtp[1].pli_count, 0u);
}

TEST(EngineTest, NetworkThatComesBackIsUsedAgain) {
  Pair pair(CallEngine(), CallEngine(), {}, {});
  SendOneWay(pair, {AudioStream(100), VideoStream(200)});
  pair.RunFor(TimeDelta::Seconds(3));
  pair.a.SetNetworkAvailable(pair.now, false);
  const int64_t before = pair.ab.packets;
  pair.RunFor(TimeDelta::Seconds(2));
  EXPECT_EQ(pair.ab.packets, before);
  pair.a.SetNetworkAvailable(pair.now, true);
  const EngineStats before_stats = pair.b.stats(pair.now);
  pair.RunFor(TimeDelta::Seconds(3));
  EXPECT_GT(InboundOf(pair.b.stats(pair.now), Kind::kVideo).frames_rendered,
            InboundOf(before_stats, Kind::kVideo).frames_rendered + 80);
}

TEST(EngineTest, AReceiverMeasuresTheRoundTripItself) {
  PipeConfig far;
  far.delay = Ms(80);
  Pair pair(CallEngine(), CallEngine(), far, {});
  SendOneWay(pair, {AudioStream(100), VideoStream(200)});
  pair.RunFor(TimeDelta::Seconds(10));
  const EngineStats stats = pair.b.stats(pair.now);
  ASSERT_THAT(stats.remote_outbound_rtp, SizeIs(2));
  const auto& remote = stats.remote_outbound_rtp[0];
  ASSERT_TRUE(remote.round_trip_time.has_value());
  EXPECT_NEAR(*remote.round_trip_time, 0.105, 0.002);
  EXPECT_GT(remote.reports_sent, 5u);
  EXPECT_GT(remote.packets_sent, 300u);
  EXPECT_NEAR((remote.timestamp - remote.remote_timestamp).seconds(), 0.080, 0.001);
  EXPECT_NEAR(pair.b.SampleSeries(pair.now).rtt.seconds(), 0.105, 0.002);
}

TEST(EngineTest, CompoundRtcpWorksWithoutReducedSize) {
  EngineConfig config = CallEngine();
  config.reduced_size_rtcp = false;
  PipeConfig pipe;
  pipe.loss = 0.03;
  int reduced = 0;
  PipeConfig back;
  back.drop = [&](const MediaPacket& packet) {
    reduced += packet.rtcp && packet.bytes[1] != 200 && packet.bytes[1] != 201;
    return false;
  };
  Pair pair(config, config, pipe, back);
  SendOneWay(pair, {AudioStream(100), VideoStream(200)});
  pair.RunFor(TimeDelta::Seconds(5));
  EXPECT_EQ(reduced, 0);
  EXPECT_GT(InboundOf(pair.b.stats(pair.now), Kind::kVideo).frames_rendered, 130u);
  EXPECT_EQ(pair.a.stats(pair.now).rtcp_malformed, 0u);
}

TEST(EngineTest, StreamsAddedLaterShareTheRateAndLeaveTheOthersAlone) {
  EngineConfig config = CallEngine(congestion::ControllerKind::kNone);
  config.congestion.limits = {Kbps(1500), Kbps(1500), Kbps(1500)};
  Pair pair(config, CallEngine(), {}, {});
  const auto one = VideoStream(200);
  auto two = VideoStream(300);
  two.mid = "2";
  pair.b.SetReceiveStreams(pair.now, {ReceiverOf(one), ReceiverOf(two)});
  pair.a.SetSendStreams(pair.now, {one});
  pair.Connect();
  pair.RunFor(TimeDelta::Seconds(5));
  EXPECT_GT(pair.a.stats(pair.now).outbound_rtp[0].target_bitrate, 1'200'000);
  pair.a.SetSendStreams(pair.now, {one, two});
  pair.RunFor(TimeDelta::Seconds(5));
  const EngineStats sent = pair.a.stats(pair.now);
  EXPECT_NEAR(sent.outbound_rtp[0].target_bitrate, 690'000, 30'000);
  EXPECT_NEAR(sent.outbound_rtp[1].target_bitrate, sent.outbound_rtp[0].target_bitrate, 1);
  const EngineStats received = pair.b.stats(pair.now);
  ASSERT_THAT(received.inbound_rtp, SizeIs(2));
  EXPECT_EQ(received.inbound_rtp[1].mid, "2");
  EXPECT_NEAR(received.inbound_rtp[0].frames_rendered, 300, 15);
  EXPECT_NEAR(received.inbound_rtp[1].frames_rendered, 150, 10);
  EXPECT_EQ(received.inbound_rtp[0].freeze_count, 0u);
  EXPECT_THAT(EventsOf<RemoteBye>(pair.b_events), IsEmpty());
  const auto mapped = EventsOf<RemoteSsrcMapped>(pair.b_events);
  ASSERT_GE(mapped.size(), 2u);
  EXPECT_EQ(mapped[0].by, RemoteSsrcMapped::By::kMid);
}

TEST(EngineTest, MarksOfCongestionAreReportedByRfc8888) {
  Pair pair(CallEngine(congestion::ControllerKind::kScream), CallEngine(), {}, {});
  pair.ecn = 3;
  SendOneWay(pair, {VideoStream(200, Feedback::kCongestionControl)});
  pair.RunFor(TimeDelta::Seconds(10));
  const InboundRtpStats in = InboundOf(pair.b.stats(pair.now), Kind::kVideo);
  EXPECT_GT(in.packets_received_with_ce, 50u);
  // SCReAM takes each mark for congestion: it stays low on a path that has room.
  EXPECT_LT(pair.a.stats(pair.now).available_outgoing_bitrate, 900'000);
}

TEST(EngineTest, WithoutStreamsNothingHappens) {
  Pair pair(CallEngine(), CallEngine(), {}, {});
  pair.Connect();
  EXPECT_TRUE(pair.a.NextTimeout().IsInfinite());
  pair.RunFor(TimeDelta::Seconds(5));
  EXPECT_EQ(pair.steps, 0);
  EXPECT_EQ(pair.ab.packets, 0);
  // Streams that come later find the controller at its start.
  SendOneWay(pair, {VideoStream(200)});
  pair.RunFor(TimeDelta::Seconds(3));
  EXPECT_GT(pair.a.stats(pair.now).available_outgoing_bitrate, 1'000'000);
  EXPECT_GT(InboundOf(pair.b.stats(pair.now), Kind::kVideo).frames_rendered, 80u);
}

TEST(EngineTest, OtherCodecsOfTheSectionAreNotPlayed) {
  Pair pair(CallEngine(), CallEngine(), {}, {});
  const auto audio = AudioStream(100);
  auto receiver = ReceiverOf(audio);
  CodecConfig events;
  events.name = "telephone-event";
  events.payload_type = 126;
  receiver.codecs.push_back(events);
  pair.b.SetReceiveStreams(pair.now, {receiver});
  pair.a.SetSendStreams(pair.now, {audio});
  pair.Connect();
  rtp::PacketBuilder foreign({false, 126, 9, 9, 999});
  foreign.AppendPayload(AsBytes("tone"));
  pair.b.HandleRtp(pair.now, foreign.Build());
  pair.RunFor(TimeDelta::Seconds(1));
  rtp::PacketBuilder own({false, 126, 0, 0, 100});
  own.AppendPayload(AsBytes("tone"));
  pair.b.HandleRtp(pair.now, own.Build());
  pair.RunFor(TimeDelta::Seconds(1));
  const EngineStats stats = pair.b.stats(pair.now);
  ASSERT_THAT(stats.inbound_rtp, SizeIs(1));
  EXPECT_EQ(stats.inbound_rtp[0].frames_unverified, 0u);
  EXPECT_EQ(stats.packets_unknown_stream, 1u);
}

TEST(EngineTest, GarbageIsCountedAndNothingElseHappens) {
  Pair pair(CallEngine(), CallEngine(), {}, {});
  SendOneWay(pair, {AudioStream(100), VideoStream(200)});
  Rng rng(5);
  for (int i = 0; i < 2000; ++i) {
    Bytes bytes(rng.Uniform(0, 200));
    rng.Fill(bytes);
    if (!bytes.empty()) bytes[0] = static_cast<uint8_t>((bytes[0] & 0x3f) | 0x80);
    pair.b.HandleRtp(pair.now, bytes);
    pair.b.HandleRtcp(pair.now, bytes);
    pair.a.HandleRtcp(pair.now, bytes);
  }
  pair.Drain();
  pair.RunFor(TimeDelta::Seconds(3));
  const EngineStats stats = pair.b.stats(pair.now);
  EXPECT_GT(stats.packets_malformed + stats.packets_unknown_stream, 1000u);
  EXPECT_GT(stats.rtcp_malformed, 1000u);
  uint32_t rendered = 0;
  for (const auto& inbound : stats.inbound_rtp) {
    rendered = std::max(rendered, inbound.frames_rendered);
  }
  EXPECT_GT(rendered, 80u);
}

}  // namespace
}  // namespace rtclab::media
