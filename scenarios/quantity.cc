#include "scenarios/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <vector>

#include "scenarios/diagnostic.h"

namespace rtclab::scenarios {
namespace {

constexpr std::array<Unit, 6> kDurations = {
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}, {"h", 3600e9}}};
constexpr std::array<Unit, 4> kRates = {
    {{"bit/s", 1}, {"kbit/s", 1e3}, {"Mbit/s", 1e6}, {"Gbit/s", 1e9}}};
constexpr std::array<Unit, 1> kShares = {{{"%", 0.01}}};
constexpr std::array<Unit, 6> kSizes = {
    {{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"KiB", 1024}, {"MiB", 1024 * 1024}}};

struct Limits {
  std::string_view noun, limit;
  double max;
};

Limits LimitsOf(QuantityKind kind) {
  switch (kind) {
    case QuantityKind::kDuration:
      return {"a duration such as \"20 ms\"", "168 h", 168 * 3600e9};
    case QuantityKind::kRate:
      return {"a rate such as \"2 Mbit/s\"", "1000 Gbit/s", 1e12};
    case QuantityKind::kShare:
      return {"a percentage such as \"1 %\"", "100 %", 1};
    case QuantityKind::kSize:
      break;
  }
  return {"a size such as \"1200 B\"", "10 GB", 1e10};
}

// Digits with at most one point between them: no sign, no exponent, no leading point.
bool IsPlainNumber(std::string_view text) {
  const auto digits = [](std::string_view s) {
    return !s.empty() && s.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const auto point = text.find('.');
  if (text.size() > 24) return false;
  if (point == std::string_view::npos) return digits(text);
  return digits(text.substr(0, point)) && digits(text.substr(point + 1));
}

}  // namespace

std::span<const Unit> Units(QuantityKind kind) {
  switch (kind) {
    case QuantityKind::kDuration:
      return kDurations;
    case QuantityKind::kRate:
      return kRates;
    case QuantityKind::kShare:
      return kShares;
    case QuantityKind::kSize:
      break;
  }
  return kSizes;
}

std::string_view QuantityNoun(QuantityKind kind) { return LimitsOf(kind).noun; }
std::string_view QuantityLimit(QuantityKind kind) { return LimitsOf(kind).limit; }

tl::expected<double, std::string> ParseQuantity(std::string_view text, QuantityKind kind) {
  const Limits limits = LimitsOf(kind);
  if (text.starts_with('-')) {
    return tl::unexpected(fmt::format("{} is negative; expected {}", Quoted(text), limits.noun));
  }
  const std::size_t number_end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, number_end);
  if (!IsPlainNumber(number)) {
    return tl::unexpected(
        fmt::format("{} is not {} (a plain number, one space, a unit)", Quoted(text), limits.noun));
  }
  std::string_view unit = text.substr(number_end);
  const bool spaced = unit.starts_with(' ');
  if (spaced) unit.remove_prefix(1);
  std::vector<std::string> names;
  for (const Unit& known : Units(kind)) names.emplace_back(known.name);
  for (const Unit& known : Units(kind)) {
    if (known.name != unit) continue;
    if (!spaced) {
      return tl::unexpected(fmt::format("{} lacks the space before its unit; expected \"{} {}\"",
                                        Quoted(text), number, known.name));
    }
    double value = 0;
    std::from_chars(number.data(), number.data() + number.size(), value);
    // A percentage divides, so that "1 %" is exactly the double 0.01.
    value = kind == QuantityKind::kShare ? value / 100 : value * known.factor;
    if (value > limits.max) {
      return tl::unexpected(
          fmt::format("{} is more than the largest value allowed, {}", Quoted(text), limits.limit));
    }
    return value;
  }
  if (unit.empty()) {
    return tl::unexpected(fmt::format("{} has no unit; expected {}", Quoted(text), limits.noun));
  }
  return tl::unexpected(fmt::format("{} has the unknown unit {}{}", Quoted(text), Quoted(unit),
                                    Suggestion(unit, names)));
}

}  // namespace rtclab::scenarios
