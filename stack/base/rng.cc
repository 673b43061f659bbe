#include "stack/base/rng.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "stack/base/check.h"

namespace rtclab {
namespace {

uint64_t SplitMix64(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// FNV-1a, then one splitmix round with the root seed mixed in, so that neighbouring seeds and names
// part at once.
uint64_t SeedForName(uint64_t root_seed, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  uint64_t state = root_seed;
  hash ^= SplitMix64(state);
  return SplitMix64(hash);
}

}  // namespace

Rng::Rng(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix64(seed);
}

Rng::Rng(uint64_t root_seed, std::string_view name) : Rng(SeedForName(root_seed, name)) {}

uint64_t Rng::NextU64() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Rng::Uniform(uint64_t low, uint64_t high) {
  CHECK(low <= high);
  const uint64_t range = high - low + 1;
  if (range == 0) return NextU64();
  // Rejection keeps it exactly uniform.
  const uint64_t limit = UINT64_MAX - UINT64_MAX % range;
  uint64_t value;
  do {
    value = NextU64();
  } while (value >= limit);
  return low + value % range;
}

double Rng::UniformReal() { return static_cast<double>(NextU64() >> 11) * 0x1.0p-53; }

bool Rng::Bernoulli(double p) { return UniformReal() < p; }

double Rng::Normal() {
  // Box-Muller; 1 - u keeps the logarithm finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - UniformReal()));
  return radius * std::cos(2.0 * std::numbers::pi * UniformReal());
}

double Rng::Exponential() { return -std::log(1.0 - UniformReal()); }

void Rng::Fill(std::span<uint8_t> out) {
  std::size_t i = 0;
  while (i < out.size()) {
    uint64_t word = NextU64();
    for (int k = 0; k < 8 && i < out.size(); ++k, word >>= 8) out[i++] = static_cast<uint8_t>(word);
  }
}

std::string Rng::IceString(int count) {
  static constexpr char kIceChars[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (int i = 0; i < count; ++i) out.push_back(kIceChars[NextU64() >> 58]);
  return out;
}

}  // namespace rtclab
