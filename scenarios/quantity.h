// Quantities with their units, as scenario files write them: a number, one space, a unit. "20 ms", "2.5 Mbit/s", "1 %".
#ifndef RTCLAB_SCENARIOS_QUANTITY_H_
#define RTCLAB_SCENARIOS_QUANTITY_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace rtclab::scenarios {

enum class QuantityKind : uint8_t { kDuration, kRate, kShare, kSize };

struct Unit {
  std::string_view name;
  double factor;  // to the kind's base unit: nanosecond, bit/s, 1, byte
};

// ns us ms s min h; bit/s kbit/s Mbit/s Gbit/s; %; B kB MB GB KiB MiB. Powers of 1,000, but
// for KiB and MiB.
std::span<const Unit> Units(QuantityKind kind);

// "a duration", "a rate", "a percentage", "a size", each with an example: for messages.
std::string_view QuantityNoun(QuantityKind kind);

// The largest value allowed, as text: 168 h, 1000 Gbit/s, 100 %, 10 GB.
std::string_view QuantityLimit(QuantityKind kind);

// In the kind's base unit, not negative, at most QuantityLimit(); or what is wrong with it in words.
tl::expected<double, std::string> ParseQuantity(std::string_view text, QuantityKind kind);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_QUANTITY_H_
