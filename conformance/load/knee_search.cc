#include "conformance/load/knee_search.h"

#include <algorithm>

namespace rtclab::conformance {
namespace {

constexpr int kRefinements = 3;

}  // namespace

KneeSearch::KneeSearch(const LoadPlan& plan)
    : factor_(plan.ramp_factor),
      max_rate_(plan.max_packets_per_s),
      max_loss_(plan.max_loss),
      max_p99_(plan.max_p99) {}

bool KneeSearch::WithinLimits(const LoadStep& step) const {
  return step.loss() <= max_loss_ && step.latency.Percentile(0.99) <= max_p99_;
}

std::optional<double> KneeSearch::Over(const char* why) {
  why_ = why;
  return std::nullopt;
}

std::optional<double> KneeSearch::Next(const LoadStep& step) {
  const double rate = step.wanted_packets_per_s;
  const std::size_t index = steps_++;
  if (!step.behind && WithinLimits(step)) {
    if (!best_ || rate > good_rate_) best_ = index;
    good_rate_ = std::max(good_rate_, rate);
  } else {
    bad_rate_ = bad_rate_ == 0 ? rate : std::min(bad_rate_, rate);
    // What this machine could not send says nothing about the server, so it makes no knee.
    over_limits_ |= !step.behind;
  }
  if (bad_rate_ == 0) {
    if (rate >= max_rate_) return Over("the highest rate was reached");
    return std::min(max_rate_, rate * factor_);
  }
  // Between the last good rate and the first bad one; a first step that is bad already is halved.
  if (refinements_++ >= kRefinements) {
    return Over(over_limits_ ? "the limits were reached" : "this machine could not send faster");
  }
  return good_rate_ == 0 ? bad_rate_ / 2 : (good_rate_ + bad_rate_) / 2;
}

}  // namespace rtclab::conformance
