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

// What the description is for; some rules hold for one of them only.
enum class DescriptionType : uint8_t { kAny, kOffer, kAnswer };

// All that is wrong with an offer or answer of a WebRTC peer (RFC 8829 sections 5.2, 5.3, 5.8), in the order of lines.
// Rejected sections are held to the rules about mids only. The ids:
//   session    no-connection, duplicate-mid, missing-mid, attribute-level, duplicate-attribute
//   bundle     bundle-unknown-mid, bundle-mid-repeated, bundle-only-without-group, bundle-only-port,
//              bundle-payload-type-conflict, bundle-extmap-conflict
//   transport  ice-credentials-missing, fingerprint-missing, setup-missing, setup-in-answer, setup-in-offer,
//              rtcp-mux-missing, rtcp-mux-only-in-answer, sctp-port-missing, sctp-legacy
//   media      bad-payload-type, payload-type-unmapped, payload-type-repeated, payload-type-rtcp-range, payload-type-unlisted,
//              rtpmap-repeated, apt-unknown, extmap-id-repeated, extmap-id-range, rid-repeated, rid-unknown-payload-type,
//              simulcast-unknown-rid, simulcast-rid-direction, simulcast-rid-repeated, ssrc-group-unknown-ssrc, msid-length
std::vector<Issue> Validate(const SessionDescription& description,
                            DescriptionType type = DescriptionType::kAny);

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_VALIDATE_H_
