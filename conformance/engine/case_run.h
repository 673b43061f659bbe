// One case: whether it can run against this server, and the verdict of running it.
#ifndef RTCLAB_CONFORMANCE_ENGINE_CASE_RUN_H_
#define RTCLAB_CONFORMANCE_ENGINE_CASE_RUN_H_

#include <string>

#include "conformance/engine/case.h"
#include "conformance/engine/run_report.h"
#include "conformance/engine/session.h"

namespace rtclab::conformance {

struct Overlay;

// Runs `test_case`, with `repeat` again once if it fails or is blocked (not when `known` says that it fails, nor after more than a minute), and never
// throws. An interrupt gives a skipped result.
CaseResult RunCase(RunContext& run, const Case& test_case, const Overlay* overlay,
                   bool repeat = true);

// Why a case was not run to its end: Ctrl-C, or the run's time is over.
std::string WhyStopped();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_CASE_RUN_H_
