// What abs-send-time tells a receiver: when each packet left, how long it took beyond the fastest,
// and, for senders that know nothing newer than REMB, what rate the path seems to carry.
#ifndef RTCLAB_STACK_MEDIA_ARRIVAL_CLOCK_H_
#define RTCLAB_STACK_MEDIA_ARRIVAL_CLOCK_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "stack/base/units.h"
#include "stack/congestion/controller.h"

namespace rtclab::media {

// Unwraps abs-send-time (24 bits, 64 s) and measures one-way delay above the least seen.
class ArrivalClock {
 public:
  struct Delays {
    TimeDelta mean;
    TimeDelta max;
  };

  // Returns when the packet left, on a clock that makes the first packet's delay zero.
  Timestamp OnPacket(Timestamp now, uint32_t abs_send_time);
  // Of the packets since the last call.
  Delays Take();
  // The path changed: another least delay.
  void Reset() { least_.reset(); }

 private:
  std::optional<uint32_t> last_;
  Timestamp last_sent_;
  std::optional<TimeDelta> least_;
  TimeDelta sum_;
  TimeDelta max_;
  int64_t count_ = 0;
};

// draft-ietf-rmcat-gcc-02 section 3 allows the delay-based controller at the receiver, which then
// tells the sender by REMB. Here it is the same controller, fed with send times from abs-send-time.
// A message goes out each second, or at once when the estimate fell by more than 3 % (as deployed).
class RembEstimator {
 public:
  explicit RembEstimator(const congestion::RateLimits& limits);

  void OnPacket(Timestamp now, Timestamp sent, DataSize size);
  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const { return next_; }
  // The estimate to send now, if one is due.
  std::optional<DataRate> TakeRemb();
  std::optional<DataRate> last_sent() const { return last_sent_; }

 private:
  static constexpr TimeDelta kBatch = TimeDelta::Millis(50);
  static constexpr TimeDelta kInterval = TimeDelta::Seconds(1);

  std::unique_ptr<congestion::Controller> controller_;
  congestion::TransportFeedback batch_;
  int64_t next_id_ = 0;
  Timestamp next_ = Timestamp::PlusInfinity();
  Timestamp next_message_;
  std::optional<DataRate> last_sent_;
  bool due_ = false;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_ARRIVAL_CLOCK_H_
