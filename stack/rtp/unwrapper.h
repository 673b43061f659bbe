// Sequence numbers and timestamps without the wrap: each value is taken as the one nearest to the
// last.
#ifndef RTCLAB_STACK_RTP_UNWRAPPER_H_
#define RTCLAB_STACK_RTP_UNWRAPPER_H_

#include <cstdint>
#include <optional>
#include <type_traits>

namespace rtclab::rtp {

// How far `to` is after `from`, modulo the type: -half to half-1.
template <typename U>
constexpr auto WrappingDistance(U from, U to) {
  static_assert(std::is_unsigned_v<U>);
  return static_cast<std::make_signed_t<U>>(static_cast<U>(to - from));
}
// Whether `a` comes after `b` on the circle (RFC 1982's comparison; exactly half a circle away: no).
template <typename U>
constexpr bool IsNewer(U a, U b) {
  return WrappingDistance(b, a) > 0;
}

template <typename U>
class Unwrapper {
 public:
  // The first value stands for itself; a later one is at most half the circle from the one before.
  int64_t Unwrap(U value) {
    last_ = Peek(value);
    return *last_;
  }
  // What Unwrap() would give, without remembering it.
  int64_t Peek(U value) const {
    if (!last_) return value;
    return *last_ + WrappingDistance(static_cast<U>(*last_), value);
  }

 private:
  std::optional<int64_t> last_;
};

using SequenceUnwrapper = Unwrapper<uint16_t>;
using TimestampUnwrapper = Unwrapper<uint32_t>;

}  // namespace rtclab::rtp

#endif  // RTCLAB_STACK_RTP_UNWRAPPER_H_
