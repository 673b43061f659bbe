// Round-trip time from per-packet feedback.
#ifndef RTCLAB_STACK_CONGESTION_RTT_H_
#define RTCLAB_STACK_CONGESTION_RTT_H_

#include <optional>

#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

// The round trip of a feedback message is the time since its last received packet left, less how
// long that packet waited at the receiver. The receiver's clock has an unknown zero, so the wait is
// not known; taking the packet received last keeps it small. Smoothed by 1/8 as in RFC 6298
// section 2.
class SmoothedRtt {
 public:
  // Takes one sample, if any packet was received.
  void OnFeedback(Timestamp now, const TransportFeedback& feedback) {
    const PacketResult* last = nullptr;
    for (const PacketResult& packet : feedback.packets) {
      if (packet.received && (!last || *packet.received >= *last->received)) last = &packet;
    }
    if (last) AddSample(now - last->sent.sent);
  }
  void AddSample(TimeDelta sample) {
    latest_ = sample;
    if (!known_ || sample < min_) min_ = sample;
    smoothed_ = known_
                    ? TimeDelta::Nanos(smoothed_.nanos() + (sample.nanos() - smoothed_.nanos()) / 8)
                    : sample;
    known_ = true;
  }

  bool known() const { return known_; }
  // Zero until known.
  TimeDelta smoothed() const { return smoothed_; }
  TimeDelta latest() const { return latest_; }
  TimeDelta min() const { return min_; }

 private:
  bool known_ = false;
  TimeDelta smoothed_;
  TimeDelta latest_;
  TimeDelta min_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_RTT_H_
