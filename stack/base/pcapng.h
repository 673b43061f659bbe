// The blocks of a pcapng file (draft-ietf-opsawg-pcapng) as bytes, for those who write captures: little-endian, raw IP packets,
// nanoseconds. A file is a section header, then an interface description an interface, then packets.
#ifndef RTCLAB_STACK_BASE_PCAPNG_H_
#define RTCLAB_STACK_BASE_PCAPNG_H_

#include <cstdint>
#include <string_view>

#include "stack/base/bytes.h"

namespace rtclab::pcapng {

enum class Direction : uint8_t { kNone, kInbound, kOutbound };

// Section 4.1. `comment`: what the capture is about; empty: none.
Bytes SectionHeader(std::string_view application, std::string_view comment = {});
// Section 4.2: LINKTYPE_RAW, no snap length. Interfaces count from 0 in their order in the file.
Bytes InterfaceDescription(std::string_view name);
// Section 4.3. `time_ns` since 1970-01-01T00:00:00Z; `packet` begins with its IP header. Comments are cut at 65,535 bytes.
Bytes EnhancedPacket(uint32_t interface, uint64_t time_ns, Direction direction, ByteView packet,
                     std::string_view comment = {});
// Section 4.7: lines of an NSS key log, for the packets behind it.
Bytes TlsSecrets(std::string_view key_log);

}  // namespace rtclab::pcapng

#endif  // RTCLAB_STACK_BASE_PCAPNG_H_
