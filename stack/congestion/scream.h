// SCReAM (RFC 8298): a congestion window clocked by acknowledgements, and a media rate that follows
// what the window lets through.
#ifndef RTCLAB_STACK_CONGESTION_SCREAM_H_
#define RTCLAB_STACK_CONGESTION_SCREAM_H_

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/ring.h"
#include "stack/congestion/acknowledged_rate.h"
#include "stack/congestion/controller.h"
#include "stack/congestion/queue_delay.h"
#include "stack/congestion/rtt.h"
#include "stack/congestion/scream_delay.h"
#include "stack/congestion/scream_losses.h"
#include "stack/congestion/scream_media_rate.h"

namespace rtclab::congestion {

class ScreamController : public Controller {
 public:
  explicit ScreamController(const ControllerConfig& config);

  std::string_view name() const override { return "scream"; }
  void OnPacketSent(const SentPacket& packet) override;
  void OnFeedback(Timestamp now, const TransportFeedback& feedback) override;
  void OnRemb(Timestamp now, DataRate limit) override;
  void OnAllocation(Timestamp now, const RateLimits& limits) override;
  void OnQueue(Timestamp now, DataSize queued) override;
  void HandleTimeout(Timestamp now) override;
  Timestamp NextTimeout() const override;

  // For tests.
  DataSize cwnd() const { return DataSize::Bytes(static_cast<int64_t>(cwnd_)); }
  bool in_fast_increase() const { return in_fast_increase_; }
  TimeDelta qdelay_target() const { return delay_.target(); }

 private:
  void OnCongestion(Timestamp now, bool loss);
  void UpdateWindow(Timestamp now);
  void CheckToResumeFastIncrease(Timestamp now);
  double MaxBytesInFlight(Timestamp now);
  void Publish(Timestamp now, std::string_view reason);

  ControllerConfig config_;
  QueueDelay base_;
  ScreamDelay delay_;
  ScreamLosses losses_;
  ScreamMediaRate media_;
  SmoothedRtt rtt_;
  std::optional<DataRate> remb_;

  bool in_fast_increase_ = true;
  double cwnd_;  // bytes
  double bytes_newly_acked_ = 0;
  DataSize bytes_in_flight_;
  TimeDelta qdelay_;
  struct FlightMark {
    Timestamp time;
    DataSize bytes;
  };
  Ring<FlightMark> flight_marks_;  // falling from the front: the greatest of 5 s
  std::optional<Timestamp> trend_low_since_;
  std::optional<Timestamp> last_ecn_event_;
  std::optional<Timestamp> last_rate_adjust_;
  std::string_view why_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_SCREAM_H_
