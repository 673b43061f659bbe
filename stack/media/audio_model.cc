#include "stack/media/audio_model.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::media {
namespace {

// What a variable-rate encoder spends on a pause, as a part of what it spends on speech (RFC 7587
// section 3.1.3: it reduces the rate in silence). A decision.
constexpr double kPausePart = 0.25;
constexpr double kLargestSizeDeviation = 3;  // standard deviations
// RFC 6716 section 3.2.1: a frame holds at most 1275 bytes.
constexpr int64_t kMaxOpusFrame = 1275;
// Levels in -dBov: speech between these two, and what is left in a pause. A decision.
constexpr uint64_t kLoudest = 20;
constexpr uint64_t kSoftest = 40;
constexpr uint8_t kPauseLevel = 90;

}  // namespace

AudioModel::AudioModel(const AudioModelConfig& config, Rng& rng)
    : config_(config), rng_(rng), rate_(config.bitrate) {
  CHECK(config.frame >= TimeDelta::Millis(10) && config.frame <= TimeDelta::Millis(60));
}

void AudioModel::SetTargetRate(DataRate rate) {
  rate_ = std::clamp(rate, config_.min_bitrate, std::max(config_.min_bitrate, config_.bitrate));
}

void AudioModel::Start(Timestamp now) {
  next_ = now + config_.frame;
  speaking_ = true;
  was_speech_ = false;
  spurt_changes_ =
      config_.talk_spurt.IsInfinite()
          ? Timestamp::PlusInfinity()
          : now + TimeDelta::SecondsF(rng_.Exponential() * config_.talk_spurt.seconds());
}

void AudioModel::Advance(Timestamp now) {
  while (spurt_changes_ <= now) {
    speaking_ = !speaking_;
    const TimeDelta mean = speaking_ ? config_.talk_spurt : config_.pause;
    if (!speaking_) next_dtx_frame_ = now;
    spurt_changes_ += TimeDelta::SecondsF(rng_.Exponential() * mean.seconds());
  }
}

EncodedAudio AudioModel::Encode(Timestamp now) {
  CHECK(next_ <= now);
  // A sound card does not wait: frames that nobody took are gone.
  if (now - next_ > config_.frame * 10) next_ = now;
  Advance(next_);
  EncodedAudio frame;
  frame.captured = next_;
  frame.speech = speaking_;
  frame.level = speaking_ ? static_cast<uint8_t>(rng_.Uniform(kLoudest, kSoftest)) : kPauseLevel;
  double size = static_cast<double>(rate_.bps()) / 8 * config_.frame.seconds();
  if (!speaking_ && config_.dtx) {
    frame.sent = next_ >= next_dtx_frame_;
    if (frame.sent) next_dtx_frame_ = next_ + kDtxInterval;
    size = 0;
  } else if (!config_.cbr) {
    const double deviation =
        std::clamp(rng_.Normal(), -kLargestSizeDeviation, kLargestSizeDeviation);
    size *= (1 + config_.size_deviation * deviation) * (speaking_ ? 1 : kPausePart);
  }
  frame.size = std::clamp(static_cast<int64_t>(size), kMinFrameSize, kMaxOpusFrame);
  frame.first_of_spurt = speaking_ && !was_speech_;
  was_speech_ = speaking_;
  next_ += config_.frame;
  return frame;
}

}  // namespace rtclab::media
