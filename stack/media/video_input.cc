#include "stack/media/video_input.h"

#include <algorithm>

#include "stack/rtp/vp8.h"

namespace rtclab::media {
namespace {

// The value nearest to `last` that equals `value` modulo `modulus`.
int64_t UnwrapNear(int64_t last, int64_t value, int64_t modulus) {
  if (last < 0) return value + modulus;  // room below for what comes late
  int64_t difference = (value - last % modulus + modulus) % modulus;
  if (difference >= modulus / 2) difference -= modulus;
  return last + difference;
}

}  // namespace

void VideoInput::SetRtt(TimeDelta rtt) {
  RtpInput::SetRtt(rtt);
  playout_.SetRtt(rtt);
}

void VideoInput::OnMedia(Timestamp now, const rtp::PacketView& packet, int64_t sequence,
                         Origin origin) {
  playout_.OnPacket(now, sequence);
  const auto vp8 = rtp::ParseVp8Payload(packet.payload());
  if (!vp8) {
    nack_.OnPacket(now, packet.sequence_number());
    ++counters_.packets_discarded;
    return;
  }
  const auto& descriptor = vp8->descriptor;
  VideoPacket video;
  video.sequence = sequence;
  video.timestamp = timestamps_.Unwrap(packet.timestamp());
  video.marker = packet.marker();
  video.starts_frame = descriptor.start_of_partition && descriptor.partition == 0;
  video.arrived = now;
  video.recovered = origin != Origin::kDirect;
  if (descriptor.picture_id) {
    const int64_t modulus = descriptor.wide_picture_id ? 1 << 15 : 1 << 7;
    video.picture_id = UnwrapNear(picture_id_, *descriptor.picture_id, modulus);
    picture_id_ = std::max(picture_id_, video.picture_id);
  }
  if (descriptor.tl0_pic_idx) {
    video.tl0_index = UnwrapNear(tl0_index_, *descriptor.tl0_pic_idx, 1 << 8);
    tl0_index_ = std::max(tl0_index_, video.tl0_index);
  }
  if (descriptor.temporal) {
    video.temporal_id = descriptor.temporal->id;
    video.layer_sync = descriptor.temporal->layer_sync;
  }
  video.non_reference = descriptor.non_reference;
  video.payload = vp8->data;
  const bool key_frame_start = video.starts_frame && (vp8->data[0] & 1) == 0;
  nack_.OnPacket(now, packet.sequence_number(), key_frame_start);
  std::optional<VideoFrame> frame;
  switch (assembler_.Insert(video, frame)) {
    case VideoAssembler::Outcome::kTooOld:
    case VideoAssembler::Outcome::kMalformed:
      ++counters_.packets_discarded;
      break;
    case VideoAssembler::Outcome::kStored:
    case VideoAssembler::Outcome::kDuplicate:
      break;
  }
  if (!frame) return;
  CountContent(frame->identity);
  playout_.Insert(now, *frame);
  AfterPlayout(now);
}

void VideoInput::OnEmpty(Timestamp now, uint16_t sequence_number, int64_t sequence) {
  playout_.OnPacket(now, sequence);
  nack_.OnPacket(now, sequence_number);
  assembler_.InsertPadding(sequence);
}

void VideoInput::HandleMediaTimeout(Timestamp now) {
  if (playout_.NextTimeout() <= now) {
    playout_.HandleTimeout(now);
    AfterPlayout(now);
  }
  if (freezes_.FreezeTime() <= now) {
    freezes_.MarkFrozen();
    outbox_.events.Push(FreezeStarted{config_.mid, ssrc_});
  }
}

Timestamp VideoInput::NextMediaTimeout() const {
  return std::min(playout_.NextTimeout(), freezes_.FreezeTime());
}

void VideoInput::AfterPlayout(Timestamp now) {
  if (const auto rendered = playout_.TakeRendered()) OnRendered(*rendered);
  const auto done = playout_.done_up_to();
  if (done && done != cleared_) {
    cleared_ = done;
    decoded_last_second_.Add(now);
    assembler_.ClearUpTo(*done);
    nack_.ClearUpTo(static_cast<uint16_t>(*done + 1));
  }
}

void VideoInput::OnRendered(const VideoPlayout::Rendered& rendered) {
  ++counters_.frames_rendered;
  if (!counters_.first_frame_time) {
    counters_.first_frame_time = rendered.at;
    outbox_.events.Push(FirstFrameReceived{config_.mid, ssrc_, Kind::kVideo});
  }
  // A freeze that was announced ends with an event also where the announcement was early.
  if (const auto freeze = freezes_.OnRendered(rendered.at)) {
    outbox_.events.Push(FreezeEnded{config_.mid, ssrc_, *freeze});
  }
  const FrameIdentity& identity = rendered.frame.identity;
  std::optional<TimeDelta> delay;
  if (identity.check == ContentCheck::kIntact && identity.captured <= rendered.at) {
    delay = rendered.at - identity.captured;
    counters_.total_end_to_end_delay += delay->seconds();
    counters_.max_end_to_end_delay = std::max(counters_.max_end_to_end_delay, delay->seconds());
    ++counters_.end_to_end_delay_count;
  }
  if (frame_events_) {
    outbox_.events.Push(
        FrameDecoded{config_.mid, ssrc_, identity.number, rendered.frame.key_frame, delay});
  }
}

void VideoInput::FillMediaStats(Timestamp now, InboundRtpStats& stats) const {
  const VideoPlayout::Counters& c = playout_.counters();
  stats.frames_received = c.frames_received;
  stats.frames_decoded = c.frames_decoded;
  stats.key_frames_decoded = c.key_frames_decoded;
  stats.frames_dropped = c.frames_dropped;
  stats.frame_width = static_cast<uint32_t>(c.width);
  stats.frame_height = static_cast<uint32_t>(c.height);
  stats.frames_per_second = decoded_last_second_.Count(now);
  stats.total_decode_time = c.frames_decoded * config_.playout.decode_time.seconds();
  stats.jitter_buffer_delay = c.delay;
  stats.jitter_buffer_target_delay = c.target_delay;
  stats.jitter_buffer_minimum_delay = c.minimum_delay;
  stats.jitter_buffer_emitted_count = c.emitted;
  stats.total_processing_delay = c.processing_delay;
  stats.frames_assembled_from_multiple_packets = c.assembled_from_multiple;
  stats.total_assembly_time = c.assembly_time;
  const FreezeDetector::Counters& f = freezes_.counters();
  stats.freeze_count = f.freezes;
  stats.total_freezes_duration = f.frozen.seconds();
  stats.pause_count = f.pauses;
  stats.total_pauses_duration = f.paused.seconds();
  stats.total_inter_frame_delay = f.inter_frame_delay;
  stats.total_squared_inter_frame_delay = f.squared_inter_frame_delay;
}

}  // namespace rtclab::media
