// What the user named and no case could look at: a run without failures must not be taken for more than it is.
#ifndef RTCLAB_CONFORMANCE_ENGINE_NOT_TESTED_H_
#define RTCLAB_CONFORMANCE_ENGINE_NOT_TESTED_H_

#include <vector>

#include "conformance/engine/run_report.h"
#include "conformance/engine/session.h"

namespace rtclab::conformance {

// Of a run whose cases have ended: TURN where the URI says turn: and no user was given, endpoints that were named and do not answer, URIs
// beside which another one of the same kind was named first.
std::vector<NotTested> FindNotTested(const RunContext& run, const std::vector<CaseResult>& results);

// Whether any case had something to say of the server.
bool AnyRan(const std::vector<CaseResult>& results);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_NOT_TESTED_H_
