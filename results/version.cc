#include "results/version.h"

#include "results/revision.h"

namespace rtclab::results {

std::string_view Version() { return RTCLAB_VERSION; }
std::string_view Build() { return RTCLAB_VERSION "+" RTCLAB_REVISION; }

}  // namespace rtclab::results
