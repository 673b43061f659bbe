// NADA (RFC 8698). The receiver's calculations run at the sender over per-packet feedback, as sections
// 5.3 and 6.4 allow.
#ifndef RTCLAB_STACK_CONGESTION_NADA_H_
#define RTCLAB_STACK_CONGESTION_NADA_H_

#include <optional>

#include "stack/congestion/controller.h"
#include "stack/congestion/nada_signal.h"
#include "stack/congestion/rtt.h"

namespace rtclab::congestion {

class NadaController : public Controller {
 public:
  explicit NadaController(const ControllerConfig& config);

  std::string_view name() const override { return "nada"; }
  void OnPacketSent(const SentPacket& packet) override;
  void OnFeedback(Timestamp now, const TransportFeedback& feedback) override;
  void OnRemb(Timestamp now, DataRate limit) override;
  void OnAllocation(Timestamp now, const RateLimits& limits) override;
  void OnQueue(Timestamp now, DataSize queued) override;
  // The RFC has no rule for feedback that does not come. Here r_ref is halved after each 500 ms in
  // which packets left and no feedback came, down to RMIN; the first feedback goes on from there.
  void HandleTimeout(Timestamp now) override;
  Timestamp NextTimeout() const override { return feedback_due_; }

 private:
  void UpdateRate(Timestamp now);
  void Publish(Timestamp now, std::string_view reason);

  ControllerConfig config_;
  NadaSignal signal_;
  SmoothedRtt rtt_;
  double r_ref_;  // bps
  TimeDelta x_prev_;
  std::optional<Timestamp> t_last_;
  DataSize buffer_len_;
  std::optional<DataRate> remb_;
  bool started_ = false;
  Timestamp feedback_due_ = Timestamp::PlusInfinity();
};

// The sender's equations, for their own tests. Rates in bps.
namespace nada {
// Equation (3).
double Gamma(TimeDelta rtt);
// Equations (5) to (7): the new r_ref before clipping.
double GradualUpdate(double r_ref, double r_max, double priority, TimeDelta x_curr,
                     TimeDelta x_prev, TimeDelta delta);
// Equations (11) and (12): r_diff_v and r_diff_s, which have the same constants.
double BufferAdjustment(double r_ref, DataSize buffer_len);
}  // namespace nada

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_NADA_H_
