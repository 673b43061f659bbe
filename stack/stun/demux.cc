#include "stack/stun/demux.h"

#include "stack/stun/message.h"

namespace rtclab::stun {

PacketKind Classify(ByteView packet) {
  if (packet.empty()) return PacketKind::kUnknown;
  const uint8_t first = packet[0];
  if (first <= 3) {
    const bool stun = packet.size() >= kHeaderSize && LoadU32(packet.data() + 4) == kMagicCookie;
    return stun ? PacketKind::kStun : PacketKind::kUnknown;
  }
  if (first >= 16 && first <= 19) return PacketKind::kZrtp;
  if (first >= 20 && first <= 63) return PacketKind::kDtls;
  // RFC 8656 section 12: channel numbers are 0x4000 to 0x4fff.
  if (first >= 64 && first <= 79) {
    return packet.size() >= 4 ? PacketKind::kChannelData : PacketKind::kUnknown;
  }
  if (first >= 128 && first <= 191) {
    if (packet.size() < 2) return PacketKind::kUnknown;
    // RFC 5761 section 4: RTCP packet types 192 to 223 stand where RTP has the marker bit and the payload types 64 to 95.
    return packet[1] >= 192 && packet[1] <= 223 ? PacketKind::kRtcp : PacketKind::kRtp;
  }
  return PacketKind::kUnknown;
}

std::string_view ToString(PacketKind kind) {
  switch (kind) {
    case PacketKind::kStun:
      return "STUN";
    case PacketKind::kZrtp:
      return "ZRTP";
    case PacketKind::kDtls:
      return "DTLS";
    case PacketKind::kChannelData:
      return "ChannelData";
    case PacketKind::kRtp:
      return "RTP";
    case PacketKind::kRtcp:
      return "RTCP";
    case PacketKind::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace rtclab::stun
