// Before the first case: is the server there, how far is it, what can it do, and where can its peers be.
#ifndef RTCLAB_CONFORMANCE_ENGINE_PREFLIGHT_H_
#define RTCLAB_CONFORMANCE_ENGINE_PREFLIGHT_H_

#include "conformance/engine/session.h"
#include "stack/base/error.h"

namespace rtclab::conformance {

// Asks for a Binding, or an Allocate where that is not answered; measures the round trip; finds our own addresses. Fails with the
// address, the transport and what was tried.
Result<void> Reach(RunContext& run);

// Where peers live, by family; needs the features. Fails when the plan that the user chose can't be had.
Result<void> FindPeers(RunContext& run);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_PREFLIGHT_H_
