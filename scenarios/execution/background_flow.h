// Background traffic of a run, which is not WebRTC: ns-3's own TCP between hosts with ns-3's stack, or a constant UDP stream.
#ifndef RTCLAB_SCENARIOS_EXECUTION_BACKGROUND_FLOW_H_
#define RTCLAB_SCENARIOS_EXECUTION_BACKGROUND_FLOW_H_

#include <memory>

#include "results/model.h"
#include "scenarios/run_spec.h"
#include "sim/topology/network.h"

namespace rtclab::scenarios {

class BackgroundFlow {
 public:
  virtual ~BackgroundFlow() = default;

  // {"name", "bytes_received", "files" (of a TCP flow of files: how many were delivered)}
  virtual results::Json Result() const = 0;
};

// The flow lives until the returned object goes, which has to be before `network`. `spec` and `network` must outlive it.
std::unique_ptr<BackgroundFlow> StartFlow(const FlowSpec& spec, sim::Network& network);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_BACKGROUND_FLOW_H_
