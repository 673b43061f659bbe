#include "conformance/engine/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/stun/message.h"

namespace rtclab::conformance {

std::string Brief(ByteView message) {
  if (const auto stun = stun::MessageView::Parse(message)) {
    const auto error = stun->IsError() ? stun->GetErrorCode() : std::nullopt;
    return fmt::format("{} {}{}", ToString(stun->method()), ToString(stun->message_class()),
                       error ? fmt::format(" {} {}", error->code, error->reason) : "");
  }
  if (message.size() >= 4 && (message[0] & 0xc0) == 0x40) {
    return fmt::format("ChannelData {:#06x} with {} bytes", LoadU16(message.data()),
                       LoadU16(message.data() + 2));
  }
  std::string hex;
  for (const uint8_t byte : message.first(std::min<std::size_t>(message.size(), 16))) {
    hex += fmt::format(" {:02x}", byte);
  }
  return fmt::format("{} bytes:{}{}", message.size(), hex, message.size() > 16 ? " ..." : "");
}

}  // namespace rtclab::conformance
