// Google Congestion Control (draft-ietf-rmcat-gcc-02) run at the sender over per-packet feedback, with
// the parts that its deployed form adds: probing, application-limited region, acknowledged rate.
#ifndef RTCLAB_STACK_CONGESTION_GCC_H_
#define RTCLAB_STACK_CONGESTION_GCC_H_

#include <optional>
#include <vector>

#include "stack/congestion/acknowledged_rate.h"
#include "stack/congestion/alr_detector.h"
#include "stack/congestion/controller.h"
#include "stack/congestion/delay_based.h"
#include "stack/congestion/loss_based.h"
#include "stack/congestion/probe_control.h"
#include "stack/congestion/probe_estimator.h"
#include "stack/congestion/queue_delay.h"
#include "stack/congestion/rtt.h"
#include "stack/congestion/window_pushback.h"

namespace rtclab::congestion {

class GccController : public Controller {
 public:
  explicit GccController(const ControllerConfig& config);

  std::string_view name() const override { return "gcc"; }
  void OnPacketSent(const SentPacket& packet) override;
  void OnFeedback(Timestamp now, const TransportFeedback& feedback) override;
  // Drives the loss-based half while there is no transport-wide feedback (section 7).
  void OnReceiverReport(Timestamp now, TimeDelta rtt, double fraction_lost) override;
  void OnRemb(Timestamp now, DataRate limit) override;
  void OnAllocation(Timestamp now, const RateLimits& limits) override;
  void OnNetworkAvailable(Timestamp now, bool available) override;
  void HandleTimeout(Timestamp now) override;
  Timestamp NextTimeout() const override;
  std::optional<ProbeCluster> PollProbe() override;

 private:
  std::optional<DataRate> TakeProbes(const std::vector<PacketResult>& received);
  // The least of the delay-based and loss-based rates and the limits, and why.
  void Combine(Timestamp now, std::string_view reason);
  void Publish(Timestamp now, DataRate target, std::string_view reason);

  ControllerConfig config_;
  DelayBasedRate delay_;
  LossBasedRate loss_;
  AcknowledgedRate acknowledged_;
  AlrDetector alr_;
  ProbeControl probes_;
  ProbeEstimator probe_results_;
  QueueDelay queue_delay_;
  SmoothedRtt rtt_;
  WindowPushback pushback_;
  std::optional<DataRate> remb_;
  bool had_feedback_ = false;
  bool had_alr_ = false;
  DataRate combined_;
  DataSize in_flight_;
  std::optional<Timestamp> last_pushback_;
  Timestamp now_;                       // of the last call, for PollProbe()
  std::vector<PacketResult> received_;  // kept for its memory
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_GCC_H_
