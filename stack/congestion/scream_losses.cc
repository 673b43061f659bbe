#include "stack/congestion/scream_losses.h"

#include <algorithm>

namespace rtclab::congestion {
namespace {

constexpr double kLossEventWeight = 0.01;

}  // namespace

void ScreamLosses::Note(Timestamp now, const PacketResult& packet) {
  if (!packet.received) {
    const bool known = !missing_.empty() && packet.sent.id <= missing_.back().id;
    if (!known) missing_.push_back({packet.sent.id, now, false});
    return;
  }
  for (std::size_t i = missing_.size(); i > 0 && missing_[i - 1].id >= packet.sent.id; --i) {
    Missing& m = missing_[i - 1];
    if (m.id != packet.sent.id || m.found) continue;
    m.found = true;
    window_ = std::min(std::max(window_, now - m.marked), kMaxWindow);
  }
}

void ScreamLosses::CountRoundTrips(Timestamp now, TimeDelta s_rtt) {
  if (!round_start_) round_start_ = now;
  if (now - *round_start_ < s_rtt) return;
  rate_ += kLossEventWeight * ((lost_in_round_ ? 1.0 : 0.0) - rate_);
  lost_in_round_ = false;
  round_start_ = now;
}

bool ScreamLosses::OnFeedback(Timestamp now, const TransportFeedback& feedback, TimeDelta s_rtt) {
  for (const PacketResult& packet : feedback.packets) Note(now, packet);
  bool lost = false;
  while (declared_ < missing_.size() && now - missing_[declared_].marked >= window_) {
    lost |= !missing_[declared_].found;
    ++declared_;
  }
  while (declared_ > 0 && now - missing_.front().marked > kMemory) {
    missing_.pop_front();
    --declared_;
  }
  lost_in_round_ |= lost;
  CountRoundTrips(now, s_rtt);
  if (!lost || (last_event_ && now - *last_event_ < s_rtt)) return false;
  last_event_ = now;
  return true;
}

}  // namespace rtclab::congestion
