// RTCP in.
#include <algorithm>
#include <variant>

#include "stack/base/overloaded.h"
#include "stack/media/engine_impl.h"

namespace rtclab::media {
namespace {

constexpr int kRttSmoothing = 8;  // an eighth of each new measurement, as RFC 6298 has it for TCP
constexpr std::size_t kMostReferenceTimes = 16;

}  // namespace

void Engine::Impl::NoteRtt(TimeDelta rtt) {
  rtt_ = rtt_ > TimeDelta::Zero() ? rtt_ + (rtt - rtt_) / kRttSmoothing : rtt;
  // Zero means "unknown".
  rtt_ = std::max(rtt_, TimeDelta::Micros(1));
  for (auto& stream : send_streams_) stream->SetRtt(rtt_);
  for (auto& input : inputs_) input->SetRtt(rtt_);
}

void Engine::Impl::HandleRtcp(Timestamp now, ByteView packet) {
  const auto messages = rtp::ParseRtcp(packet);
  if (!messages) {
    ++rtcp_malformed_;
    return;
  }
  wire_bytes_received_ += static_cast<int64_t>(packet.size()) + outbox.overhead;
  const auto reporting = std::count_if(messages->begin(), messages->end(), [](const auto& m) {
    return std::holds_alternative<rtp::SenderReport>(m) ||
           std::holds_alternative<rtp::ReceiverReport>(m);
  });
  report_timing_.OnReceived(DataSize::Bytes(static_cast<int64_t>(packet.size()) + outbox.overhead),
                            static_cast<std::size_t>(reporting));
  LossInReport loss;
  for (const auto& message : *messages) HandleMessage(now, message, loss);
  if (loss.expected > 0) {
    const double fraction = static_cast<double>(std::clamp<int64_t>(loss.lost, 0, loss.expected)) /
                            static_cast<double>(loss.expected);
    transport_.OnReceiverReport(now, rtt_, fraction);
  }
  transport_.HandleTimeout(now);
  AllocateIfChanged(now);
  Flush(now);
}

void Engine::Impl::HandleMessage(Timestamp now, const rtp::RtcpMessage& message,
                                 LossInReport& loss) {
  std::visit(Overloaded{
                 [&](const rtp::SenderReport& m) {
                   if (RtpInput* input = FindInput(m.sender_ssrc)) input->OnSenderReport(now, m);
                   HandleReports(now, m.reports, loss);
                 },
                 [&](const rtp::ReceiverReport& m) { HandleReports(now, m.reports, loss); },
                 [&](const rtp::SourceDescription& m) { HandleDescription(m); },
                 [&](const rtp::Goodbye& m) { HandleGoodbye(m); },
                 [&](const rtp::ExtendedReport& m) { HandleExtended(now, m); },
                 [&](const rtp::Nack& m) { HandleNack(now, m); },
                 [&](const rtp::TransportFeedback& m) { transport_.OnTransportFeedback(now, m); },
                 [&](const rtp::CongestionFeedback& m) { transport_.OnCongestionFeedback(now, m); },
                 [&](const rtp::PictureLoss& m) {
                   RtpOutput* output = nullptr;
                   SendStream* stream = StreamOf(m.media_ssrc, &output);
                   if (stream == nullptr) return;
                   ++output->pli_count;
                   stream->OnKeyframeRequest(now, m.media_ssrc);
                 },
                 [&](const rtp::FullIntraRequest& m) { HandleFir(now, m); },
                 [&](const rtp::Remb& m) { transport_.OnRemb(now, m.bitrate); },
                 // The rest says nothing that an engine acts on.
                 [](const auto&) {},
             },
             message);
}

void Engine::Impl::HandleReports(Timestamp now, const std::vector<rtp::ReportBlock>& blocks,
                                 LossInReport& loss) {
  for (const auto& block : blocks) {
    RtpOutput* output = nullptr;
    SendStream* stream = StreamOf(block.ssrc, &output);
    if (stream == nullptr || output->ssrc() != block.ssrc) continue;
    const auto rtt = rtp::RttFromReport(rtp::NtpTime::From(now).Middle(), block.last_sender_report,
                                        block.delay_since_last_sender_report);
    output->OnReportBlock(now, block, rtt);
    if (rtt) NoteRtt(*rtt);
    stream->SetLoss(block.fraction_lost / 256.0);
    auto it = std::find_if(reported_.begin(), reported_.end(),
                           [&](const Reported& r) { return r.ssrc == block.ssrc; });
    if (it == reported_.end()) {
      reported_.push_back({block.ssrc, block.extended_highest_sequence, block.cumulative_lost});
      continue;
    }
    const int64_t expected = static_cast<int32_t>(block.extended_highest_sequence - it->highest);
    if (expected > 0) {
      loss.expected += expected;
      loss.lost += block.cumulative_lost - it->lost;
    }
    *it = {block.ssrc, block.extended_highest_sequence, block.cumulative_lost};
  }
}

void Engine::Impl::HandleNack(Timestamp now, const rtp::Nack& nack) {
  RtpOutput* output = nullptr;
  if (StreamOf(nack.media_ssrc, &output) == nullptr) return;
  ++output->nack_count;
  for (const uint16_t sequence : nack.lost) {
    if (auto packet = output->Retransmission(now, sequence)) {
      transport_.Enqueue(now, *output, congestion::PacketClass::kRetransmission,
                         std::move(*packet));
    }
  }
}

void Engine::Impl::HandleFir(Timestamp now, const rtp::FullIntraRequest& fir) {
  for (const auto& item : fir.items) {
    RtpOutput* output = nullptr;
    SendStream* stream = StreamOf(item.ssrc, &output);
    if (stream == nullptr) continue;
    // RFC 5104 section 4.3.1.2: the same number again is the same command.
    auto it = std::find_if(fir_seen_.begin(), fir_seen_.end(),
                           [&](const auto& entry) { return entry.first == item.ssrc; });
    if (it != fir_seen_.end() && it->second == item.sequence_number) continue;
    if (it == fir_seen_.end()) it = fir_seen_.insert(it, {item.ssrc, uint8_t{0}});
    it->second = item.sequence_number;
    ++output->fir_count;
    stream->OnKeyframeRequest(now, item.ssrc);
  }
}

void Engine::Impl::HandleExtended(Timestamp now, const rtp::ExtendedReport& report) {
  for (const auto& block : report.blocks) {
    if (const auto* reference = std::get_if<rtp::ReceiverReferenceTime>(&block)) {
      std::erase_if(reference_times_,
                    [&](const ReferenceTime& r) { return r.ssrc == report.sender_ssrc; });
      if (reference_times_.size() < kMostReferenceTimes) {
        reference_times_.push_back({report.sender_ssrc, reference->ntp.Middle(), now});
      }
    } else if (const auto* dlrr = std::get_if<rtp::Dlrr>(&block)) {
      for (const auto& item : dlrr->items) {
        if (item.ssrc != LocalSsrc()) continue;
        const auto rtt =
            rtp::RttFromReport(rtp::NtpTime::From(now).Middle(), item.last_receiver_report,
                               item.delay_since_last_receiver_report);
        if (!rtt) continue;
        NoteRtt(*rtt);
        // The far end's streams share the compound packet and the path.
        for (auto& input : inputs_) input->OnRoundTrip(*rtt);
      }
    }
  }
}

void Engine::Impl::HandleDescription(const rtp::SourceDescription& description) {
  for (const auto& chunk : description.chunks) {
    std::string_view mid;
    std::string_view rid;
    for (const auto& item : chunk.items) {
      if (item.type == rtp::SdesType::kMid) mid = item.text;
      if (item.type == rtp::SdesType::kRtpStreamId) rid = item.text;
    }
    if (!mid.empty()) demux_.OnSdes(chunk.ssrc, mid, rid);
  }
}

void Engine::Impl::HandleGoodbye(const rtp::Goodbye& goodbye) {
  for (const uint32_t ssrc : goodbye.ssrcs) {
    RtpInput* input = FindInput(ssrc);
    if (input == nullptr) continue;
    input->OnGoodbye();
    outbox.events.Push(RemoteBye{input->mid(), ssrc});
  }
}

}  // namespace rtclab::media
