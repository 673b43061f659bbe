#include "stack/sctp/outstanding.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::sctp {

void OutstandingChunks::Reset(Tsn initial) {
  chunks_.clear();
  first_ = initial;
  flight_ = 0;
  flight_payload_ = 0;
  marked_ = 0;
  first_marked_ = initial;
  gap_acked_ = 0;
  timed_.reset();
}

void OutstandingChunks::Write(const Sent& chunk, Tsn tsn, Bytes& packet) const {
  const OutMessage& message = *chunk.message;
  DataChunk data;
  data.flags = chunk.flags;
  data.tsn = static_cast<uint32_t>(tsn);
  data.stream = static_cast<uint16_t>(message.stream);
  data.sequence = message.sequence;
  data.ppid = message.ppid;
  data.fsn = chunk.fsn;
  data.payload = ByteView(message.payload).subspan(chunk.offset, chunk.length);
  data.AppendTo(packet, interleaving_);
}

Tsn OutstandingChunks::Send(Timestamp now, Fragment fragment, uint8_t extra_flags, Bytes& packet) {
  Sent chunk;
  chunk.offset = fragment.offset;
  chunk.length = static_cast<uint16_t>(fragment.length);
  chunk.fsn = fragment.fsn;
  chunk.flags = static_cast<uint8_t>(extra_flags | (fragment.begin ? DataChunk::kBegin : 0) |
                                     (fragment.end ? DataChunk::kEnd : 0) |
                                     (fragment.message->ordered ? 0 : DataChunk::kUnordered));
  chunk.message = std::move(fragment.message);
  const Tsn tsn = next_tsn();
  if (fragment.begin) chunk.message->first_tsn = tsn;
  if (!timed_) {
    timed_ = tsn;
    timed_since_ = now;
  }
  Write(chunk, tsn, packet);
  flight_ += WireSize(chunk);
  flight_payload_ += chunk.length;
  chunks_.push_back(std::move(chunk));
  return tsn;
}

void OutstandingChunks::Leave(const Sent& chunk) {
  flight_ -= WireSize(chunk);
  flight_payload_ -= chunk.length;
}

bool OutstandingChunks::PastItsLimit(Timestamp now, const Sent& chunk) const {
  // RFC 7496 section 3: "max_retransmits" counts retransmissions; the first transmission is none.
  return partial_reliability_ &&
         (chunk.message->expires <= now || chunk.transmissions > chunk.message->max_retransmits);
}

OutstandingChunks::Retransmitted OutstandingChunks::Retransmit(Timestamp now, std::size_t space,
                                                               bool empty, Bytes& packet,
                                                               std::vector<MessageRef>& abandoned) {
  Retransmitted result;
  first_marked_ = std::max(first_marked_, first_);
  for (std::size_t i = first_marked_ - first_; marked_ > 0 && i < chunks_.size(); ++i) {
    Sent& chunk = chunks_[i];
    if (chunk.state != State::kMarked) {
      if (first_marked_ == first_ + i) ++first_marked_;
      continue;
    }
    if (partial_reliability_ && chunk.message->expires <= now) {
      GiveUp(*chunk.message, i, abandoned);
      continue;
    }
    const std::size_t size = WireSize(chunk);
    if (size > space && !(empty && result.chunks == 0)) break;
    space -= std::min(size, space);
    Write(chunk, first_ + i, packet);
    if (timed_ == first_ + i) timed_.reset();  // Karn's rule
    chunk.state = State::kInFlight;
    chunk.misses = 0;
    if (chunk.transmissions < UINT16_MAX) ++chunk.transmissions;
    result.fast |= chunk.fast_retransmitted;
    result.earliest |= i == 0;
    ++result.chunks;
    --marked_;
    flight_ += size;
    flight_payload_ += chunk.length;
    if (first_marked_ == first_ + i) ++first_marked_;
  }
  return result;
}

void OutstandingChunks::Acknowledge(Timestamp now, std::size_t index, SackResult& result) {
  Sent& chunk = chunks_[index];
  if (chunk.state == State::kAcked || chunk.state == State::kAbandoned) return;
  result.acked_bytes += WireSize(chunk);
  if (chunk.state == State::kInFlight) {
    Leave(chunk);
  } else {
    --marked_;
  }
  const Tsn tsn = first_ + index;
  highest_newly_acked_ = std::max(highest_newly_acked_, tsn);
  if (timed_ == tsn) {
    result.rtt = now - timed_since_;
    timed_.reset();
  }
  chunk.state = State::kAcked;
  ++gap_acked_;
}

void OutstandingChunks::AcknowledgeTo(Timestamp now, Tsn cumulative, SackResult& result) {
  while (first_ <= cumulative) {
    Acknowledge(now, 0, result);
    if (chunks_.front().state == State::kAcked) --gap_acked_;
    chunks_.pop_front();
    ++first_;
    result.advanced = true;
  }
}

void OutstandingChunks::AcknowledgeGaps(Timestamp now, const SackChunk& sack, SackResult& result) {
  const std::size_t count = chunks_.size();
  std::size_t index = 0;
  // Reneging (section 6.2.1 rule D.iii): what was acknowledged and is not any more counts as missing.
  const auto renege_to = [&](std::size_t end) {
    for (; gap_acked_ > 0 && index < std::min(end, count); ++index) {
      Sent& chunk = chunks_[index];
      if (chunk.state != State::kAcked) continue;
      chunk.state = State::kInFlight;
      --gap_acked_;
      flight_ += WireSize(chunk);
      flight_payload_ += chunk.length;
    }
    index = std::min(end, count);
  };
  for (const SackChunk::GapBlock& gap : sack.gaps) {
    // Offset 1 is the chunk after the cumulative TSN, which is chunks_[0].
    if (gap.end > count) break;
    renege_to(gap.start - 1u);
    for (; index < gap.end; ++index) Acknowledge(now, index, result);
  }
  renege_to(count);
}

void OutstandingChunks::CountMisses(Timestamp now, const SackChunk& sack, bool all,
                                    SackResult& result, std::vector<MessageRef>& abandoned) {
  if (sack.gaps.empty()) return;
  // The HTNA algorithm of section 7.2.4, or in fast recovery every chunk that is reported missing.
  const Tsn reported = first_ + std::min<std::size_t>(sack.gaps.back().end, chunks_.size());
  const Tsn end = std::min(all ? reported : highest_newly_acked_, next_tsn());
  for (Tsn tsn = first_; tsn < end && tsn - first_ < chunks_.size(); ++tsn) {
    Sent& chunk = chunks_[tsn - first_];
    if (chunk.state != State::kInFlight || chunk.fast_retransmitted) continue;
    if (++chunk.misses < 3) continue;
    chunk.fast_retransmitted = true;
    result.loss = true;
    Mark(now, tsn - first_, abandoned);
  }
}

OutstandingChunks::SackResult OutstandingChunks::HandleSack(Timestamp now, const SackChunk& sack,
                                                            bool in_fast_recovery,
                                                            std::vector<MessageRef>& abandoned) {
  SackResult result;
  const Tsn tsn = Unwrap32(cumulative(), sack.cumulative_tsn);
  if (tsn < cumulative()) {
    result.verdict = SackResult::Verdict::kOld;
    return result;
  }
  if (tsn >= next_tsn()) {
    result.verdict = SackResult::Verdict::kNeverSent;
    return result;
  }
  highest_newly_acked_ = 0;
  AcknowledgeTo(now, tsn, result);
  if (!sack.gaps.empty() || gap_acked_ > 0) AcknowledgeGaps(now, sack, result);
  CountMisses(now, sack, in_fast_recovery && result.advanced, result, abandoned);
  result.highest_outstanding = next_tsn() - 1;
  return result;
}

OutstandingChunks::SackResult OutstandingChunks::HandleCumulative(Timestamp now, uint32_t tsn) {
  SackResult result;
  const Tsn cumulative_tsn = Unwrap32(cumulative(), tsn);
  if (cumulative_tsn >= next_tsn()) {
    result.verdict = SackResult::Verdict::kNeverSent;
    return result;
  }
  AcknowledgeTo(now, cumulative_tsn, result);
  return result;
}

void OutstandingChunks::Mark(Timestamp now, std::size_t index, std::vector<MessageRef>& abandoned) {
  Sent& chunk = chunks_[index];
  if (PastItsLimit(now, chunk)) {
    GiveUp(*chunk.message, index, abandoned);
    return;
  }
  Leave(chunk);
  chunk.state = State::kMarked;
  first_marked_ = marked_ == 0 ? first_ + index : std::min(first_marked_, first_ + index);
  ++marked_;
}

void OutstandingChunks::MarkAll(Timestamp now, std::vector<MessageRef>& abandoned) {
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    // A chunk that was retransmitted fast may be so again after a timeout.
    chunks_[i].fast_retransmitted = false;
    chunks_[i].misses = 0;
    if (chunks_[i].state == State::kInFlight) Mark(now, i, abandoned);
  }
}

void OutstandingChunks::GiveUp(OutMessage& message, std::size_t index,
                               std::vector<MessageRef>& abandoned) {
  if (!message.abandoned) abandoned.push_back(chunks_[index].message);
  Abandon(message);
}

void OutstandingChunks::Abandon(OutMessage& message) {
  message.abandoned = true;
  const std::size_t from = std::max(first_, message.first_tsn) - first_;
  bool last = false;
  for (std::size_t i = from; i < chunks_.size() && !last; ++i) {
    Sent& chunk = chunks_[i];
    if (&*chunk.message != &message) continue;
    last = (chunk.flags & DataChunk::kEnd) != 0;
    if (chunk.state == State::kAbandoned) continue;
    if (timed_ == first_ + i) timed_.reset();
    if (chunk.state == State::kInFlight) Leave(chunk);
    if (chunk.state == State::kMarked) --marked_;
    // One that has arrived is given up with its message, so that the cumulative TSN can be moved over it.
    if (chunk.state == State::kAcked) --gap_acked_;
    chunk.state = State::kAbandoned;
  }
}

void OutstandingChunks::AppendAbandoned(MessageRef message) {
  Sent chunk;
  chunk.message = std::move(message);
  chunk.state = State::kAbandoned;
  chunk.flags = DataChunk::kEnd;
  chunks_.push_back(std::move(chunk));
}

std::optional<ForwardTsnChunk> OutstandingChunks::MakeForwardTsn(std::size_t limit) const {
  if (!NeedsForwardTsn()) return std::nullopt;
  ForwardTsnChunk forward;
  const std::size_t entry = interleaving_ ? 8 : 4;
  Tsn point = cumulative();
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    const Sent& chunk = chunks_[i];
    if (chunk.state == State::kAcked) continue;  // the peer has it, and moves over it by itself
    if (chunk.state != State::kAbandoned) break;
    const OutMessage& message = *chunk.message;
    // FORWARD-TSN names ordered messages only: nothing waits for an unordered one (RFC 3758 section 3.2).
    if (message.ordered || interleaving_) {
      const ForwardTsnChunk::Skipped skip{static_cast<uint16_t>(message.stream), !message.ordered,
                                          message.sequence};
      // Sequence numbers of a stream only grow along the TSNs: the last one of a stream stands for all.
      auto same = std::find_if(forward.skipped.begin(), forward.skipped.end(), [&](const auto& s) {
        return s.stream == skip.stream && s.unordered == skip.unordered;
      });
      if (same != forward.skipped.end()) {
        *same = skip;
      } else {
        if (8 + (forward.skipped.size() + 1) * entry > limit) break;
        forward.skipped.push_back(skip);
      }
    }
    point = first_ + i;
  }
  forward.new_cumulative_tsn = static_cast<uint32_t>(point);
  return forward;
}

}  // namespace rtclab::sctp
