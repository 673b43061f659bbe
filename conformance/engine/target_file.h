// A server under test as a JSON profile: `rtclab conform --target FILE`. target.schema.json describes it.
#ifndef RTCLAB_CONFORMANCE_ENGINE_TARGET_FILE_H_
#define RTCLAB_CONFORMANCE_ENGINE_TARGET_FILE_H_

#include <string>
#include <string_view>

#include "conformance/engine/target.h"
#include "stack/base/error.h"

namespace rtclab::conformance {

// Reads a profile. Files that it names are looked for beside it, in `folder`. Names are resolved. Fails with a JSON pointer and what is
// wrong there: unknown keys and feature names come with the nearest right one.
Result<Target> ParseTarget(std::string_view text, const std::string& folder);
Result<Target> LoadTarget(const std::string& path);
// target.schema.json, as text.
std::string_view TargetSchema();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_TARGET_FILE_H_
