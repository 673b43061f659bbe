// Randomness that comes from one seed. A run has one root seed; every consumer gets a stream of its
// own by name, so that adding a consumer does not shift the others.
#ifndef RTCLAB_STACK_BASE_RNG_H_
#define RTCLAB_STACK_BASE_RNG_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rtclab {

// xoshiro256** 1.0 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021),
// seeded by splitmix64. Reproducible on every platform. Not for secrets outside a simulation.
class Rng {
 public:
  explicit Rng(uint64_t seed);
  // The stream called `name` under `root_seed`: independent of every other name's. Names are paths,
  // such as "nat/home-a/ports" or "ice/alice/tiebreaker".
  Rng(uint64_t root_seed, std::string_view name);

  uint64_t NextU64();
  uint32_t NextU32() { return static_cast<uint32_t>(NextU64() >> 32); }
  // Uniform in [low, high], both included; low <= high.
  uint64_t Uniform(uint64_t low, uint64_t high);
  // Uniform in [0, 1).
  double UniformReal();
  // True with probability p; p <= 0 never, p >= 1 always. Draws once in every case, so that a
  // changed p shifts nothing.
  bool Bernoulli(double p);
  // Normally distributed with mean 0 and standard deviation 1.
  double Normal();
  // Exponentially distributed with mean 1.
  double Exponential();
  void Fill(std::span<uint8_t> out);
  // `count` characters of RFC 8445 section 5.3's ice-char set (letters, digits, + and /).
  std::string IceString(int count);

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace rtclab

#endif  // RTCLAB_STACK_BASE_RNG_H_
