// An m-section of audio that is sent.
#ifndef RTCLAB_STACK_MEDIA_AUDIO_SEND_STREAM_H_
#define RTCLAB_STACK_MEDIA_AUDIO_SEND_STREAM_H_

#include "stack/media/audio_model.h"
#include "stack/media/send_stream.h"

namespace rtclab::media {

class AudioSendStream final : public SendStream {
 public:
  AudioSendStream(const SendStreamConfig& config, Rng& rng);

  void Update(Timestamp now, const SendStreamConfig& config) override;
  void Start(Timestamp now) override;
  void Stop() override;
  RateDemand demand() const override;
  void SetRate(Timestamp now, DataRate payload_rate) override;
  void HandleTimeout(Timestamp now, SendTransport& transport) override;
  Timestamp NextTimeout() const override { return model_.NextFrameTime(); }
  void FillStats(Timestamp now, EngineStats& stats) const override;
  double wire_factor(int64_t) const override { return 1; }
  DataRate fixed_overhead(int64_t overhead) const override;
  DataRate encoder_target() const override { return model_.target_rate(); }

 private:
  void Encode(Timestamp now, SendTransport& transport);
  bool Active() const { return config_.active && config_.encodings.front().active; }

  AudioModelConfig source_;
  AudioModel model_;
  bool started_ = false;
  uint32_t number_ = 0;
  double level_ = 0;
  double energy_ = 0;
  double duration_ = 0;  // seconds
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_AUDIO_SEND_STREAM_H_
