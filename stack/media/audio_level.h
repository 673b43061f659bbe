// RFC 6464 levels (-dBov) as the linear levels of webrtc-stats.
#ifndef RTCLAB_STACK_MEDIA_AUDIO_LEVEL_H_
#define RTCLAB_STACK_MEDIA_AUDIO_LEVEL_H_

#include <array>
#include <cstdint>

namespace rtclab::media {

namespace internal {
constexpr std::array<double, 127> MakeLinearLevels() {
  std::array<double, 127> levels{};
  double level = 1;
  for (auto& entry : levels) {
    entry = level;
    level *= 0.8912509381337456;  // 10^(-1/20): one decibel
  }
  return levels;
}
inline constexpr auto kLinearLevels = MakeLinearLevels();
}  // namespace internal

// 1 for 0 dBov, 0 for silence (127).
constexpr double LinearAudioLevel(uint8_t level_dbov) {
  return level_dbov < 127 ? internal::kLinearLevels[level_dbov] : 0;
}

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_AUDIO_LEVEL_H_
