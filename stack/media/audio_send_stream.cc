#include "stack/media/audio_send_stream.h"

#include "stack/media/audio_level.h"
#include "stack/media/frame_content.h"

namespace rtclab::media {
namespace {

// The fmtp line of the far end can ask for DTX and constant bit rate (RFC 7587 section 6.1).
AudioModelConfig NegotiatedSource(const SendStreamConfig& config) {
  AudioModelConfig source;
  if (const auto* given = std::get_if<AudioModelConfig>(&config.source)) source = *given;
  const auto set = [&](const char* name) {
    const auto it = config.codec.fmtp.find(name);
    return it != config.codec.fmtp.end() && it->second == "1";
  };
  if (set("usedtx")) source.dtx = true;
  if (set("cbr")) source.cbr = true;
  const Encoding& encoding = config.encodings.front();
  if (encoding.max_bitrate && *encoding.max_bitrate < source.bitrate) {
    source.bitrate = std::max(*encoding.max_bitrate, source.min_bitrate);
  }
  return source;
}

}  // namespace

AudioSendStream::AudioSendStream(const SendStreamConfig& config, Rng& rng)
    : SendStream(config, rng), source_(NegotiatedSource(config)), model_(source_, rng) {}

void AudioSendStream::Update(Timestamp now, const SendStreamConfig& config) {
  config_.active = config.active;
  config_.encodings = config.encodings;
  if (!started_) return;
  if (!Active()) {
    model_.Stop();
  } else if (model_.NextFrameTime().IsInfinite()) {
    model_.Start(now);
  }
}

void AudioSendStream::Start(Timestamp now) {
  started_ = true;
  if (Active() && model_.NextFrameTime().IsInfinite()) model_.Start(now);
}

void AudioSendStream::Stop() {
  started_ = false;
  model_.Stop();
}

RateDemand AudioSendStream::demand() const {
  if (!Active()) return {};
  return {source_.min_bitrate, source_.bitrate};
}

void AudioSendStream::SetRate(Timestamp, DataRate payload_rate) {
  model_.SetTargetRate(payload_rate);
}

DataRate AudioSendStream::fixed_overhead(int64_t overhead) const {
  if (!Active()) return {};
  const int64_t bytes = overhead + static_cast<int64_t>(outputs_.front()->HeaderSize());
  return DataRate::BitsPerSec(bytes * 8 * 1'000'000'000 / model_.frame_duration().nanos());
}

void AudioSendStream::HandleTimeout(Timestamp now, SendTransport& transport) {
  while (model_.NextFrameTime() <= now) Encode(now, transport);
}

void AudioSendStream::Encode(Timestamp now, SendTransport& transport) {
  const EncodedAudio frame = model_.Encode(now);
  const double seconds = model_.frame_duration().seconds();
  level_ = LinearAudioLevel(frame.level);
  energy_ += level_ * level_ * seconds;
  duration_ += seconds;
  const uint32_t number = number_++;
  if (!frame.sent) return;
  RtpOutput& output = *outputs_.front();
  const auto size = static_cast<std::size_t>(frame.size);
  // The timestamp is of the first sample, as a sound card's clock counts.
  const uint32_t timestamp = output.RtpTimestamp(frame.captured - model_.frame_duration());
  auto builder =
      output.Begin(frame.first_of_spurt, config_.codec.payload_type, timestamp, size, frame.level);
  const bool pause = !frame.speech && source_.dtx;
  WriteAudioFrame(builder.AllocatePayload(size), model_.frame_duration(), pause,
                  config_.codec.channels == 2, number, frame.captured);
  transport.Enqueue(now, output, congestion::PacketClass::kAudio, builder.Build());
}

void AudioSendStream::FillStats(Timestamp, EngineStats& stats) const {
  OutboundRtpStats outbound;
  outputs_.front()->FillStats(outbound);
  outbound.target_bitrate = static_cast<double>(model_.target_rate().bps());
  outbound.active = Active();
  stats.outbound_rtp.push_back(std::move(outbound));
  MediaSourceStats source;
  source.track_identifier = config_.track_id;
  source.mid = config_.mid;
  source.kind = Kind::kAudio;
  source.audio_level = level_;
  source.total_audio_energy = energy_;
  source.total_samples_duration = duration_;
  stats.media_source.push_back(std::move(source));
}

}  // namespace rtclab::media
