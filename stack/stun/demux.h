// Telling apart what shares one transport address (RFC 7983 section 7).
#ifndef RTCLAB_STACK_STUN_DEMUX_H_
#define RTCLAB_STACK_STUN_DEMUX_H_

#include <cstdint>
#include <string_view>

#include "stack/base/bytes.h"

namespace rtclab::stun {

enum class PacketKind : uint8_t { kStun, kZrtp, kDtls, kChannelData, kRtp, kRtcp, kUnknown };

// By the first byte as RFC 7983 section 7 has it: 0-3 STUN, 16-19 ZRTP, 20-63 DTLS, 64-79 TURN channel, 128-191 RTP or RTCP; RTP and RTCP
// by the second byte (RFC 5761 section 4). STUN is claimed only with the magic cookie in its place and ChannelData only with its
// 4-byte header, so that a stray packet of another protocol is kUnknown.
PacketKind Classify(ByteView packet);
std::string_view ToString(PacketKind kind);

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_DEMUX_H_
