#include "stack/media/video_model.h"

#include <algorithm>
#include <cmath>

#include "stack/base/check.h"

namespace rtclab::media {
namespace {

// Deviations beyond this are cut on both sides, so that no size or interval is negative and the
// mean stays. With a scale of 0.15 it happens to one frame in 400.
constexpr double kLargestDeviation = 0.9;
// The smaller frames of a transient are at least this part of B0; a burst too large to be made up
// for in K_d frames takes more of them.
constexpr double kLeastRestFactor = 0.25;
// How large the frames of a resting screen are, as a part of B0. A decision.
constexpr double kScreenIdleFactor = 0.05;
constexpr int64_t kMaxFramesBehind = 3;

// Which layer the frames take in turn, and each layer's part of the rate (as deployed for VP8:
// 60/40 and 40/20/40 percent).
constexpr int kTwoLayers[] = {0, 1};
constexpr int kThreeLayers[] = {0, 2, 1, 2};

TimeDelta PerFrame(double fps) { return TimeDelta::SecondsF(1.0 / fps); }

}  // namespace

VideoModel::VideoModel(const VideoModelConfig& config, Rng& rng)
    : config_(config), rng_(rng), width_(config.width), height_(config.height) {
  CHECK(config.fps >= 1 && config.fps <= 120);
  CHECK(config.burst_frames >= 2 && config.temporal_layers >= 1 && config.temporal_layers <= 3);
  CHECK(config.kind == VideoModelKind::kStatistical ||
        (config.trace != nullptr && !config.trace->encodings.empty()));
}

void VideoModel::SetTargetRate(Timestamp now, DataRate rate) {
  const bool was_paused = requested_.bps() <= 0;
  requested_ = rate;
  if (rate.bps() <= 0) {
    next_frame_ = Timestamp::PlusInfinity();
    return;
  }
  if (was_paused && started_) {
    key_frame_wanted_ = true;
    reacted_.reset();
    next_frame_ = now + config_.encode_time;
  }
}

void VideoModel::SetResolution(int width, int height) {
  if (width == width_ && height == height_) return;
  width_ = width;
  height_ = height;
  key_frame_wanted_ = true;
}

void VideoModel::Start(Timestamp now) {
  started_ = true;
  key_frame_wanted_ = true;
  last_key_frame_ = now;
  next_screen_change_ =
      now + TimeDelta::SecondsF(rng_.Exponential() * config_.screen_change_interval.seconds());
  if (requested_.bps() > 0) next_frame_ = now + config_.encode_time;
}

void VideoModel::Stop() {
  started_ = false;
  next_frame_ = Timestamp::PlusInfinity();
}

double VideoModel::frame_rate() const {
  double fps = config_.fps;
  if (config_.content == VideoContent::kScreen && screen_busy_ == 0) {
    fps = std::min(fps, config_.screen_idle_fps);
  }
  return max_fps_ > 0 ? std::min(fps, max_fps_) : fps;
}

// RFC 8593 section 5.3: Laplacian with zero mean.
double VideoModel::Deviation(double scale) {
  const double size = scale * rng_.Exponential();
  const double value = rng_.Bernoulli(0.5) ? size : -size;
  return std::clamp(value, -kLargestDeviation, kLargestDeviation);
}

// RFC 8593 sections 5.1, 5.2 and 5.4. The purely trace-driven model switches vectors at once.
void VideoModel::React(Timestamp now) {
  const DataRate wanted = std::clamp(requested_, config_.min_rate, config_.max_rate);
  if (wanted == current_) return;
  const bool statistical = config_.kind != VideoModelKind::kTrace;
  if (statistical && reacted_ && now < *reacted_ + config_.reaction) return;
  if (statistical && reacted_) {
    const double change = std::abs(static_cast<double>(wanted.bps() - current_.bps()));
    if (change > config_.transient_change * static_cast<double>(current_.bps())) {
      StartBurst(config_.burst_size);
    }
  }
  current_ = wanted;
  reacted_ = now;
}

// RFC 8593 section 5.2: K_d frames whose mean is B0, the first of them large.
void VideoModel::StartBurst(double size_factor) {
  burst_due_ = true;
  burst_factor_ = size_factor;
  const double rest = config_.burst_frames - 1;
  burst_rest_factor_ = std::max((config_.burst_frames - size_factor) / rest, kLeastRestFactor);
  burst_rest_ = burst_rest_factor_ >= 1
                    ? 0
                    : static_cast<int>(std::lround((size_factor - 1) / (1 - burst_rest_factor_)));
}

double VideoModel::LayerFactor(int temporal_id) const {
  switch (config_.temporal_layers) {
    case 2:
      return temporal_id == 0 ? 1.2 : 0.8;
    case 3:
      return temporal_id == 0 ? 1.6 : 0.8;
    default:
      return 1;
  }
}

void VideoModel::AssignLayer(EncodedFrame& frame) {
  if (config_.temporal_layers == 1) return;
  if (frame.key_frame) layer_index_ = 0;
  const bool three = config_.temporal_layers == 3;
  frame.temporal_id = three ? kThreeLayers[layer_index_ % 4] : kTwoLayers[layer_index_ % 2];
  frame.non_reference = frame.temporal_id == config_.temporal_layers - 1;
  // Only the last frame of the three-layer pattern depends on the middle layer too.
  frame.layer_sync = frame.temporal_id > 0 && !(three && layer_index_ % 4 == 3);
  ++layer_index_;
}

int64_t VideoModel::NextSize(bool key_frame, double reference_size) {
  double size = 0;
  const bool from_trace =
      config_.kind == VideoModelKind::kTrace ||
      (config_.kind == VideoModelKind::kHybrid && !burst_due_ && burst_rest_ == 0 && !key_frame);
  if (from_trace) {
    if (key_frame) trace_position_.Restart();
    size = static_cast<double>(trace_position_.Next(*config_.trace, current_)) *
           (config_.trace->fps / frame_rate());
  } else if (burst_due_) {
    burst_due_ = false;
    size = reference_size * burst_factor_;
  } else if (burst_rest_ > 0) {
    --burst_rest_;
    size = reference_size * burst_rest_factor_;
  } else {
    size = reference_size * (1 + Deviation(config_.size_scale));
  }
  return static_cast<int64_t>(size);
}

// A screen that changes costs a burst and is captured at the full rate until it is paid for.
void VideoModel::ScreenStep(Timestamp now) {
  if (config_.content != VideoContent::kScreen) return;
  if (screen_busy_ > 0) --screen_busy_;
  if (now < next_screen_change_) return;
  next_screen_change_ =
      now + TimeDelta::SecondsF(rng_.Exponential() * config_.screen_change_interval.seconds());
  screen_busy_ = config_.burst_frames;
  StartBurst(config_.burst_size);
}

EncodedFrame VideoModel::Encode(Timestamp now) {
  CHECK(next_frame_ <= now);
  if (now - next_frame_ > PerFrame(config_.fps) * kMaxFramesBehind) next_frame_ = now;
  React(now);
  ScreenStep(now);
  EncodedFrame frame;
  frame.captured = next_frame_ - config_.encode_time;
  frame.key_frame = key_frame_wanted_ || (config_.key_frame_interval > TimeDelta::Zero() &&
                                          now >= last_key_frame_ + config_.key_frame_interval);
  if (frame.key_frame) {
    key_frame_wanted_ = false;
    last_key_frame_ = now;
    StartBurst(config_.key_frame_size.value_or(config_.burst_size));
  }
  AssignLayer(frame);
  const double fps = frame_rate();
  double reference = static_cast<double>(current_.bps()) / 8 / fps;
  frame.target_size = static_cast<int64_t>(reference);
  const bool in_burst = burst_due_ || burst_rest_ > 0;
  if (config_.content == VideoContent::kScreen && !in_burst) reference *= kScreenIdleFactor;
  if (!in_burst) reference *= LayerFactor(frame.temporal_id);
  frame.size = std::clamp(NextSize(frame.key_frame, reference), kMinFrameSize, kMaxFrameSize);
  frame.width = width_;
  frame.height = height_;
  PlanNext(now);
  return frame;
}

void VideoModel::PlanNext(Timestamp now) {
  double interval = 1.0 / frame_rate();
  // RFC 8593 sections 5.3 and 7: the recorded trace alone has a fixed frame rate.
  if (config_.kind != VideoModelKind::kTrace) {
    interval *= 1 + Deviation(config_.interval_scale);
  }
  next_frame_ = std::max(next_frame_ + TimeDelta::SecondsF(interval), now + TimeDelta::Millis(1));
}

}  // namespace rtclab::media
