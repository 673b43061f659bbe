// The one interface of all congestion controllers. A controller runs at the sender, is told what
// was sent and what per-packet feedback says, and answers with rates. It sends nothing itself.
//
// Its driver
//   * calls OnPacketSent() for each packet when it leaves, OnFeedback() for each feedback message
//     (both through a FeedbackAdapter), OnQueue() when it has looked at the pacer's queue (each
//     frame is often enough), OnReceiverReport() and OnRemb() when such RTCP arrives;
//   * calls HandleTimeout() at NextTimeout();
//   * after any of these reads output() and drains PollProbe() into the pacer.
//
// All rates count what SentPacket::size counts: bytes on the wire, retransmissions, FEC and padding
// included. The media encoder gets what is left of output().target.
#ifndef RTCLAB_STACK_CONGESTION_CONTROLLER_H_
#define RTCLAB_STACK_CONGESTION_CONTROLLER_H_

#include <memory>
#include <optional>
#include <string_view>

#include "stack/base/error.h"
#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

enum class ControllerKind { kGcc, kNada, kScream, kNone };

// "gcc", "nada", "scream" or "none"; anything else is an error that lists them.
Result<ControllerKind> ParseControllerKind(std::string_view name);
std::string_view ControllerKindName(ControllerKind kind);

// 0 < min <= start <= max.
struct RateLimits {
  DataRate min = DataRate::KilobitsPerSec(150);  // RFC 8867 section 4.3
  DataRate start = DataRate::KilobitsPerSec(300);
  DataRate max = DataRate::KilobitsPerSec(2500);
  DataRate padding;  // pad up to this rate as far as the target allows; zero: no padding

  bool operator==(const RateLimits&) const = default;
};

// Which arrival-time filter GCC runs.
enum class GccFilter {
  kTrendline,  // linear regression over the smoothed delay, the deployed form
  kKalman,     // draft-ietf-rmcat-gcc-02 section 5.3
};

struct ControllerConfig {
  RateLimits limits;
  // Pacing rate as a multiple of the target (gcc, none): 2.5 as deployed, so that a frame leaves in
  // well under its interval.
  double pacing_factor = 2.5;
  GccFilter gcc_filter = GccFilter::kTrendline;
  bool gcc_probing = true;             // initial, periodic while application limited, on recovery
  bool gcc_window_pushback = true;     // lower the target while more is in flight than explicable
  double nada_priority = 1.0;          // PRIO of RFC 8698
  bool scream_competing_flows = true;  // RFC 8298 section 4.1.2.3 may be turned off
};

// What the controller wants now, and what a time series shows of it.
struct ControllerOutput {
  DataRate target;   // for everything sent, averaged over a second or so
  DataRate pacing;   // what the pacer sends at most
  DataRate padding;  // up to this rate padding may fill what media leaves; zero: none
  // Sent and not yet reported must stay below this (RFC 8298's send window); nothing: no limit.
  std::optional<DataSize> window;

  DataRate estimate;      // what the path is believed to carry, before limits
  DataRate acknowledged;  // what the receiver is measured to get; zero until known
  TimeDelta rtt;          // smoothed or last, as the controller uses it; zero until known
  double loss = 0;        // fraction in [0, 1], as the controller uses it
  TimeDelta queue_delay;  // standing queue as the controller sees it
  // One word of static storage, such as "increase", "hold", "decrease", "overusing", "ramp-up".
  std::string_view state = "start";
  // Why `target` last changed: a short phrase of static storage.
  std::string_view reason = "start rate";
  Timestamp changed;  // when it did
};

class Controller {
 public:
  virtual ~Controller() = default;

  // What ParseControllerKind() reads.
  virtual std::string_view name() const = 0;

  virtual void OnPacketSent(const SentPacket& packet) = 0;
  virtual void OnFeedback(Timestamp now, const TransportFeedback& feedback) = 0;
  // From RTCP report blocks (RFC 3550 section 6.4): round trip, or zero if unknown, and the
  // fraction lost since the report before, in [0, 1].
  virtual void OnReceiverReport(Timestamp now, TimeDelta rtt, double fraction_lost);
  // A receiver's estimated maximum bitrate: an upper bound of the target from now on.
  virtual void OnRemb(Timestamp now, DataRate limit) = 0;
  // New limits; `start` counts only before the first feedback.
  virtual void OnAllocation(Timestamp now, const RateLimits& limits) = 0;
  // The network came or went (ICE). Sending and probing begin with the first `true`.
  virtual void OnNetworkAvailable(Timestamp now, bool available);
  // What waits in the pacer: RFC 8698's buffer_len, RFC 8298's rtp_queue_size. Best told just before
  // a frame is enqueued, so that what counts is what is left of the frame before.
  virtual void OnQueue(Timestamp now, DataSize queued);

  virtual void HandleTimeout(Timestamp now) = 0;
  virtual Timestamp NextTimeout() const = 0;

  const ControllerOutput& output() const { return output_; }
  // Probe clusters to send, each once. Only GCC asks for any.
  virtual std::optional<ProbeCluster> PollProbe();

 protected:
  // Sets target and remembers why, if it differs from the target before.
  void SetTarget(Timestamp now, DataRate target, std::string_view reason);

  ControllerOutput output_;
};

// `config.limits` must satisfy 0 < min <= start <= max.
std::unique_ptr<Controller> MakeController(ControllerKind kind, const ControllerConfig& config);

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_CONTROLLER_H_
