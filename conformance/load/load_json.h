// A load's report as JSON and as text.
#ifndef RTCLAB_CONFORMANCE_LOAD_LOAD_JSON_H_
#define RTCLAB_CONFORMANCE_LOAD_LOAD_JSON_H_

#include <string>

#include "conformance/load/load_run.h"

namespace rtclab::conformance {

// As load.schema.json describes it. `uri` without secrets.
std::string LoadJson(const LoadReport& report, const std::string& uri);
// A few lines and a table, for a terminal.
std::string LoadText(const LoadReport& report, const std::string& uri);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_LOAD_LOAD_JSON_H_
