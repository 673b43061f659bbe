// A received VP8 stream.
#ifndef RTCLAB_STACK_MEDIA_VIDEO_INPUT_H_
#define RTCLAB_STACK_MEDIA_VIDEO_INPUT_H_

#include "stack/media/freeze_detector.h"
#include "stack/media/media_clock.h"
#include "stack/media/rtp_input.h"
#include "stack/media/video_assembler.h"
#include "stack/media/video_playout.h"

namespace rtclab::media {

class VideoInput final : public RtpInput {
 public:
  VideoInput(const EngineConfig& engine, const ReceiveStreamConfig& config,
             const CodecConfig& codec, uint32_t ssrc, std::string rid, Outbox& outbox)
      : RtpInput(config, codec, ssrc, std::move(rid), outbox),
        frame_events_(engine.frame_events),
        playout_(config.playout, codec.clock_rate) {}

  std::optional<KeyframeReason> TakeKeyframeRequest() override {
    return playout_.TakeKeyframeRequest();
  }
  void SetRtt(TimeDelta rtt) override;
  uint32_t frames_rendered() const override { return counters_.frames_rendered; }
  double frozen_seconds() const override { return freezes_.counters().frozen.seconds(); }

 protected:
  void OnMedia(Timestamp now, const rtp::PacketView& packet, int64_t sequence,
               Origin origin) override;
  void OnEmpty(Timestamp now, uint16_t sequence_number, int64_t sequence) override;
  void HandleMediaTimeout(Timestamp now) override;
  Timestamp NextMediaTimeout() const override;
  void OnGapGivenUp(Timestamp now) override { playout_.OnGapGivenUp(now); }
  void FillMediaStats(Timestamp now, InboundRtpStats& stats) const override;

 private:
  void AfterPlayout(Timestamp now);
  void OnRendered(const VideoPlayout::Rendered& rendered);

  const bool frame_events_;
  VideoAssembler assembler_;
  VideoPlayout playout_;
  FreezeDetector freezes_;
  rtp::TimestampUnwrapper timestamps_;
  int64_t picture_id_ = -1;  // the last, unwrapped
  int64_t tl0_index_ = -1;
  std::optional<int64_t> cleared_;
  LastSecond decoded_last_second_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_VIDEO_INPUT_H_
