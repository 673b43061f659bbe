// GCC's loss-based controller (draft-ietf-rmcat-gcc-02 section 6) with the bounds of its deployed
// form.
#ifndef RTCLAB_STACK_CONGESTION_LOSS_BASED_H_
#define RTCLAB_STACK_CONGESTION_LOSS_BASED_H_

#include <optional>

#include "stack/base/ring.h"
#include "stack/base/units.h"
#include "stack/congestion/types.h"

namespace rtclab::congestion {

// As_hat. The draft multiplies by 1.05 at each report below 2 % loss; how fast that is depends on
// the reports. Deployed, and here: 8 % and 1 kbit/s above the least rate of the last second, and
// decreases at least 300 ms and a round trip apart.
class LossBasedRate {
 public:
  explicit LossBasedRate(DataRate start) : rate_(start) {}

  // Counts one message. The loss of at least 20 packets makes a report; returns whether it did.
  bool OnFeedback(Timestamp now, const TransportFeedback& feedback, TimeDelta rtt);
  // A report from elsewhere (RTCP receiver reports; section 7). `loss` in [0, 1].
  void OnLoss(Timestamp now, double loss, TimeDelta rtt);
  // The rate that was chosen in the end: the next step starts there.
  void SetRate(Timestamp now, DataRate rate);
  // A measured rate: the last second's rates no longer bound the increase.
  void Restart(Timestamp now, DataRate rate);

  DataRate rate() const { return rate_; }
  double loss() const { return loss_; }  // of the last report
  // As deployed in libwebrtc's second loss-based estimator: above 5 % loss at most
  // 75 kbit/s / (loss - 0.05), loss being averaged over the last 1 s or so. PlusInfinity() below.
  DataRate UpperBound() const;

 private:
  struct Past {
    Timestamp time;
    DataRate rate;
  };
  void Remember(Timestamp now);

  DataRate rate_;
  double loss_ = 0;
  double average_loss_ = 0;
  int expected_ = 0;
  int lost_ = 0;
  std::optional<Timestamp> last_decrease_;
  std::optional<Timestamp> last_report_;
  Ring<Past> least_;  // rates of the last second, rising from the front
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_LOSS_BASED_H_
