// The encoder models against their parameters.
#include "stack/media/video_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "stack/media/test_util.h"

namespace rtclab::media {
namespace {

using testing::Kbps;
using testing::Ms;

struct Produced {
  EncodedFrame frame;
  Timestamp at;
};

// Runs the model until `end`, from when its next frame is due.
std::vector<Produced> FramesUntil(VideoModel& model, Timestamp end) {
  std::vector<Produced> frames;
  while (model.NextFrameTime() <= end) {
    const Timestamp at = model.NextFrameTime();
    frames.push_back({model.Encode(at), at});
  }
  return frames;
}

double RateOf(const std::vector<Produced>& frames, double seconds) {
  double bits = 0;
  for (const auto& produced : frames) bits += static_cast<double>(produced.frame.size) * 8;
  return bits / seconds;
}

TEST(VideoModelTest, SteadyStateHasTheMeanAndTheDeviationsOfItsParameters) {
  struct Case {
    double size_scale;
    double interval_scale;
    double fps;
    int64_t kbps;
  };
  for (const Case& c :
       {Case{0.15, 0.15, 30, 1000}, Case{0.05, 0.1, 15, 400}, Case{0.2, 0.02, 60, 2400}}) {
    Rng rng(3);
    VideoModelConfig config;
    config.size_scale = c.size_scale;
    config.interval_scale = c.interval_scale;
    config.fps = c.fps;
    VideoModel model(config, rng);
    model.SetTargetRate(Timestamp::Zero(), Kbps(c.kbps));
    model.Start(Timestamp::Zero());
    FramesUntil(model, Timestamp::Seconds(2));  // the first key frame and what pays for it
    const auto frames = FramesUntil(model, Timestamp::Seconds(602));
    const double count = static_cast<double>(frames.size());
    EXPECT_NEAR(count / 600, c.fps, c.fps * 0.02);
    EXPECT_NEAR(RateOf(frames, 600), static_cast<double>(c.kbps) * 1000,
                static_cast<double>(c.kbps) * 1000 * 0.02);
    // The mean deviation of a Laplacian is its scale.
    double size_deviation = 0;
    double interval_deviation = 0;
    for (std::size_t i = 1; i < frames.size(); ++i) {
      const double b0 = static_cast<double>(c.kbps) * 1000 / 8 / c.fps;
      size_deviation += std::abs(static_cast<double>(frames[i].frame.size) / b0 - 1);
      interval_deviation += std::abs((frames[i].at - frames[i - 1].at).seconds() * c.fps - 1);
    }
    EXPECT_NEAR(size_deviation / count, c.size_scale, 0.03 * c.size_scale);
    EXPECT_NEAR(interval_deviation / count, c.interval_scale, 0.03 * c.interval_scale);
  }
}

TEST(VideoModelTest, AKeyFrameIsABurstThatTheNextFramesPayFor) {
  Rng rng(1);
  VideoModelConfig config;
  VideoModel model(config, rng);
  model.SetTargetRate(Timestamp::Zero(), Kbps(1000));
  model.Start(Timestamp::Zero());
  const auto frames = FramesUntil(model, Timestamp::Seconds(1));
  EXPECT_TRUE(frames[0].frame.key_frame);
  EXPECT_EQ(frames[0].frame.target_size, 4166);
  // RFC 8593 figure 2: K_B is 13.5 KB where B0 is 4.17 KB, and K_d is 8 frames.
  EXPECT_NEAR(static_cast<double>(frames[0].frame.size), 13'500, 20);
  double sum = 0;
  for (int i = 0; i < 8; ++i) {
    sum += static_cast<double>(frames[static_cast<std::size_t>(i)].frame.size);
    EXPECT_EQ(frames[static_cast<std::size_t>(i)].frame.key_frame, i == 0);
  }
  EXPECT_NEAR(sum, 8 * 4166, 20);
}

TEST(VideoModelTest, ALargeKeyFrameTakesMoreFramesToPayFor) {
  Rng rng(1);
  VideoModelConfig config;
  config.key_frame_size = 10;
  config.size_scale = 0;
  VideoModel model(config, rng);
  model.SetTargetRate(Timestamp::Zero(), Kbps(1000));
  model.Start(Timestamp::Zero());
  const auto frames = FramesUntil(model, Timestamp::Seconds(1));
  double sum = 0;
  for (int i = 0; i < 13; ++i) {
    sum += static_cast<double>(frames[static_cast<std::size_t>(i)].frame.size);
  }
  EXPECT_NEAR(sum, 13 * 4166, 30);
  EXPECT_EQ(frames[13].frame.size, 4166);
}

TEST(VideoModelTest, ReactsToAChangeOnlyAfterTheReactionTime) {
  Rng rng(1);
  VideoModelConfig config;
  config.size_scale = config.interval_scale = 0;
  VideoModel model(config, rng);
  model.SetTargetRate(Timestamp::Zero(), Kbps(1000));
  model.Start(Timestamp::Zero());
  FramesUntil(model, Timestamp::Millis(2000));
  model.SetTargetRate(Timestamp::Millis(2000), Kbps(500));
  FramesUntil(model, Timestamp::Millis(2040));
  EXPECT_EQ(model.current_rate(), Kbps(500));  // at once: it had not reacted for long
  model.SetTargetRate(Timestamp::Millis(2040), Kbps(2000));
  model.SetTargetRate(Timestamp::Millis(2050), Kbps(1500));
  FramesUntil(model, Timestamp::Millis(2190));
  EXPECT_EQ(model.current_rate(), Kbps(500));
  FramesUntil(model, Timestamp::Millis(2280));
  EXPECT_EQ(model.current_rate(), Kbps(1500));  // the last of the requests in between
}

TEST(VideoModelTest, OnlyALargeChangeStartsATransient) {
  for (const auto& [kbps, burst] : {std::pair(1050, false), std::pair(1500, true)}) {
    Rng rng(1);
    VideoModelConfig config;
    config.size_scale = 0;
    VideoModel model(config, rng);
    model.SetTargetRate(Timestamp::Zero(), Kbps(1000));
    model.Start(Timestamp::Zero());
    FramesUntil(model, Timestamp::Seconds(2));
    model.SetTargetRate(Timestamp::Seconds(2), Kbps(kbps));
    const auto frames = FramesUntil(model, Timestamp::Seconds(3));
    EXPECT_FALSE(frames[0].frame.key_frame);
    const double factor = static_cast<double>(frames[0].frame.size) /
                          static_cast<double>(frames[0].frame.target_size);
    EXPECT_NEAR(factor, burst ? 13.5 / 4.17 : 1, 0.01);
  }
}

TEST(VideoModelTest, RatesAreClippedAndZeroPauses) {
  Rng rng(1);
  VideoModel model(VideoModelConfig{}, rng);
  model.SetTargetRate(Timestamp::Zero(), Kbps(20));
  model.Start(Timestamp::Zero());
  FramesUntil(model, Timestamp::Seconds(1));
  EXPECT_EQ(model.current_rate(), Kbps(150));
  model.SetTargetRate(Timestamp::Seconds(1), Kbps(9000));
  FramesUntil(model, Timestamp::Seconds(2));
  EXPECT_EQ(model.current_rate(), Kbps(2500));
  model.SetTargetRate(Timestamp::Seconds(2), DataRate());
  EXPECT_TRUE(model.NextFrameTime().IsInfinite());
  model.SetTargetRate(Timestamp::Seconds(5), Kbps(1000));
  const auto frames = FramesUntil(model, Timestamp::Seconds(6));
  EXPECT_TRUE(frames[0].frame.key_frame);
  EXPECT_EQ(frames[0].frame.captured, Timestamp::Seconds(5));
}

TEST(VideoModelTest, AskedForAndDueKeyFrames) {
  Rng rng(1);
  VideoModelConfig config;
  config.key_frame_interval = TimeDelta::Seconds(4);
  VideoModel model(config, rng);
  model.SetTargetRate(Timestamp::Zero(), Kbps(1000));
  model.Start(Timestamp::Zero());
  int keys = 0;
  for (const auto& p : FramesUntil(model, Timestamp::Seconds(10))) keys += p.frame.key_frame;
  EXPECT_EQ(keys, 3);
  model.RequestKeyFrame();
  EXPECT_TRUE(model.Encode(model.NextFrameTime()).key_frame);
  EXPECT_FALSE(model.Encode(model.NextFrameTime()).key_frame);
  model.SetResolution(640, 360);
  const EncodedFrame resized = model.Encode(model.NextFrameTime());
  EXPECT_TRUE(resized.key_frame);
  EXPECT_EQ(resized.width, 640);
}

TEST(VideoModelTest, TemporalLayersHaveTheirPatternAndShares) {
  for (const int layers : {2, 3}) {
    Rng rng(1);
    VideoModelConfig config;
    config.temporal_layers = layers;
    VideoModel model(config, rng);
    model.SetTargetRate(Timestamp::Zero(), Kbps(1000));
    model.Start(Timestamp::Zero());
    FramesUntil(model, Timestamp::Seconds(2));
    model.RequestKeyFrame();
    const auto frames = FramesUntil(model, Timestamp::Seconds(122));
    const std::vector<int> pattern =
        layers == 2 ? std::vector<int>{0, 1} : std::vector<int>{0, 2, 1, 2};
    double sizes[3] = {};
    double all = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const EncodedFrame& frame = frames[i].frame;
      ASSERT_EQ(frame.temporal_id, pattern[i % pattern.size()]);
      EXPECT_EQ(frame.non_reference, frame.temporal_id == layers - 1);
      EXPECT_EQ(frame.layer_sync, frame.temporal_id > 0 && (layers == 2 || i % 4 != 3));
      sizes[frame.temporal_id] += static_cast<double>(frame.size);
      all += static_cast<double>(frame.size);
    }
    EXPECT_NEAR(sizes[0] / all, layers == 2 ? 0.6 : 0.4, 0.02);
    EXPECT_NEAR(sizes[1] / all, layers == 2 ? 0.4 : 0.2, 0.02);
    EXPECT_NEAR(RateOf(frames, 120), 1e6, 3e4);
  }
}

TEST(VideoModelTest, AScreenRestsAndBursts) {
  Rng rng(9);
  VideoModelConfig config;
  config.content = VideoContent::kScreen;
  VideoModel model(config, rng);
  model.SetTargetRate(Timestamp::Zero(), Kbps(1000));
  model.Start(Timestamp::Zero());
  FramesUntil(model, Timestamp::Seconds(2));
  const auto frames = FramesUntil(model, Timestamp::Seconds(302));
  int large = 0;
  for (const auto& p : frames) large += p.frame.size > 10'000;
  EXPECT_NEAR(large, 30, 15);  // a change each ten seconds
  EXPECT_LT(RateOf(frames, 300), 200'000);
  EXPECT_NEAR(static_cast<double>(frames.size()) / 300, 6, 1.5);
}

std::shared_ptr<const FrameTrace> SmallTrace() {
  auto trace = FrameTrace::Parse(
      "fps 30\nskip 2\n"
      "rate 200 3000 400 800 840\n"
      "rate 400 6000 900 1600 1700\n");
  return std::make_shared<FrameTrace>(std::move(*trace));
}

TEST(VideoModelTest, TheTraceIsInterpolatedScaledAndRepeated) {
  const auto trace = SmallTrace();
  struct Case {
    int64_t kbps;
    std::vector<int64_t> sizes;
  };
  for (const Case& c :
       {Case{200, {3000, 400, 800, 840, 800, 840}}, Case{300, {4500, 650, 1200, 1270, 1200, 1270}},
        Case{100, {1500, 200, 400, 420, 400, 420}},
        Case{800, {12000, 1800, 3200, 3400, 3200, 3400}}}) {
    TracePosition position;
    for (const int64_t size : c.sizes) EXPECT_EQ(position.Next(*trace, Kbps(c.kbps)), size);
    position.Restart();
    EXPECT_EQ(position.Next(*trace, Kbps(c.kbps)), c.sizes[0]);
  }
}

TEST(VideoModelTest, TraceDrivenModelsFollowTheTrace) {
  for (const auto kind : {VideoModelKind::kTrace, VideoModelKind::kHybrid}) {
    Rng rng(1);
    VideoModelConfig config;
    config.kind = kind;
    config.trace = SmallTrace();
    config.interval_scale = 0;
    VideoModel model(config, rng);
    model.SetTargetRate(Timestamp::Zero(), Kbps(200));
    model.Start(Timestamp::Zero());
    const auto first = FramesUntil(model, Timestamp::Seconds(1));
    const bool hybrid = kind == VideoModelKind::kHybrid;
    // A key frame is the trace's first; the hybrid makes it a burst of the statistical model.
    EXPECT_EQ(first[0].frame.size, hybrid ? 2697 : 3000);
    EXPECT_THAT((std::vector<int64_t>{first[28].frame.size, first[29].frame.size}),
                ::testing::UnorderedElementsAre(800, 840));
    // A sudden change: the trace switches, the hybrid goes through a transient.
    model.SetTargetRate(Timestamp::Seconds(1), Kbps(400));
    const auto next = FramesUntil(model, Timestamp::Seconds(2));
    EXPECT_EQ(next[0].frame.size > 3000, hybrid);
    EXPECT_THAT(next[20].frame.size, ::testing::AnyOf(1600, 1700));
  }
}

TEST(FrameTraceTest, WhatIsWrongIsSaidWithItsLine) {
  struct Case {
    std::string_view text;
    std::string_view reason;
    std::size_t offset;
  };
  for (const Case& c :
       {Case{"", "at least one", 0}, Case{"# only words\n", "at least one", 13},
        Case{"fps 0\n", "'fps'", 0}, Case{"fps x\n", "'fps'", 0}, Case{"skip -1\n", "'skip'", 0},
        Case{"skip 0\nrate 0 1\n", "'rate'", 7}, Case{"skip 0\nrate 1000001 1\n", "'rate'", 7},
        Case{"skip 0\nrate 5 1 x\n", "size", 7}, Case{"skip 0\nrate 5 0\n", "size", 7},
        Case{"skip 0\nrate 5 1000001\n", "size", 7},
        Case{"skip 0\nrate 5 1\nrate 5 1\n", "rise", 16},
        Case{"skip 0\nrate 5 1\nrate 6 1 2\n", "same count", 16},
        Case{"skip 2\nrate 5 1 2\n", "more frames", 18}, Case{"speed 5\n", "must begin", 0}}) {
    const auto trace = FrameTrace::Parse(c.text);
    ASSERT_FALSE(trace.has_value()) << c.text;
    EXPECT_THAT(trace.error().reason, ::testing::HasSubstr(c.reason)) << c.text;
    EXPECT_EQ(trace.error().offset, c.offset) << c.text;
  }
  const auto trace = FrameTrace::Parse("# words\n\nfps 25\r\nskip 1\r\nrate 100 9 8\nrate 200 7 6");
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->fps, 25);
  EXPECT_EQ(trace->encodings[1].rate, Kbps(200));
  EXPECT_THAT(trace->encodings[1].sizes, ::testing::ElementsAre(7u, 6u));
}

}  // namespace
}  // namespace rtclab::media
