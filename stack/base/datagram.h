// What goes in and out of a sans-IO protocol.
#ifndef RTCLAB_STACK_BASE_DATAGRAM_H_
#define RTCLAB_STACK_BASE_DATAGRAM_H_

#include "stack/base/bytes.h"
#include "stack/base/ip_address.h"

namespace rtclab {

// A received datagram. The payload belongs to the caller and is valid during the call.
struct Datagram {
  TransportAddress source;       // who sent it, as seen here
  TransportAddress destination;  // our own address it arrived at
  ByteView payload;
};

// A datagram to send.
struct Transmit {
  TransportAddress source;  // our own address to send it from
  TransportAddress destination;
  Bytes payload;
  bool dont_fragment = false;  // the IPv4 DF bit (RFC 8656 section 12)
};

// An ICMP or ICMPv6 error about a datagram that we sent, as RFC 8656 section 11.5 reports it to a
// TURN client.
struct IcmpError {
  TransportAddress source;       // our own address that the offending datagram came from
  TransportAddress destination;  // where the offending datagram was going
  uint8_t type = 0;              // ICMP (IPv4) or ICMPv6 type, by the addresses' family
  uint8_t code = 0;
  uint32_t mtu = 0;  // next-hop MTU of "fragmentation needed" or "packet too big", else 0
};

}  // namespace rtclab

#endif  // RTCLAB_STACK_BASE_DATAGRAM_H_
