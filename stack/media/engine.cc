#include "stack/media/engine.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/media/engine_impl.h"

namespace rtclab::media {
namespace {

// RFC 3550 section 6.2: of the session's bandwidth.
DataRate RtcpShare(DataRate session) {
  constexpr int64_t kPart = 20;  // 5 %
  return DataRate::BitsPerSec(session.bps() / kPart);
}

// Reports by RFC 3550 section 6.3 with a shorter Tmin; feedback does not wait for them.
rtp::RtcpTimingConfig TimingOf(const EngineConfig& config) {
  rtp::RtcpTimingConfig timing;
  timing.rtcp_bandwidth = RtcpShare(config.congestion.limits.max);
  timing.avpf = false;
  timing.minimum_interval = config.rtcp_interval;
  return timing;
}

constexpr TimeDelta kAllocationInterval = TimeDelta::Millis(500);

}  // namespace

Engine::Impl::Impl(EngineConfig config, Rng& rng)
    : config_(std::move(config)),
      rng_(rng),
      transport_(config_, outbox),
      transport_recorder_(config_.feedback_ssrc),
      ccfb_recorder_(config_.feedback_ssrc),
      report_timing_(TimingOf(config_), rng_) {
  outbox.overhead = config_.overhead_per_packet.bytes();
}

std::vector<RtpOutput*> Engine::Impl::Outputs() const {
  std::vector<RtpOutput*> outputs;
  for (const auto& stream : send_streams_) {
    for (const auto& output : stream->outputs()) outputs.push_back(output.get());
  }
  return outputs;
}

SendStream* Engine::Impl::StreamOf(uint32_t ssrc, RtpOutput** output) {
  for (const auto& stream : send_streams_) {
    for (const auto& candidate : stream->outputs()) {
      if (!candidate->Owns(ssrc)) continue;
      if (output != nullptr) *output = candidate.get();
      return stream.get();
    }
  }
  return nullptr;
}

void Engine::Impl::SetSendStreams(Timestamp now, const std::vector<SendStreamConfig>& streams) {
  std::vector<std::unique_ptr<SendStream>> old = std::exchange(send_streams_, {});
  for (const auto& config : streams) {
    CHECK(!config.encodings.empty());
    const auto same = std::find_if(old.begin(), old.end(), [&](const auto& stream) {
      return stream != nullptr && stream->Matches(config);
    });
    if (same != old.end()) {
      (*same)->Update(now, config);
      send_streams_.push_back(std::move(*same));
      continue;
    }
    send_streams_.push_back(MakeSendStream(config_, config, rng_));
    if (rtt_ > TimeDelta::Zero()) send_streams_.back()->SetRtt(rtt_);
  }
  std::vector<uint32_t> gone;
  for (const auto& stream : old) {
    if (stream == nullptr) continue;
    for (const auto& output : stream->outputs()) {
      if (output->sent_media()) gone.push_back(output->ssrc());
    }
  }
  transport_.SetOutputs(Outputs());
  old.clear();
  transport_recorder_.SetSenderSsrc(LocalSsrc());
  ccfb_recorder_.SetSenderSsrc(LocalSsrc());
  transport_.SetNetworkAvailable(now, available_ && !send_streams_.empty());
  Allocate(now);
  if (available_) {
    for (auto& stream : send_streams_) stream->Start(now);
    if (!gone.empty()) SendGoodbye(now, gone);
  }
  ScheduleReports(now);
}

void Engine::Impl::SetReceiveStreams(Timestamp now, std::vector<ReceiveStreamConfig> streams) {
  sections_ = std::move(streams);
  demux_.SetStreams(sections_);
  std::erase_if(inputs_, [&](const auto& input) {
    return std::none_of(sections_.begin(), sections_.end(),
                        [&](const auto& section) { return section.mid == input->mid(); });
  });
  transport_cc_id_ = 0;
  abs_send_time_id_ = 0;
  bool wants_remb = false;
  for (const auto& section : sections_) {
    if (section.extensions.abs_send_time != 0) {
      abs_send_time_id_ = section.extensions.abs_send_time;
    }
    for (const auto& codec : section.codecs) {
      const PacketFeedback feedback = FeedbackOf(codec, section.extensions);
      if (feedback == PacketFeedback::kTransportWide) {
        transport_cc_id_ = section.extensions.transport_cc;
      }
      wants_remb |=
          codec.remb && feedback == PacketFeedback::kNone && section.extensions.abs_send_time != 0;
    }
  }
  if (!wants_remb) {
    remb_.reset();
  } else if (!remb_) {
    congestion::RateLimits limits = config_.congestion.limits;
    limits.max = std::max(limits.max, DataRate::MegabitsPerSec(1000));
    remb_.emplace(limits);
  }
  for (const Route& route : demux_.routes()) SayMapped(route);
  ScheduleReports(now);
  Flush(now);
}

void Engine::Impl::SetNetworkAvailable(Timestamp now, bool available) {
  if (available == available_) return;
  available_ = available;
  transport_.SetNetworkAvailable(now, available && !send_streams_.empty());
  Allocate(now);
  for (auto& stream : send_streams_) {
    if (available) {
      stream->Start(now);
    } else {
      stream->Stop();
    }
  }
  ScheduleReports(now);
  HandleTimeout(now);
}

void Engine::Impl::SetRateLimits(Timestamp now, const congestion::RateLimits& limits) {
  transport_.SetLimits(now, limits);
  report_timing_.SetBandwidth(RtcpShare(limits.max));
  AllocateIfChanged(now);
}

void Engine::Impl::OnPathChanged(Timestamp now) {
  transport_.OnPathChanged(now);
  arrival_clock_.Reset();
}

void Engine::Impl::SetOverhead(Timestamp now, DataSize overhead_per_packet) {
  outbox.overhead = overhead_per_packet.bytes();
  Allocate(now);
}

void Engine::Impl::RequestKeyframe(Timestamp now, std::string_view mid) {
  for (auto& input : inputs_) {
    if (input->mid() == mid && input->config().kind == Kind::kVideo) {
      AskForKeyframe(*input, KeyframeReason::kRequested);
    }
  }
  Flush(now);
}

void Engine::Impl::Stop(Timestamp now) { SetSendStreams(now, {}); }

void Engine::Impl::HandleTimeout(Timestamp now) {
  bool encoded = false;
  for (auto& stream : send_streams_) {
    if (stream->NextTimeout() > now) continue;
    stream->HandleTimeout(now, transport_);
    encoded = true;
  }
  if (encoded) transport_.NoteQueue(now);
  for (auto& input : inputs_) {
    if (input->NextTimeout() > now) continue;
    input->HandleTimeout(now);
    CollectFeedback(now, *input);
  }
  MakeTransportFeedback(now);
  if (report_timing_.NextTimeout() <= now) SendDueReports(now);
  if (!send_streams_.empty() && transport_.NextTimeout() <= now) transport_.HandleTimeout(now);
  const bool stale = last_allocation_ && now >= *last_allocation_ + kAllocationInterval;
  if (stale && available_) Allocate(now);
  AllocateIfChanged(now);
  Flush(now);
}

Timestamp Engine::Impl::NextTimeout() const {
  Timestamp next = report_timing_.NextTimeout();
  // A controller without anything to control needs no time.
  if (!send_streams_.empty()) next = std::min(next, transport_.NextTimeout());
  for (const auto& stream : send_streams_) next = std::min(next, stream->NextTimeout());
  for (const auto& input : inputs_) next = std::min(next, input->NextTimeout());
  if (available_) {
    next = std::min({next, transport_recorder_.NextTimeout(), ccfb_recorder_.NextTimeout()});
    if (remb_) next = std::min(next, remb_->NextTimeout());
  }
  return next;
}

Engine::Engine(EngineConfig config, Rng& rng)
    : impl_(std::make_unique<Impl>(std::move(config), rng)) {}
Engine::~Engine() = default;

void Engine::SetSendStreams(Timestamp now, const std::vector<SendStreamConfig>& streams) {
  impl_->SetSendStreams(now, streams);
}
void Engine::SetReceiveStreams(Timestamp now, std::vector<ReceiveStreamConfig> streams) {
  impl_->SetReceiveStreams(now, std::move(streams));
}
void Engine::SetNetworkAvailable(Timestamp now, bool available) {
  impl_->SetNetworkAvailable(now, available);
}
void Engine::SetRateLimits(Timestamp now, const congestion::RateLimits& limits) {
  impl_->SetRateLimits(now, limits);
}
void Engine::OnPathChanged(Timestamp now) { impl_->OnPathChanged(now); }
void Engine::SetOverhead(Timestamp now, DataSize overhead_per_packet) {
  impl_->SetOverhead(now, overhead_per_packet);
}
void Engine::RequestKeyframe(Timestamp now, std::string_view mid) {
  impl_->RequestKeyframe(now, mid);
}
void Engine::Stop(Timestamp now) { impl_->Stop(now); }
void Engine::HandleRtp(Timestamp now, ByteView packet, uint8_t ecn) {
  impl_->HandleRtp(now, packet, ecn);
}
void Engine::HandleRtcp(Timestamp now, ByteView packet) { impl_->HandleRtcp(now, packet); }
void Engine::HandleTimeout(Timestamp now) { impl_->HandleTimeout(now); }
std::optional<MediaPacket> Engine::PollTransmit() { return impl_->outbox.packets.Pop(); }
std::optional<Event> Engine::PollEvent() { return impl_->outbox.events.Pop(); }
Timestamp Engine::NextTimeout() const { return impl_->NextTimeout(); }
EngineStats Engine::stats(Timestamp now) const { return impl_->Stats(now); }
Sample Engine::SampleSeries(Timestamp now) { return impl_->SampleSeries(now); }

}  // namespace rtclab::media
