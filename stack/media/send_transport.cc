#include "stack/media/send_transport.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace rtclab::media {
namespace {

congestion::PacerConfig PacerFor(const EngineConfig& config) {
  congestion::PacerConfig pacer;
  pacer.pace_audio = config.pace_audio;
  return pacer;
}

// Feedback comes within some seconds, so the packets of so long are remembered; audio and small
// packets double their count.
constexpr int64_t kRememberedSeconds = 4;
std::size_t MatcherCapacity(DataRate max_rate) {
  const int64_t packets = max_rate.bps() / 9'600 * 2 * kRememberedSeconds;
  return std::bit_ceil(static_cast<std::size_t>(std::clamp<int64_t>(packets, 512, 32'768)));
}

// One padding request is answered with at most so many packets.
constexpr int kMostPaddingPackets = 64;

}  // namespace

SendTransport::SendTransport(const EngineConfig& config, Outbox& outbox)
    : outbox_(outbox),
      controller_(congestion::MakeController(config.controller, config.congestion)),
      pacer_(PacerFor(config)),
      max_rate_(config.congestion.limits.max) {
  pacer_.SetPaused(Timestamp::Zero(), true);
  ApplyOutput(Timestamp::Zero());
}

void SendTransport::SetOutputs(std::vector<RtpOutput*> outputs) {
  for (const RtpOutput* old : outputs_) {
    if (std::find(outputs.begin(), outputs.end(), old) != outputs.end()) continue;
    pacer_.RemoveStream(old->ssrc());
    ccfb_matcher_.Forget(old->ssrc());
    for (const uint32_t repair : {old->rtx_ssrc(), old->fec_ssrc()}) {
      if (repair == 0) continue;
      pacer_.RemoveStream(repair);
      ccfb_matcher_.Forget(repair);
    }
  }
  outputs_ = std::move(outputs);
  const bool numbered = std::any_of(outputs_.begin(), outputs_.end(), [](const RtpOutput* output) {
    return output->feedback() == PacketFeedback::kTransportWide;
  });
  if (numbered && !transport_matcher_) transport_matcher_.emplace(MatcherCapacity(max_rate_));
}

void SendTransport::NoteQueue(Timestamp now) {
  controller_->OnQueue(now, pacer_.queued());
  ApplyOutput(now);
}

void SendTransport::Enqueue(Timestamp now, RtpOutput& output, congestion::PacketClass packet_class,
                            Bytes packet) {
  congestion::PacedPacket paced;
  paced.packet_class = packet_class;
  paced.ssrc = LoadU32(packet.data() + 8);
  paced.size = DataSize::Bytes(static_cast<int64_t>(packet.size()) + outbox_.overhead);
  paced.payload = std::move(packet);
  paced.handle = reinterpret_cast<uintptr_t>(&output);
  paced.enqueued = now;
  pacer_.Enqueue(now, std::move(paced));
}

void SendTransport::SetNetworkAvailable(Timestamp now, bool available) {
  if (available == available_) return;
  available_ = available;
  pacer_.SetPaused(now, !available);
  controller_->OnNetworkAvailable(now, available);
  ApplyOutput(now);
}

void SendTransport::SetLimits(Timestamp now, const congestion::RateLimits& limits) {
  controller_->OnAllocation(now, limits);
  ApplyOutput(now);
}

void SendTransport::OnPathChanged(Timestamp) {
  adapter_.Reset();
  pacer_.SetInFlight(DataSize());
}

void SendTransport::ApplyOutput(Timestamp now) {
  const auto& output = controller_->output();
  if (output.pacing != pacing_ || output.padding != padding_) {
    pacing_ = output.pacing;
    padding_ = output.padding;
    pacer_.SetRates(now, std::max(pacing_, DataRate::KilobitsPerSec(1)), padding_);
  }
  pacer_.SetWindow(output.window);
  while (auto probe = controller_->PollProbe()) pacer_.AddProbe(now, *probe);
}

void SendTransport::OnTransportFeedback(Timestamp now, const rtp::TransportFeedback& feedback) {
  if (transport_matcher_) Deliver(now, transport_matcher_->Match(now, feedback));
}

void SendTransport::OnCongestionFeedback(Timestamp now, const rtp::CongestionFeedback& feedback) {
  Deliver(now, ccfb_matcher_.Match(now, feedback));
}

void SendTransport::Deliver(Timestamp now, const rtp::MatchedFeedback& matched) {
  if (matched.packets.empty()) return;
  reports_.clear();
  for (const auto& packet : matched.packets) {
    reports_.push_back({packet.record.id, packet.received, packet.ecn});
  }
  const auto& feedback = adapter_.OnFeedback(now, reports_);
  pacer_.SetInFlight(adapter_.in_flight());
  controller_->OnQueue(now, pacer_.queued());
  if (!feedback.packets.empty()) controller_->OnFeedback(now, feedback);
  ApplyOutput(now);
}

void SendTransport::OnReceiverReport(Timestamp now, TimeDelta rtt, double fraction_lost) {
  controller_->OnReceiverReport(now, rtt, fraction_lost);
  ApplyOutput(now);
}

void SendTransport::OnRemb(Timestamp now, DataRate rate) {
  controller_->OnRemb(now, rate);
  ApplyOutput(now);
}

void SendTransport::Send(Timestamp now, congestion::PacedPacket packet) {
  RtpOutput& output = *reinterpret_cast<RtpOutput*>(static_cast<uintptr_t>(packet.handle));
  const PacketFeedback feedback = output.feedback();
  std::optional<uint16_t> transport_sequence;
  if (feedback == PacketFeedback::kTransportWide) {
    transport_sequence = transport_matcher_->NextSequence();
  }
  output.OnSent(now, packet, transport_sequence);
  if (feedback != PacketFeedback::kNone) {
    congestion::SentPacket sent;
    sent.id = next_id_++;
    sent.sent = now;
    sent.size = packet.size;
    sent.ssrc = packet.ssrc;
    sent.packet_class = packet.packet_class;
    sent.probe_cluster = packet.probe_cluster;
    sent = adapter_.OnPacketSent(sent);
    controller_->OnPacketSent(sent);
    rtp::SentRecord record;
    record.id = sent.id;
    record.sent = now;
    record.size = packet.size;
    record.ssrc = packet.ssrc;
    record.sequence = LoadU16(packet.payload.data() + 2);
    if (transport_sequence) {
      transport_matcher_->OnSent(record);
    } else {
      ccfb_matcher_.OnSent(record);
    }
  }
  outbox_.SendRtp(std::move(packet.payload));
}

bool SendTransport::SendPadding(Timestamp now, DataSize wanted) {
  // The last stream is the one of the highest resolution; any stream can pad for all.
  for (auto it = outputs_.rbegin(); it != outputs_.rend(); ++it) {
    RtpOutput& output = **it;
    if (output.kind() != Kind::kVideo) continue;
    const bool media_queued = pacer_.queued(congestion::PacketClass::kVideo) > DataSize() ||
                              pacer_.queued(congestion::PacketClass::kRetransmission) > DataSize();
    DataSize left = wanted;
    bool made = false;
    for (int i = 0; i < kMostPaddingPackets && left > DataSize(); ++i) {
      auto packet = output.Padding(now, left, media_queued);
      if (!packet) break;
      made = true;
      left = left - DataSize::Bytes(static_cast<int64_t>(packet->size()) + outbox_.overhead);
      Enqueue(now, output, congestion::PacketClass::kPadding, std::move(*packet));
    }
    if (made) return true;
  }
  return false;
}

void SendTransport::HandleTimeout(Timestamp now) {
  if (controller_->NextTimeout() <= now) {
    controller_->HandleTimeout(now);
    ApplyOutput(now);
  }
  if (!available_) return;
  for (int round = 0; round < kMostPaddingPackets; ++round) {
    bool sent = false;
    while (auto packet = pacer_.Poll(now)) {
      Send(now, std::move(*packet));
      sent = true;
    }
    if (sent) ApplyOutput(now);
    const DataSize wanted = pacer_.PaddingWanted(now);
    if (wanted <= DataSize() || !SendPadding(now, wanted)) break;
  }
}

Timestamp SendTransport::NextTimeout() const {
  const Timestamp controller = controller_->NextTimeout();
  return available_ ? std::min(controller, pacer_.NextTimeout()) : controller;
}

}  // namespace rtclab::media
