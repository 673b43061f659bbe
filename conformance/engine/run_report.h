// Everything that a run of the catalogue learned: what the writers in conformance/report make JSON, JUnit, HTML and text of.
#ifndef RTCLAB_CONFORMANCE_ENGINE_RUN_REPORT_H_
#define RTCLAB_CONFORMANCE_ENGINE_RUN_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "conformance/engine/case.h"
#include "conformance/engine/exchange.h"
#include "conformance/engine/target.h"
#include "conformance/engine/verdict.h"

namespace rtclab::conformance {

struct CaseResult {
  const Case* test_case = nullptr;
  Verdict verdict{};
  Expectation expectation = Expectation::kNone;
  std::string known{};          // what the overlay says of it: reason or link
  bool flaky = false;           // failed, and passed when run again: `verdict` is the second one's
  std::string first_failure{};  // flaky: what was seen the first time
  Transport transport{};        // that it ran over
  AddressFamily family{};
  TimeDelta elapsed{};
  Exchange exchange{};  // of the run that gave the verdict
};

struct FeatureState {
  bool present = false;
  std::string how{};  // "declared", "probed: 442 to REQUESTED-TRANSPORT 6", ...
  bool known = true;  // false: no probe could tell, and `present` is false
};

// A part of what the user named that the run says nothing of.
struct NotTested {
  std::string part{};  // "TURN", "192.0.2.1:5349 over tls"
  int cases = 0;       // of those selected, that were skipped or unsupported for it
  std::string why{};
  std::string how{};  // to have it tested
};

struct RunReport {
  std::string uri{};  // as given, without secrets
  Target target{};    // passwords and keys are empty
  uint64_t seed = 0;
  bool shuffled = false;
  bool complete = true;  // false: it could not be reached, or the run was stopped
  std::string incomplete_why{};
  std::string software{};               // SOFTWARE of its responses
  std::vector<std::string> warnings{};  // "the server's certificate was not verified (--insecure)"
  std::vector<NotTested> not_tested{};
  std::map<Feature, FeatureState> features{};
  std::vector<CaseResult> results{};  // in the catalogue's order; only those selected
  TimeDelta elapsed{};
};

struct Counts {
  int pass = 0, fail = 0, weak = 0, info = 0, unsupported = 0, skipped = 0, blocked = 0, error = 0;
  int expected_fail = 0;    // part of fail or weak
  int unexpected_pass = 0;  // part of pass
  int flaky = 0;
};
Counts Count(const RunReport& report);

// 0: no failures. 1: a failure that was not expected, a case blocked or in error, or an unexpected pass. 3: not complete.
int ExitCode(const RunReport& report);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_RUN_REPORT_H_
