// What a server can do, found out by asking: one probe a feature, each saying how it came to its conclusion. A probe that fails
// otherwise than by the server's clear no concludes "absent" and says that it is not known.
#ifndef RTCLAB_CONFORMANCE_ENGINE_FEATURES_H_
#define RTCLAB_CONFORMANCE_ENGINE_FEATURES_H_

#include "conformance/engine/session.h"

namespace rtclab::conformance {

// Fills run.features: what the target declares, else what a probe finds. `jobs`: probes side by side.
void ProbeFeatures(RunContext& run, int jobs);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_FEATURES_H_
