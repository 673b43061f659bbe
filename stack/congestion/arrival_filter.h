// GCC's arrival-time filters: both turn delay variations of groups into a delay gradient that the
// over-use detector compares with its threshold.
#ifndef RTCLAB_STACK_CONGESTION_ARRIVAL_FILTER_H_
#define RTCLAB_STACK_CONGESTION_ARRIVAL_FILTER_H_

#include <array>
#include <cstddef>
#include <optional>

#include "stack/base/units.h"
#include "stack/congestion/arrival_groups.h"

namespace rtclab::congestion {

// The deployed filter: the slope of a line fitted through the last 20 values of the accumulated and
// smoothed delay. libwebrtc's parameters: window 20, smoothing 0.9, gain 4, at most 60 deltas.
class TrendlineFilter {
 public:
  // The detector's signal in ms: min(deltas, 60) * slope * 4.
  double Update(const GroupDelta& delta);
  // Delay per time, without unit; 0 until the window is full.
  double slope() const { return slope_; }

 private:
  static constexpr std::size_t kWindow = 20;
  struct Point {
    double arrival_ms = 0;  // since the first group
    double delay_ms = 0;    // accumulated, smoothed
  };
  double FitSlope() const;

  std::array<Point, kWindow> points_{};  // cyclic
  std::size_t count_ = 0;
  int deltas_ = 0;
  std::optional<Timestamp> first_arrival_;
  double accumulated_ms_ = 0;
  double smoothed_ms_ = 0;
  double slope_ = 0;
};

// draft-ietf-rmcat-gcc-02 section 5.3: a scalar Kalman filter of the mean delay variation m(i).
class KalmanFilter {
 public:
  // The detector's signal in ms: min(i, 60) * m(i). The draft compares m(i) itself with a threshold
  // of 12.5 ms, which for groups of 5 ms only a threefold overload reaches; the factor is how the
  // filter was deployed.
  double Update(const GroupDelta& delta);

  double mean_ms() const { return mean_ms_; }       // m_hat(i)
  double noise_variance() const { return noise_; }  // var_v_hat(i)
  double error_variance() const { return error_; }  // e(i)

 private:
  static constexpr std::size_t kRateWindow = 5;  // K, which the draft leaves open
  double NoiseMemory(const GroupDelta& delta);   // alpha

  std::array<double, kRateWindow> gaps_ms_{};
  int deltas_ = 0;
  double mean_ms_ = 0;
  double noise_ = 1;
  double error_ = 0.1;  // e(0), section 5.6
};

}  // namespace rtclab::congestion

#endif  // RTCLAB_STACK_CONGESTION_ARRIVAL_FILTER_H_
