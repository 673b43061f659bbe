// The audio model against its parameters.
#include "stack/media/audio_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stack/media/test_util.h"

namespace rtclab::media {
namespace {

using testing::Kbps;
using testing::Ms;

std::vector<EncodedAudio> AudioFor(const AudioModelConfig& config, TimeDelta time) {
  Rng rng(4);
  AudioModel model(config, rng);
  model.Start(Timestamp::Zero());
  std::vector<EncodedAudio> frames;
  while (model.NextFrameTime() <= Timestamp::Zero() + time) {
    frames.push_back(model.Encode(model.NextFrameTime()));
  }
  return frames;
}

TEST(AudioModelTest, ConstantRateIsConstant) {
  AudioModelConfig config;
  config.cbr = true;
  const auto frames = AudioFor(config, TimeDelta::Seconds(10));
  ASSERT_EQ(frames.size(), 500u);
  for (const auto& frame : frames) EXPECT_EQ(frame.size, 80);  // 32 kbit/s for 20 ms
}

TEST(AudioModelTest, VariableRateHasItsMeanAndDeviation) {
  AudioModelConfig config;
  config.bitrate = Kbps(64);
  const auto frames = AudioFor(config, TimeDelta::Seconds(200));
  double sum = 0;
  double squares = 0;
  for (const auto& frame : frames) {
    sum += static_cast<double>(frame.size);
    squares += static_cast<double>(frame.size * frame.size);
  }
  const double count = static_cast<double>(frames.size());
  const double mean = sum / count;
  EXPECT_NEAR(mean, 160, 2);
  EXPECT_NEAR(std::sqrt(squares / count - mean * mean) / mean, 0.15, 0.01);
}

TEST(AudioModelTest, TalkSpurtsHaveTheMeansOfP59) {
  AudioModelConfig config;
  config.talk_spurt = kP59TalkSpurt;
  config.pause = kP59Pause;
  const auto frames = AudioFor(config, TimeDelta::Seconds(3600));
  int64_t speech = 0;
  int64_t spurts = 0;
  for (const auto& frame : frames) {
    speech += frame.speech;
    spurts += frame.first_of_spurt;
    EXPECT_TRUE(frame.sent);
    EXPECT_EQ(frame.level < 60, frame.speech);
  }
  // P.59: 38.53 % of the time.
  EXPECT_NEAR(static_cast<double>(speech) / static_cast<double>(frames.size()), 0.3853, 0.02);
  EXPECT_NEAR(static_cast<double>(speech) * 0.02 / static_cast<double>(spurts), 1.004, 0.06);
}

TEST(AudioModelTest, DiscontinuousTransmissionSendsEvery400Milliseconds) {
  AudioModelConfig config;
  config.talk_spurt = Ms(1);
  config.pause = TimeDelta::Seconds(1000);
  config.dtx = true;
  const auto frames = AudioFor(config, TimeDelta::Seconds(20));
  std::vector<Timestamp> sent;
  for (const auto& frame : frames) {
    if (frame.sent && !frame.speech) {
      sent.push_back(frame.captured);
      EXPECT_EQ(frame.size, AudioModel::kMinFrameSize);
    }
  }
  ASSERT_GT(sent.size(), 40u);
  for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_EQ(sent[i] - sent[i - 1], Ms(400));
}

TEST(AudioModelTest, TheTargetIsKeptWithinLimits) {
  Rng rng(1);
  AudioModel model(AudioModelConfig{}, rng);
  model.SetTargetRate(Kbps(500));
  EXPECT_EQ(model.target_rate(), Kbps(32));
  model.SetTargetRate(Kbps(1));
  EXPECT_EQ(model.target_rate(), Kbps(6));
  model.Start(Timestamp::Zero());
  // A driver that comes late gets one frame, not all that were missed.
  model.Encode(Timestamp::Seconds(5));
  EXPECT_GT(model.NextFrameTime(), Timestamp::Seconds(5));
}

}  // namespace
}  // namespace rtclab::media
