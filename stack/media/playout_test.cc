// Jitter buffers, freezes and the estimate they follow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/media/audio_playout.h"
#include "stack/media/freeze_detector.h"
#include "stack/media/test_util.h"
#include "stack/media/video_playout.h"

namespace rtclab::media {
namespace {

using testing::Ms;

Timestamp At(int64_t ms) { return Timestamp::Millis(1000 + ms); }

TEST(DelayEstimatorTest, TargetCoversNearlyAllDelays) {
  DelayEstimator steady;
  for (int i = 0; i < 500; ++i) steady.OnFrame(At(i * 20 + 30), Ms(i * 20));
  EXPECT_EQ(steady.target(), Ms(5));  // one bucket
  DelayEstimator jittery;
  for (int i = 0; i < 2000; ++i) jittery.OnFrame(At(i * 20 + 30 + i % 20 * 5), Ms(i * 20));
  EXPECT_GE(jittery.target(), Ms(85));
  EXPECT_LE(jittery.target(), Ms(100));
  EXPECT_EQ(jittery.FastestArrival(Ms(40'000)), At(40'030));
}

TEST(DelayEstimatorTest, BaseFollowsTheLastTwoSeconds) {
  DelayEstimator estimator;
  for (int i = 0; i < 100; ++i) estimator.OnFrame(At(i * 20), Ms(i * 20));
  // The path becomes longer by 50 ms: first that is delay, then it is the path.
  for (int i = 100; i < 300; ++i) estimator.OnFrame(At(i * 20 + 50), Ms(i * 20));
  EXPECT_EQ(estimator.FastestArrival(Ms(6000)), At(6050));
}

TEST(FreezeDetectorTest, FollowsTheDefinitionOfW3C) {
  FreezeDetector detector;
  Timestamp now = At(0);
  for (int i = 0; i < 40; ++i) {
    EXPECT_FALSE(detector.OnRendered(now).has_value());
    now += Ms(40);
  }
  // Average 40 ms: the threshold is max(120, 190).
  now += TimeDelta::Zero() - Ms(40);
  EXPECT_EQ(detector.FreezeTime(), now + Ms(190));
  EXPECT_FALSE(detector.OnRendered(now + Ms(189)).has_value());
  now += Ms(189);
  // Now the average is (29 * 40 + 189) / 30 = 44.97 ms.
  EXPECT_FALSE(detector.OnRendered(now + Ms(194)).has_value());
  now += Ms(194);
  const auto freeze = detector.OnRendered(now + Ms(400));
  ASSERT_TRUE(freeze.has_value());
  EXPECT_EQ(*freeze, Ms(400));
  EXPECT_EQ(detector.counters().freezes, 1u);
  EXPECT_EQ(detector.counters().pauses, 0u);
  detector.OnRendered(now + Ms(400) + TimeDelta::Seconds(6));
  EXPECT_EQ(detector.counters().pauses, 1u);
  EXPECT_EQ(detector.counters().paused, TimeDelta::Seconds(6));
}

TEST(FreezeDetectorTest, SlowVideoIsNotFrozen) {
  FreezeDetector detector;
  for (int i = 0; i < 40; ++i) detector.OnRendered(At(i * 500));
  // 3 * 500 > 500 + 150.
  EXPECT_FALSE(detector.OnRendered(At(39 * 500 + 1400)).has_value());
  EXPECT_TRUE(detector.OnRendered(At(39 * 500 + 1400 + 1700)).has_value());
}

// Frame `number` of a stream with a frame each 33 ms, complete at `completed`.
VideoFrame FrameAt(int number, Timestamp completed, bool key_frame = false) {
  VideoFrame frame;
  frame.first_sequence = number * 4 + 4;
  frame.last_sequence = number * 4 + 7;
  frame.follows = frame.first_sequence - 1;
  frame.timestamp = int64_t{90'000} + number * 2970;
  frame.picture_id = 100 + number;
  frame.key_frame = key_frame;
  frame.packets = 4;
  frame.first_arrival = frame.completed = completed;
  return frame;
}

std::vector<int64_t> RunPlayout(VideoPlayout& playout, Timestamp until) {
  std::vector<int64_t> rendered;
  while (playout.NextTimeout() <= until) {
    playout.HandleTimeout(playout.NextTimeout());
    if (const auto frame = playout.TakeRendered()) rendered.push_back(frame->frame.picture_id);
  }
  return rendered;
}

TEST(VideoPlayoutTest, FramesAreShownInOrderAtTheirPace) {
  VideoPlayout playout({}, 90'000);
  std::vector<int64_t> rendered;
  for (int i = 0; i < 30; ++i) {
    playout.Insert(At(i * 33), FrameAt(i, At(i * 33), i == 0));
    for (const int64_t id : RunPlayout(playout, At(i * 33 + 30))) rendered.push_back(id);
  }
  ASSERT_EQ(rendered.size(), 30u);
  EXPECT_TRUE(std::is_sorted(rendered.begin(), rendered.end()));
  EXPECT_EQ(playout.counters().frames_dropped, 0u);
  EXPECT_EQ(playout.counters().key_frames_decoded, 1u);
  // 5 ms of jitter bucket and 5 ms of decoding.
  EXPECT_EQ(playout.target_delay(), Ms(10));
}

TEST(VideoPlayoutTest, MinimumDelayIsKept) {
  PlayoutConfig config;
  config.min_delay = Ms(200);
  VideoPlayout playout(config, 90'000);
  playout.Insert(At(0), FrameAt(0, At(0), true));
  EXPECT_EQ(playout.NextTimeout(), At(200));
}

TEST(VideoPlayoutTest, AMissingFrameHoldsTheOthersUntilItComes) {
  VideoPlayout playout({}, 90'000);
  playout.Insert(At(0), FrameAt(0, At(0), true));
  EXPECT_THAT(RunPlayout(playout, At(30)), ::testing::ElementsAre(100));
  playout.Insert(At(66), FrameAt(2, At(66)));
  playout.Insert(At(99), FrameAt(3, At(99)));
  EXPECT_THAT(RunPlayout(playout, At(110)), ::testing::IsEmpty());
  VideoFrame late = FrameAt(1, At(111));
  late.recovered = true;
  playout.Insert(At(111), late);
  // All three are due; the last is shown.
  EXPECT_THAT(RunPlayout(playout, At(140)), ::testing::ElementsAre(103));
  EXPECT_EQ(playout.counters().frames_decoded, 4u);
  EXPECT_EQ(playout.counters().frames_dropped, 2u);
  EXPECT_FALSE(playout.TakeKeyframeRequest().has_value());
}

TEST(VideoPlayoutTest, AsksForAKeyframeOnceAGapIsFinal) {
  VideoPlayout playout({}, 90'000);
  const auto insert = [&](int64_t ms, int number, bool key_frame = false) {
    playout.OnPacket(At(ms), number * 4 + 7);
    playout.Insert(At(ms), FrameAt(number, At(ms), key_frame));
  };
  insert(0, 0, true);
  RunPlayout(playout, At(30));
  playout.OnGapGivenUp(At(40));
  EXPECT_FALSE(playout.TakeKeyframeRequest().has_value());  // nothing waits for it yet
  insert(66, 2);
  EXPECT_EQ(playout.TakeKeyframeRequest(), KeyframeReason::kLoss);
  insert(99, 3);
  EXPECT_FALSE(playout.TakeKeyframeRequest().has_value());  // asked already
  insert(290, 9);
  EXPECT_EQ(playout.TakeKeyframeRequest(), KeyframeReason::kLoss);  // 200 ms later again
  insert(330, 10, true);
  EXPECT_THAT(RunPlayout(playout, At(360)), ::testing::ElementsAre(110));
  EXPECT_EQ(playout.counters().frames_dropped, 3u);
  EXPECT_TRUE(playout.NextTimeout().IsInfinite());  // nothing has come since
  playout.OnPacket(At(400), 60);
  EXPECT_NEAR(static_cast<double>(playout.NextTimeout().millis()),
              static_cast<double>((At(338) + VideoPlayout::kDecodeTimeout).millis()), 3);
}

TEST(VideoPlayoutTest, AGapBehindFramesThatWaitIsAskedForWhenTheirTurnIsOver) {
  PlayoutConfig config;
  config.min_delay = Ms(300);
  VideoPlayout playout(config, 90'000);
  const auto insert = [&](int64_t ms, int number, bool key_frame = false) {
    playout.OnPacket(At(ms), number * 4 + 7);
    playout.Insert(At(ms), FrameAt(number, At(ms), key_frame));
  };
  insert(0, 0, true);
  EXPECT_THAT(RunPlayout(playout, At(310)), ::testing::ElementsAre(100));
  insert(311, 1);
  insert(312, 2);
  insert(330, 4);  // frame 3 is lost
  playout.OnGapGivenUp(At(331));
  EXPECT_FALSE(playout.TakeKeyframeRequest().has_value());  // frames 1 and 2 still have their turn
  EXPECT_THAT(RunPlayout(playout, At(400)), ::testing::ElementsAre(101, 102));
  EXPECT_EQ(playout.TakeKeyframeRequest(), KeyframeReason::kLoss);
}

TEST(VideoPlayoutTest, AsksWhenAStreamBeginsWithoutAKeyframe) {
  VideoPlayout playout({}, 90'000);
  playout.OnPacket(At(0), 4);
  playout.Insert(At(0), FrameAt(0, At(0)));
  EXPECT_EQ(playout.TakeKeyframeRequest(), KeyframeReason::kNoKeyframeYet);
  // While nothing comes nothing is asked for.
  EXPECT_TRUE(playout.NextTimeout().IsInfinite());
  playout.OnPacket(At(50), 8);
  EXPECT_EQ(playout.NextTimeout(), At(200));
}

TEST(VideoPlayoutTest, UpperTemporalLayersMayBeMissing) {
  // Three layers: 0, 2, 1, 2; the first 2 of the second group is lost, then its 1.
  struct Layer {
    int tid;
    bool sync;
  };
  const Layer pattern[] = {{0, false}, {2, true}, {1, true}, {2, false}};
  const auto layered = [&](int i) {
    VideoFrame frame = FrameAt(i, At(i * 33), i == 0);
    frame.temporal_id = pattern[i % 4].tid;
    frame.layer_sync = pattern[i % 4].sync;
    frame.tl0_index = 50 + i / 4;
    return frame;
  };
  for (const auto& [lost, shown] :
       {std::pair<int, std::vector<int>>{5, {0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11}},
        std::pair<int, std::vector<int>>{6, {0, 1, 2, 3, 4, 5, 8, 9, 10, 11}},
        std::pair<int, std::vector<int>>{8, {0, 1, 2, 3, 4, 5, 6, 7}}}) {
    VideoPlayout playout({}, 90'000);
    std::vector<int> rendered;
    for (int i = 0; i < 12; ++i) {
      if (i != lost) playout.Insert(At(i * 33), layered(i));
      for (const int64_t id : RunPlayout(playout, At(i * 33 + 30))) {
        rendered.push_back(static_cast<int>(id) - 100);
      }
    }
    EXPECT_EQ(rendered, shown) << "lost " << lost;
  }
}

AudioFrame AudioAt(int number, Timestamp arrived) {
  AudioFrame frame;
  frame.sequence = number;
  frame.timestamp = int64_t{48'000} + number * 960;
  frame.arrived = arrived;
  frame.samples = 960;
  frame.level = 20;
  return frame;
}

void RunAudio(AudioPlayout& playout, Timestamp until) {
  while (playout.NextTimeout() <= until) playout.HandleTimeout(playout.NextTimeout());
}

TEST(AudioPlayoutTest, SteadyAudioIsPlayedWithoutConcealment) {
  AudioPlayout playout({}, 48'000);
  for (int i = 0; i < 500; ++i) {
    RunAudio(playout, At(i * 20) - TimeDelta::Nanos(1));
    playout.Insert(At(i * 20), AudioAt(i, At(i * 20)));
  }
  RunAudio(playout, At(500 * 20));
  EXPECT_EQ(playout.counters().concealed_samples, 0u);
  EXPECT_EQ(playout.counters().emitted_samples, 500u * 960);
  EXPECT_NEAR(playout.counters().delay / (500.0 * 960), 0.005, 0.001);
  EXPECT_NEAR(playout.counters().energy, 10 * 0.01, 0.001);  // 20 dB below: a tenth, squared
}

TEST(AudioPlayoutTest, ALostFrameIsOneConcealment) {
  AudioPlayout playout({}, 48'000);
  for (int i = 0; i < 100; ++i) {
    RunAudio(playout, At(i * 20) - TimeDelta::Nanos(1));
    if (i != 50 && i != 70 && i != 71) playout.Insert(At(i * 20), AudioAt(i, At(i * 20)));
  }
  // Nothing is there when 50 is due, so time waits; 51 then finds a hole before it.
  EXPECT_EQ(playout.counters().concealment_events, 2u);
  EXPECT_GE(playout.counters().concealed_samples, 3u * 960);
  EXPECT_LE(playout.counters().concealed_samples, 6u * 960);
  EXPECT_EQ(playout.counters().silent_concealed_samples, 0u);
  EXPECT_EQ(playout.counters().packets_discarded, 0u);
}

TEST(AudioPlayoutTest, DelayGrowsWithJitterAndShrinksAgain) {
  AudioPlayout playout({}, 48'000);
  const auto delay_over = [&](int from, int to, int jitter_ms) {
    const auto before = playout.counters();
    for (int i = from; i < to; ++i) {
      const Timestamp arrival = At(i * 20 + (i * 7919 % 10) * jitter_ms / 10);
      RunAudio(playout, arrival - TimeDelta::Nanos(1));
      playout.Insert(arrival, AudioAt(i, arrival));
    }
    return (playout.counters().target_delay - before.target_delay) /
           static_cast<double>(playout.counters().emitted_samples - before.emitted_samples);
  };
  EXPECT_LT(delay_over(0, 500, 0), 0.02);
  EXPECT_GT(delay_over(500, 1500, 100), 0.06);
  EXPECT_GT(playout.counters().inserted_samples + playout.counters().concealed_samples, 0u);
  delay_over(1500, 2500, 0);
  EXPECT_LT(delay_over(2500, 3000, 0), 0.02);
  EXPECT_GT(playout.counters().removed_samples, 0u);
}

TEST(AudioPlayoutTest, ALateFrameIsDiscarded) {
  AudioPlayout playout({}, 48'000);
  for (int i = 0; i < 10; ++i) {
    if (i != 5) playout.Insert(At(i * 20), AudioAt(i, At(i * 20)));
    RunAudio(playout, At(i * 20 + 19));
  }
  RunAudio(playout, At(250));
  playout.Insert(At(251), AudioAt(5, At(251)));
  EXPECT_EQ(playout.counters().packets_discarded, 1u);
}

TEST(AudioPlayoutTest, RestsWhenNothingComesAndStartsAgain) {
  AudioPlayout playout({}, 48'000);
  playout.Insert(At(0), AudioAt(0, At(0)));
  RunAudio(playout, At(5000));
  EXPECT_TRUE(playout.NextTimeout().IsInfinite());
  // A second of concealment, of which most is silence.
  EXPECT_LE(playout.counters().concealed_samples, 50u * 960);
  EXPECT_GE(playout.counters().silent_concealed_samples, 40u * 960);
  playout.Insert(At(6000), AudioAt(300, At(6000)));
  RunAudio(playout, At(6030));
  EXPECT_EQ(playout.counters().emitted_samples, 2u * 960);
}

}  // namespace
}  // namespace rtclab::media
