#include "stack/media/video_playout.h"

#include <algorithm>
#include <utility>

#include "stack/media/media_clock.h"

namespace rtclab::media {
namespace {

// Once three frames needed a retransmission, the buffer waits for one more round trip, for a minute
// (as deployed).
constexpr int kRecoveredFramesThatCount = 3;
constexpr TimeDelta kRecoveredMemory = TimeDelta::Seconds(60);
// How long it takes at most until a gap is asked for (rtp::NackConfig::reordering_delay).
constexpr TimeDelta kGapNoticed = TimeDelta::Millis(20);
constexpr std::size_t kMostFrames = 600;  // 10 s at 60 fps

}  // namespace

VideoPlayout::VideoPlayout(const PlayoutConfig& config, uint32_t clock_rate)
    : config_(config), clock_rate_(clock_rate) {}

TimeDelta VideoPlayout::MediaTime(int64_t timestamp) const {
  return FromTicks(timestamp, clock_rate_);
}

TimeDelta VideoPlayout::NeededDelay() const {
  const bool retransmissions = recovered_frames_ >= kRecoveredFramesThatCount;
  const TimeDelta repair = retransmissions ? rtt_ + kGapNoticed : TimeDelta::Zero();
  return estimator_.target() + repair + config_.decode_time;
}

TimeDelta VideoPlayout::target_delay() const {
  return std::clamp(NeededDelay(), config_.min_delay,
                    std::max(config_.min_delay, config_.max_delay));
}

void VideoPlayout::Insert(Timestamp now, const VideoFrame& frame) {
  ++counters_.frames_received;
  if (frame.recovered) {
    if (now > recovered_until_) recovered_frames_ = 0;
    ++recovered_frames_;
    recovered_until_ = now + kRecoveredMemory;
  } else {
    if (now > recovered_until_) recovered_frames_ = 0;
    estimator_.OnFrame(now, MediaTime(frame.timestamp));
  }
  if (!estimator_.has_base()) estimator_.OnFrame(now, MediaTime(frame.timestamp));
  if (done_up_to_ && frame.first_sequence <= *done_up_to_) {
    ++counters_.frames_dropped;  // its turn has passed
  } else {
    const auto place = std::upper_bound(
        frames_.begin(), frames_.end(), frame.first_sequence,
        [](int64_t sequence, const VideoFrame& f) { return sequence < f.first_sequence; });
    frames_.insert(place, frame);
    if (frames_.size() > kMostFrames) {
      ++counters_.frames_dropped;
      frames_.erase(frames_.begin());
    }
  }
  HandleTimeout(now);
}

void VideoPlayout::OnPacket(Timestamp now, int64_t sequence) {
  // After a pause of the far end patience begins anew.
  if (!started_ || now > last_packet_ + kDecodeTimeout) started_ = now;
  last_packet_ = now;
  if (!first_packet_) first_packet_ = sequence;
  if (next_timeout_.IsInfinite()) UpdateTimeout(now);
}

void VideoPlayout::OnGapGivenUp(Timestamp now) {
  // The oldest gap is the one right after what was decoded and what waits for its turn without a gap.
  int64_t next = decoder_.last_sequence + 1;
  for (const VideoFrame& frame : frames_) {
    if (frame.first_sequence > next) break;
    next = std::max(next, frame.last_sequence + 1);
  }
  lost_ = next;
  CheckKeyframe(now);
  UpdateTimeout(now);
}

bool VideoPlayout::Decodable(const VideoFrame& frame) const {
  if (frame.key_frame) return true;
  if (!decoder_.has_key_frame) return false;
  if (frame.picture_id < 0) return frame.follows == decoder_.last_sequence;
  if (frame.tl0_index < 0) return frame.picture_id == decoder_.picture_id + 1;
  if (frame.temporal_id == 0) return frame.tl0_index == decoder_.tl0_index + 1;
  if (frame.tl0_index != decoder_.tl0_index) return false;
  if (frame.layer_sync || frame.picture_id == decoder_.picture_id + 1) return true;
  const uint32_t below = (1u << frame.temporal_id) - 1;
  return (decoder_.layers_seen & below) == below;
}

Timestamp VideoPlayout::RenderTime(const VideoFrame& frame) const {
  const Timestamp planned = estimator_.FastestArrival(MediaTime(frame.timestamp)) + target_delay();
  return std::max(planned, frame.completed + config_.decode_time);
}

std::size_t VideoPlayout::FirstDecodable() const {
  std::size_t index = 0;
  while (index < frames_.size() && !Decodable(frames_[index])) ++index;
  return index;
}

void VideoPlayout::Decode(Timestamp now, std::size_t index) {
  const VideoFrame& frame = frames_[index];
  counters_.frames_dropped += static_cast<uint32_t>(index);
  ++counters_.frames_decoded;
  ++counters_.emitted;
  if (frame.key_frame) {
    ++counters_.key_frames_decoded;
    counters_.width = frame.width;
    counters_.height = frame.height;
  }
  counters_.delay += (now - config_.decode_time - frame.first_arrival).seconds();
  counters_.target_delay += target_delay().seconds();
  counters_.minimum_delay += NeededDelay().seconds();
  counters_.processing_delay += (now - frame.first_arrival).seconds();
  if (frame.packets > 1) {
    ++counters_.assembled_from_multiple;
    counters_.assembly_time += (frame.completed - frame.first_arrival).seconds();
  }
  decoder_.has_key_frame = true;
  decoder_.last_sequence = frame.last_sequence;
  decoder_.picture_id = frame.picture_id;
  if (frame.temporal_id == 0) {
    decoder_.tl0_index = frame.tl0_index;
    decoder_.layers_seen = 0;
  }
  decoder_.layers_seen |= 1u << frame.temporal_id;
  done_up_to_ = frame.last_sequence;
  started_ = now;
  asked_.reset();
  request_.reset();
  // Two frames due at once: the earlier is decoded but its turn on the screen has passed.
  if (rendered_) ++counters_.frames_dropped;
  rendered_ = Rendered{frame, now};
  frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
}

void VideoPlayout::HandleTimeout(Timestamp now) {
  for (std::size_t index = FirstDecodable();
       index < frames_.size() && RenderTime(frames_[index]) <= now; index = FirstDecodable()) {
    Decode(now, index);
  }
  CheckKeyframe(now);
  UpdateTimeout(now);
}

void VideoPlayout::Ask(Timestamp now, KeyframeReason reason) {
  asked_ = now;
  request_ = reason;
}

void VideoPlayout::CheckKeyframe(Timestamp now) {
  if (!started_ || FirstDecodable() < frames_.size()) return;
  if (asked_) {
    // Asked before: again if the far end goes on sending other things.
    if (now >= *asked_ + AskAgain() && last_packet_ > *asked_) {
      Ask(now, decoder_.has_key_frame ? KeyframeReason::kLoss : KeyframeReason::kNoKeyframeYet);
    }
    return;
  }
  if (!decoder_.has_key_frame) {
    // At once if the stream began with something else, else a first key frame may still be mended.
    const bool began_without =
        !frames_.empty() && frames_.front().first_sequence <= first_packet_.value_or(0);
    if (began_without || now >= *started_ + kKeyframeWait) {
      Ask(now, KeyframeReason::kNoKeyframeYet);
    }
    return;
  }
  // What waits cannot be decoded, and what it waits for will not come.
  if (!frames_.empty() && lost_ && *lost_ > decoder_.last_sequence &&
      *lost_ < frames_.back().first_sequence) {
    Ask(now, KeyframeReason::kLoss);
    return;
  }
  if (now >= *started_ + kDecodeTimeout && last_packet_ + kDecodeTimeout > now) {
    Ask(now, KeyframeReason::kTimeout);
  }
}

void VideoPlayout::UpdateTimeout(Timestamp now) {
  next_timeout_ = Timestamp::PlusInfinity();
  if (const std::size_t index = FirstDecodable(); index < frames_.size()) {
    next_timeout_ = std::max(RenderTime(frames_[index]), now);
    return;
  }
  if (!started_) return;
  // While the far end is silent there is nothing to ask for; its next packet comes back here.
  if (asked_) {
    if (last_packet_ > *asked_) next_timeout_ = std::max(*asked_ + AskAgain(), now);
    return;
  }
  const TimeDelta patience = decoder_.has_key_frame ? kDecodeTimeout : kKeyframeWait;
  const Timestamp when = std::max(*started_ + patience, now);
  if (!decoder_.has_key_frame || last_packet_ + kDecodeTimeout > when) next_timeout_ = when;
}

std::optional<VideoPlayout::Rendered> VideoPlayout::TakeRendered() {
  return std::exchange(rendered_, std::nullopt);
}

std::optional<KeyframeReason> VideoPlayout::TakeKeyframeRequest() {
  return std::exchange(request_, std::nullopt);
}

}  // namespace rtclab::media
