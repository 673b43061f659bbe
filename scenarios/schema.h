// The published JSON Schema (draft-07, the one that editors know best), written from the language's tables.
#ifndef RTCLAB_SCENARIOS_SCHEMA_H_
#define RTCLAB_SCENARIOS_SCHEMA_H_

#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

// What scenarios/scenario.schema.json holds.
Json ScenarioSchema();

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_SCHEMA_H_
