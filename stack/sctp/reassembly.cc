#include "stack/sctp/reassembly.h"

#include <algorithm>

namespace rtclab::sctp {
namespace {

// Beyond this a guess at a message's size is not worth memory that may not be needed.
constexpr std::size_t kLargestGuess = 262'144;

}  // namespace

Bytes FragmentRuns::Run::Join() {
  if (pieces.size() == 1) return std::move(pieces.front());
  Bytes whole;
  whole.reserve(size);
  for (const Bytes& piece : pieces) whole.insert(whole.end(), piece.begin(), piece.end());
  return whole;
}

FragmentRuns::Verdict FragmentRuns::Insert(uint64_t number, const DataChunk& data,
                                           std::size_t expected, std::size_t& held, Run& complete) {
  const auto belongs = [&data](const Run& run) {
    return run.stream == data.stream && run.sequence == data.sequence &&
           run.unordered == data.unordered();
  };
  auto next = runs_.upper_bound(number);
  auto run = runs_.end();
  if (next != runs_.begin()) {
    run = std::prev(next);
    if (run->second.next > number) return Verdict::kContradiction;
    if (run->second.next != number) run = runs_.end();
  }
  if (run != runs_.end() && data.begin()) {
    // The message before this one. When its end is missing it never comes: the peer gave it up.
    if (!run->second.end) {
      held -= run->second.Cost();
      runs_.erase(run);
    }
    run = runs_.end();
  }
  if (run == runs_.end()) {
    run = runs_.emplace_hint(next, number, Run());
    run->second.begin = data.begin();
    run->second.stream = data.stream;
    run->second.sequence = data.sequence;
    run->second.unordered = data.unordered();
    run->second.ppid = data.ppid;
    run->second.pieces.emplace_back();
    if (data.begin()) run->second.pieces.back().reserve(expected);
  } else if (run->second.end || !belongs(run->second)) {
    return Verdict::kContradiction;
  }
  Bytes& last = run->second.pieces.back();
  last.insert(last.end(), data.payload.begin(), data.payload.end());
  run->second.size += data.payload.size();
  ++run->second.fragments;
  held += data.payload.size() + kFragmentCost;
  run->second.next = number + 1;
  run->second.end = data.end();

  if (next != runs_.end() && next->first == number + 1) {
    if (data.end() && !next->second.begin) return Verdict::kContradiction;
    if (!data.end() && !next->second.begin) {
      if (!belongs(next->second)) return Verdict::kContradiction;
      for (Bytes& piece : next->second.pieces) run->second.pieces.push_back(std::move(piece));
      run->second.size += next->second.size;
      run->second.fragments += next->second.fragments;
      run->second.next = next->second.next;
      run->second.end = next->second.end;
      runs_.erase(next);
    }
  }
  if (!run->second.begin || !run->second.end) return Verdict::kStored;
  held -= run->second.Cost();
  complete = std::move(run->second);
  runs_.erase(run);
  return Verdict::kComplete;
}

Reassembly::InStream& Reassembly::Get(uint16_t stream) {
  if (last_stream_ == nullptr || last_id_ != stream) {
    last_stream_ = &streams_[stream];
    last_id_ = stream;
  }
  return *last_stream_;
}

FragmentRuns::Verdict Reassembly::Store(Tsn tsn, const DataChunk& data, InStream& stream,
                                        FragmentRuns::Run& complete) {
  const std::size_t expected =
      std::max(std::min(stream.last_size, kLargestGuess), data.payload.size());
  if (!interleaving_) return by_tsn_.Insert(tsn, data, expected, buffered_, complete);
  const MessageKey key{data.stream, data.unordered(), data.sequence};
  const auto runs = by_message_.try_emplace(key).first;
  const FragmentRuns::Verdict verdict =
      runs->second.Insert(kSerialBase + data.fsn, data, expected, buffered_, complete);
  if (runs->second.empty()) by_message_.erase(runs);
  return verdict;
}

std::string_view Reassembly::Add(Tsn tsn, const DataChunk& data,
                                 std::vector<MessageReceived>& out) {
  InStream& stream = Get(data.stream);
  if (!data.unordered()) {
    // Every ordered message is delivered or skipped once; the number of one that was comes never again. But
    // with interleaving the fragments of a message do not follow each other, and an I-FORWARD-TSN that skips
    // it may come when the last of them, with higher TSNs, are still under way (RFC 8260 section 2.3.1).
    if (UnwrapSequence(stream.next, data.sequence) < stream.next) {
      if (interleaving_) return {};
      return "sequence number used again";
    }
  }
  if (data.begin() && data.end()) {
    Complete(data.stream, stream, data.unordered(), data.sequence,
             {data.ppid, Bytes(data.payload.begin(), data.payload.end())}, out);
    return {};
  }
  if (interleaving_ && data.begin() != (data.fsn == 0)) return "first fragment has a number";
  FragmentRuns::Run run;
  switch (Store(tsn, data, stream, run)) {
    case FragmentRuns::Verdict::kContradiction:
      return "fragments contradict each other";
    case FragmentRuns::Verdict::kStored:
      return buffered_ > max_message_size_ ? "message too large" : std::string_view();
    case FragmentRuns::Verdict::kComplete:
      break;
  }
  if (run.size > max_message_size_) return "message too large";
  stream.last_size = run.size;
  Complete(data.stream, stream, run.unordered, run.sequence, {run.ppid, run.Join()}, out);
  return {};
}

void Reassembly::Complete(uint16_t id, InStream& stream, bool unordered, uint32_t sequence,
                          Ready message, std::vector<MessageReceived>& out) {
  if (unordered) {
    Deliver(id, false, std::move(message), out);
    return;
  }
  const uint64_t number = UnwrapSequence(stream.next, sequence);
  if (number != stream.next) {
    const std::size_t size = message.payload.size() + FragmentRuns::kFragmentCost;
    if (stream.ready.emplace(number, std::move(message)).second) buffered_ += size;
    return;
  }
  ++stream.next;
  Deliver(id, true, std::move(message), out);
  if (!stream.ready.empty()) DeliverReady(id, stream, out);
}

void Reassembly::Deliver(uint16_t id, bool ordered, Ready message,
                         std::vector<MessageReceived>& out) {
  out.push_back({StreamId{id}, message.ppid, ordered, std::move(message.payload)});
}

void Reassembly::DeliverReady(uint16_t id, InStream& stream, std::vector<MessageReceived>& out) {
  while (!stream.ready.empty() && stream.ready.begin()->first <= stream.next) {
    auto item = stream.ready.extract(stream.ready.begin());
    stream.next = item.key() + 1;
    buffered_ -= item.mapped().payload.size() + FragmentRuns::kFragmentCost;
    Deliver(id, true, std::move(item.mapped()), out);
  }
}

void Reassembly::SkipOrdered(uint16_t id, uint32_t sequence, std::vector<MessageReceived>& out) {
  InStream& stream = Get(id);
  const uint64_t skipped = UnwrapSequence(stream.next, sequence);
  if (skipped < stream.next) return;
  // What was complete before the skipped message is delivered, in order (RFC 3758 section 3.6).
  while (!stream.ready.empty() && stream.ready.begin()->first <= skipped) {
    stream.next = stream.ready.begin()->first;
    DeliverReady(id, stream, out);
  }
  stream.next = std::max(stream.next, skipped + 1);
  DeliverReady(id, stream, out);
}

void Reassembly::Skip(Tsn cumulative, const ForwardTsnChunk& forward,
                      std::vector<MessageReceived>& out) {
  if (!interleaving_) {
    // What still needs a fragment that was given up never becomes complete.
    buffered_ -= by_tsn_.DropIf([&](uint64_t first, const FragmentRuns::Run& run) {
      return (!run.end && run.next <= cumulative) || (!run.begin && first <= cumulative);
    });
  }
  for (const ForwardTsnChunk::Skipped& skip : forward.skipped) {
    if (interleaving_) {
      std::erase_if(by_message_, [&](auto& item) {
        const MessageKey& key = item.first;
        const bool later = static_cast<int32_t>(key.mid - skip.sequence) > 0;
        if (key.stream != skip.stream || key.unordered != skip.unordered || later) return false;
        buffered_ -= item.second.Cost();
        return true;
      });
    }
    if (!interleaving_) {
      buffered_ -= by_tsn_.DropIf([&](uint64_t first, const FragmentRuns::Run& run) {
        return first <= cumulative && run.stream == skip.stream && !run.unordered &&
               run.sequence == skip.sequence;
      });
    }
    if (!skip.unordered) SkipOrdered(skip.stream, skip.sequence, out);
  }
}

void Reassembly::ResetStreams(std::span<const uint16_t> streams) {
  const auto reset = [this](uint16_t id, InStream& stream) {
    for (const auto& [number, message] : stream.ready) {
      buffered_ -= message.payload.size() + FragmentRuns::kFragmentCost;
    }
    stream = InStream();
    std::erase_if(by_message_, [&](auto& item) {
      if (item.first.stream != id) return false;
      buffered_ -= item.second.Cost();
      return true;
    });
    buffered_ -=
        by_tsn_.DropIf([id](uint64_t, const FragmentRuns::Run& run) { return run.stream == id; });
  };
  if (streams.empty()) {
    for (auto& [id, stream] : streams_) reset(id, stream);
  }
  for (const uint16_t id : streams) {
    const auto it = streams_.find(id);
    if (it != streams_.end()) reset(id, it->second);
  }
}

void Reassembly::Clear() {
  streams_.clear();
  last_stream_ = nullptr;
  by_tsn_.DropIf([](uint64_t, const FragmentRuns::Run&) { return true; });
  by_message_.clear();
  buffered_ = 0;
}

}  // namespace rtclab::sctp
