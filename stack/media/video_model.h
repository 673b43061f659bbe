// Video encoder models: what sizes, and when, the frames of a live encoder have whose target rate
// changes.
//
// Three sources of RFC 8593 behind one class: the statistical model (section 5), the trace-driven
// one (section 6) and the hybrid of both (section 7). Comments give the RFC's names.
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

// What the picture shows. A camera gives a frame every 1/FPS. A shared screen rests most of the
// time, with small frames at a low rate, and a change of its picture costs a burst.
enum class VideoContent : uint8_t { kCamera, kScreen };

struct VideoModelConfig {
  VideoModelKind kind = VideoModelKind::kStatistical;
  VideoContent content = VideoContent::kCamera;
  // Pixels of the source, 16 to 16383 (14 bits in a VP8 key frame, RFC 6386 section 9.1).
  int width = 1280;
  int height = 720;
  double fps = 30;                                     // FPS, 1 to 120
  DataRate min_rate = DataRate::KilobitsPerSec(150);   // R_min
  DataRate max_rate = DataRate::KilobitsPerSec(2500);  // R_max
  TimeDelta reaction = TimeDelta::Millis(200);         // tau_v
  int burst_frames = 8;                                // K_d, at least 2
  // K_B as a multiple of the reference frame size B0: RFC 8593 figure 2 has 13.5 KB, B0 4.17 KB.
  double burst_size = 13.5 / 4.17;
  // A key frame is a burst too (section 5.2): its size as a multiple of B0. Unset: `burst_size`.
  std::optional<double> key_frame_size;
  double interval_scale = 0.15;   // SCALE_t, of the Laplacian deviation of the frame interval
  double size_scale = 0.15;       // SCALE_B, of the Laplacian deviation of the frame size
  double transient_change = 0.1;  // a rate that changes by more than this starts a transient (7)
  // From capture to the encoded frame. A decision; the RFC has none.
  TimeDelta encode_time = TimeDelta::Millis(5);
  // A key frame every so often; zero: on demand only, as live encoders are run.
  TimeDelta key_frame_interval = TimeDelta::Zero();
  // Whether the picture shrinks when the rate is too low for its size (rate_allocation.h).
  bool adapt_resolution = true;
  int temporal_layers = 1;                  // 1 to 3
  std::shared_ptr<const FrameTrace> trace;  // kTrace and kHybrid need one
  // kScreen: mean time between changes of the picture, and the frame rate while it rests.
  TimeDelta screen_change_interval = TimeDelta::Seconds(10);
  double screen_idle_fps = 5;
};

struct EncodedFrame {
  Timestamp captured;
  bool key_frame = false;
  int64_t size = 0;         // bytes, at least kMinFrameSize
  int64_t target_size = 0;  // B0 when it was encoded
  int temporal_id = 0;
  bool layer_sync = false;     // depends on the base layer alone (Y of RFC 7741 section 4.2)
  bool non_reference = false;  // nothing depends on it (N)
  int width = 0;
  int height = 0;
};

class VideoModel {
 public:
  // A frame is at least this long, so that a key frame's header and the frame's identity fit
  // (frame_content.h).
  static constexpr int64_t kMinFrameSize = 64;
  static constexpr int64_t kMaxFrameSize = 1'000'000;  // fs_max of RFC 8593 section 6.2.1

  VideoModel(const VideoModelConfig& config, Rng& rng);

  // The request R_v, in payload bits a second. The encoder reacts with its next frame, but not
  // within tau_v after it last reacted (section 5.1); of the requests in between it takes the last.
  // Zero pauses it; the first frame after a pause is a key frame.
  void SetTargetRate(Timestamp now, DataRate rate);
  // Caps the frame rate (an encoding's maxFramerate); 0 removes the cap.
  void SetMaxFrameRate(double fps) { max_fps_ = fps; }
  // The next frame is a key frame.
  void RequestKeyFrame() { key_frame_wanted_ = true; }
  // The picture's size from now on; a change needs a key frame (section 6.3).
  void SetResolution(int width, int height);
  // Begins capturing: the first frame is captured at `now` and encoded encode_time later.
  void Start(Timestamp now);
  void Stop();

  // When the next frame comes out of the encoder; PlusInfinity() while stopped or paused.
  Timestamp NextFrameTime() const { return next_frame_; }
  // The frame of NextFrameTime() <= now. If `now` is later by more than three intervals the frames
  // in between are skipped.
  EncodedFrame Encode(Timestamp now);

  DataRate target_rate() const { return requested_; }  // as last requested
  DataRate current_rate() const { return current_; }   // what the encoder has reacted to
  double frame_rate() const;                           // at present
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  void React(Timestamp now);
  void StartBurst(double size_factor);
  int64_t NextSize(bool key_frame, double reference_size);
  double LayerFactor(int temporal_id) const;
  void AssignLayer(EncodedFrame& frame);
  void ScreenStep(Timestamp now);
  void PlanNext(Timestamp now);
  double Deviation(double scale);

  const VideoModelConfig config_;
  Rng& rng_;
  DataRate requested_;
  DataRate current_;
  std::optional<Timestamp> reacted_;
  Timestamp next_frame_ = Timestamp::PlusInfinity();
  Timestamp last_key_frame_;
  Timestamp next_screen_change_;
  double max_fps_ = 0;
  int width_;
  int height_;
  bool started_ = false;
  bool key_frame_wanted_ = true;
  // The transient period: a large frame to come, then how many smaller ones of what size.
  bool burst_due_ = false;
  double burst_factor_ = 1;
  int burst_rest_ = 0;
  double burst_rest_factor_ = 1;
  TracePosition trace_position_;
  uint32_t layer_index_ = 0;
  int screen_busy_ = 0;  // frames until a changed screen rests again
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_VIDEO_MODEL_H_
