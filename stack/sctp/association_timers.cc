// What happens when time passes.
#include "stack/sctp/association_impl.h"

namespace rtclab::sctp {

void Association::Impl::HandleTimeout(Timestamp now) {
  Enter(now);
  for (int i = 0; i < kTimerCount && !ended_; ++i) {
    const auto id = static_cast<TimerId>(i);
    if (timers_[id] > now) continue;
    StopTimer(id);
    OnTimer(id);
  }
}

void Association::Impl::OnTimer(TimerId id) {
  switch (id) {
    case kInitTimer:
      return OnInitTimer();
    case kCookieTimer:
      return OnCookieTimer();
    case kRetransmitTimer:
      return OnRetransmitTimer();
    case kShutdownTimer:
      return OnShutdownTimer();
    case kShutdownGuardTimer:
      SendAbort({peer_tag_, false}, ErrorCause::UserAbort("shutdown took too long"));
      return Fail("shutdown_timeout", false);
    case kSackTimer:
      sack_due_ = true;
      return;
    case kHeartbeatTimer:
      return OnHeartbeatTimer();
    case kReconfigTimer:
      return OnReconfigTimer();
    case kProbeTimer:
      return OnProbeTimer();
    case kTimerCount:
      return;
  }
}

bool Association::Impl::CountError() {
  // Section 8.1; one path, so Path.Max.Retrans makes no difference.
  if (++error_count_ <= config_.max_association_retransmits) return true;
  Fail("peer_unreachable", false);
  return false;
}

void Association::Impl::OnInitTimer() {
  // Section 4, note 2, and section 5.1.
  if (++init_retransmits_ > config_.max_init_retransmits) return Fail("init_timeout", false);
  rto_.BackOff();
  SendInit();
}

void Association::Impl::OnCookieTimer() {
  if (++init_retransmits_ > config_.max_init_retransmits) return Fail("cookie_timeout", false);
  rto_.BackOff();
  outstanding_.MarkAll(now_, given_up_);
  SettleAbandoned();
  SendCookieEcho();
}

void Association::Impl::OnRetransmitTimer() {
  ++metrics_.t3_timeouts;
  ++timeouts_in_row_;
  // Section 6.3.3.
  congestion_.OnTimeout();
  rto_.BackOff();
  if (!CountError()) return;
  if (timeouts_in_row_ >= 3 && path_mtu_.OnBlackHole()) {
    MtuChanged();
    ProbeMtu();
  }
  fast_retransmit_due_ = false;
  outstanding_.MarkAll(now_, given_up_);
  SettleAbandoned();
  if (outstanding_.NeedsForwardTsn()) forward_tsn_due_ = true;
  BurstBegins();
}

void Association::Impl::OnShutdownTimer() {
  if (++shutdown_retransmits_ > config_.max_association_retransmits) {
    return Fail("peer_unreachable: no answer to SHUTDOWN", false);
  }
  rto_.BackOff();
  if (state_ == State::kShutdownSent) SendShutdown();
  if (state_ == State::kShutdownAckSent) SendShutdownAck();
}

void Association::Impl::OnReconfigTimer() {
  // RFC 6525 section 5.1.1. An answer "in progress" has stopped the count by being heard.
  rto_.BackOff();
  if (!CountError()) return;
  reconfig_.Retransmit();
  StartTimer(kReconfigTimer, rto_.rto());
}

// --- Heartbeats: section 8.3 ---

void Association::Impl::ArmHeartbeat() {
  if (config_.heartbeat_interval <= TimeDelta::Zero()) return;
  // HB.interval + RTO, and up to half an RTO more or less.
  const int64_t rto = rto_.rto().nanos();
  const auto jitter = static_cast<int64_t>(rng_.Uniform(0, static_cast<uint64_t>(rto)));
  StartTimer(kHeartbeatTimer, config_.heartbeat_interval + TimeDelta::Nanos(rto / 2 + jitter));
}

void Association::Impl::OnHeartbeatTimer() {
  if (state_ == State::kShutdownSent || state_ == State::kShutdownAckSent) return;
  if (heartbeat_under_way_) {
    rto_.BackOff();
    if (!CountError()) return;
  }
  // A path that carries data needs no heartbeat: its SACKs say the same.
  if (outstanding_.empty()) {
    heartbeat_under_way_ = true;
    SendHeartbeat(0);
  } else {
    heartbeat_under_way_ = false;
  }
  ArmHeartbeat();
}

// `size` above zero: a probe, padded to a packet of this size (RFC 4820 section 3).
void Association::Impl::SendHeartbeat(std::size_t size) {
  if (heartbeat_nonce_ == 0) {
    heartbeat_nonce_ = static_cast<uint32_t>(rng_.Uniform(1, UINT32_MAX));
  }
  ByteWriter info(16);
  info.WriteU64(static_cast<uint64_t>(now_.nanos()));
  info.WriteU32(heartbeat_nonce_);
  info.WriteU32(static_cast<uint32_t>(size));
  SendControl([&](Bytes& out) {
    HeartbeatChunk{info.view()}.AppendTo(out, ChunkType::kHeartbeat);
    if (size >= out.size() + 4) AppendPad(out, (size - out.size()) & ~std::size_t{3});
  });
}

// --- Path MTU ---

void Association::Impl::ProbeMtu() {
  StopTimer(kProbeTimer);
  if (const auto size = path_mtu_.NextProbe()) {
    SendHeartbeat(*size);
    StartTimer(kProbeTimer, rto_.rto());
  } else if (config_.max_probed_mtu > config_.mtu) {
    StartTimer(kProbeTimer, PathMtuSearch::kRaiseInterval);
  }
}

void Association::Impl::OnProbeTimer() {
  if (path_mtu_.probing()) {
    path_mtu_.OnTimeout();
  } else {
    path_mtu_.Raise();
  }
  ProbeMtu();
}

}  // namespace rtclab::sctp
