// RTCP out: reports at their interval, feedback at once.
#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "stack/media/engine_impl.h"

namespace rtclab::media {

uint32_t Engine::Impl::LocalSsrc() const {
  return send_streams_.empty() ? config_.feedback_ssrc
                               : send_streams_.front()->outputs().front()->ssrc();
}

// While there is neither a stream to send nor one to receive nothing is reported, and no time
// passes. All our SSRCs are members with times of their own (RFC 8108 section 5.3).
void Engine::Impl::ScheduleReports(Timestamp now) {
  std::vector<uint32_t> wanted;
  if (available_ && !(send_streams_.empty() && sections_.empty())) {
    for (const RtpOutput* output : Outputs()) wanted.push_back(output->ssrc());
    if (wanted.empty()) wanted.push_back(config_.feedback_ssrc);
  }
  for (const uint32_t ssrc : reporting_) {
    if (std::find(wanted.begin(), wanted.end(), ssrc) == wanted.end())
      report_timing_.RemoveLocal(ssrc);
  }
  const std::vector<uint32_t> known = std::exchange(reporting_, wanted);
  NoteMembers(now);
  for (const uint32_t ssrc : wanted) {
    if (std::find(known.begin(), known.end(), ssrc) == known.end())
      report_timing_.AddLocal(now, ssrc);
  }
}

void Engine::Impl::NoteMembers(Timestamp now) {
  std::size_t senders = inputs_.size();
  for (const RtpOutput* output : Outputs()) {
    if (!output->sent_media()) continue;
    report_timing_.SetLocalSender(output->ssrc(), true);
    ++senders;
  }
  report_timing_.SetSession(now, reporting_.size() + std::max<std::size_t>(inputs_.size(), 1),
                            senders);
}

void Engine::Impl::SendDueReports(Timestamp now) {
  // As many as share a packet, with room for 16 report blocks: RFC 8108 section 5.3.2.
  constexpr std::size_t kMostSsrcs = 12;
  NoteMembers(now);
  report_timing_.HandleTimeout(now);
  while (const auto due = report_timing_.PollTransmission()) {
    const std::size_t included = std::min(due->ssrcs.size(), kMostSsrcs);
    const DataSize size = SendReports(now, std::span(due->ssrcs).first(included));
    report_timing_.OnSent(now, *due, included, size);
  }
}

// Gives the packet's size with UDP and IP.
DataSize Engine::Impl::SendRtcp(const std::vector<rtp::RtcpMessage>& messages) {
  Bytes packet = rtp::BuildRtcp(messages);
  const auto size = DataSize::Bytes(static_cast<int64_t>(packet.size()) + outbox.overhead);
  outbox.SendRtcp(std::move(packet));
  return size;
}

// SDES for these streams: CNAME (RFC 3550 section 6.5.1), and the MID where BUNDLE needs it (RFC
// 9143 section 15).
void Engine::Impl::AppendIdentity(std::vector<rtp::RtcpMessage>& messages,
                                  std::span<const uint32_t> ssrcs) const {
  rtp::SourceDescription description;
  for (const auto& stream : send_streams_) {
    for (const auto& output : stream->outputs()) {
      if (std::find(ssrcs.begin(), ssrcs.end(), output->ssrc()) == ssrcs.end()) continue;
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

// One compound packet: an SR for each of these streams that has sent (RFC 8108 section 5.1), else
// one RR; report blocks about all received streams in the first; SDES; and for the round-trip time
// of receivers RFC 3611.
DataSize Engine::Impl::SendReports(Timestamp now, std::span<const uint32_t> ssrcs) {
  std::vector<rtp::ReportBlock> blocks;
  for (const auto& input : inputs_) {
    if (auto block = input->Report(now)) blocks.push_back(*block);
  }
  std::vector<rtp::RtcpMessage> messages;
  for (const RtpOutput* output : Outputs()) {
    const bool named = std::find(ssrcs.begin(), ssrcs.end(), output->ssrc()) != ssrcs.end();
    if (!named || !output->sent_media()) continue;
    rtp::SenderReport report = output->MakeSenderReport(now);
    if (messages.empty()) report.reports = std::exchange(blocks, {});
    messages.push_back(std::move(report));
  }
  const bool sender = !messages.empty();
  if (!sender) messages.push_back(rtp::ReceiverReport{LocalSsrc(), std::move(blocks)});
  AppendIdentity(messages, ssrcs);
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
  return SendRtcp(messages);
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

void Engine::Impl::Flush(Timestamp now) {
  if (pending_.empty()) return;
  if (!available_) {
    pending_.clear();  // what was asked for will be asked for again
    return;
  }
  if (!config_.reduced_size_rtcp) {
    // RFC 4585 section 3.1: a minimal compound packet, a report and the CNAME first.
    const uint32_t ssrc = LocalSsrc();
    std::vector<rtp::RtcpMessage> messages;
    messages.push_back(rtp::ReceiverReport{ssrc, {}});
    AppendIdentity(messages, {&ssrc, 1});
    std::move(pending_.begin(), pending_.end(), std::back_inserter(messages));
    pending_ = std::move(messages);
  }
  // RFC 4585 section 3.3: two ends need not wait, and its size counts for the next reports' times.
  const DataSize size = SendRtcp(pending_);
  report_timing_.OnSent(now, {rtp::RtcpKind::kEarly, {LocalSsrc()}}, 1, size);
  pending_.clear();
}

}  // namespace rtclab::media
