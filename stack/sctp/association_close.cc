// How an association ends: SHUTDOWN (RFC 9260 section 9.2), ABORT (9.1), failure (8.1).
#include "stack/sctp/association_impl.h"

namespace rtclab::sctp {

void Association::Impl::SendAbort(Reply reply, const ErrorCause& cause) {
  SendControl(reply, true, [&](Bytes& out) {
    ErrorChunk{{cause}}.AppendTo(out, ChunkType::kAbort, reply.reflected ? kTagReflected : 0);
  });
}

void Association::Impl::SendError(const ErrorCause& cause) {
  SendControl([&](Bytes& out) { ErrorChunk{{cause}}.AppendTo(out, ChunkType::kError); });
}

void Association::Impl::End() {
  ended_ = true;
  state_ = State::kClosed;
  timers_.fill(Timestamp::PlusInfinity());
  reconfig_.FailAll("association ended", send_queue_, reconfig_events_);
  EmitReconfigEvents();
  cookie_echo_due_ = false;
  sack_due_ = false;
  forward_tsn_due_ = false;
  reassembly_.Clear();
  outstanding_.Reset(kSerialBase);
  send_queue_.DropBeyond(0, given_up_);
  given_up_.clear();
  send_queue_.fell_low().clear();
}

// Without any answer to the peer: the caller has sent it.
void Association::Impl::Fail(std::string_view reason, bool by_peer) {
  if (ended_) return;
  const bool was_up = HasAssociation();
  DeliverMessages();
  End();
  if (was_up) {
    Emit(Aborted{std::string(reason), by_peer});
  } else {
    Emit(ConnectFailed{std::string(reason)});
  }
}

void Association::Impl::Violation(std::string_view what) {
  SendAbort({peer_tag_, false}, ErrorCause::Violation(what));
  Fail("protocol_violation: " + std::string(what), false);
}

void Association::Impl::Abort(Timestamp now, std::string_view reason) {
  Enter(now);
  if (ended_) return;
  if (peer_tag_ != 0) SendAbort({peer_tag_, false}, ErrorCause::UserAbort(reason));
  DeliverMessages();
  End();
  Emit(Aborted{"local_abort: " + std::string(reason), false});
}

void Association::Impl::Shutdown(Timestamp now) {
  Enter(now);
  if (ended_) return;
  if (!HasAssociation()) {
    // Nothing is established: there is nothing to be graceful about. A peer that may be by now is told.
    if (peer_tag_ != 0) SendAbort({peer_tag_, false}, ErrorCause::UserAbort("closed"));
    End();
    Emit(Closed{});
    return;
  }
  if (state_ != State::kEstablished) return;
  state_ = State::kShutdownPending;
  ProgressShutdown();
}

// What is queued and in flight is gone: the next step.
void Association::Impl::ProgressShutdown() {
  if (!send_queue_.empty() || !outstanding_.empty()) return;
  if (state_ == State::kShutdownPending) {
    state_ = State::kShutdownSent;
    shutdown_retransmits_ = 0;
    SendShutdown();
    StartTimer(kShutdownGuardTimer, config_.rto_max * 5);
  } else if (state_ == State::kShutdownReceived) {
    state_ = State::kShutdownAckSent;
    shutdown_retransmits_ = 0;
    SendShutdownAck();
  }
}

void Association::Impl::SendShutdown() {
  SendControl([&](Bytes& out) {
    ShutdownChunk{static_cast<uint32_t>(tracker_.cumulative())}.AppendTo(out);
  });
  packets_unacked_ = 0;
  StopTimer(kSackTimer);
  StartTimer(kShutdownTimer, rto_.rto());
}

void Association::Impl::SendShutdownAck() {
  SendControl([](Bytes& out) { AppendEmptyChunk(out, ChunkType::kShutdownAck); });
  StartTimer(kShutdownTimer, rto_.rto());
}

void Association::Impl::HandleShutdown(const ChunkView& chunk) {
  if (!HasAssociation()) return CountDrop(DropReason::kUnexpectedChunk);
  const auto shutdown = ShutdownChunk::Parse(chunk);
  if (!shutdown) return CountDrop(DropReason::kMalformedChunk);
  if (state_ == State::kShutdownAckSent) return SendShutdownAck();
  const std::size_t flight_before = outstanding_.flight();
  const auto result = outstanding_.HandleCumulative(now_, shutdown->cumulative_tsn);
  if (result.verdict == OutstandingChunks::SackResult::Verdict::kNeverSent) {
    return Violation("acknowledges what was never sent");
  }
  AfterAck(result, flight_before);
  if (state_ == State::kShutdownSent) {
    // Both ended at once.
    state_ = State::kShutdownAckSent;
    SendShutdownAck();
    return;
  }
  state_ = State::kShutdownReceived;
  shutdown_retransmits_ = 0;
}

void Association::Impl::HandleShutdownAck(const PacketView& packet) {
  if (state_ == State::kShutdownSent || state_ == State::kShutdownAckSent) {
    SendControl([](Bytes& out) { AppendEmptyChunk(out, ChunkType::kShutdownComplete); });
    End();
    Emit(Closed{});
    return;
  }
  if (!HasAssociation()) {
    // Section 8.5.1 rule E: as out of the blue; our own setting up goes on.
    CountDrop(DropReason::kOutOfTheBlue);
    SendControl({packet.header().verification_tag, true}, true, [](Bytes& out) {
      AppendEmptyChunk(out, ChunkType::kShutdownComplete, kTagReflected);
    });
    return;
  }
  CountDrop(DropReason::kUnexpectedChunk);
}

void Association::Impl::HandleShutdownComplete(const PacketView& packet, const ChunkView& chunk) {
  const bool reflected = (chunk.flags & kTagReflected) != 0;
  if (packet.header().verification_tag != (reflected ? peer_tag_ : my_tag_)) {
    return CountDrop(DropReason::kBadTag);
  }
  if (state_ != State::kShutdownAckSent) return CountDrop(DropReason::kUnexpectedChunk);
  End();
  Emit(Closed{});
}

}  // namespace rtclab::sctp
