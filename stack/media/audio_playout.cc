#include "stack/media/audio_playout.h"

#include <algorithm>

#include "stack/media/audio_level.h"
#include "stack/media/media_clock.h"

namespace rtclab::media {
namespace {

constexpr TimeDelta kRestAfter = TimeDelta::Seconds(1);
// Concealment fades: what lies this many frames behind the last one played is silence. A decision.
constexpr int kAudibleFrames = 6;
// The delay may be off by this much before playing is stretched. A decision.
constexpr TimeDelta kStretchMargin = TimeDelta::Millis(10);
// What one frame can be stretched by: a part of its length. NetEq removes or inserts a pitch
// period.
constexpr int kStretchPart = 4;
constexpr std::size_t kMaxFrames = 200;  // NetEq's packet limit

}  // namespace

AudioPlayout::AudioPlayout(const PlayoutConfig& config, uint32_t clock_rate)
    : config_(config), clock_rate_(clock_rate) {}

TimeDelta AudioPlayout::MediaTime(int64_t samples) const { return FromTicks(samples, clock_rate_); }

TimeDelta AudioPlayout::target_delay() const {
  return std::clamp(estimator_.target(), config_.min_delay,
                    std::max(config_.min_delay, config_.max_delay));
}

void AudioPlayout::Insert(Timestamp now, const AudioFrame& frame) {
  const bool resting = next_tick_.IsInfinite();
  if (resting) estimator_.ResetBase();
  estimator_.OnFrame(now, MediaTime(frame.timestamp));
  last_arrival_ = now;
  frame_samples_ = frame.samples;
  if (resting) {
    frames_.clear();
    next_timestamp_ = frame.timestamp;
    next_tick_ = now + target_delay();
    in_noise_ = false;
    concealed_in_row_ = 0;
  } else if (frame.timestamp < next_timestamp_) {
    // Silence may be cut short or drawn out, so a late first word is not lost.
    if (!in_noise_ || (last_played_ && frame.timestamp <= *last_played_)) {
      ++counters_.packets_discarded;
      return;
    }
    next_timestamp_ = frame.timestamp;
  }
  if (frames_.size() >= kMaxFrames) {
    counters_.packets_discarded += frames_.size();
    frames_.clear();
    next_timestamp_ = frame.timestamp;
  }
  frames_.emplace(frame.timestamp, frame);
}

void AudioPlayout::HandleTimeout(Timestamp now) {
  while (next_tick_ <= now) Tick(next_tick_);
}

// How much later than after its own length the next frame is due.
TimeDelta AudioPlayout::Stretch(Timestamp now, const AudioFrame& frame) {
  const TimeDelta delay = now - estimator_.FastestArrival(MediaTime(frame.timestamp));
  const TimeDelta target = target_delay();
  const int64_t samples = frame.samples / kStretchPart;
  if (delay > target + kStretchMargin + MediaTime(samples)) {
    counters_.removed_samples += static_cast<uint64_t>(samples);
    return TimeDelta::Zero() - MediaTime(samples);
  }
  if (delay + kStretchMargin < target) {
    counters_.inserted_samples += static_cast<uint64_t>(samples);
    return MediaTime(samples);
  }
  return TimeDelta::Zero();
}

void AudioPlayout::Play(Timestamp now, const AudioFrame& frame) {
  const auto samples = static_cast<double>(frame.samples);
  const TimeDelta delay = now - frame.arrived;
  counters_.samples_received += static_cast<uint64_t>(frame.samples);
  counters_.emitted_samples += static_cast<uint64_t>(frame.samples);
  counters_.delay += delay.seconds() * samples;
  counters_.target_delay += target_delay().seconds() * samples;
  counters_.minimum_delay += estimator_.target().seconds() * samples;
  counters_.processing_delay += delay.seconds() * samples;
  counters_.level = LinearAudioLevel(frame.level);
  counters_.energy += counters_.level * counters_.level * MediaTime(frame.samples).seconds();
  if (!counters_.first_played) counters_.first_played = now;
  if (frame.captured) {
    const double whole = (now - *frame.captured).seconds();
    counters_.end_to_end_delay += whole;
    counters_.end_to_end_delay_max = std::max(counters_.end_to_end_delay_max, whole);
    ++counters_.end_to_end_count;
  }
  concealed_in_row_ = 0;
  last_played_ = frame.timestamp;
  in_noise_ = frame.comfort_noise;
}

void AudioPlayout::Conceal(bool silent) {
  const auto samples = static_cast<uint64_t>(frame_samples_);
  counters_.samples_received += samples;
  counters_.concealed_samples += samples;
  if (silent) counters_.silent_concealed_samples += samples;
  if (concealed_in_row_++ == 0) ++counters_.concealment_events;
}

void AudioPlayout::Noise() {
  counters_.samples_received += static_cast<uint64_t>(frame_samples_);
  counters_.level = 0;
}

void AudioPlayout::Tick(Timestamp now) {
  const TimeDelta length = MediaTime(frame_samples_);
  if (frames_.empty() && last_arrival_ + kRestAfter <= now) {
    next_tick_ = Timestamp::PlusInfinity();
    return;
  }
  next_tick_ = now + length;
  const auto first = frames_.begin();
  if (first != frames_.end() && first->first <= next_timestamp_) {
    const AudioFrame frame = first->second;
    frames_.erase(first);
    Play(now, frame);
    next_timestamp_ = frame.timestamp + frame.samples;
    next_tick_ = now + MediaTime(frame.samples) + Stretch(now, frame);
    return;
  }
  if (in_noise_) {
    // A frame after silence is due when the target says, not when the silence was counted to end.
    if (first != frames_.end()) {
      const Timestamp due = estimator_.FastestArrival(MediaTime(first->first)) + target_delay();
      if (due <= now + length) {
        next_timestamp_ = first->first;
        next_tick_ = std::max(due, now);
        if (next_tick_ == now) return;
      }
    }
    Noise();
    return;
  }
  Conceal(concealed_in_row_ >= kAudibleFrames);
  if (first != frames_.end()) next_timestamp_ += frame_samples_;
}

}  // namespace rtclab::media
