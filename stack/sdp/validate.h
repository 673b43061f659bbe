// Whether a well-formed description makes sense: rules that reach across lines.
#ifndef RTCLAB_STACK_SDP_VALIDATE_H_
#define RTCLAB_STACK_SDP_VALIDATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "stack/sdp/session_description.h"

namespace rtclab::sdp {

enum class Severity : uint8_t {
  kError,    // a MUST of the RFC named in the message: a WebRTC peer would refuse it
  kWarning,  // odd, or forbidden but seen and harmless
};

struct Issue {
  int line =
      0;  // of the line that is wrong, or of the m= line of the section; 0 for the session as a whole
  Severity severity = Severity::kError;
  std::string id;       // stable and short: "duplicate-mid", "bundle-unknown-mid" ...
  std::string message;  // one sentence with the RFC and section
  bool operator==(const Issue&) const = default;
};

// All that is wrong with an offer or answer of a WebRTC peer (RFC 8829 sections 5.2, 5.3, 5.8), in the order of lines.
std::vector<Issue> Validate(const SessionDescription& description);

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_VALIDATE_H_
