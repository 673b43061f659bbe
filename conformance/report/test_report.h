// A report made by hand: every outcome once, and a server that means harm.
#ifndef RTCLAB_CONFORMANCE_REPORT_TEST_REPORT_H_
#define RTCLAB_CONFORMANCE_REPORT_TEST_REPORT_H_

#include <string>
#include <string_view>

#include "conformance/engine/run_report.h"

namespace rtclab::conformance {

// What must never be in any document.
inline constexpr std::string_view kTestPassword = "hunter2-secret", kTestSecret = "rest-s3cret",
                                  kTestKey = "b2F1dGgta2V5";
// SOFTWARE and reason phrase of the server: markup, a terminal escape, invalid UTF-8, a bidirectional override.
inline constexpr std::string_view kHostile =
    "<script>alert(1)</script>\x1b[31m\"'&\xff\xe2\x80\xae]]>";

// A Binding error response 420 with SOFTWARE and a reason phrase of kHostile, as raw bytes.
Bytes HostileResponse();

RunReport TestReport();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_REPORT_TEST_REPORT_H_
