// SCReAM's view of the queue: its trend (RFC 8298 section 4.1.2) and the target delay, which rises
// when loss-based flows compete (section 4.1.2.3).
#ifndef RTCLAB_STACK_CONGESTION_SCREAM_DELAY_H_
#define RTCLAB_STACK_CONGESTION_SCREAM_DELAY_H_

#include <array>
#include <cstddef>
#include <optional>

#include "stack/base/units.h"
#include "stack/congestion/scream_constants.h"

namespace rtclab::congestion {

class ScreamDelay {
 public:
  // With `compensate` false the target stays at QDELAY_TARGET_LO.
  explicit ScreamDelay(bool compensate) : compensate_(compensate) {}

  // A qdelay of the latest acknowledgement. Both histories take it every 50 ms, however often
  // feedback comes.
  void Update(Timestamp now, TimeDelta qdelay, double loss_event_rate);

  double trend() const { return trend_; }
  double trend_mem() const { return trend_mem_; }
  TimeDelta target() const { return TimeDelta::SecondsF(target_s_); }

  // One step of update_variables() and of adjust_qdelay_target().
  void SampleTrend(double qdelay_s);
  void AdjustTarget(double qdelay_s, double loss_event_rate);

 private:
  static constexpr std::size_t kFractions = 20;
  static constexpr std::size_t kNorms = 200;

  bool compensate_;
  std::optional<Timestamp> last_sample_;
  double target_s_ = scream::kQdelayTargetLo.seconds();
  double fraction_avg_ = 0;
  std::array<double, kFractions> fractions_{};  // cyclic
  std::size_t fraction_next_ = 0;
  std::array<double, kNorms> norms_{};  // cyclic
  std::size_t norm_next_ = 0;
  double trend_ = 0;
  double trend_mem_ = 0;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_SCREAM_DELAY_H_
