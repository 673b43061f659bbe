#include "stack/media/audio_input.h"

#include "stack/media/frame_content.h"
#include "stack/rtp/header_extensions.h"
#include "stack/rtp/opus.h"

namespace rtclab::media {

void AudioInput::OnMedia(Timestamp now, const rtp::PacketView& packet, int64_t sequence, Origin) {
  nack_.OnPacket(now, packet.sequence_number());
  const auto opus = rtp::ParseOpusPacket(packet.payload());
  if (!opus || opus->samples() == 0) {
    ++counters_.packets_discarded;
    return;
  }
  AudioFrame frame;
  frame.sequence = sequence;
  frame.timestamp = timestamps_.Unwrap(packet.timestamp());
  frame.arrived = now;
  frame.samples = opus->samples();
  frame.comfort_noise = opus->dtx || IsComfortNoise(packet.payload());
  if (config_.extensions.audio_level != 0) {
    if (const auto value = packet.FindExtension(config_.extensions.audio_level)) {
      if (const auto level = rtp::ReadAudioLevel(*value)) frame.level = level->level_dbov;
    }
  }
  const FrameIdentity identity = ReadAudioFrame(packet.payload());
  CountContent(identity);
  if (identity.check == ContentCheck::kIntact) frame.captured = identity.captured;
  playout_.Insert(now, frame);
}

void AudioInput::OnEmpty(Timestamp now, uint16_t sequence_number, int64_t) {
  nack_.OnPacket(now, sequence_number);
}

void AudioInput::HandleMediaTimeout(Timestamp now) {
  playout_.HandleTimeout(now);
  if (first_frame_said_ || !playout_.counters().first_played) return;
  first_frame_said_ = true;
  counters_.first_frame_time = playout_.counters().first_played;
  outbox_.events.Push(FirstFrameReceived{config_.mid, ssrc_, Kind::kAudio});
}

void AudioInput::FillMediaStats(Timestamp, InboundRtpStats& stats) const {
  const AudioPlayout::Counters& c = playout_.counters();
  stats.packets_discarded += c.packets_discarded;
  stats.total_samples_received = c.samples_received;
  stats.concealed_samples = c.concealed_samples;
  stats.silent_concealed_samples = c.silent_concealed_samples;
  stats.concealment_events = c.concealment_events;
  stats.inserted_samples_for_deceleration = c.inserted_samples;
  stats.removed_samples_for_acceleration = c.removed_samples;
  stats.jitter_buffer_delay = c.delay;
  stats.jitter_buffer_target_delay = c.target_delay;
  stats.jitter_buffer_minimum_delay = c.minimum_delay;
  stats.jitter_buffer_emitted_count = c.emitted_samples;
  stats.total_processing_delay = c.processing_delay;
  stats.audio_level = c.level;
  stats.total_audio_energy = c.energy;
  stats.total_samples_duration =
      static_cast<double>(c.samples_received) / static_cast<double>(codec_.clock_rate);
  stats.total_end_to_end_delay = c.end_to_end_delay;
  stats.end_to_end_delay_count = c.end_to_end_count;
  stats.max_end_to_end_delay = c.end_to_end_delay_max;
}

}  // namespace rtclab::media
