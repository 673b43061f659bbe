#include "stack/congestion/fixed_rate.h"

#include "stack/congestion/rates.h"

namespace rtclab::congestion {

FixedRateController::FixedRateController(const ControllerConfig& config)
    : pacing_factor_(config.pacing_factor) {
  output_.state = "fixed";
  OnAllocation(Timestamp::Zero(), config.limits);
}

void FixedRateController::OnFeedback(Timestamp now, const TransportFeedback& feedback) {
  rtt_.OnFeedback(now, feedback);
  output_.rtt = rtt_.smoothed();
  output_.loss = LossFraction(feedback);
}

void FixedRateController::OnAllocation(Timestamp now, const RateLimits& limits) {
  SetTarget(now, limits.max, "fixed rate");
  output_.estimate = limits.max;
  output_.pacing = Scale(limits.max, pacing_factor_);
}

}  // namespace rtclab::congestion
