// A received audio stream.
#ifndef RTCLAB_STACK_MEDIA_AUDIO_INPUT_H_
#define RTCLAB_STACK_MEDIA_AUDIO_INPUT_H_

#include "stack/media/audio_playout.h"
#include "stack/media/rtp_input.h"

namespace rtclab::media {

class AudioInput final : public RtpInput {
 public:
  AudioInput(const ReceiveStreamConfig& config, const CodecConfig& codec, uint32_t ssrc,
             std::string rid, Outbox& outbox)
      : RtpInput(config, codec, ssrc, std::move(rid), outbox),
        playout_(config.playout, codec.clock_rate) {}

 protected:
  void OnMedia(Timestamp now, const rtp::PacketView& packet, int64_t sequence,
               Origin origin) override;
  void OnEmpty(Timestamp now, uint16_t sequence_number, int64_t sequence) override;
  void HandleMediaTimeout(Timestamp now) override;
  Timestamp NextMediaTimeout() const override { return playout_.NextTimeout(); }
  void FillMediaStats(Timestamp now, InboundRtpStats& stats) const override;

 private:
  AudioPlayout playout_;
  rtp::TimestampUnwrapper timestamps_;
  bool first_frame_said_ = false;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_AUDIO_INPUT_H_
