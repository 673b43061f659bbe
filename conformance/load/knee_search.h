// How a ramp finds the knee: from one rate held to the next, until it is known or can't be.
#ifndef RTCLAB_CONFORMANCE_LOAD_KNEE_SEARCH_H_
#define RTCLAB_CONFORMANCE_LOAD_KNEE_SEARCH_H_

#include <cstddef>
#include <optional>
#include <string>

#include "conformance/load/load_run.h"

namespace rtclab::conformance {

class KneeSearch {
 public:
  // Takes ramp_factor, max_packets_per_s, max_loss and max_p99 of the plan.
  explicit KneeSearch(const LoadPlan& plan);

  // Judges the next step (they are counted from 0) and gives the rate to hold after it, in packets a second; nullopt: the search is over,
  // and why() tells.
  std::optional<double> Next(const LoadStep& step);

  // The highest rate within the limits.
  std::optional<std::size_t> best() const { return best_; }
  // Whether some rate had too much loss or latency, and was not merely more than this machine can send.
  bool over_limits() const { return over_limits_; }
  const std::string& why() const { return why_; }

 private:
  bool WithinLimits(const LoadStep& step) const;
  std::optional<double> Over(const char* why);

  double factor_, max_rate_, max_loss_;
  TimeDelta max_p99_;
  double good_rate_ = 0, bad_rate_ = 0;  // 0: none yet
  std::size_t steps_ = 0;
  std::optional<std::size_t> best_;
  bool over_limits_ = false;
  int refinements_ = 0;
  std::string why_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_LOAD_KNEE_SEARCH_H_
