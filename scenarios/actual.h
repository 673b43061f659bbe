// What a run shows for an expectation's key.
#ifndef RTCLAB_SCENARIOS_ACTUAL_H_
#define RTCLAB_SCENARIOS_ACTUAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "results/model.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

// What the numbers are: milliseconds, bit/s, shares of 1.
enum class Measure : uint8_t { kPlain, kTime, kRate, kShare };

// A value, or null when there is none, and why not.
struct Actual {
  Json value = nullptr;
  std::string missing;  // words for null
  bool any_of = false;  // the value is a list of which one element is enough
  Measure measure = Measure::kPlain;
};

inline Actual Missing(std::string why) { return {.missing = std::move(why)}; }
inline Actual Text(const std::string& text) { return {.value = text, .missing = {}}; }
inline Actual Count(int64_t count) { return {.value = count, .missing = {}}; }
inline Actual Measured(double value, Measure measure) {
  return {.value = value, .missing = {}, .measure = measure};
}
inline Actual Time(const std::optional<double>& ms) {
  if (!ms) return {.value = nullptr, .missing = "never", .measure = Measure::kTime};
  return Measured(*ms, Measure::kTime);
}

// A member of Session::extra; nullptr: not there.
inline const Json* Extra(const results::Session& session, const char* key) {
  const auto found = session.extra.find(key);
  return found == session.extra.end() ? nullptr : &*found;
}

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_ACTUAL_H_
