#include "stack/congestion/controller.h"

#include <array>
#include <utility>

#include "stack/base/check.h"
#include "stack/congestion/fixed_rate.h"
#include "stack/congestion/gcc.h"
#include "stack/congestion/nada.h"
#include "stack/congestion/scream.h"

namespace rtclab::congestion {
namespace {

constexpr std::array<std::pair<ControllerKind, std::string_view>, 4> kControllerNames = {{
    {ControllerKind::kGcc, "gcc"},
    {ControllerKind::kNada, "nada"},
    {ControllerKind::kScream, "scream"},
    {ControllerKind::kNone, "none"},
}};

}  // namespace

Result<ControllerKind> ParseControllerKind(std::string_view name) {
  for (const auto& [kind, known] : kControllerNames) {
    if (name == known) return kind;
  }
  return Fail("expected a congestion controller (gcc, nada, scream, none), found \"" +
              std::string(name) + "\"");
}

std::string_view ControllerKindName(ControllerKind kind) {
  for (const auto& [known, name] : kControllerNames) {
    if (kind == known) return name;
  }
  return "";
}

void Controller::OnReceiverReport(Timestamp, TimeDelta, double) {}
void Controller::OnNetworkAvailable(Timestamp, bool) {}
void Controller::OnQueue(Timestamp, DataSize) {}
std::optional<ProbeCluster> Controller::PollProbe() { return std::nullopt; }

void Controller::SetTarget(Timestamp now, DataRate target, std::string_view reason) {
  if (target == output_.target) return;
  output_.target = target;
  output_.reason = reason;
  output_.changed = now;
}

std::unique_ptr<Controller> MakeController(ControllerKind kind, const ControllerConfig& config) {
  const RateLimits& limits = config.limits;
  CHECK(limits.min > DataRate() && limits.min <= limits.start && limits.start <= limits.max);
  switch (kind) {
    case ControllerKind::kGcc:
      return std::make_unique<GccController>(config);
    case ControllerKind::kNada:
      return std::make_unique<NadaController>(config);
    case ControllerKind::kScream:
      return std::make_unique<ScreamController>(config);
    case ControllerKind::kNone:
      break;
  }
  return std::make_unique<FixedRateController>(config);
}

}  // namespace rtclab::congestion
