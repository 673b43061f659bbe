#include "stack/media/rtp_input.h"

#include <algorithm>

#include "stack/media/audio_input.h"
#include "stack/media/video_input.h"
#include "stack/rtp/rtx.h"

namespace rtclab::media {
namespace {

// Without NACK a gap counts as final after this: reordering and FEC have had their time. A
// decision.
constexpr TimeDelta kGapPatience = TimeDelta::Millis(100);
constexpr int kNeverByCount = 1 << 14;

rtp::NackConfig NackFor(const CodecConfig& codec) {
  rtp::NackConfig config;
  if (!codec.nack) {
    config.reordering_packets = kNeverByCount;
    config.reordering_delay = kGapPatience;
    config.max_requests = 0;
  }
  return config;
}

}  // namespace

RtpInput::RtpInput(const ReceiveStreamConfig& config, const CodecConfig& codec, uint32_t ssrc,
                   std::string rid, Outbox& outbox)
    : config_(config),
      codec_(codec),
      ssrc_(ssrc),
      rid_(std::move(rid)),
      outbox_(outbox),
      nack_(NackFor(codec)),
      // The stream was associated by signalling or by its extensions, so there is no doubt about
      // it.
      statistics_(ssrc, static_cast<int>(codec.clock_rate), 0) {
  if (config.fec.kind != FecKind::kNone) fec_.emplace(config.fec, config.extensions, ssrc);
}

void RtpInput::CountBytes(const rtp::PacketView& packet) {
  ++counters_.packets_received;
  counters_.bytes_received += packet.payload().size();
  counters_.header_bytes_received += packet.bytes().size() - packet.payload().size();
}

void RtpInput::OnPacket(Timestamp now, const rtp::PacketView& packet, uint8_t ecn) {
  if (!statistics_.OnPacket(now, packet.sequence_number(), packet.timestamp(),
                            DataSize::Bytes(static_cast<int64_t>(packet.payload().size())))) {
    return;
  }
  ended_ = false;
  CountBytes(packet);
  if (ecn == 3) ++counters_.packets_received_with_ce;
  if (ecn == 1) ++counters_.packets_received_with_ect1;
  counters_.last_packet_received_timestamp = now;
  if (!counters_.first_packet_time) counters_.first_packet_time = now;
  Dispatch(now, packet, Origin::kDirect);
}

void RtpInput::OnRtx(Timestamp now, const rtp::PacketView& packet) {
  CountBytes(packet);
  counters_.last_packet_received_timestamp = now;
  ++counters_.retransmitted_packets_received;
  counters_.retransmitted_bytes_received += packet.payload().size();
  // Chromium, where RED was negotiated, sends the RED packets again with the payload type that names RED in apt=.
  const bool is_red = config_.fec.red_rtx_payload_type == packet.payload_type();
  const uint8_t payload_type = is_red ? config_.fec.red_payload_type : codec_.payload_type;
  // Padding on the RTX stream has no original.
  const auto original = rtp::UnwrapRtx(packet, payload_type, ssrc_, config_.extensions.rid,
                                       config_.extensions.repaired_rid);
  if (!original) return;
  const auto view = rtp::PacketView::Parse(*original);
  if (view) Dispatch(now, *view, Origin::kRetransmission);
}

void RtpInput::OnFlexfec(Timestamp now, const rtp::PacketView& packet) {
  CountBytes(packet);
  ++counters_.fec_packets_received;
  counters_.fec_bytes_received += packet.payload().size();
  if (!fec_) return;
  fec_->OnRepair(packet);
  Recover(now);
}

void RtpInput::Dispatch(Timestamp now, const rtp::PacketView& packet, Origin origin) {
  const int64_t sequence = sequences_.Unwrap(packet.sequence_number());
  // Duplicates: by the network, or media sent again as padding.
  if (!seen_.Note(sequence)) return;
  if (packet.payload().empty()) {
    OnEmpty(now, packet.sequence_number(), sequence);
  } else if (!fec_ || origin == Origin::kFec) {
    Play(now, packet, sequence, origin);
  } else if (const auto media = fec_->OnMedia(packet)) {
    if (const auto view = rtp::PacketView::Parse(*media)) Play(now, *view, sequence, origin);
    Recover(now);
  } else {
    ++counters_.fec_packets_received;
    counters_.fec_bytes_received += packet.payload().size();
    OnEmpty(now, packet.sequence_number(), sequence);
    Recover(now);
  }
  if (nack_.PollKeyframeRequest()) OnGapGivenUp(now);
}

void RtpInput::Play(Timestamp now, const rtp::PacketView& packet, int64_t sequence, Origin origin) {
  if (packet.payload_type() == codec_.payload_type) {
    OnMedia(now, packet, sequence, origin);
  } else {
    // Another codec of the m-section, such as telephone events.
    OnEmpty(now, packet.sequence_number(), sequence);
  }
}

void RtpInput::Recover(Timestamp now) {
  while (const auto recovered = fec_->PollRecovered()) {
    const auto view = rtp::PacketView::Parse(*recovered);
    if (!view) continue;
    ++counters_.packets_recovered_by_fec;
    Dispatch(now, *view, Origin::kFec);
  }
}

void RtpInput::OnSenderReport(Timestamp now, const rtp::SenderReport& report) {
  statistics_.OnSenderReport(now, report);
  if (!remote_) {
    remote_.emplace();
    remote_->ssrc = ssrc_;
    remote_->kind = config_.kind;
    remote_->mid = config_.mid;
    remote_->codec = codec_.name;
    remote_->payload_type = codec_.payload_type;
  }
  remote_->packets_sent = report.packet_count;
  remote_->bytes_sent = report.octet_count;
  ++remote_->reports_sent;
  remote_->timestamp = now;
  const int64_t seconds = static_cast<int64_t>(report.ntp.seconds) - rtp::kNtpSecondsAtZero;
  remote_->remote_timestamp =
      Timestamp::Zero() + TimeDelta::Seconds(seconds) +
      TimeDelta::Nanos(static_cast<int64_t>(uint64_t{report.ntp.fraction} * 1'000'000'000 >> 32));
}

void RtpInput::OnRoundTrip(TimeDelta rtt) {
  if (!remote_) return;
  remote_->round_trip_time = rtt.seconds();
  remote_->total_round_trip_time += rtt.seconds();
  ++remote_->round_trip_time_measurements;
}

void RtpInput::HandleTimeout(Timestamp now) {
  if (nack_.NextTimeout() <= now) nack_.HandleTimeout(now);
  if (nack_.PollKeyframeRequest()) OnGapGivenUp(now);
  if (NextMediaTimeout() <= now) HandleMediaTimeout(now);
}

Timestamp RtpInput::NextTimeout() const {
  if (ended_) return Timestamp::PlusInfinity();
  return std::min(nack_.NextTimeout(), NextMediaTimeout());
}

std::optional<std::vector<uint16_t>> RtpInput::TakeNack() {
  auto lost = nack_.PollNack();
  if (!codec_.nack) return std::nullopt;
  if (lost) ++counters_.nack_count;
  return lost;
}

void RtpInput::CountContent(const FrameIdentity& identity) {
  switch (identity.check) {
    case ContentCheck::kIntact:
      ++counters_.frames_intact;
      break;
    case ContentCheck::kCorrupt:
      ++counters_.frames_corrupt;
      outbox_.events.Push(FrameCorrupt{config_.mid, ssrc_, identity.number});
      break;
    case ContentCheck::kUnverified:
      ++counters_.frames_unverified;
      break;
  }
}

void RtpInput::FillStats(Timestamp now, InboundRtpStats& stats) const {
  stats = counters_;
  stats.ssrc = ssrc_;
  stats.kind = config_.kind;
  stats.mid = config_.mid;
  stats.rid = rid_;
  stats.track_identifier = config_.track_id;
  stats.codec = (config_.kind == Kind::kAudio ? "audio/" : "video/") + codec_.name;
  stats.payload_type = codec_.payload_type;
  stats.packets_lost = statistics_.lost();
  stats.jitter = statistics_.jitter_time().seconds();
  if (rtx_ssrc_ != 0) stats.rtx_ssrc = rtx_ssrc_;
  if (fec_ssrc_ != 0) stats.fec_ssrc = fec_ssrc_;
  FillMediaStats(now, stats);
}

std::unique_ptr<RtpInput> MakeRtpInput(const EngineConfig& engine,
                                       const ReceiveStreamConfig& config, const CodecConfig& codec,
                                       uint32_t ssrc, std::string rid, Outbox& outbox) {
  if (config.kind == Kind::kAudio) {
    return std::make_unique<AudioInput>(config, codec, ssrc, std::move(rid), outbox);
  }
  return std::make_unique<VideoInput>(engine, config, codec, ssrc, std::move(rid), outbox);
}

}  // namespace rtclab::media
