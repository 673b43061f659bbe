// Holds a run against what its scenario expects.
#ifndef RTCLAB_SCENARIOS_EXPECT_H_
#define RTCLAB_SCENARIOS_EXPECT_H_

#include <vector>

#include "results/model.h"
#include "results/series.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

// Appends a failure for each expectation that does not hold, and sets the verdict to kFail if there is one. A run that
// already is kError stays so and is not judged. Besides the typed members, these members of Session::extra are read:
//
//   "restarts":        [{"host": "alice", "at_ms": 5000, "connected_ms": 5310 or null}]   times from the session's start
//   "data":            {"sent": 100, "received": 98}       application datagrams, both directions, duplicates not counted
//   "consent_expired": true or false                       of either agent (RFC 7675)
//   "final_state":     "connected", "disconnected" or "failed": of the first host's agent, at the end of the run
//   "failure", "transport", "media", "paths", "data_channels": as results.schema.json has them
//   "candidates":      {"alice": {"host": 1, "srflx": 1, "relay": 1}, ...}                 gathered, by host and type
// `series`: of the run, in order of time; expectations of windows are held against it.
using Series = std::vector<results::SeriesPoint>;
void Evaluate(const RunSpec& spec, const Series& series, results::Run& run);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXPECT_H_
