// The application-limited region: the sender sends much less than it may, so its throughput says
// nothing of the path (as deployed in libwebrtc; draft-ietf-rmcat-gcc-02 section 5.5 only bounds the
// estimate).
#ifndef RTCLAB_STACK_CONGESTION_ALR_DETECTOR_H_
#define RTCLAB_STACK_CONGESTION_ALR_DETECTOR_H_

#include <optional>

#include "stack/base/units.h"

namespace rtclab::congestion {

// A budget fills at 65 % of the estimate and holds half a second of it. Limited while more than 80 %
// of the budget is left unused, until less than 50 % is.
class AlrDetector {
 public:
  void OnBytesSent(Timestamp now, DataSize size);
  void SetEstimate(DataRate estimate);

  // Since when; nothing while not limited.
  std::optional<Timestamp> started() const { return started_; }
  // When it last ended.
  std::optional<Timestamp> ended() const { return ended_; }

 private:
  DataRate budget_rate_;
  double max_bits_ = 0;
  double left_bits_ = 0;
  std::optional<Timestamp> last_;
  std::optional<Timestamp> started_;
  std::optional<Timestamp> ended_;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_ALR_DETECTOR_H_
