// When to probe and how fast, as deployed in libwebrtc: exponentially at the start, periodically
// while the application limits the rate, once after a drop, and when the maximum is raised.
#ifndef RTCLAB_STACK_CONGESTION_PROBE_CONTROL_H_
#define RTCLAB_STACK_CONGESTION_PROBE_CONTROL_H_

#include <optional>

#include "stack/base/ring.h"
#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

class ProbeControl {
 public:
  ProbeControl(DataRate start, DataRate max) : start_(start), max_(max) {}

  // The network is there: probes at 3 and 6 times the start rate.
  void Start(Timestamp now);
  // Counts only before Start().
  void SetStart(DataRate start) { start_ = start; }
  void SetMax(Timestamp now, DataRate max);
  // A probe measured `rate`. Twice as much is probed next if it was at least 70 % of what the last
  // probe asked for.
  void OnProbeResult(Timestamp now, DataRate rate);
  // The estimate in use; a drop below 66 % is remembered.
  void SetEstimate(Timestamp now, DataRate estimate);
  // The application-limited region: since when, and when it last ended.
  void SetAlr(std::optional<Timestamp> started, std::optional<Timestamp> ended) {
    alr_started_ = started;
    alr_ended_ = ended;
  }
  // Over-use has ended: 85 % of the rate before the drop is probed, if the drop is at most 5 s old,
  // the sender is application limited or was 3 s ago, and no such probe was made for 5 s. A sender
  // that fills its rate finds the way back by itself.
  void OnRecovered(Timestamp now);

  // Periodic probing in the application-limited region: every 5 s at twice the estimate.
  void HandleTimeout(Timestamp now);
  Timestamp NextTimeout() const;
  std::optional<ProbeCluster> Poll();

 private:
  enum class State { kInit, kWaiting, kComplete };
  // Probes at `rate`, limited by the maximum; a probe that the maximum limits is the last.
  void Probe(Timestamp now, DataRate rate, bool further);
  std::optional<Timestamp> NextAlrProbe() const;

  State state_ = State::kInit;
  DataRate start_;
  DataRate max_;
  DataRate estimate_;
  std::optional<DataRate> further_threshold_;
  std::optional<Timestamp> last_probe_;
  std::optional<Timestamp> last_drop_;
  std::optional<Timestamp> last_recovery_probe_;
  DataRate before_drop_;
  std::optional<Timestamp> alr_started_;
  std::optional<Timestamp> alr_ended_;
  int next_id_ = 1;
  Ring<ProbeCluster> clusters_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_PROBE_CONTROL_H_
