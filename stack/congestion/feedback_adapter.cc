#include "stack/congestion/feedback_adapter.h"

#include "stack/base/check.h"

namespace rtclab::congestion {

SentPacket FeedbackAdapter::OnPacketSent(SentPacket packet) {
  CHECK(history_.empty() || packet.id == history_.back().packet.id + 1);
  while (!history_.empty() && packet.sent - history_.front().packet.sent > kHistory) {
    const Entry old = history_.pop_front();
    if (old.packet.id >= first_unacked_) {
      in_flight_ = in_flight_ - old.packet.size;
      first_unacked_ = old.packet.id + 1;
    }
  }
  if (history_.empty()) first_unacked_ = packet.id;
  packet.in_flight_before = in_flight_;
  in_flight_ = in_flight_ + packet.size;
  history_.push_back({packet, false});
  return packet;
}

const TransportFeedback& FeedbackAdapter::OnFeedback(Timestamp now,
                                                     std::span<const PacketReport> reports) {
  feedback_.now = now;
  feedback_.packets.clear();
  for (const PacketReport& report : reports) {
    if (history_.empty() || report.id < history_.front().packet.id ||
        report.id > history_.back().packet.id) {
      continue;
    }
    Entry& entry = history_[static_cast<std::size_t>(report.id - history_.front().packet.id)];
    if (entry.known_received) continue;
    entry.known_received = report.received.has_value();
    feedback_.packets.push_back({entry.packet, report.received, report.ecn});
    if (!report.received) continue;
    for (; first_unacked_ <= report.id; ++first_unacked_) {
      const int64_t index = first_unacked_ - history_.front().packet.id;
      in_flight_ = in_flight_ - history_[static_cast<std::size_t>(index)].packet.size;
    }
  }
  feedback_.in_flight = in_flight_;
  return feedback_;
}

void FeedbackAdapter::Reset() {
  history_.clear();
  in_flight_ = DataSize();
}

}  // namespace rtclab::congestion
