// Which of the last sequence numbers have been seen.
#ifndef RTCLAB_STACK_MEDIA_SEQUENCE_WINDOW_H_
#define RTCLAB_STACK_MEDIA_SEQUENCE_WINDOW_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace rtclab::media {

class SequenceWindow {
 public:
  static constexpr int64_t kSize = 4096;

  // Notes `sequence` (unwrapped) and says whether it is new. What is older than the window counts
  // as new: it is too old anyway for whoever asks.
  bool Note(int64_t sequence) {
    if (!any_) {
      any_ = true;
      highest_ = sequence;
    }
    if (sequence > highest_) {
      const int64_t first = std::max(highest_ + 1, sequence - kSize + 1);
      for (int64_t s = first; s < sequence; ++s) Word(s) &= ~Bit(s);
      highest_ = sequence;
      Word(sequence) |= Bit(sequence);
      return true;
    }
    if (sequence <= highest_ - kSize) return true;
    const bool fresh = (Word(sequence) & Bit(sequence)) == 0;
    Word(sequence) |= Bit(sequence);
    return fresh;
  }

 private:
  static constexpr std::size_t Place(int64_t sequence) {
    return static_cast<std::size_t>(sequence) % static_cast<std::size_t>(kSize);
  }
  uint64_t& Word(int64_t sequence) { return words_[Place(sequence) / 64]; }
  static constexpr uint64_t Bit(int64_t sequence) { return uint64_t{1} << Place(sequence) % 64; }

  std::array<uint64_t, kSize / 64> words_{};
  int64_t highest_ = 0;
  bool any_ = false;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_SEQUENCE_WINDOW_H_
