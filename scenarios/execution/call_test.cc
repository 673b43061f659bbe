// Small calls, a few virtual seconds each: what a session of peer connections does and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/json.h"
#include "scenarios/execution/spec_for_test.h"
#include "scenarios/executor.h"

namespace rtclab::scenarios {
namespace {

using testing::HasSubstr;

MediaSpec MediaFor(int64_t ms, bool video = true) {
  MediaSpec media;
  media.duration = TimeDelta::Millis(ms);
  media.video = video;
  return media;
}

ChannelSpec Bulk(int64_t amount) {
  ChannelSpec channel;
  channel.label = "bulk";
  channel.amount = amount;
  return channel;
}

// Two NATed homes with 10 ms each; alice's has 3 Mbit/s.
RunSpec CallOf(std::optional<MediaSpec> media, std::vector<ChannelSpec> channels = {}) {
  RunSpec spec = TwoHosts(PortRestricted(), PortRestricted());
  sim::LinkSpec& link = spec.network.lans[0].uplink;
  link.up.rate = link.down.rate = DataRate::MegabitsPerSec(3);
  link.up.queue_bytes = link.down.queue_bytes = 75'000;  // 200 ms
  PeerSpec& peer = spec.sessions[0].peer.emplace();
  peer.media = std::move(media);
  peer.channels = std::move(channels);
  spec.max_duration = TimeDelta::Seconds(90);
  return spec;
}

void AddAction(RunSpec& spec, ActionSpec::Kind kind, int64_t at_ms, const std::string& target) {
  spec.sessions[0].actions.push_back(
      {.kind = kind, .at = TimeDelta::Millis(at_ms), .target = target});
}

struct Ran {
  Outcome outcome;
  results::Session session;
  double end_ms = 0;

  explicit Ran(const RunSpec& spec) : outcome(Execute(spec, {})) {
    EXPECT_NE(outcome.run.verdict, results::Verdict::kError) << outcome.run.error;
    session = outcome.run.sessions.at(0);
    end_ms = outcome.run.network.at("virtual_ms").get<double>();
  }
  std::string failure() const {
    const auto found = session.extra.find("failure");
    return found == session.extra.end() ? "" : (*found)["reason"].get<std::string>();
  }
  const results::Json& transfer(std::size_t i = 0) const {
    return session.extra.at("data_channels").at(i);
  }
  // Streams that a host sent, and frames or packets that arrived of them.
  std::size_t StreamsFrom(const std::string& host, const std::string& kind) const {
    std::size_t count = 0;
    for (const results::Json& stream : session.extra.at("media"))
      count += stream["from"] == host && stream["kind"] == kind && stream["packets_received"] > 10;
    return count;
  }
  // bit/s from a host in [from, to) ms, mean.
  double Rate(const std::string& host, double from_ms, double to_ms) const {
    double sum = 0;
    int count = 0;
    for (const results::SeriesPoint& p : outcome.series) {
      if (p.from != host || p.time_ms <= from_ms || p.time_ms > to_ms) continue;
      sum += p.receive_bps;
      ++count;
    }
    return count == 0 ? 0 : sum / count;
  }
};

TEST(CallTest, MediaAndDataTogether) {
  ChannelSpec both = Bulk(100'000);
  both.from_b = true;
  const Ran ran(CallOf(MediaFor(1500), {both}));
  EXPECT_EQ(ran.session.state, "connected");
  EXPECT_EQ(ran.failure(), "");
  const results::TimingMs& t = ran.session.timing_ms;
  ASSERT_TRUE(t.ice_connected && t.dtls_connected && t.data_channel_open && t.first_media);
  EXPECT_LT(*t.dtls_connected, *t.data_channel_open);
  EXPECT_LT(*t.dtls_connected, *t.first_media);
  EXPECT_NEAR(ran.end_ms, *t.dtls_connected + 1500, 50);
  for (const char* host : {"alice", "bob"}) {
    EXPECT_EQ(ran.StreamsFrom(host, "audio"), 1u) << host;
    EXPECT_EQ(ran.StreamsFrom(host, "video"), 1u) << host;
  }
  ASSERT_EQ(ran.session.extra.at("data_channels").size(), 2u);
  for (const std::size_t i : {0u, 1u}) {
    EXPECT_EQ(ran.transfer(i)["intact"], true);
    EXPECT_EQ(ran.transfer(i)["bytes_received"], 100'000);
  }
  EXPECT_EQ(ran.session.extra.at("paths").size(), 2u);
  EXPECT_EQ(ran.session.extra.at("transport").at("srtp_profile"), "SRTP_AEAD_AES_128_GCM");
  // A point a direction and interval, in order.
  EXPECT_GE(ran.outcome.series.size(), 2u * 15);
  for (const results::SeriesPoint& p : ran.outcome.series) {
    EXPECT_DOUBLE_EQ(p.interval_ms, 100);
    EXPECT_EQ(p.capacity_bps, 3e6);
    EXPECT_LE(p.data_receive_bps, p.receive_bps);
  }
}

TEST(CallTest, DataAloneEndsWhenItHasArrived) {
  const Ran ran(CallOf(std::nullopt, {Bulk(300'000)}));
  EXPECT_EQ(ran.session.state, "connected");
  EXPECT_FALSE(ran.session.timing_ms.first_media);
  EXPECT_FALSE(ran.session.extra.contains("media"));
  EXPECT_EQ(ran.transfer()["intact"], true);
  EXPECT_EQ(ran.transfer()["messages"], 19);
  EXPECT_LT(ran.end_ms, 3000);
  // Nothing is faster than the link.
  EXPECT_LT(ran.transfer()["throughput_bps"].get<double>(), 3e6);
  EXPECT_GT(ran.transfer()["throughput_bps"].get<double>(), 1e6);
}

TEST(CallTest, EveryKindOfChannelKeepsItsPromiseOnALossyLink) {
  ChannelSpec reliable = Bulk(60'000), unordered = Bulk(60'000), partial = Bulk(60'000),
              timed = Bulk(60'000);
  unordered.label = "unordered";
  unordered.ordered = false;
  partial.label = "partial";
  partial.max_retransmits = 0;
  timed.label = "timed";
  timed.max_lifetime = TimeDelta::Millis(50);
  for (ChannelSpec* c : {&reliable, &unordered, &partial, &timed}) {
    c->message_size = 1000;
    c->rate = DataRate::KilobitsPerSec(480);
  }
  RunSpec spec = CallOf(std::nullopt, {reliable, unordered, partial, timed});
  spec.network.lans[1].uplink.down.loss = 0.1;
  const Ran ran(spec);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(ran.transfer(i)["intact"], true) << i;
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(ran.transfer(i)["messages_received"], 60) << i;
  EXPECT_LT(ran.transfer(2)["messages_received"], 60);
  EXPECT_GT(ran.transfer(2)["messages_received"], 40);
  EXPECT_LT(ran.end_ms, 20'000);
}

// Messages as large as this are more than the sender keeps waiting: room for the next one is no reason to be early.
TEST(CallTest, ARateIsKeptWhateverTheSizeOfItsMessages) {
  for (const int64_t size : {2'000, 300'000}) {
    ChannelSpec channel = Bulk(600'000);
    channel.message_size = size;
    channel.rate = DataRate::KilobitsPerSec(1200);
    const Ran ran(CallOf(std::nullopt, {channel}));
    EXPECT_EQ(ran.transfer()["intact"], true);
    // 600,000 bytes take 4 s; the last message leaves a turn before that, and takes as long as the link needs.
    const double turn = static_cast<double>(size) * 8 / 1200;
    EXPECT_GT(ran.transfer()["transfer_ms"].get<double>(), 4000 - turn) << size;
    EXPECT_LT(ran.transfer()["transfer_ms"].get<double>(), 4300) << size;
  }
}

// The last messages of an unreliable transfer are lost and nothing more happens: the session still ends.
TEST(CallTest, ATransferWhoseEndIsLostIsOver) {
  ChannelSpec channel = Bulk(20'000);
  channel.message_size = 1000;
  channel.rate = DataRate::KilobitsPerSec(80);  // ten a second
  channel.max_retransmits = 0;
  RunSpec spec = CallOf(std::nullopt, {channel});
  spec.sessions[0].a.ice.consent = spec.sessions[0].b.ice.consent = false;
  spec.sessions[0].actions.push_back({.kind = ActionSpec::Kind::kSetLink,
                                      .at = TimeDelta::Millis(1800),
                                      .target = "b",
                                      .loss = 1.0});
  const Ran ran(spec);
  EXPECT_EQ(ran.transfer()["messages_sent"], 20);
  EXPECT_LT(ran.transfer()["messages_received"], 20);
  EXPECT_EQ(ran.transfer()["intact"], true);
  EXPECT_LT(ran.end_ms, 6000);
}

TEST(CallTest, MediaOneWay) {
  MediaSpec media = MediaFor(1000);
  media.from_a = false;
  const Ran ran(CallOf(media));
  EXPECT_EQ(ran.session.state, "connected");
  EXPECT_TRUE(ran.session.timing_ms.first_media);
  EXPECT_EQ(ran.StreamsFrom("alice", "video"), 0u);
  EXPECT_EQ(ran.StreamsFrom("bob", "video"), 1u);
  ASSERT_EQ(ran.session.extra.at("paths").size(), 1u);
  EXPECT_EQ(ran.session.extra.at("paths")[0]["from"], "bob");
}

TEST(CallTest, SimulcastDtxFecAndControllers) {
  MediaSpec media = MediaFor(1500);
  media.layers = 3;
  media.dtx = true;
  media.fec = "flexfec";
  media.feedback = "ccfb";
  RunSpec spec = CallOf(media);
  spec.sessions[0].peer->controller_a = "scream";
  spec.sessions[0].peer->controller_b = "nada";
  spec.sessions[0].peer->srtp_profiles = {"SRTP_AES128_CM_SHA1_80"};
  const Ran ran(spec);
  EXPECT_EQ(ran.session.state, "connected");
  std::vector<std::string> rids;
  for (const results::Json& stream : ran.session.extra.at("media")) {
    if (stream.contains("rid")) rids.push_back(stream["rid"].get<std::string>());
  }
  // The rate may not be enough for the third yet.
  EXPECT_THAT(rids, testing::IsSupersetOf({"l", "m"}));
  EXPECT_EQ(ran.session.extra.at("paths")[0]["controller"], "scream");
  EXPECT_EQ(ran.session.extra.at("transport").at("srtp_profile"), "SRTP_AES128_CM_SHA1_80");
}

TEST(CallTest, CloseEndsTheSessionWhateverElseWasToHappen) {
  RunSpec spec = CallOf(MediaFor(10'000));
  AddAction(spec, ActionSpec::Kind::kClose, 1000, "bob");
  AddAction(spec, ActionSpec::Kind::kIceRestart, 1100, "bob");
  AddAction(spec, ActionSpec::Kind::kAddVideo, 1200, "bob");
  AddAction(spec, ActionSpec::Kind::kMediaPause, 1300, "alice");
  AddAction(spec, ActionSpec::Kind::kClose, 1400, "bob");
  spec.min_duration = TimeDelta::Seconds(2);
  const Ran ran(spec);
  EXPECT_EQ(ran.session.state, "connected");
  EXPECT_EQ(ran.failure(), "") << "a close is no failure, also not at the other end";
  EXPECT_NEAR(ran.end_ms, 2000, 1);
  EXPECT_LE(ran.outcome.series.back().time_ms, 1000);
  EXPECT_EQ(ran.StreamsFrom("alice", "audio"), 1u) << "as it was when the connection closed";
}

TEST(CallTest, CloseBeforeTheConnectionIsANamedFailure) {
  RunSpec spec = CallOf(MediaFor(10'000));
  AddAction(spec, ActionSpec::Kind::kClose, 50, "alice");
  const Ran ran(spec);
  EXPECT_EQ(ran.session.state, "failed");
  EXPECT_EQ(ran.failure(), "closed");
  EXPECT_THAT(ran.session.why.text, HasSubstr("alice closed its connection"));
  EXPECT_NEAR(ran.end_ms, 50, 1);
}

// One side, the other, and both at once with offers that cross (glare).
TEST(CallTest, VideoIsAddedMidCall) {
  for (const auto& hosts : {std::vector<std::string>{"alice"}, {"bob"}, {"alice", "bob"}}) {
    RunSpec spec = CallOf(MediaFor(2000, false));
    spec.sessions[0].signalling_delay = TimeDelta::Millis(50);
    for (const std::string& host : hosts) AddAction(spec, ActionSpec::Kind::kAddVideo, 800, host);
    const Ran ran(spec);
    EXPECT_EQ(ran.failure(), "");
    for (const std::string& host : hosts) EXPECT_EQ(ran.StreamsFrom(host, "video"), 1u) << host;
    EXPECT_EQ(ran.StreamsFrom("alice", "audio"), 1u);
  }
}

TEST(CallTest, RestartsFromBothSidesAtOnceConnectAgain) {
  RunSpec spec = CallOf(MediaFor(2500, false));
  spec.sessions[0].signalling_delay = TimeDelta::Millis(50);
  AddAction(spec, ActionSpec::Kind::kIceRestart, 1000, "alice");
  AddAction(spec, ActionSpec::Kind::kIceRestart, 1000, "bob");
  const Ran ran(spec);
  EXPECT_EQ(ran.session.state, "connected");
  EXPECT_EQ(ran.failure(), "");
  for (const results::Json& restart : ran.session.extra.at("restarts")) {
    EXPECT_TRUE(restart["connected_ms"].is_number()) << restart;
  }
  EXPECT_GT(ran.Rate("alice", 2000, 2700), 20e3) << "media still flows";
}

TEST(CallTest, PauseStopsMediaAndResumeStartsItAgain) {
  RunSpec spec = CallOf(MediaFor(3000));
  AddAction(spec, ActionSpec::Kind::kMediaPause, 1000, "alice");
  AddAction(spec, ActionSpec::Kind::kMediaResume, 2000, "alice");
  const Ran ran(spec);
  EXPECT_GT(ran.Rate("alice", 500, 1000), 100e3);
  EXPECT_LT(ran.Rate("alice", 1300, 2000), 30e3) << "only reports";
  EXPECT_GT(ran.Rate("alice", 2300, 3000), 100e3);
  EXPECT_GT(ran.Rate("bob", 1300, 2000), 100e3) << "the other direction goes on";
}

TEST(CallTest, AnotherCertificateThanAnnouncedIsRefused) {
  for (const bool data : {false, true}) {
    RunSpec spec = data ? CallOf(std::nullopt, {Bulk(1000)}) : CallOf(MediaFor(1000));
    spec.sessions[0].peer->wrong_fingerprint = true;
    const Ran ran(spec);
    EXPECT_EQ(ran.session.state, "failed");
    EXPECT_EQ(ran.failure(), "dtls-fingerprint-mismatch");
    EXPECT_THAT(ran.session.why.text, HasSubstr("dtls-fingerprint-mismatch"));
    EXPECT_LT(ran.end_ms, 2000) << "it is found out at once";
    if (!data) continue;
    EXPECT_EQ(ran.transfer()["bytes_received"], 0) << "nothing was said to a stranger";
  }
}

// Before ICE has a pair, and between its first packets and DTLS' last flight.
TEST(CallTest, APeerThatVanishesInTheHandshakeIsANamedFailure) {
  for (const int64_t at_ms : {0, 200, 305}) {
    RunSpec spec = CallOf(MediaFor(1000));
    spec.max_duration = TimeDelta::Seconds(200);
    AddAction(spec, ActionSpec::Kind::kLinkDown, at_ms, "a");
    const Ran ran(spec);
    EXPECT_EQ(ran.session.state, "failed") << at_ms;
    EXPECT_THAT(ran.failure(), testing::AnyOf("ice-failed", "dtls-timeout")) << at_ms;
    EXPECT_THAT(ran.session.why.text, HasSubstr("link.down")) << at_ms;
    EXPECT_LT(ran.end_ms, 150'000) << at_ms;
  }
}

TEST(CallTest, ALinkThatComesBackSavesTheCall) {
  RunSpec spec = CallOf(MediaFor(6000));
  AddAction(spec, ActionSpec::Kind::kLinkDown, 1000, "a");
  AddAction(spec, ActionSpec::Kind::kLinkUp, 3000, "a");
  const Ran ran(spec);
  EXPECT_EQ(ran.session.state, "connected");
  EXPECT_EQ(ran.failure(), "");
  EXPECT_EQ(ran.Rate("alice", 1300, 3000), 0);
  EXPECT_GT(ran.Rate("alice", 5000, 6000), 50e3);
}

TEST(CallTest, TrickleModesPathsAndFamilies) {
  struct Way {
    const char* name;
    IceSpec::Trickle trickle;
    IceSpec::Policy policy;
    bool v6;
    const char* types;
  };
  for (const Way& way :
       {Way{"none", IceSpec::Trickle::kNone, IceSpec::Policy::kAll, false, "srflx"},
        Way{"half", IceSpec::Trickle::kHalf, IceSpec::Policy::kAll, false, "srflx"},
        Way{"relay", IceSpec::Trickle::kFull, IceSpec::Policy::kRelay, false, "relay"},
        Way{"relay, none", IceSpec::Trickle::kNone, IceSpec::Policy::kRelay, false, "relay"},
        Way{"ipv6", IceSpec::Trickle::kFull, IceSpec::Policy::kAll, true, "host"}}) {
    RunSpec spec = CallOf(MediaFor(500, false), {Bulk(10'000)});
    if (way.v6) {
      for (sim::LanSpec& lan : spec.network.lans) {
        lan.nat.reset();
        lan.ipv6 = true;
        lan.ipv4 = false;
      }
      for (sim::HostSpec& host : spec.network.hosts) {
        host.ipv6 = true;
        host.ipv4 = false;
      }
    }
    for (EndpointSpec* e : {&spec.sessions[0].a, &spec.sessions[0].b}) {
      e->ice.trickle = way.trickle;
      e->ice.policy = way.policy;
    }
    const Ran ran(spec);
    EXPECT_EQ(ran.failure(), "") << way.name;
    ASSERT_TRUE(ran.session.selected_pair) << way.name;
    EXPECT_EQ(ran.session.selected_pair->local.type, way.types) << way.name;
    EXPECT_EQ(ran.session.selected_pair->local.family, way.v6 ? "ipv6" : "ipv4") << way.name;
    EXPECT_EQ(ran.transfer()["intact"], true) << way.name;
  }
}

TEST(CallTest, MaxDurationEndsACallAndSaysHowFarItCame) {
  RunSpec spec = CallOf(MediaFor(10'000), {Bulk(50'000'000)});
  spec.max_duration = TimeDelta::Millis(1500);
  const Ran late(spec);
  EXPECT_EQ(late.end_ms, 1500);
  EXPECT_EQ(late.session.state, "connected");
  EXPECT_EQ(late.transfer()["intact"], false) << "not all of it is there";
  EXPECT_TRUE(late.transfer()["transfer_ms"].is_null());
  EXPECT_EQ(late.StreamsFrom("bob", "video"), 1u);
  spec.max_duration =
      TimeDelta::Millis(static_cast<int64_t>(*late.session.timing_ms.dtls_connected) - 1);
  const Ran early(spec);
  EXPECT_EQ(early.session.state, "failed");
  EXPECT_THAT(early.session.why.text, HasSubstr("max_duration"));
  EXPECT_FALSE(early.session.timing_ms.dtls_connected);
}

TEST(CallTest, ANewRateOfALinkShowsInTheSeries) {
  RunSpec spec = CallOf(MediaFor(3000));
  spec.sessions[0].actions.push_back({.kind = ActionSpec::Kind::kSetLink,
                                      .at = TimeDelta::Millis(1500),
                                      .target = "a",
                                      .rate = DataRate::KilobitsPerSec(300),
                                      .down = false});
  const Ran ran(spec);
  for (const results::SeriesPoint& p : ran.outcome.series) {
    const double kbps = p.from == "alice" && p.time_ms >= 1500 ? 300 : 3000;
    EXPECT_EQ(p.capacity_bps, kbps * 1000) << p.from << " " << p.time_ms;
  }
  EXPECT_LT(ran.Rate("alice", 1800, 3200), 310e3);
  EXPECT_GT(ran.Rate("bob", 1800, 3200), 310e3);
}

TEST(CallTest, TwoSessionsOfOneRunKeepApart) {
  RunSpec spec = CallOf(MediaFor(1000));
  SessionSpec second = spec.sessions[0];
  second.name = "second";
  std::swap(second.a, second.b);
  second.start = TimeDelta::Millis(500);
  second.peer->media.reset();
  second.peer->channels = {Bulk(50'000)};
  SessionSpec ice = spec.sessions[0];
  ice.name = "ice";
  ice.peer.reset();
  spec.sessions.push_back(second);
  spec.sessions.push_back(ice);
  const Ran ran(spec);
  ASSERT_EQ(ran.outcome.run.sessions.size(), 3u);
  for (const results::Session& session : ran.outcome.run.sessions) {
    EXPECT_EQ(session.state, "connected") << session.name;
    EXPECT_FALSE(session.extra.contains("failure")) << session.name;
  }
  EXPECT_EQ(ran.StreamsFrom("alice", "video"), 1u);
  EXPECT_EQ(ran.outcome.run.sessions[1].extra.at("data_channels")[0]["intact"], true);
  EXPECT_FALSE(ran.outcome.run.sessions[2].extra.contains("paths"));
  double last = 0;
  for (const results::SeriesPoint& p : ran.outcome.series) {
    EXPECT_NE(p.session, "ice");
    EXPECT_GE(p.interval_ms, 99.9);
    last = std::max(last, p.session == "second" ? p.data_receive_bps : 0);
  }
  EXPECT_GT(last, 0);
}

TEST(CallTest, TheSameSeedGivesTheSameBytesAndAnotherOthers) {
  const auto bytes = [](uint64_t seed) {
    RunSpec spec = CallOf(MediaFor(800), {Bulk(50'000)});
    spec.network.lans[1].uplink.up.jitter = TimeDelta::Millis(3);
    spec.network.lans[1].uplink.up.loss = 0.02;
    spec.seed = spec.network.seed = seed;
    const Outcome outcome = Execute(spec, {});
    std::string out = results::ToLine(outcome.run);
    for (const results::SeriesPoint& p : outcome.series) out += results::ToLine("run", p);
    return out;
  };
  const std::string first = bytes(1);
  EXPECT_EQ(bytes(1), first);
  EXPECT_NE(bytes(2), first);
}

// What the network does to packets must not reach what is delivered.
TEST(CallTest, DamagedDoubledAndDisorderedPacketsHarmNothing) {
  RunSpec spec = CallOf(MediaFor(1500), {Bulk(60'000)});
  for (sim::LinkBehaviour* way :
       {&spec.network.lans[0].uplink.up, &spec.network.lans[0].uplink.down}) {
    way->loss = 0.02;
    way->duplication = 0.2;
    way->corruption = 0.02;
    way->jitter = TimeDelta::Millis(5);
    way->reorder = true;
  }
  const Ran ran(spec);
  EXPECT_EQ(ran.session.state, "connected");
  EXPECT_EQ(ran.failure(), "");
  EXPECT_EQ(ran.transfer()["intact"], true);
  for (const results::Json& stream : ran.session.extra.at("media")) {
    EXPECT_EQ(stream.value("frames_corrupt", 0), 0) << stream;
  }
}

}  // namespace
}  // namespace rtclab::scenarios
