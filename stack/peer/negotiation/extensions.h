// Header extensions as a=extmap lines name them: in the clear, or encrypted by RFC 6904. Section 4 there has the encrypted form
// under an identifier of its own, with the extension's URI as an attribute of "...:encrypt".
#ifndef RTCLAB_STACK_PEER_NEGOTIATION_EXTENSIONS_H_
#define RTCLAB_STACK_PEER_NEGOTIATION_EXTENSIONS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "stack/sdp/attribute.h"

namespace rtclab::peer {

inline constexpr std::string_view kUriEncrypt = "urn:ietf:params:rtp-hdrext:encrypt";

struct NamedExtension {
  std::string_view uri;  // of what is encrypted, where it is
  bool encrypted = false;
  bool operator==(const NamedExtension&) const = default;
};

// Lives as long as the line. What follows the URI of the encrypted extension is its own business.
inline NamedExtension ExtensionOf(const sdp::Extmap& line) {
  if (line.uri != kUriEncrypt) return {line.uri, false};
  const std::string_view inner = line.attributes;
  return {inner.substr(0, inner.find(' ')), true};
}

// One text for each extension in each form.
inline std::string ExtensionKey(const NamedExtension& e) {
  return e.encrypted ? std::string(kUriEncrypt) + " " + std::string(e.uri) : std::string(e.uri);
}

inline sdp::Extmap ExtmapFor(uint16_t id, const NamedExtension& e) {
  if (!e.encrypted) return {id, std::nullopt, std::string(e.uri), {}};
  return {id, std::nullopt, std::string(kUriEncrypt), std::string(e.uri)};
}

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_NEGOTIATION_EXTENSIONS_H_
