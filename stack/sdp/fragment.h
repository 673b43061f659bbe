// application/trickle-ice-sdpfrag (RFC 8840 section 9): candidates on their way without the rest of a description.
#ifndef RTCLAB_STACK_SDP_FRAGMENT_H_
#define RTCLAB_STACK_SDP_FRAGMENT_H_

#include <string>
#include <string_view>
#include <vector>

#include "stack/sdp/session_description.h"

namespace rtclab::sdp {

// Session-level attributes (ice-ufrag, ice-pwd, ice-options, group, end-of-candidates ...), then pseudo m= sections of
// which only the attributes count (mid, candidate, end-of-candidates ...).
struct TrickleFragment {
  AttributeList attributes;
  std::vector<MediaDescription> media;

  const MediaDescription* FindMid(std::string_view mid) const;
  bool operator==(const TrickleFragment&) const = default;
};

// Attribute names are read in any case, as RFC 8840 section 9.2 asks, and written in lower case. Only "a=" and "m=" lines
// may appear. Line ends and errors as for Parse().
ParseResult<TrickleFragment> ParseFragment(std::string_view text, const ParseLimits& limits = {});
std::string Serialize(const TrickleFragment& fragment);

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_FRAGMENT_H_
