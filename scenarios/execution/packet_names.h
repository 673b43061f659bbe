// What a packet is, in the few words of a story.
#ifndef RTCLAB_SCENARIOS_EXECUTION_PACKET_NAMES_H_
#define RTCLAB_SCENARIOS_EXECUTION_PACKET_NAMES_H_

#include <string>

#include "sim/trace/packet_event.h"
#include "stack/base/bytes.h"

namespace rtclab::scenarios {

struct PacketName {
  std::string text;   // "Binding request", "DTLS ClientHello", "ChannelData [SRTP VP8]"
  bool bulk = false;  // one of thousands: told by the first of its kind and then by counts
};

// A UDP payload: STUN by method and class, also what a TURN message carries; DTLS by its records and, as far as they are not
// encrypted, handshake messages (RFC 5246 section 7.4, RFC 6347 section 4.3.2); SRTP by the codec that its payload type has
// in our own offers; SRTCP by its first packet. Bulk: SRTP, SRTCP, DTLS that holds application data alone, and what is
// nothing of these.
PacketName NamePayload(ByteView payload);
// A packet as the network saw it.
PacketName NamePacket(const sim::PacketEvent& event);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_PACKET_NAMES_H_
