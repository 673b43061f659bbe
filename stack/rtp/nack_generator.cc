#include "stack/rtp/nack_generator.h"

#include <algorithm>
#include <utility>

namespace rtclab::rtp {

NackGenerator::NackGenerator(const NackConfig& config)
    : config_(config), rtt_(config.initial_rtt) {}

TimeDelta NackGenerator::RepeatInterval() const {
  return std::max(rtt_, config_.min_repeat_interval);
}

void NackGenerator::OnPacket(Timestamp now, uint16_t sequence, bool keyframe_start) {
  const int64_t unwrapped =
      highest_ ? *highest_ + WrappingDistance(static_cast<uint16_t>(*highest_), sequence)
               : int64_t{sequence};
  if (keyframe_start && (!last_keyframe_ || unwrapped > *last_keyframe_))
    last_keyframe_ = unwrapped;
  if (!highest_) {
    highest_ = unwrapped;
    return;
  }
  if (unwrapped <= *highest_) {
    const auto it = std::lower_bound(missing_.begin(), missing_.end(), unwrapped,
                                     [](const Missing& m, int64_t s) { return m.sequence < s; });
    if (it != missing_.end() && it->sequence == unwrapped) {
      if (it->requests > 0) ++recovered_;
      missing_.erase(it);
    }
    return;
  }
  AddGap(now, *highest_ + 1, unwrapped);
  highest_ = unwrapped;
  DropHopeless(now);
  Request(now);
}

// All of [from, to) are missing.
void NackGenerator::AddGap(Timestamp now, int64_t from, int64_t to) {
  if (static_cast<std::size_t>(to - from) + missing_.size() > config_.max_missing) {
    // Gaps before a keyframe that has come need no answer (RFC 4585 leaves the choice to the application).
    while (last_keyframe_ && !missing_.empty() && missing_.front().sequence < *last_keyframe_) {
      missing_.pop_front();
    }
    if (last_keyframe_ && *last_keyframe_ >= from) from = *last_keyframe_;
  }
  if (static_cast<std::size_t>(to - from) + missing_.size() > config_.max_missing) {
    given_up_ += missing_.size() + static_cast<std::size_t>(to - from);
    missing_.clear();
    keyframe_needed_ = true;
    return;
  }
  for (int64_t s = from; s < to; ++s)
    missing_.push_back({s, now, now + config_.reordering_delay, 0});
}

void NackGenerator::DropHopeless(Timestamp now) {
  const auto hopeless = [&](const Missing& m) {
    return *highest_ - m.sequence > config_.max_age_packets || now - m.noticed > config_.max_age ||
           (m.requests >= config_.max_requests && m.next_request <= now);
  };
  const auto end = std::remove_if(missing_.begin(), missing_.end(), hopeless);
  if (end == missing_.end()) return;
  given_up_ += static_cast<uint64_t>(missing_.end() - end);
  missing_.erase(end, missing_.end());
  keyframe_needed_ = true;
}

void NackGenerator::Request(Timestamp now) {
  for (Missing& m : missing_) {
    const bool passed = m.requests == 0 && *highest_ - m.sequence >= config_.reordering_packets;
    if (!passed && m.next_request > now) continue;
    if (m.requests >= config_.max_requests) continue;
    ++m.requests;
    ++requests_;
    m.next_request = now + RepeatInterval();
    pending_.push_back(static_cast<uint16_t>(m.sequence));
  }
}

void NackGenerator::HandleTimeout(Timestamp now) {
  if (!highest_) return;
  DropHopeless(now);
  Request(now);
}

Timestamp NackGenerator::NextTimeout() const {
  Timestamp next = Timestamp::PlusInfinity();
  for (const Missing& m : missing_) next = std::min(next, m.next_request);
  return next;
}

void NackGenerator::ClearUpTo(uint16_t sequence) {
  if (!highest_) return;
  const int64_t before = *highest_ + WrappingDistance(static_cast<uint16_t>(*highest_), sequence);
  while (!missing_.empty() && missing_.front().sequence < before) missing_.pop_front();
}

std::optional<std::vector<uint16_t>> NackGenerator::PollNack() {
  if (pending_.empty()) return std::nullopt;
  return std::exchange(pending_, {});
}

bool NackGenerator::PollKeyframeRequest() { return std::exchange(keyframe_needed_, false); }

}  // namespace rtclab::rtp
