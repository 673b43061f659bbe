#include "stack/sctp/send_queue.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::sctp {
namespace {

// A message that has to be cut anyway may begin in what is left of a packet, if that is worth a header.
constexpr std::size_t kLeastWorthCutting = 256;

}  // namespace

OutStream& SendQueue::Get(StreamId stream) {
  if (last_ == nullptr || last_->id != stream) {
    last_ = &streams_.try_emplace(stream, stream).first->second;
  }
  return *last_;
}

const OutStream* SendQueue::Find(StreamId stream) const {
  const auto it = streams_.find(stream);
  return it == streams_.end() ? nullptr : &it->second;
}

void SendQueue::Add(MessageRef message) {
  OutStream& stream = Get(message->stream);
  message->arrival = ++arrivals_;
  stream.buffered += message->payload.size();
  buffered_ += message->payload.size();
  stream.queue.push_back(std::move(message));
  Reschedule(stream);
}

void SendQueue::Reschedule(OutStream& stream) {
  if (stream.Eligible() && &stream != current_) {
    scheduler_.Add(stream);
  } else if (!stream.Eligible()) {
    scheduler_.Remove(stream);
  }
}

void SendQueue::Reduce(OutStream& stream, std::size_t bytes) {
  const bool was_above = stream.buffered > stream.low_threshold;
  stream.buffered -= bytes;
  buffered_ -= bytes;
  if (was_above && stream.buffered <= stream.low_threshold) fell_low_.push_back(stream.id);
}

OutStream* SendQueue::NextStream(Timestamp now, std::vector<MessageRef>& expired) {
  while (true) {
    OutStream* stream = current_ != nullptr ? current_ : scheduler_.Top();
    if (stream == nullptr) return nullptr;
    OutMessage& message = *stream->queue.front();
    if (message.expires > now || message.offset > 0) return stream;
    Reduce(*stream, message.remaining());
    message.abandoned = true;
    expired.push_back(stream->queue.pop_front());
    // FCFS orders by the first message, so the entry is made anew.
    scheduler_.Remove(*stream);
    Reschedule(*stream);
  }
}

void SendQueue::Number(OutStream& stream, OutMessage& message) {
  message.numbered = true;
  if (!interleaving_) {
    if (message.ordered) message.sequence = stream.next_ssn++ & 0xFFFF;
  } else {
    message.sequence = message.ordered ? stream.next_mid_ordered++ : stream.next_mid_unordered++;
  }
}

std::optional<Fragment> SendQueue::Produce(Timestamp now, std::size_t space, std::size_t full,
                                           std::vector<MessageRef>& expired) {
  OutStream* stream = NextStream(now, expired);
  if (stream == nullptr) return std::nullopt;
  if (scheduler_.OneStreamPerPacket() && packet_stream_ != nullptr && packet_stream_ != stream) {
    return std::nullopt;
  }
  OutMessage& message = *stream->queue.front();
  std::size_t length = std::min(message.remaining(), full);
  if (length > space) {
    if (message.remaining() <= full || space < kLeastWorthCutting) return std::nullopt;
    length = space;
  }
  if (!message.numbered) Number(*stream, message);
  packet_stream_ = stream;

  Fragment fragment;
  fragment.message = stream->queue.front();
  fragment.offset = static_cast<uint32_t>(message.offset);
  fragment.length = static_cast<uint32_t>(length);
  fragment.fsn = message.next_fsn++;
  fragment.begin = message.offset == 0;
  message.offset += length;
  fragment.end = message.remaining() == 0;
  message.complete = fragment.end;
  Reduce(*stream, length);

  if (message.complete) stream->queue.pop_front();
  if (current_ == nullptr) {
    scheduler_.Served(length);
  } else {
    scheduler_.Charge(*stream, length);
  }
  if (!interleaving_) {
    // RFC 9260 section 6.9: the TSNs of a message follow each other.
    if (!fragment.end) {
      current_ = stream;
      scheduler_.Remove(*stream);
    } else if (current_ != nullptr) {
      current_ = nullptr;
      Reschedule(*stream);
    }
  }
  return fragment;
}

void SendQueue::DropBeyond(uint16_t streams, std::vector<MessageRef>& dropped) {
  for (auto it = streams_.lower_bound(StreamId{streams}); it != streams_.end(); ++it) {
    OutStream& stream = it->second;
    if (current_ == &stream) current_ = nullptr;
    scheduler_.Remove(stream);
    while (!stream.queue.empty()) {
      Reduce(stream, stream.queue.front()->remaining());
      dropped.push_back(stream.queue.pop_front());
    }
  }
}

bool SendQueue::DropRest(OutMessage& message) {
  if (message.complete || message.offset == 0) return false;
  OutStream& stream = Get(message.stream);
  message.complete = true;
  Reduce(stream, message.remaining());
  // A message with fragments in flight is the first of its stream.
  CHECK(&*stream.queue.front() == &message);
  if (current_ == &stream) current_ = nullptr;
  scheduler_.Remove(stream);
  stream.queue.pop_front();
  Reschedule(stream);
  return true;
}

std::size_t SendQueue::buffered(StreamId stream) const {
  const OutStream* found = Find(stream);
  return found == nullptr ? 0 : found->buffered;
}

void SendQueue::SetPriority(StreamId id, uint16_t priority) {
  OutStream& stream = Get(id);
  stream.priority = std::max<uint16_t>(priority, 1);
  if (stream.scheduled) {
    scheduler_.Remove(stream);
    scheduler_.Add(stream);
  }
}

void SendQueue::BeginReset(StreamId id) {
  OutStream& stream = Get(id);
  if (stream.resetting) return;
  stream.resetting = true;
  stream.barrier = arrivals_ + 1;
  Reschedule(stream);
}

bool SendQueue::ReadyForReset(StreamId id, uint64_t cumulative) const {
  const OutStream* stream = Find(id);
  return stream != nullptr && stream->resetting && !stream->Eligible() &&
         stream->last_tsn <= cumulative;
}

void SendQueue::EndReset(StreamId id, bool performed) {
  OutStream& stream = Get(id);
  stream.resetting = false;
  if (performed) {
    stream.next_ssn = 0;
    stream.next_mid_ordered = 0;
    stream.next_mid_unordered = 0;
  }
  Reschedule(stream);
}

void SendQueue::Restart(std::vector<MessageRef>& lost) {
  current_ = nullptr;
  for (auto& [id, stream] : streams_) {
    scheduler_.Remove(stream);
    if (!stream.queue.empty() && stream.queue.front()->offset > 0) {
      Reduce(stream, stream.queue.front()->remaining());
      stream.queue.front()->complete = true;
      lost.push_back(stream.queue.pop_front());
    }
    stream.last_tsn = 0;
    stream.resetting = false;
    stream.next_ssn = 0;
    stream.next_mid_ordered = 0;
    stream.next_mid_unordered = 0;
    Reschedule(stream);
  }
}

}  // namespace rtclab::sctp
