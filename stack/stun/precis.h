// The OpaqueString profile of PRECIS (RFC 8265 section 4.2): how STUN prepares usernames, realms and passwords.
#ifndef RTCLAB_STACK_STUN_PRECIS_H_
#define RTCLAB_STACK_STUN_PRECIS_H_

#include <string>
#include <string_view>

#include "stack/base/error.h"

namespace rtclab::stun {

// UTF-8 in, UTF-8 out: only code points of the FreeformClass (RFC 8264 section 4.3), every space of category Zs made U+0020, then
// Unicode normalisation form C. Fails on invalid UTF-8, on a disallowed code point (the offset is its first byte) and on an
// empty string.
Result<std::string> PrepareOpaqueString(std::string_view text);

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_PRECIS_H_
