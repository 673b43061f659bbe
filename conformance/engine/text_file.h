// Small files read whole.
#ifndef RTCLAB_CONFORMANCE_ENGINE_TEXT_FILE_H_
#define RTCLAB_CONFORMANCE_ENGINE_TEXT_FILE_H_

#include <string>

#include "stack/base/error.h"

namespace rtclab::conformance {

// The file's bytes, at most 16 MB. The error names the file and says why.
Result<std::string> ReadTextFile(const std::string& path);
// The first line of a file that holds a secret.
Result<std::string> ReadSecretFile(const std::string& path);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_TEXT_FILE_H_
