// Any bytes as text: what the profile accepts is stable under a second preparation (RFC 8264 section 7, idempotence).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "stack/stun/precis.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto once = rtclab::stun::PrepareOpaqueString(text);
  if (!once) return 0;
  const auto twice = rtclab::stun::PrepareOpaqueString(*once);
  if (twice && *twice != *once) __builtin_trap();
  return 0;
}
