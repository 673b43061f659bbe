// An m-section of video that is sent: one encoder a simulcast layer.
#ifndef RTCLAB_STACK_MEDIA_VIDEO_SEND_STREAM_H_
#define RTCLAB_STACK_MEDIA_VIDEO_SEND_STREAM_H_

#include <memory>
#include <optional>
#include <vector>

#include "stack/media/fec_sender.h"
#include "stack/media/media_clock.h"
#include "stack/media/rate_allocation.h"
#include "stack/media/send_stream.h"
#include "stack/media/video_model.h"

namespace rtclab::media {

class VideoSendStream final : public SendStream {
 public:
  VideoSendStream(const EngineConfig& engine, const SendStreamConfig& config, Rng& rng);

  void Update(Timestamp now, const SendStreamConfig& config) override;
  void Start(Timestamp now) override;
  void Stop() override;
  RateDemand demand() const override;
  void SetRate(Timestamp now, DataRate payload_rate) override;
  void OnKeyframeRequest(Timestamp now, uint32_t ssrc) override;
  void SetLoss(double loss) override;
  void SetRtt(TimeDelta rtt) override;
  void HandleTimeout(Timestamp now, SendTransport& transport) override;
  Timestamp NextTimeout() const override;
  void FillStats(Timestamp now, EngineStats& stats) const override;
  double wire_factor(int64_t overhead) const override;
  DataRate fixed_overhead(int64_t) const override { return {}; }
  DataRate encoder_target() const override;

 private:
  struct Layer {
    std::size_t index = 0;  // of the encoding
    VideoModel model;
    LayerDemand demand;
    PictureSize full;  // what the encoding asks for; adaptation goes below it
    uint16_t picture_id = 0;
    uint8_t tl0_index = 0;
    uint32_t number = 0;
    std::optional<Timestamp> last_requested;  // key frame
    std::optional<Timestamp> resized;
    // webrtc-stats.
    uint32_t frames = 0;
    uint32_t key_frames = 0;
    uint32_t huge_frames = 0;
    uint64_t target_bytes = 0;
    double encode_time = 0;
    uint32_t resolution_changes = 0;
    LastSecond last_second;
    bool limited = false;
    std::optional<Timestamp> limited_since;  // since the present value of `limited`
    TimeDelta limited_time;
    TimeDelta unlimited_time;

    Layer(std::size_t encoding_index, const VideoModelConfig& config, Rng& rng)
        : index(encoding_index), model(config, rng) {}
  };

  bool LayerActive(const Layer& layer) const;
  void ConfigureLayer(Layer& layer) const;
  VideoModelConfig ModelFor(std::size_t index) const;
  void Adapt(Timestamp now, Layer& layer, DataRate rate);
  void NoteLimit(Timestamp now, Layer& layer);
  void Encode(Timestamp now, Layer& layer, SendTransport& transport);
  void Packetize(Timestamp now, Layer& layer, const EncodedFrame& frame, SendTransport& transport);

  const std::size_t max_packet_size_;
  VideoModelConfig source_;
  std::vector<std::unique_ptr<Layer>> layers_;   // from the lowest resolution to the highest
  std::vector<std::unique_ptr<FecSender>> fec_;  // of each encoding; empty without FEC
  Bytes frame_;                                  // the frame being cut into packets
  bool started_ = false;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_VIDEO_SEND_STREAM_H_
