// Which rtclab this is. The same text for every preset, compiler and machine that builds one revision.
#ifndef RTCLAB_RESULTS_VERSION_H_
#define RTCLAB_RESULTS_VERSION_H_

#include <string_view>

namespace rtclab::results {

std::string_view Version();  // "0.1.0"
// Version and git revision: "0.1.0+3d45ef8a1b2c", with ".modified" when tracked files differed from that revision,
// "0.1.0+unknown" outside a git checkout.
std::string_view Build();

// The published JSON Schema of results.json, as text.
std::string_view ResultsSchema();

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_VERSION_H_
