// The controller called "none": sends at the maximum rate whatever the path does. What the others
// are measured against.
#ifndef RTCLAB_STACK_CONGESTION_FIXED_RATE_H_
#define RTCLAB_STACK_CONGESTION_FIXED_RATE_H_

#include "stack/congestion/controller.h"
#include "stack/congestion/rtt.h"

namespace rtclab::congestion {

class FixedRateController : public Controller {
 public:
  explicit FixedRateController(const ControllerConfig& config);

  std::string_view name() const override { return "none"; }
  void OnPacketSent(const SentPacket&) override {}
  // Only measures: round trip and loss.
  void OnFeedback(Timestamp now, const TransportFeedback& feedback) override;
  void OnRemb(Timestamp, DataRate) override {}
  void OnAllocation(Timestamp now, const RateLimits& limits) override;
  void HandleTimeout(Timestamp) override {}
  Timestamp NextTimeout() const override { return Timestamp::PlusInfinity(); }

 private:
  double pacing_factor_;
  SmoothedRtt rtt_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_FIXED_RATE_H_
