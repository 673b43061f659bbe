#include "conformance/engine/run_report.h"

namespace rtclab::conformance {

Counts Count(const RunReport& report) {
  Counts counts;
  for (const CaseResult& result : report.results) {
    switch (result.verdict.outcome) {
      case Outcome::kPass:
        ++counts.pass;
        break;
      case Outcome::kFail:
        ++counts.fail;
        break;
      case Outcome::kWeak:
        ++counts.weak;
        break;
      case Outcome::kInfo:
        ++counts.info;
        break;
      case Outcome::kUnsupported:
        ++counts.unsupported;
        break;
      case Outcome::kSkipped:
        ++counts.skipped;
        break;
      case Outcome::kBlocked:
        ++counts.blocked;
        break;
      case Outcome::kError:
        ++counts.error;
        break;
    }
    if (result.expectation == Expectation::kExpectedFail) ++counts.expected_fail;
    if (result.expectation == Expectation::kUnexpectedPass) ++counts.unexpected_pass;
    if (result.flaky) ++counts.flaky;
  }
  return counts;
}

int ExitCode(const RunReport& report) {
  if (!report.complete) return 3;
  for (const CaseResult& result : report.results) {
    const Outcome outcome = result.verdict.outcome;
    const bool failed = outcome == Outcome::kFail || outcome == Outcome::kBlocked;
    if (outcome == Outcome::kError || result.expectation == Expectation::kUnexpectedPass ||
        (failed && result.expectation != Expectation::kExpectedFail)) {
      return 1;
    }
  }
  return 0;
}

}  // namespace rtclab::conformance
