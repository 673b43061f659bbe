// A load's report as JSON and as text.
#ifndef RTCLAB_CONFORMANCE_LOAD_LOAD_JSON_H_
#define RTCLAB_CONFORMANCE_LOAD_LOAD_JSON_H_

#include <string>
#include <string_view>

#include "conformance/load/load_run.h"

namespace rtclab::conformance {

// As load.schema.json describes it. `uri` without secrets; `build`: which rtclab this is.
std::string LoadJson(const LoadReport& report, const std::string& uri, const std::string& build);
// load.schema.json, as text.
std::string_view LoadSchema();
// A few lines and a table, for a terminal.
std::string LoadText(const LoadReport& report, const std::string& uri);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_LOAD_LOAD_JSON_H_
