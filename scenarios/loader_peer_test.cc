// What media, data, actions, background traffic and windows of a scenario become.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/test_util.h"

namespace rtclab::scenarios {
namespace {

using testing::ElementsAre;

RunSpec OneRun(const std::string& text) {
  LoadResult result = LoadText(text, "t.json");
  for (const Diagnostic& d : result.diagnostics) ADD_FAILURE() << d.ToString();
  if (result.runs.size() != 1) {
    ADD_FAILURE() << result.runs.size() << " runs";
    return {};
  }
  return std::move(result.runs[0]);
}

RunSpec WithSession(const std::string& rest) {
  return OneRun(R"({"hosts": {"a": "internet", "b": "internet"},
    "sessions": {"s": {"between": ["a", "b"], )" +
                rest + "}}}");
}

TEST(LoaderPeerTest, ASessionWithoutMediaAndDataIsIceAlone) {
  EXPECT_FALSE(WithSession(R"("start": "0 s")").sessions.at(0).peer);
  EXPECT_FALSE(WithSession(R"("media": false, "data": false)").sessions.at(0).peer);
}

TEST(LoaderPeerTest, TrueTakesEveryDefault) {
  const RunSpec run = WithSession(R"("media": true, "data": true)");
  ASSERT_TRUE(run.sessions.at(0).peer);
  const PeerSpec& peer = *run.sessions[0].peer;
  ASSERT_TRUE(peer.media);
  EXPECT_TRUE(peer.media->audio && peer.media->video && peer.media->from_a && peer.media->from_b);
  EXPECT_EQ(peer.media->max_rate, DataRate::KilobitsPerSec(2500));
  EXPECT_EQ(peer.media->duration, TimeDelta::Seconds(10));
  EXPECT_EQ(peer.media->fec, "none");
  EXPECT_EQ(peer.media->feedback, "transport-cc");
  ASSERT_EQ(peer.channels.size(), 1u);
  EXPECT_EQ(peer.channels[0].label, "data");
  EXPECT_EQ(peer.channels[0].amount, 0);
  EXPECT_TRUE(peer.channels[0].from_a);
  EXPECT_FALSE(peer.channels[0].from_b);
  EXPECT_EQ(peer.controller_a, "gcc");
  EXPECT_EQ(peer.controller_b, "gcc");
  EXPECT_EQ(peer.sample_interval, TimeDelta::Millis(100));
  EXPECT_FALSE(peer.wrong_fingerprint);
}

TEST(LoaderPeerTest, EveryKeyOfMedia) {
  const RunSpec run = WithSession(R"("media": {
      "audio": {"rate": "20 kbit/s", "dtx": true},
      "video": {"streams": 2, "layers": 3, "fps": 15, "content": "screen"},
      "from": ["b"], "min_rate": "50 kbit/s", "start_rate": "400 kbit/s", "max_rate": "1.5 Mbit/s",
      "fec": "flexfec", "nack": false, "encrypted_extensions": true, "feedback": "ccfb", "duration": "3 s"},
      "controller": {"b": "nada"}, "sample_interval": "50 ms",
      "dtls": {"srtp_profiles": ["SRTP_AES128_CM_SHA1_80"], "wrong_fingerprint": true})");
  const PeerSpec& peer = *run.sessions.at(0).peer;
  const MediaSpec& media = *peer.media;
  EXPECT_EQ(media.audio_rate, DataRate::KilobitsPerSec(20));
  EXPECT_TRUE(media.dtx);
  EXPECT_EQ(media.video_streams, 2);
  EXPECT_EQ(media.layers, 3);
  EXPECT_EQ(media.fps, 15);
  EXPECT_EQ(media.content, MediaSpec::Content::kScreen);
  EXPECT_FALSE(media.from_a);
  EXPECT_TRUE(media.from_b);
  EXPECT_EQ(media.min_rate, DataRate::KilobitsPerSec(50));
  EXPECT_EQ(media.start_rate, DataRate::KilobitsPerSec(400));
  EXPECT_EQ(media.max_rate, DataRate::KilobitsPerSec(1500));
  EXPECT_EQ(media.fec, "flexfec");
  EXPECT_FALSE(media.nack);
  EXPECT_TRUE(media.encrypted_extensions);
  EXPECT_EQ(media.feedback, "ccfb");
  EXPECT_EQ(media.duration, TimeDelta::Seconds(3));
  EXPECT_EQ(peer.controller_a, "gcc");
  EXPECT_EQ(peer.controller_b, "nada");
  EXPECT_EQ(peer.sample_interval, TimeDelta::Millis(50));
  EXPECT_THAT(peer.srtp_profiles, ElementsAre("SRTP_AES128_CM_SHA1_80"));
  EXPECT_TRUE(peer.wrong_fingerprint);
}

TEST(LoaderPeerTest, TheStartRateMovesBetweenLimitsThatLeaveItOut) {
  const auto start = [](const std::string& limits) {
    return WithSession(R"("media": {)" + limits + "}").sessions.at(0).peer->media->start_rate;
  };
  EXPECT_EQ(start(R"("max_rate": "200 kbit/s")"), DataRate::KilobitsPerSec(200));
  EXPECT_EQ(start(R"("min_rate": "500 kbit/s")"), DataRate::KilobitsPerSec(500));
  EXPECT_EQ(start(R"("min_rate": "300 kbit/s", "max_rate": "300 kbit/s")"),
            DataRate::KilobitsPerSec(300));
}

TEST(LoaderPeerTest, EveryKeyOfADataChannel) {
  const RunSpec run = WithSession(R"("data": [
      {"label": "bulk", "from": ["a", "b"], "amount": "1 MiB", "message_size": "64 KiB", "priority": 512},
      {"ordered": false, "max_retransmits": 0, "rate": "1 Mbit/s", "start": "2 s"},
      {"max_lifetime": "150 ms"}])");
  const std::vector<ChannelSpec>& channels = run.sessions.at(0).peer->channels;
  ASSERT_EQ(channels.size(), 3u);
  EXPECT_FALSE(run.sessions[0].peer->media);
  EXPECT_EQ(channels[0].label, "bulk");
  EXPECT_TRUE(channels[0].from_a && channels[0].from_b);
  EXPECT_EQ(channels[0].amount, 1 << 20);
  EXPECT_EQ(channels[0].message_size, 1 << 16);
  EXPECT_EQ(channels[0].priority, 512);
  EXPECT_TRUE(channels[0].ordered);
  EXPECT_EQ(channels[1].label, "data-2");
  EXPECT_FALSE(channels[1].ordered);
  EXPECT_EQ(channels[1].max_retransmits, 0);
  EXPECT_EQ(channels[1].rate, DataRate::KilobitsPerSec(1000));
  EXPECT_EQ(channels[1].start, TimeDelta::Seconds(2));
  EXPECT_EQ(channels[2].label, "data-3");
  EXPECT_EQ(channels[2].max_lifetime, TimeDelta::Millis(150));
}

TEST(LoaderPeerTest, ActionsOfPeersAndLinks) {
  const RunSpec run = OneRun(R"({"networks": {"n": {"link": {"rate": "1 Mbit/s"}}},
    "hosts": {"a": "n", "b": "internet"},
    "sessions": {"s": {"between": ["a", "b"], "media": true, "actions": [
      {"at": "1 s", "do": "set-link", "network": "n", "rate": "500 kbit/s", "direction": "down"},
      {"at": "2 s", "do": "set-link", "host": "b", "delay": "40 ms", "loss": "2 %"},
      {"at": "3 s", "do": "media-pause", "host": "b"},
      {"at": "4 s", "do": "media-resume", "host": "b"},
      {"at": "5 s", "do": "add-video", "host": "a"},
      {"at": "6 s", "do": "close", "host": "a"}]}}})");
  const std::vector<ActionSpec>& actions = run.sessions.at(0).actions;
  ASSERT_EQ(actions.size(), 6u);
  EXPECT_EQ(actions[0].kind, ActionSpec::Kind::kSetLink);
  EXPECT_EQ(actions[0].target, "n");
  EXPECT_EQ(actions[0].rate, DataRate::KilobitsPerSec(500));
  EXPECT_FALSE(actions[0].delay || actions[0].loss || actions[0].up);
  EXPECT_TRUE(actions[0].down);
  EXPECT_TRUE(actions[1].up && actions[1].down);
  EXPECT_EQ(actions[1].delay, TimeDelta::Millis(40));
  EXPECT_EQ(actions[1].loss, 0.02);
  EXPECT_EQ(actions[2].kind, ActionSpec::Kind::kMediaPause);
  EXPECT_EQ(actions[3].kind, ActionSpec::Kind::kMediaResume);
  EXPECT_EQ(actions[4].kind, ActionSpec::Kind::kAddVideo);
  EXPECT_EQ(actions[5].kind, ActionSpec::Kind::kClose);
  EXPECT_EQ(actions[5].target, "a");
}

TEST(LoaderPeerTest, FlowsMakeTheHostsOfTcpNs3s) {
  const RunSpec run =
      OneRun(R"({"hosts": {"a": "internet", "b": "internet", "c": "internet", "d": "internet"},
    "sessions": {"s": {"between": ["a", "b"]}},
    "flows": {
      "noise": {"type": "udp", "from": "a", "to": "b", "rate": "300 kbit/s", "start": "1 s", "stop": "2 s"},
      "bulk": {"type": "tcp", "from": "c", "to": "d", "amount": "2 MB"},
      "web": {"type": "tcp", "from": "d", "to": "c", "files": ["100 kB", "1 MB"], "idle": "10 s", "starts_idle": true}}})");
  ASSERT_EQ(run.flows.size(), 3u);
  EXPECT_EQ(run.flows[0].name, "noise");
  EXPECT_EQ(run.flows[0].kind, FlowSpec::Kind::kUdp);
  EXPECT_EQ(run.flows[0].rate, DataRate::KilobitsPerSec(300));
  EXPECT_EQ(run.flows[0].start, TimeDelta::Seconds(1));
  EXPECT_EQ(run.flows[0].stop, TimeDelta::Seconds(2));
  EXPECT_EQ(run.flows[1].amount, 2'000'000);
  EXPECT_EQ(run.flows[2].file_min, 100'000);
  EXPECT_EQ(run.flows[2].file_max, 1'000'000);
  EXPECT_EQ(run.flows[2].idle_mean, TimeDelta::Seconds(10));
  EXPECT_TRUE(run.flows[2].starts_idle);
  EXPECT_FALSE(run.network.hosts[0].ns3_stack || run.network.hosts[1].ns3_stack);
  EXPECT_TRUE(run.network.hosts[2].ns3_stack && run.network.hosts[3].ns3_stack);
}

// A number below one of the smallest unit is no nothing: a rate or a size of zero would never end.
TEST(LoaderPeerTest, RatesAndSizesRoundToAtLeastOne) {
  const RunSpec run = OneRun(R"({"hosts": {"a": "internet", "b": "internet"},
    "sessions": {"s": {"between": ["a", "b"], "data": {"amount": "0.1 B", "rate": "0.1 bit/s"}}},
    "flows": {"f": {"type": "tcp", "from": "a", "to": "b", "files": ["0.2 B", "1.6 B"]}}})");
  EXPECT_EQ(run.sessions.at(0).peer->channels.at(0).amount, 1);
  EXPECT_EQ(run.sessions[0].peer->channels[0].rate, DataRate::BitsPerSec(1));
  EXPECT_EQ(run.flows.at(0).file_min, 1);
  EXPECT_EQ(run.flows[0].file_max, 2);
}

TEST(LoaderPeerTest, QueueDelayIsBytesOfEachDirectionsRate) {
  const RunSpec run = OneRun(R"({"networks": {
      "n": {"link": {"rate": "1 Mbit/s", "queue_delay": "300 ms", "up": {"rate": "2 Mbit/s"}}},
      "m": {"link": {"up": {"rate": "1 Mbit/s", "queue_delay": "1 ms"}, "queue_packets": 7}},
      "o": {"link": {"preset": "dsl", "queue_delay": "100 ms", "down": {"queue_delay": "50 ms", "queue_packets": 9}}}},
    "hosts": {"a": "n", "b": "m"}})");
  const auto& lans = run.network.lans;
  EXPECT_EQ(lans.at(0).uplink.down.queue_bytes, 37'500);
  EXPECT_EQ(lans[0].uplink.up.queue_bytes, 75'000);
  EXPECT_EQ(lans[0].uplink.up.queue_packets, 1'000'000);  // bytes are the limit
  EXPECT_EQ(lans[1].uplink.up.queue_bytes, 1500);         // a packet may always wait
  EXPECT_EQ(lans[1].uplink.up.queue_packets, 7);
  EXPECT_EQ(lans[1].uplink.down.queue_bytes, 0);
  EXPECT_EQ(lans[2].uplink.up.queue_bytes, 12'500);    // 1 Mbit/s
  EXPECT_EQ(lans[2].uplink.down.queue_bytes, 75'000);  // 12 Mbit/s
  EXPECT_EQ(lans[2].uplink.down.queue_packets, 9);
}

TEST(LoaderPeerTest, WindowsBecomeAnExpectationAKey) {
  const RunSpec run = OneRun(R"({"hosts": {"a": "internet", "b": "internet"},
    "sessions": {"s": {"between": ["a", "b"], "media": true}},
    "expect": {"because": "x", "s": {"first_media": {"max": "1 s"}, "windows": [
      {"from": "0 s", "to": "5 s", "throughput": {"min": "1 Mbit/s"}, "utilisation": {"equals": "80 %", "tolerance": "5 %"}},
      {"from": "1 s", "to": "2 s", "sender": "b", "recovery_to": "70 %", "because": "y",
       "recovery_time": {"max": "500 ms"}, "frames": {"equals": 30, "tolerance": "10 %"},
       "send_rate": {"equals": "2 Mbit/s", "tolerance": "100 kbit/s"}}]}}})");
  ASSERT_EQ(run.expectations.size(), 6u);
  EXPECT_EQ(run.expectations[0].key, "first_media");
  EXPECT_FALSE(run.expectations[0].window);
  const Expectation& throughput = run.expectations[1];
  EXPECT_EQ(throughput.pointer, "/expect/s/windows/0/throughput");
  EXPECT_EQ(throughput.because, "x");
  EXPECT_EQ(throughput.value, Json({{"min", 1e6}}));
  EXPECT_EQ(throughput.window->sender, "a");
  EXPECT_EQ(throughput.window->to, TimeDelta::Seconds(5));
  EXPECT_EQ(throughput.window->recovery_to, 0.8);
  // The tolerance of a share is in percentage points; of anything else a percentage is one of it.
  EXPECT_EQ(run.expectations[2].value, Json({{"equals", 0.8}, {"tolerance", 0.05}}));
  const Expectation& recovery = run.expectations[3];
  EXPECT_EQ(recovery.pointer, "/expect/s/windows/1/recovery_time");
  EXPECT_EQ(recovery.because, "y");
  EXPECT_EQ(recovery.value, Json({{"max", 500.0}}));
  EXPECT_EQ(recovery.window->sender, "b");
  EXPECT_EQ(recovery.window->from, TimeDelta::Seconds(1));
  EXPECT_EQ(recovery.window->recovery_to, 0.7);
  EXPECT_EQ(run.expectations[4].value, Json({{"equals", 30}, {"tolerance", 3.0}}));
  EXPECT_EQ(run.expectations[5].value, Json({{"equals", 2e6}, {"tolerance", 1e5}}));
}

// Also where `when` leaves the entry out: a file's mistakes are all of its runs'.
TEST(LoaderPeerTest, WindowsOfAnEntryThatDoesNotApplyAreCheckedAndLeftOut) {
  const auto text = [](const std::string& window) {
    return R"({"matrix": {"cartesian": {"x": [1, 2]}}, "hosts": {"a": "internet", "b": "internet"},
      "sessions": {"s": {"between": ["a", "b"], "media": true}},
      "expect": {"when": {"x": 2}, "s": {"windows": [)" +
           window + "]}}}";
  };
  const LoadResult good = LoadText(text(R"({"from": "0 s", "to": "1 s", "frames": 1})"), "t.json");
  ASSERT_EQ(good.runs.size(), 2u);
  EXPECT_TRUE(good.runs[0].expectations.empty());
  EXPECT_EQ(good.runs[1].expectations.size(), 1u);
  EXPECT_THAT(Complaints(text(R"({"from": "1 s", "to": "1 s", "frames": 1})")),
              testing::HasSubstr("ends before it begins"));
}

}  // namespace
}  // namespace rtclab::scenarios
