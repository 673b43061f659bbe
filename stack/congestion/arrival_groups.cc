#include "stack/congestion/arrival_groups.h"

#include <algorithm>

namespace rtclab::congestion {
namespace {

constexpr TimeDelta kBurstTime = TimeDelta::Millis(5);  // section 5.6
// As deployed: more than that is no queue but a clock that was set.
constexpr TimeDelta kClockStep = TimeDelta::Seconds(3);
// As deployed: arrivals in a burst extend a group for at most this long.
constexpr TimeDelta kMaxBurst = TimeDelta::Millis(100);

}  // namespace

bool ArrivalGroups::Belongs(Timestamp sent, Timestamp received) const {
  if (sent - current_->first_sent <= kBurstTime) return true;
  // Section 5.2: arrived on the heels of the packet before although it left later: the burst after
  // an outage, which says nothing of congestion.
  const TimeDelta inter_arrival = received - current_->last_received;
  const TimeDelta variation = inter_arrival - (sent - current_->last_sent);
  return inter_arrival <= kBurstTime && variation < TimeDelta::Zero() &&
         received - current_->first_received < kMaxBurst;
}

std::optional<GroupDelta> ArrivalGroups::OnPacket(Timestamp sent, Timestamp received) {
  if (current_) {
    const TimeDelta variation = (received - current_->last_received) - (sent - current_->last_sent);
    if (variation > kClockStep || TimeDelta::Zero() - variation > kClockStep) Reset();
  }
  if (!current_) {
    current_ = Group{sent, sent, received, received};
    return std::nullopt;
  }
  if (sent < current_->first_sent) return std::nullopt;
  if (Belongs(sent, received)) {
    current_->last_sent = std::max(current_->last_sent, sent);
    current_->last_received = std::max(current_->last_received, received);
    return std::nullopt;
  }
  std::optional<GroupDelta> delta;
  if (previous_) {
    delta = GroupDelta{.departure = current_->last_sent - previous_->last_sent,
                       .arrival = current_->last_received - previous_->last_received,
                       .arrived = current_->last_received};
  }
  previous_ = current_;
  current_ = Group{sent, sent, received, received};
  return delta;
}

void ArrivalGroups::Reset() {
  current_.reset();
  previous_.reset();
}

}  // namespace rtclab::congestion
