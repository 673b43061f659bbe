#include "conformance/engine/overlay.h"

namespace rtclab::conformance {

std::string Known::Text() const {
  if (link.empty()) return reason;
  return reason.empty() ? link : reason + " (" + link + ")";
}

Expectation Compare(const Verdict& verdict, const Known& known) {
  const bool failed = verdict.outcome == Outcome::kFail || verdict.outcome == Outcome::kWeak;
  if (verdict.outcome == Outcome::kPass) return Expectation::kUnexpectedPass;
  if (failed && (!known.outcome || *known.outcome == verdict.outcome)) {
    return Expectation::kExpectedFail;
  }
  return Expectation::kNone;
}

}  // namespace rtclab::conformance
