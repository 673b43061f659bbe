#include "stack/media/fec_sender.h"

#include <algorithm>

#include "stack/rtp/red.h"
#include "stack/rtp/ulpfec.h"

namespace rtclab::media {
namespace {

constexpr double kLeastLoss = 0.005;
constexpr double kLeastProtection = 0.1;
constexpr double kMostProtection = 0.5;
constexpr TimeDelta kShortRtt = TimeDelta::Millis(20);
constexpr double kOverheadSmoothing = 0.05;

}  // namespace

double FecProtection(double loss, bool nack, TimeDelta rtt) {
  if (loss < kLeastLoss) return 0;
  if (nack && rtt > TimeDelta::Zero() && rtt < kShortRtt) return 0;
  return std::clamp(loss * 2, kLeastProtection, kMostProtection);
}

Bytes WrapRed(Bytes packet, uint8_t red_payload_type) {
  const auto view = rtp::PacketView::Parse(packet);
  const uint8_t own = view->payload_type();
  packet.insert(packet.begin() + static_cast<std::ptrdiff_t>(view->header_size()), own);
  rtp::SetPayloadType(packet, red_payload_type);
  return packet;
}

std::optional<Bytes> UnwrapRed(ByteView packet, uint8_t red_payload_type,
                               uint8_t media_payload_type) {
  const auto view = rtp::PacketView::Parse(packet);
  if (!view || view->payload_type() != red_payload_type || view->payload().empty() ||
      view->payload()[0] != media_payload_type) {
    return std::nullopt;
  }
  Bytes media(packet.begin(), packet.end());
  media.erase(media.begin() + static_cast<std::ptrdiff_t>(view->header_size()));
  rtp::SetPayloadType(media, media_payload_type);
  return media;
}

FecSender::FecSender(const FecConfig& config, const CodecConfig& codec)
    : config_(config),
      media_payload_type_(codec.payload_type),
      nack_(codec.nack),
      flexfec_(config.payload_type, config.ssrc, 0) {}

double FecSender::Protection() const {
  return config_.protection ? std::clamp(*config_.protection, 0.0, 1.0)
                            : FecProtection(loss_, nack_, rtt_);
}

Bytes FecSender::AddMedia(Bytes packet) {
  if (Protection() > 0) {
    if (used_ == packets_.size()) packets_.emplace_back();
    packets_[used_++].assign(packet.begin(), packet.end());
  }
  if (config_.kind != FecKind::kUlpfec) return packet;
  return WrapRed(std::move(packet), config_.red_payload_type);
}

void FecSender::EndFrame(Timestamp now, uint32_t timestamp, RtpOutput& output,
                         SendTransport& transport) {
  const auto protection = static_cast<uint8_t>(std::min(255.0, Protection() * 256));
  int64_t media_bytes = 0;
  fec_bytes_ = 0;
  std::vector<ByteView> group;
  for (std::size_t from = 0; from < used_; from += rtp::kMaxUlpfecSpan) {
    const std::size_t size = std::min(used_ - from, rtp::kMaxUlpfecSpan);
    group.assign(packets_.begin() + static_cast<std::ptrdiff_t>(from),
                 packets_.begin() + static_cast<std::ptrdiff_t>(from + size));
    for (const ByteView packet : group) media_bytes += static_cast<int64_t>(packet.size());
    const std::size_t count = rtp::FecPacketCount(size, protection);
    if (config_.kind == FecKind::kUlpfec) {
      SendUlpfec(now, timestamp, group, count, output, transport);
    } else {
      SendFlexfec(now, timestamp, group, count, output, transport);
    }
  }
  used_ = 0;
  const double part =
      media_bytes > 0 ? static_cast<double>(fec_bytes_) / static_cast<double>(media_bytes) : 0;
  overhead_ += (part - overhead_) * kOverheadSmoothing;
}

void FecSender::SendUlpfec(Timestamp now, uint32_t timestamp, std::span<const ByteView> packets,
                           std::size_t count, RtpOutput& output, SendTransport& transport) {
  for (const Bytes& fec : rtp::EncodeUlpfec(packets, count)) {
    auto builder = output.Begin(false, config_.red_payload_type, timestamp, fec.size() + 1);
    builder.AppendPayload({&config_.payload_type, 1});
    builder.AppendPayload(fec);
    Bytes packet = builder.Build();
    fec_bytes_ += static_cast<int64_t>(packet.size());
    transport.Enqueue(now, output, congestion::PacketClass::kFec, std::move(packet));
  }
}

// Packet i of a frame is protected by repair packet i modulo `count`, so that a burst of as many
// losses is recovered.
void FecSender::SendFlexfec(Timestamp now, uint32_t timestamp, std::span<const ByteView> packets,
                            std::size_t count, RtpOutput& output, SendTransport& transport) {
  std::vector<ByteView> share;
  for (std::size_t i = 0; i < count; ++i) {
    share.clear();
    for (std::size_t j = i; j < packets.size(); j += count) share.push_back(packets[j]);
    const auto repair = flexfec_.ProtectMask(timestamp, share);
    if (!repair) continue;
    const auto view = rtp::PacketView::Parse(*repair);
    auto builder = output.BeginFec(config_.payload_type, timestamp, view->payload().size());
    builder.AppendPayload(view->payload());
    Bytes packet = builder.Build();
    fec_bytes_ += static_cast<int64_t>(packet.size());
    transport.Enqueue(now, output, congestion::PacketClass::kFec, std::move(packet));
  }
}

}  // namespace rtclab::media
