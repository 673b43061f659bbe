// An Opus-like audio encoder: frames of 20 ms, constant or variable bit rate, speech that comes in
// talk-spurts, and discontinuous transmission in the pauses.
#ifndef RTCLAB_STACK_MEDIA_AUDIO_MODEL_H_
#define RTCLAB_STACK_MEDIA_AUDIO_MODEL_H_

#include <cstdint>

#include "stack/base/rng.h"
#include "stack/base/units.h"

namespace rtclab::media {

struct AudioModelConfig {
  DataRate bitrate =
      DataRate::KilobitsPerSec(32);  // Opus payload, 6 to 510 kbit/s (RFC 6716 section 2.1.1)
  DataRate min_bitrate = DataRate::KilobitsPerSec(6);
  TimeDelta frame = TimeDelta::Millis(20);  // 10, 20, 40 or 60 ms
  bool cbr = false;
  // The standard deviation of a variable-rate frame's size as part of the mean. A decision: RFC
  // 6716 leaves it to the encoder.
  double size_deviation = 0.15;
  // Talk-spurts and pauses, each exponentially distributed. ITU-T P.59 (03/93) table 1, with its
  // hangover: 1.004 s and 1.587 s. A talk_spurt of PlusInfinity() is somebody who never pauses.
  TimeDelta talk_spurt = TimeDelta::PlusInfinity();
  TimeDelta pause = TimeDelta::Millis(1587);
  bool dtx = false;
};

// The means of ITU-T P.59, for AudioModelConfig.
constexpr TimeDelta kP59TalkSpurt = TimeDelta::Millis(1004);
constexpr TimeDelta kP59Pause = TimeDelta::Millis(1587);

struct EncodedAudio {
  Timestamp captured;  // of the frame's last sample
  int64_t size = 0;    // bytes with the TOC byte
  bool speech = false;
  bool first_of_spurt = false;  // RTP marker (RFC 3551 section 4.1): the first packet after silence
  uint8_t level = 127;          // -dBov, RFC 6464: 0 is the loudest, 127 silence
  bool sent = true;             // false: DTX leaves this frame out
};

class AudioModel {
 public:
  // So that a frame's identity fits (frame_content.h).
  static constexpr int64_t kMinFrameSize = 16;
  // RFC 6716 section 2.1.9: in DTX one frame goes out every 400 ms.
  static constexpr TimeDelta kDtxInterval = TimeDelta::Millis(400);

  AudioModel(const AudioModelConfig& config, Rng& rng);
  void SetTargetRate(DataRate rate);
  void Start(Timestamp now);
  void Stop() { next_ = Timestamp::PlusInfinity(); }
  Timestamp NextFrameTime() const { return next_; }
  // The frame that ends at NextFrameTime() <= now.
  EncodedAudio Encode(Timestamp now);
  DataRate target_rate() const { return rate_; }
  TimeDelta frame_duration() const { return config_.frame; }

 private:
  void Advance(Timestamp now);

  const AudioModelConfig config_;
  Rng& rng_;
  DataRate rate_;
  Timestamp next_ = Timestamp::PlusInfinity();
  Timestamp spurt_changes_ = Timestamp::PlusInfinity();
  Timestamp next_dtx_frame_;
  bool speaking_ = true;
  bool was_speech_ = false;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_AUDIO_MODEL_H_
