// Video encoder models: what sizes, and when, the frames of a live encoder have whose target rate changes.
//
// Three sources of RFC 8593 behind one class: the statistical model (section 5), the trace-driven one (section 6) and
// the hybrid of both (section 7). The parameters keep the RFC's names in their comments.
#ifndef RTCLAB_STACK_MEDIA_VIDEO_MODEL_H_
#define RTCLAB_STACK_MEDIA_VIDEO_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/media/frame_trace.h"

namespace rtclab::media {

enum class VideoModelKind : uint8_t { kStatistical, kTrace, kHybrid };

// What the picture shows. A camera gives a frame every 1/FPS. A shared screen rests most of the time: a still picture
// costs small frames at a low rate, and a change of the slide costs a burst.
enum class VideoContent : uint8_t { kCamera, kScreen };

struct VideoModelConfig {
  VideoModelKind kind = VideoModelKind::kStatistical;
  VideoContent content = VideoContent::kCamera;
  int width =
      1280;  // pixels of the source, 16 to 16383 (14 bits in a VP8 key frame, RFC 6386 section 9.1)
  int height = 720;
  double fps = 30;                                     // FPS, 1 to 120
  DataRate min_rate = DataRate::KilobitsPerSec(150);   // R_min
  DataRate max_rate = DataRate::KilobitsPerSec(2500);  // R_max
  TimeDelta reaction = TimeDelta::Millis(200);         // tau_v
  int burst_frames = 8;                                // K_d
  // K_B as a multiple of the reference frame size B0: RFC 8593 figure 2 has 13.5 KB where B0 is 4.17 KB.
  double burst_size = 13.5 / 4.17;
  // A key frame is a burst too (section 5.2); this is its size as a multiple of B0. Unset: `burst_size`.
  std::optional<double> key_frame_size;
  double interval_scale = 0.15;  // SCALE_t: scale of the Laplacian deviation of the frame interval
  double size_scale = 0.15;      // SCALE_B: scale of the Laplacian deviation of the frame size
  double transient_change =
      0.1;  // a target that changes by more than this part starts a transient (section 7)
  TimeDelta encode_time =
      TimeDelta::Millis(5);  // from capture to the encoded frame; a decision, not of the RFC
  // A key frame every so often by itself; zero: on demand only, as live encoders are run.
  TimeDelta key_frame_interval = TimeDelta::Zero();
  // Whether the picture shrinks when the rate is too low for its size (resolution_ladder.h).
  bool adapt_resolution = true;
  int temporal_layers = 1;                  // 1 to 3
  std::shared_ptr<const FrameTrace> trace;  // for kTrace and kHybrid
  // kScreen: mean time between changes of the picture, and the frame rate while it rests.
  TimeDelta screen_change_interval = TimeDelta::Seconds(10);
  double screen_idle_fps = 5;
};

struct EncodedFrame {
  Timestamp captured;
  Timestamp encoded;  // captured + encode_time
  bool key_frame = false;
  int64_t size = 0;         // bytes, at least kMinFrameSize
  int64_t target_size = 0;  // B0 when it was encoded
  int temporal_id = 0;
  bool layer_sync = false;     // depends only on the base layer (RFC 7741 section 4.2, Y)
  bool non_reference = false;  // nothing depends on it (N)
  int width = 0;
  int height = 0;
};

class VideoModel {
 public:
  // Every frame is at least this long, so that a key frame's header and the frame's identity fit (frame_content.h).
  static constexpr int64_t kMinFrameSize = 64;
  static constexpr int64_t kMaxFrameSize = 1'000'000;  // fs_max of RFC 8593 section 6.2.1

  VideoModel(const VideoModelConfig& config, Rng& rng);

  // The congestion controller's request R_v, in payload bits a second. Zero pauses the encoder; the first frame after a
  // pause is a key frame. The encoder reacts at once, or tau_v after it last reacted (section 5.1); of the requests in
  // between it takes the last.
  void SetTargetRate(Timestamp now, DataRate rate);
  // Caps the frame rate (an encoding's maxFramerate); 0 removes the cap.
  void SetMaxFrameRate(double fps);
  // The next frame is a key frame.
  void RequestKeyFrame();
  // The picture's size from now on; takes effect with a key frame (section 6.3).
  void SetResolution(int width, int height);
  // Begins capturing; the first frame is captured at `now`.
  void Start(Timestamp now);
  void Stop() { next_capture_ = Timestamp::PlusInfinity(); }

  // When the next frame is captured; PlusInfinity() while stopped or paused.
  Timestamp NextFrameTime() const { return next_capture_; }
  // The frame captured at NextFrameTime() <= now, and the plan for the one after. Frames that were due long before `now`
  // are skipped.
  EncodedFrame Encode(Timestamp now);

  DataRate target_rate() const { return requested_; }  // as last requested
  DataRate current_rate() const { return current_; }   // what the encoder has reacted to
  double frame_rate() const { return fps_; }
  int width() const { return width_; }
  int height() const { return height_; }
  bool paused() const { return requested_.bps() <= 0; }

 private:
  void React(Timestamp now);
  void StartBurst(double size_factor, int64_t reference_size);
  int64_t NextSize(bool key_frame, int64_t reference_size);
  int64_t SteadySize(int64_t reference_size);
  void PlanNext(Timestamp captured);
  void AssignLayer(EncodedFrame& frame);
  double Laplacian(double scale);

  const VideoModelConfig config_;
  Rng& rng_;
  DataRate requested_;
  DataRate current_;
  Timestamp reacted_ = Timestamp::Nanos(INT64_MIN / 2);
  Timestamp next_capture_ = Timestamp::PlusInfinity();
  Timestamp last_key_frame_;
  Timestamp next_screen_change_;
  double fps_;
  double max_fps_ = 0;
  int width_;
  int height_;
  bool started_ = false;
  bool key_frame_wanted_ = true;
  bool burst_wanted_ = false;
  // Of the transient period: how many smaller frames are left to come and how large they are.
  int burst_left_ = 0;
  double burst_rest_factor_ = 1;
  TracePosition trace_position_;
  uint32_t layer_index_ = 0;
  int screen_burst_left_ = 0;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_VIDEO_MODEL_H_
