#include "stack/media/rtp_output.h"

#include <algorithm>
#include <bit>

#include "stack/media/fec_sender.h"
#include "stack/media/media_clock.h"
#include "stack/rtp/header_extensions.h"
#include "stack/rtp/rtx.h"

namespace rtclab::media {
namespace {

constexpr uint8_t kMostPadding = 224;  // of one packet without payload (as deployed)
// The smallest packet worth sending again as padding.
constexpr std::size_t kLeastUsefulPadding = 200;
// Audio carries its mid until the far end has reported so often (RFC 8843 section 15.1: until it is
// known that the mapping arrived). Video always does: its RTX stream may begin at any time, and
// takes the extensions over from what it repeats.
constexpr uint32_t kReportsUntilKnown = 2;
constexpr std::size_t kRtxOsnSize = 2;

rtp::PacketHistoryConfig HistoryFor(const SendStreamConfig& config) {
  rtp::PacketHistoryConfig history;
  history.capacity = !config.codec.nack ? 1 : config.kind == Kind::kAudio ? 64 : 512;
  return history;
}

}  // namespace

PacketFeedback FeedbackOf(const CodecConfig& codec, const ExtensionIds& extensions) {
  if (codec.ccfb) return PacketFeedback::kCongestionControl;
  if (codec.transport_cc && extensions.transport_cc != 0) return PacketFeedback::kTransportWide;
  return PacketFeedback::kNone;
}

RtpOutput::RtpOutput(const SendStreamConfig& config, std::size_t index, Rng& rng)
    : kind_(config.kind),
      mid_(config.mid),
      codec_(config.codec),
      encoding_(config.encodings[index]),
      extensions_(config.extensions),
      feedback_(FeedbackOf(config.codec, config.extensions)),
      // One FlexFEC stream protects one media stream: the first.
      fec_ssrc_(config.fec.kind == FecKind::kFlexfec && index == 0 ? config.fec.ssrc : 0),
      red_payload_type_(config.fec.kind == FecKind::kUlpfec ? config.fec.red_payload_type : 0),
      sequence_(static_cast<uint16_t>(rng.NextU32() & 0x7fff)),
      rtx_sequence_(static_cast<uint16_t>(rng.NextU32() & 0x7fff)),
      fec_sequence_(static_cast<uint16_t>(rng.NextU32() & 0x7fff)),
      timestamp_offset_(rng.NextU32()),
      history_(HistoryFor(config)) {}

bool RtpOutput::Owns(uint32_t ssrc) const {
  return ssrc == encoding_.ssrc || (encoding_.rtx_ssrc != 0 && ssrc == encoding_.rtx_ssrc) ||
         (fec_ssrc_ != 0 && ssrc == fec_ssrc_);
}

uint32_t RtpOutput::RtpTimestamp(Timestamp time) const {
  return timestamp_offset_ +
         static_cast<uint32_t>(ToTicks(time - Timestamp::Zero(), codec_.clock_rate));
}

bool RtpOutput::AnnounceIdentity() const {
  return kind_ == Kind::kVideo || reports_received_ < kReportsUntilKnown;
}

std::size_t RtpOutput::HeaderSize() const {
  std::size_t extensions = 0;
  if (extensions_.abs_send_time != 0) extensions += 4;
  if (feedback_ == PacketFeedback::kTransportWide) extensions += 3;
  if (extensions_.audio_level != 0 && kind_ == Kind::kAudio) extensions += 2;
  // Room is kept for mid and rid also when they are no longer sent.
  if (extensions_.mid != 0) extensions += 1 + mid_.size();
  if (!encoding_.rid.empty()) extensions += 1 + encoding_.rid.size();
  if (extensions > 0) extensions = 4 + (extensions + 3) / 4 * 4;
  return rtp::kFixedHeaderSize + extensions;
}

void RtpOutput::AddExtensions(rtp::PacketBuilder& builder, std::optional<uint8_t> audio_level,
                              bool repair) {
  if (extensions_.abs_send_time != 0) builder.ReserveExtension(extensions_.abs_send_time, 3);
  if (feedback_ == PacketFeedback::kTransportWide) {
    builder.ReserveExtension(extensions_.transport_cc, 2);
  }
  if (extensions_.audio_level != 0 && audio_level) {
    const uint8_t value = rtp::EncodeAudioLevel({*audio_level < 60, *audio_level});
    builder.AddExtension(extensions_.audio_level, {&value, 1});
  }
  if (!AnnounceIdentity()) return;
  if (extensions_.mid != 0 && !mid_.empty()) {
    builder.AddExtension(extensions_.mid, AsBytes(mid_));
  }
  const uint8_t rid_id = repair ? extensions_.repaired_rid : extensions_.rid;
  if (rid_id != 0 && !encoding_.rid.empty()) builder.AddExtension(rid_id, AsBytes(encoding_.rid));
}

rtp::PacketBuilder RtpOutput::Begin(bool marker, uint8_t payload_type, uint32_t timestamp,
                                    std::size_t payload_size, std::optional<uint8_t> audio_level) {
  const rtp::RtpHeader header{marker, payload_type, sequence_++, timestamp, encoding_.ssrc};
  last_timestamp_ = timestamp;
  last_marker_ = marker;
  // Room for what SRTP appends as well.
  rtp::PacketBuilder builder(header, HeaderSize() + payload_size + 24);
  AddExtensions(builder, audio_level, false);
  return builder;
}

rtp::PacketBuilder RtpOutput::BeginFec(uint8_t payload_type, uint32_t timestamp,
                                       std::size_t payload_size) {
  const rtp::RtpHeader header{false, payload_type, fec_sequence_++, timestamp, fec_ssrc_};
  rtp::PacketBuilder builder(header, HeaderSize() + payload_size + 24);
  builder.AddCsrc(encoding_.ssrc);  // RFC 8627 section 4.2.1: the SSRCs that are protected
  AddExtensions(builder, {}, false);
  return builder;
}

Bytes RtpOutput::WrapAsRtx(ByteView packet) {
  const auto view = rtp::PacketView::Parse(packet);
  const rtp::RtxTarget target{codec_.rtx_payload_type.value_or(0), encoding_.rtx_ssrc,
                              extensions_.rid, extensions_.repaired_rid};
  Bytes buffer;
  buffer.reserve(packet.size() + kRtxOsnSize + 24);
  return rtp::WrapRtx(*view, target, rtx_sequence_++, std::move(buffer));
}

std::optional<Bytes> RtpOutput::Retransmission(Timestamp now, uint16_t sequence) {
  if (!codec_.nack) return std::nullopt;
  const auto packet = history_.Retransmit(now, sequence);
  if (!packet) return std::nullopt;
  const bool has_rtx = encoding_.rtx_ssrc != 0 && codec_.rtx_payload_type;
  if (red_payload_type_ != 0 && has_rtx) {
    // The RTX payload type stands for the codec's, so what goes again is what RED holds; FEC does
    // not.
    const auto media = UnwrapRed(*packet, red_payload_type_, codec_.payload_type);
    return media ? std::optional<Bytes>(WrapAsRtx(*media)) : std::nullopt;
  }
  if (has_rtx) return WrapAsRtx(*packet);
  return Bytes(packet->begin(), packet->end());
}

std::optional<Bytes> RtpOutput::Padding(Timestamp now, DataSize size, bool media_queued) {
  if (media_packets_ == 0) return std::nullopt;
  const auto wanted = static_cast<std::size_t>(std::max<int64_t>(size.bytes(), 1));
  const auto amount = static_cast<uint8_t>(std::clamp<std::size_t>(wanted, 32, kMostPadding));
  if (encoding_.rtx_ssrc != 0 && codec_.rtx_payload_type) {
    if (wanted >= kLeastUsefulPadding) {
      const auto packet = history_.ForPadding(now, kLeastUsefulPadding);
      if (packet && red_payload_type_ == 0) return WrapAsRtx(*packet);
    }
    rtp::PacketBuilder builder(
        {false, *codec_.rtx_payload_type, rtx_sequence_++, last_timestamp_, encoding_.rtx_ssrc},
        HeaderSize() + amount + 24);
    AddExtensions(builder, {}, true);
    return builder.Build(amount);
  }
  if (media_queued || !last_marker_ || kind_ == Kind::kAudio) return std::nullopt;
  rtp::PacketBuilder builder(
      {false, codec_.payload_type, sequence_++, last_timestamp_, encoding_.ssrc},
      HeaderSize() + amount + 24);
  AddExtensions(builder, {}, false);
  return builder.Build(amount);
}

void RtpOutput::OnSent(Timestamp now, congestion::PacedPacket& packet,
                       std::optional<uint16_t> transport_sequence) {
  Bytes& bytes = packet.payload;
  if (extensions_.abs_send_time != 0) {
    const auto value = rtp::MutableExtension(bytes, extensions_.abs_send_time);
    if (value.size() == 3) rtp::StoreAbsSendTime(value, now);
  }
  if (transport_sequence) {
    const auto value = rtp::MutableExtension(bytes, extensions_.transport_cc);
    if (value.size() >= 2) rtp::StoreTransportSequence(value, *transport_sequence);
  }
  const auto view = rtp::PacketView::Parse(bytes);
  const auto payload = static_cast<uint64_t>(view->payload().size());
  counters_.packets_sent += 1;
  counters_.bytes_sent += payload;
  counters_.header_bytes_sent += bytes.size() - payload;
  send_delay_ += (now - packet.enqueued).seconds();
  using congestion::PacketClass;
  switch (packet.packet_class) {
    case PacketClass::kRetransmission:
      ++counters_.retransmitted_packets_sent;
      counters_.retransmitted_bytes_sent += payload;
      retransmitted_wire_bytes_ += packet.size.bytes();
      return;
    case PacketClass::kPadding:
      counters_.padding_bytes_sent += bytes.size() - view->header_size();
      if (view->ssrc() != encoding_.ssrc) return;
      break;
    case PacketClass::kFec:
      ++counters_.fec_packets_sent;
      counters_.fec_bytes_sent += payload;
      if (view->ssrc() != encoding_.ssrc) return;
      break;
    case PacketClass::kAudio:
    case PacketClass::kVideo:
      break;
  }
  ++media_packets_;
  media_octets_ += static_cast<uint32_t>(payload);
  if (codec_.nack) history_.Store(now, bytes);
}

void RtpOutput::SetRtt(TimeDelta rtt) {
  rtt_ = rtt;
  history_.SetRtt(rtt);
  // Long enough for a NACK, its repetition, and the answer.
  history_.SetMaxAge(std::max(TimeDelta::Seconds(1), rtt * 4));
}

rtp::SenderReport RtpOutput::MakeSenderReport(Timestamp now) const {
  rtp::SenderReport report;
  report.sender_ssrc = encoding_.ssrc;
  report.ntp = rtp::NtpTime::From(now);
  report.rtp_timestamp = RtpTimestamp(now);
  report.packet_count = media_packets_;
  report.octet_count = media_octets_;
  return report;
}

void RtpOutput::OnReportBlock(Timestamp now, const rtp::ReportBlock& block,
                              std::optional<TimeDelta> rtt) {
  ++reports_received_;
  if (!remote_) {
    remote_.emplace();
    remote_->ssrc = encoding_.ssrc;
    remote_->kind = kind_;
    remote_->mid = mid_;
    remote_->codec = codec_.name;
    remote_->payload_type = codec_.payload_type;
  }
  remote_->timestamp = now;
  remote_->packets_lost = block.cumulative_lost;
  remote_->fraction_lost = block.fraction_lost / 256.0;
  remote_->jitter = static_cast<double>(block.jitter) / codec_.clock_rate;
  // RFC 3550 appendix A.3 from this side: what was sent since the first, less what is missing.
  const int64_t received = static_cast<int64_t>(media_packets_) - block.cumulative_lost;
  remote_->packets_received = static_cast<uint64_t>(std::max<int64_t>(received, 0));
  if (rtt) {
    remote_->round_trip_time = rtt->seconds();
    remote_->total_round_trip_time += rtt->seconds();
    ++remote_->round_trip_time_measurements;
  }
}

void RtpOutput::FillStats(OutboundRtpStats& stats) const {
  stats = counters_;
  stats.ssrc = encoding_.ssrc;
  stats.kind = kind_;
  stats.mid = mid_;
  stats.rid = encoding_.rid;
  stats.codec = (kind_ == Kind::kAudio ? "audio/" : "video/") + codec_.name;
  stats.payload_type = codec_.payload_type;
  if (encoding_.rtx_ssrc != 0) stats.rtx_ssrc = encoding_.rtx_ssrc;
  stats.total_packet_send_delay = send_delay_;
  stats.nack_count = nack_count;
  stats.pli_count = pli_count;
  stats.fir_count = fir_count;
}

}  // namespace rtclab::media
