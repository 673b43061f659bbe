// Complete frames in, rendered frames out: which frame can be decoded, when it is shown, and when
// only a key frame helps.
#ifndef RTCLAB_STACK_MEDIA_VIDEO_PLAYOUT_H_
#define RTCLAB_STACK_MEDIA_VIDEO_PLAYOUT_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/units.h"
#include "stack/media/config.h"
#include "stack/media/delay_estimator.h"
#include "stack/media/engine_events.h"
#include "stack/media/video_assembler.h"

namespace rtclab::media {

// A decoder that takes no time of its own: a frame counts as decoded and rendered at once, no
// earlier than decode_time after it was complete and than the jitter buffer wants it.
//
// Decodable is a key frame; a frame of the base layer after the one before it (TL0PICIDX, else
// PictureID, else sequence numbers); a frame of a higher layer whose base frame was decoded, if it
// is a layer sync, follows the last frame, or has seen every layer below it since.
class VideoPlayout {
 public:
  // Without a decodable frame for so long a key frame is asked for; as deployed: 3 s, and 200 ms
  // once it is known that one is needed.
  static constexpr TimeDelta kDecodeTimeout = TimeDelta::Seconds(3);
  static constexpr TimeDelta kKeyframeWait = TimeDelta::Millis(200);

  struct Counters {
    uint32_t frames_received = 0;
    uint32_t frames_decoded = 0;
    uint32_t key_frames_decoded = 0;
    uint32_t frames_dropped = 0;
    uint64_t emitted = 0;
    double delay = 0;  // seconds, summed over emitted frames, as are the next three
    double target_delay = 0;
    double minimum_delay = 0;
    double processing_delay = 0;
    uint32_t assembled_from_multiple = 0;
    double assembly_time = 0;
    int width = 0;
    int height = 0;
  };

  VideoPlayout(const PlayoutConfig& config, uint32_t clock_rate);

  void Insert(Timestamp now, const VideoFrame& frame);
  // A packet of the stream arrived (whatever became of it): the far end is alive.
  void OnPacket(Timestamp now, int64_t sequence);
  // What is missing now will not come any more: neither retransmission nor FEC brought it.
  void OnGapGivenUp(Timestamp now);
  void SetRtt(TimeDelta rtt) { rtt_ = rtt; }

  // Decodes what is due. The frames rendered at `now` are at most one; dropped ones are counted.
  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const { return next_timeout_; }

  struct Rendered {
    VideoFrame frame;
    Timestamp at;
  };
  std::optional<Rendered> TakeRendered();
  // Why a key frame is to be asked for now, if it is; asked once, then again after a while.
  std::optional<KeyframeReason> TakeKeyframeRequest();
  // Up to which packet everything is decoded or given up.
  std::optional<int64_t> done_up_to() const { return done_up_to_; }

  const Counters& counters() const { return counters_; }
  TimeDelta target_delay() const;

 private:
  // What the frames decoded so far allow.
  struct DecoderState {
    bool has_key_frame = false;
    int64_t last_sequence = 0;
    int64_t picture_id = -1;
    int64_t tl0_index = -1;
    uint32_t layers_seen = 0;  // bit per temporal layer since the base frame
  };

  TimeDelta MediaTime(int64_t timestamp) const;
  TimeDelta NeededDelay() const;
  bool Decodable(const VideoFrame& frame) const;
  Timestamp RenderTime(const VideoFrame& frame) const;
  // Index of the first decodable frame, or frames_.size().
  std::size_t FirstDecodable() const;
  void Decode(Timestamp now, std::size_t index);
  void CheckKeyframe(Timestamp now);
  void Ask(Timestamp now, KeyframeReason reason);
  TimeDelta AskAgain() const { return std::max(kKeyframeWait, rtt_ * 2); }
  void UpdateTimeout(Timestamp now);

  const PlayoutConfig config_;
  const int64_t clock_rate_;
  DelayEstimator estimator_;
  std::vector<VideoFrame> frames_;  // complete, not decoded; by sequence
  DecoderState decoder_;
  std::optional<Rendered> rendered_;
  std::optional<int64_t> done_up_to_;
  std::optional<int64_t> lost_;  // a packet that was given up
  TimeDelta rtt_;
  Timestamp last_packet_;
  std::optional<int64_t> first_packet_;
  std::optional<Timestamp> started_;  // first packet or last decoding: what the timeout counts from
  std::optional<Timestamp> asked_;    // for a key frame that has not come yet
  std::optional<KeyframeReason> request_;
  int recovered_frames_ = 0;
  Timestamp recovered_until_;
  Timestamp next_timeout_ = Timestamp::PlusInfinity();
  Counters counters_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_VIDEO_PLAYOUT_H_
