// GCC's over-use detector with its adaptive threshold (draft-ietf-rmcat-gcc-02 section 5.4;
// Carlucci et al., "Congestion Control for Web Real-Time Communication", IEEE/ACM ToN 2017).
#ifndef RTCLAB_STACK_CONGESTION_OVERUSE_DETECTOR_H_
#define RTCLAB_STACK_CONGESTION_OVERUSE_DETECTOR_H_

#include <optional>

#include "stack/base/units.h"

namespace rtclab::congestion {

enum class PathUse { kNormal, kOverusing, kUnderusing };

struct OveruseParameters {
  // How fast the threshold follows a signal outside (up) or inside (down) of it, per ms.
  double k_up;
  double k_down;
};
// The draft's section 5.6: rises fast, falls slowly.
inline constexpr OveruseParameters kDraftOveruse{.k_up = 0.01, .k_down = 0.00018};
// The deployed trendline's: falls fast.
inline constexpr OveruseParameters kDeployedOveruse{.k_up = 0.0087, .k_down = 0.039};

class OveruseDetector {
 public:
  explicit OveruseDetector(OveruseParameters parameters) : parameters_(parameters) {}

  // `signal_ms`: the filter's output. `group_departure`: time between the groups' departures.
  // `arrived`: by the receiver's clock.
  PathUse Update(double signal_ms, TimeDelta group_departure, Timestamp arrived);

  PathUse state() const { return state_; }
  double threshold_ms() const { return threshold_ms_; }

 private:
  void AdaptThreshold(double signal_ms, Timestamp arrived);

  OveruseParameters parameters_;
  PathUse state_ = PathUse::kNormal;
  double threshold_ms_ = 12.5;  // del_var_th(0)
  std::optional<Timestamp> last_adapted_;
  std::optional<double> over_ms_;  // how long the signal has been above the threshold
  int over_count_ = 0;
  double last_signal_ms_ = 0;
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_OVERUSE_DETECTOR_H_
