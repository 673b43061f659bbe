// IP packets around what a case exchanged above UDP and TCP, for captures: right lengths and checksums, sequence numbers that follow.
#ifndef RTCLAB_CONFORMANCE_REPORT_PACKET_SYNTHESIS_H_
#define RTCLAB_CONFORMANCE_REPORT_PACKET_SYNTHESIS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "conformance/engine/exchange.h"
#include "stack/base/bytes.h"

namespace rtclab::conformance {

class PacketSynthesis {
 public:
  // The IP packets of one packet of an exchange, which has bytes or is an empty datagram: one, or several segments of a long piece of a
  // stream. Empty when the addresses are not of one family or a datagram is too long for IP.
  std::vector<Bytes> Build(const Packet& packet);

 private:
  using FiveTuple = std::pair<TransportAddress, TransportAddress>;  // from, to
  std::map<FiveTuple, uint32_t> sequence_;                          // of TCP: the next byte's
};

// The port that TLS and DTLS to the server's stand under, where Wireshark expects STUN in clear (RFC 8489 section 18.6).
inline constexpr uint16_t kClearStunPort = 3478;

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_REPORT_PACKET_SYNTHESIS_H_
