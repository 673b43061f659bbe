// Small pieces of writing, shared by the serialisers.
#ifndef RTCLAB_STACK_SDP_TEXT_H_
#define RTCLAB_STACK_SDP_TEXT_H_

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "stack/sdp/attribute.h"

namespace rtclab::sdp {

inline void AppendPart(std::string& out, std::string_view text) { out += text; }
inline void AppendPart(std::string& out, char c) { out += c; }
inline void AppendPart(std::string& out, uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}
inline void AppendPart(std::string& out, const ConnectionAddress& address) {
  out.append(address.nettype)
      .append(1, ' ')
      .append(address.addrtype)
      .append(1, ' ')
      .append(address.address);
}

// Appends text, characters, numbers and addresses one after the other. Small integers must be cast to uint64_t.
template <typename... Parts>
void AppendParts(std::string& out, const Parts&... parts) {
  (AppendPart(out, parts), ...);
}

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_TEXT_H_
