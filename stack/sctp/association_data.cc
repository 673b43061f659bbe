// DATA, SACK and FORWARD-TSN in: RFC 9260 sections 6.2 and 6.2.1, RFC 3758 sections 3.5 and 3.6.
#include <algorithm>

#include "stack/sctp/association_impl.h"

namespace rtclab::sctp {

std::size_t Association::Impl::AvailableWindow() const {
  // Parts of messages that only wait for what follows do not count: otherwise a message larger than the
  // window would never end. What came behind a gap counts in full.
  const std::size_t held =
      undelivered_ + reassembly_.buffered() - std::min(settled_, reassembly_.buffered());
  const auto whole = static_cast<std::size_t>(config_.receive_window.bytes());
  return whole - std::min(held, whole);
}

void Association::Impl::HandleData(const ChunkView& chunk) {
  if (state_ != State::kEstablished && state_ != State::kShutdownPending &&
      state_ != State::kShutdownSent) {
    return CountDrop(DropReason::kUnexpectedChunk);
  }
  // RFC 8260 section 2.1: once agreed, only I-DATA is used.
  if (features_.interleaving && chunk.type == static_cast<uint8_t>(ChunkType::kData)) {
    return Violation("DATA although I-DATA was agreed");
  }
  const auto data = DataChunk::Parse(chunk);
  if (!data) return CountDrop(DropReason::kMalformedChunk);
  packet_has_data_ = true;
  if (data->payload.empty()) {  // section 6.2
    SendAbort({peer_tag_, false}, ErrorCause::NoUserData(data->tsn));
    return Fail("protocol_violation: DATA without user data", false);
  }
  ++metrics_.data_chunks_received;
  const Tsn tsn = tracker_.Unwrap(data->tsn);
  const bool gaps_before = tracker_.HasGaps();
  switch (tracker_.Check(tsn)) {
    case TsnTracker::Verdict::kDuplicate:
      tracker_.RecordDuplicate(tsn);
      sack_at_once_ = true;
      return;
    case TsnTracker::Verdict::kTooFar:
      sack_at_once_ = true;
      return;
    case TsnTracker::Verdict::kNew:
      break;
  }
  // Section 6.2: with the window used up, only what fills a gap is taken.
  if (tsn > tracker_.highest() && AvailableWindow() == 0) {
    sack_at_once_ = true;
    return;
  }
  if (data->stream >= inbound_streams_) {  // section 6.5: acknowledged, reported, not delivered
    SendError(ErrorCause::InvalidStream(data->stream));
  } else if (const auto wrong = reassembly_.Add(tsn, *data, delivered_); !wrong.empty()) {
    return Violation(wrong);
  }
  tracker_.Record(tsn);
  if (gaps_before || tracker_.HasGaps() || data->immediate()) sack_at_once_ = true;
  if (!tracker_.HasGaps()) settled_ = reassembly_.buffered();
}

void Association::Impl::DeliverMessages() {
  for (MessageReceived& message : delivered_) {
    ++metrics_.messages_received;
    undelivered_ += message.payload.size();
    Emit(std::move(message));
  }
  delivered_.clear();
}

void Association::Impl::DecideAboutSack() {
  if (!packet_has_data_ && !sack_at_once_) return;
  if (state_ == State::kShutdownSent) {
    // Section 9.2: a SHUTDOWN acknowledges; a SACK goes with it when it can say more.
    SendShutdown();
    if (tracker_.HasGaps() || tracker_.HasDuplicates()) sack_due_ = true;
    return;
  }
  ++packets_unacked_;
  if (sack_at_once_ || packets_unacked_ >= 2) {
    sack_due_ = true;
    StopTimer(kSackTimer);
  } else if (!TimerRuns(kSackTimer)) {
    StartTimer(kSackTimer, config_.sack_delay);
  }
}

void Association::Impl::HandleSack(const ChunkView& chunk) {
  if (!HasAssociation()) return CountDrop(DropReason::kUnexpectedChunk);
  const auto sack = SackChunk::Parse(chunk);
  if (!sack) return CountDrop(DropReason::kMalformedChunk);
  ++metrics_.sacks_received;
  const std::size_t flight_before = outstanding_.flight();
  const auto result =
      outstanding_.HandleSack(now_, *sack, congestion_.in_fast_recovery(), given_up_);
  if (result.verdict == OutstandingChunks::SackResult::Verdict::kOld) return;
  if (result.verdict == OutstandingChunks::SackResult::Verdict::kNeverSent) {
    return Violation("acknowledges what was never sent");
  }
  const bool probing = peer_window_ < mtu();
  peer_window_ = sack->a_rwnd - std::min<std::size_t>(sack->a_rwnd, outstanding_.flight_payload());
  // Section 6.1 rule A: a peer that keeps its window closed but answers is not unreachable.
  if (probing) error_count_ = 0;
  AfterAck(result, flight_before);
}

void Association::Impl::AfterAck(const OutstandingChunks::SackResult& result,
                                 std::size_t flight_before) {
  if (result.rtt) rto_.Measure(*result.rtt);
  if (result.acked_bytes > 0) {
    error_count_ = 0;
    timeouts_in_row_ = 0;
    congestion_.OnAck({result.acked_bytes, flight_before, result.advanced, outstanding_.empty(),
                       outstanding_.cumulative()});
  }
  if (result.loss && congestion_.OnLoss(result.highest_outstanding)) {
    fast_retransmit_due_ = outstanding_.HasRetransmission();
  }
  // Section 6.3.2.
  if (outstanding_.empty()) {
    StopTimer(kRetransmitTimer);
  } else if (result.advanced || !TimerRuns(kRetransmitTimer)) {
    StartTimer(kRetransmitTimer, rto_.rto());
  }
  SettleAbandoned();
  // RFC 3758 section 3.5 rule C3.
  if (outstanding_.NeedsForwardTsn()) forward_tsn_due_ = true;
  BurstBegins();
}

// What the loss detection gave up: the rest is not sent, and the peer is told.
void Association::Impl::SettleAbandoned() {
  if (given_up_.empty()) return;
  for (const MessageRef& message : given_up_) {
    if (send_queue_.DropRest(*message)) outstanding_.AppendAbandoned(message);
  }
  ReportAbandoned(true);
  if (outstanding_.NeedsForwardTsn()) forward_tsn_due_ = true;
}

void Association::Impl::HandleForwardTsn(const ChunkView& chunk) {
  const bool interleaved = chunk.type == static_cast<uint8_t>(ChunkType::kIForwardTsn);
  if (interleaved != features_.interleaving) return Violation("wrong kind of FORWARD-TSN");
  if (state_ != State::kEstablished && state_ != State::kShutdownPending &&
      state_ != State::kShutdownSent) {
    return CountDrop(DropReason::kUnexpectedChunk);
  }
  const auto forward = ForwardTsnChunk::Parse(chunk);
  if (!forward) return CountDrop(DropReason::kMalformedChunk);
  sack_at_once_ = true;  // RFC 3758 section 3.6
  packet_has_data_ = true;
  const Tsn tsn = tracker_.Unwrap(forward->new_cumulative_tsn);
  if (tsn <= tracker_.cumulative()) return;
  tracker_.Forward(tsn);
  reassembly_.Skip(tsn, *forward, delivered_);
  if (!tracker_.HasGaps()) settled_ = reassembly_.buffered();
}

}  // namespace rtclab::sctp
