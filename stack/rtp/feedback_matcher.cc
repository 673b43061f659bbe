#include "stack/rtp/feedback_matcher.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::rtp {
namespace {

bool IsPowerOfTwo(std::size_t n) { return n > 0 && (n & (n - 1)) == 0; }

// Whole seconds and 1/65536 s apart, so that a long run does not overflow.
Timestamp FromMiddleNtp(int64_t middle) {
  const int64_t seconds = middle >> 16;
  return Timestamp::Seconds(seconds) + TimeDelta::Nanos((middle & 0xFFFF) * 1'000'000'000 / 65536);
}

}  // namespace

TransportFeedbackMatcher::TransportFeedbackMatcher(std::size_t capacity) : slots_(capacity) {
  CHECK(IsPowerOfTwo(capacity) && capacity <= 32768);
}

void TransportFeedbackMatcher::OnSent(const SentRecord& record) {
  slots_[static_cast<std::size_t>(next_) & (slots_.size() - 1)] = {next_, false, record};
  ++next_;
}

MatchedFeedback TransportFeedbackMatcher::Match(Timestamp now, const TransportFeedback& feedback) {
  MatchedFeedback out{now, {}};
  out.packets.reserve(feedback.packets.size());
  // 24 bits, taken as the nearest to the last message's.
  int64_t reference = feedback.reference_time;
  if (last_reference_) {
    const uint32_t distance =
        static_cast<uint32_t>(feedback.reference_time) - static_cast<uint32_t>(*last_reference_);
    reference = *last_reference_ + static_cast<int32_t>(distance << 8) / 256;
  }
  last_reference_ = reference;
  Timestamp time = Timestamp::Zero() + kTransportReferenceUnit * reference;
  const int64_t base =
      next_ + WrappingDistance(static_cast<uint16_t>(next_), feedback.base_sequence);
  for (std::size_t i = 0; i < feedback.packets.size(); ++i) {
    const TransportStatus& status = feedback.packets[i];
    if (status.received) time += kTransportDeltaUnit * status.delta;
    const int64_t sequence = base + static_cast<int64_t>(i);
    Slot* slot =
        sequence < 0 ? nullptr : &slots_[static_cast<std::size_t>(sequence) & (slots_.size() - 1)];
    if (slot == nullptr || slot->sequence != sequence) {
      ++unknown_;
      continue;
    }
    if (slot->reported_received) continue;
    slot->reported_received = status.received;
    out.packets.push_back({slot->record, status.received ? std::optional(time) : std::nullopt, 0});
  }
  return out;
}

CongestionFeedbackMatcher::CongestionFeedbackMatcher(std::size_t capacity_per_stream)
    : capacity_(capacity_per_stream) {
  CHECK(IsPowerOfTwo(capacity_) && capacity_ <= 32768);
}

void CongestionFeedbackMatcher::OnSent(const SentRecord& record) {
  std::vector<Slot>& slots = streams_[record.ssrc];
  if (slots.empty()) slots.resize(capacity_);
  slots[record.sequence & (capacity_ - 1)] = {true, false, record};
}

MatchedFeedback CongestionFeedbackMatcher::Match(Timestamp now,
                                                 const CongestionFeedback& feedback) {
  MatchedFeedback out{now, {}};
  const Timestamp report = FromMiddleNtp(report_time_.Unwrap(feedback.report_timestamp));
  for (const CongestionBlock& block : feedback.blocks) {
    const auto stream = streams_.find(block.ssrc);
    if (stream == streams_.end()) {
      unknown_ += block.metrics.size();
      continue;
    }
    for (std::size_t i = 0; i < block.metrics.size(); ++i) {
      const ArrivalMetric& metric = block.metrics[i];
      const auto sequence = static_cast<uint16_t>(block.begin_sequence + i);
      Slot& slot = stream->second[sequence & (capacity_ - 1)];
      if (!slot.used || slot.record.sequence != sequence) {
        ++unknown_;
        continue;
      }
      if (slot.reported_received) continue;
      slot.reported_received = metric.received;
      MatchedPacket packet{slot.record, std::nullopt, metric.ecn};
      if (metric.received) {
        const int64_t steps = metric.arrival_offset == kArrivalUnavailable
                                  ? 0
                                  : std::min<int64_t>(metric.arrival_offset, kArrivalOverRange);
        packet.received = report - TimeDelta::Nanos(steps * 1'000'000'000 / 1024);
      }
      out.packets.push_back(packet);
    }
  }
  std::stable_sort(out.packets.begin(), out.packets.end(),
                   [](const auto& a, const auto& b) { return a.record.id < b.record.id; });
  return out;
}

}  // namespace rtclab::rtp
