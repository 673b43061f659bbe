#include "stack/media/send_stream.h"

#include <algorithm>

#include "stack/media/audio_send_stream.h"
#include "stack/media/video_send_stream.h"

namespace rtclab::media {

SendStream::SendStream(SendStreamConfig config, Rng& rng) : config_(std::move(config)) {
  for (std::size_t i = 0; i < config_.encodings.size(); ++i) {
    outputs_.push_back(std::make_unique<RtpOutput>(config_, i, rng));
  }
}

bool SendStream::Matches(const SendStreamConfig& config) const {
  if (config.mid != config_.mid || config.kind != config_.kind ||
      config.codec.payload_type != config_.codec.payload_type ||
      config.codec.rtx_payload_type != config_.codec.rtx_payload_type ||
      config.codec.name != config_.codec.name || config.extensions != config_.extensions ||
      config.fec.kind != config_.fec.kind || config.fec.ssrc != config_.fec.ssrc ||
      config.encodings.size() != config_.encodings.size()) {
    return false;
  }
  return std::equal(config.encodings.begin(), config.encodings.end(), config_.encodings.begin(),
                    [](const Encoding& a, const Encoding& b) {
                      return a.ssrc == b.ssrc && a.rtx_ssrc == b.rtx_ssrc && a.rid == b.rid;
                    });
}

void SendStream::SetRtt(TimeDelta rtt) {
  for (auto& output : outputs_) output->SetRtt(rtt);
}

std::unique_ptr<SendStream> MakeSendStream(const EngineConfig& engine,
                                           const SendStreamConfig& config, Rng& rng) {
  if (config.kind == Kind::kAudio) return std::make_unique<AudioSendStream>(config, rng);
  return std::make_unique<VideoSendStream>(engine, config, rng);
}

}  // namespace rtclab::media
