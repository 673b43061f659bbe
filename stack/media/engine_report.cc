// RTCP out: reports at their interval, feedback at once.
#include <algorithm>

#include "stack/media/engine_impl.h"

namespace rtclab::media {

uint32_t Engine::Impl::LocalSsrc() const {
  return send_streams_.empty() ? config_.feedback_ssrc
                               : send_streams_.front()->outputs().front()->ssrc();
}

// SDES for every stream: CNAME (RFC 3550 section 6.5.1), and the MID where BUNDLE needs it (RFC
// 9143 section 15).
void Engine::Impl::AppendIdentity(std::vector<rtp::RtcpMessage>& messages) const {
  constexpr std::size_t kMostChunks = 31;
  rtp::SourceDescription description;
  for (const auto& stream : send_streams_) {
    for (const auto& output : stream->outputs()) {
      if (description.chunks.size() == kMostChunks) break;
      rtp::SdesChunk chunk{output->ssrc(), {{rtp::SdesType::kCname, config_.cname}}};
      if (output->extensions().mid != 0) {
        chunk.items.push_back({rtp::SdesType::kMid, stream->config().mid});
      }
      description.chunks.push_back(std::move(chunk));
    }
  }
  if (description.chunks.empty()) {
    description.chunks.push_back({config_.feedback_ssrc, {{rtp::SdesType::kCname, config_.cname}}});
  }
  messages.push_back(std::move(description));
}

// One compound packet: an SR for each stream that has sent (RFC 8108 section 5.1), else one RR;
// report blocks about all received streams in the first; SDES; and for the round-trip time of
// receivers RFC 3611.
void Engine::Impl::SendReports(Timestamp now) {
  std::vector<rtp::ReportBlock> blocks;
  for (const auto& input : inputs_) {
    if (auto block = input->Report(now)) blocks.push_back(*block);
  }
  std::vector<rtp::RtcpMessage> messages;
  for (const RtpOutput* output : Outputs()) {
    if (!output->sent_media()) continue;
    rtp::SenderReport report = output->MakeSenderReport(now);
    if (messages.empty()) report.reports = std::exchange(blocks, {});
    messages.push_back(std::move(report));
  }
  const bool sender = !messages.empty();
  if (!sender && inputs_.empty()) return;  // nothing to say yet
  if (!sender) messages.push_back(rtp::ReceiverReport{LocalSsrc(), std::move(blocks)});
  AppendIdentity(messages);
  if (!sender) {
    messages.push_back(
        rtp::ExtendedReport{LocalSsrc(), {rtp::ReceiverReferenceTime{rtp::NtpTime::From(now)}}});
  }
  if (sender && !reference_times_.empty()) {
    rtp::Dlrr dlrr;
    for (const ReferenceTime& time : reference_times_) {
      dlrr.items.push_back({time.ssrc, time.middle, rtp::ToCompactNtp(now - time.arrived)});
    }
    messages.push_back(rtp::ExtendedReport{LocalSsrc(), {std::move(dlrr)}});
    reference_times_.clear();
  }
  outbox.SendRtcp(rtp::BuildRtcp(messages));
}

void Engine::Impl::SendGoodbye(Timestamp, const std::vector<uint32_t>& ssrcs) {
  std::vector<rtp::RtcpMessage> messages;
  messages.push_back(rtp::ReceiverReport{ssrcs.front(), {}});
  messages.push_back(
      rtp::SourceDescription{{{ssrcs.front(), {{rtp::SdesType::kCname, config_.cname}}}}});
  messages.push_back(rtp::Goodbye{ssrcs, {}});
  outbox.SendRtcp(rtp::BuildRtcp(messages));
}

void Engine::Impl::MakeTransportFeedback(Timestamp now) {
  if (!available_) return;
  if (!send_streams_.empty()) {
    const DataRate target = transport_.output().target;
    transport_recorder_.SetRate(target);
    ccfb_recorder_.SetRate(target);
  }
  if (transport_recorder_.NextTimeout() <= now) {
    transport_recorder_.HandleTimeout(now);
    while (auto feedback = transport_recorder_.PollFeedback()) {
      pending_.push_back(std::move(*feedback));
    }
  }
  if (ccfb_recorder_.NextTimeout() <= now) {
    ccfb_recorder_.HandleTimeout(now);
    while (auto feedback = ccfb_recorder_.PollFeedback()) pending_.push_back(std::move(*feedback));
  }
  if (!remb_ || remb_->NextTimeout() > now) return;
  remb_->HandleTimeout(now);
  if (const auto rate = remb_->TakeRemb()) {
    rtp::Remb remb{LocalSsrc(), *rate, {}};
    for (const auto& input : inputs_) {
      if (input->codec().remb) remb.ssrcs.push_back(input->ssrc());
    }
    pending_.push_back(std::move(remb));
  }
}

void Engine::Impl::Flush(Timestamp) {
  if (pending_.empty()) return;
  if (!available_) {
    pending_.clear();  // what was asked for will be asked for again
    return;
  }
  if (config_.reduced_size_rtcp) {
    outbox.SendRtcp(rtp::BuildRtcp(pending_));
  } else {
    // RFC 4585 section 3.1: a minimal compound packet, a report and the CNAME first.
    std::vector<rtp::RtcpMessage> messages;
    messages.push_back(rtp::ReceiverReport{LocalSsrc(), {}});
    AppendIdentity(messages);
    std::move(pending_.begin(), pending_.end(), std::back_inserter(messages));
    outbox.SendRtcp(rtp::BuildRtcp(messages));
  }
  pending_.clear();
}

}  // namespace rtclab::media
