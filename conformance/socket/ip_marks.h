// What the IP header of a datagram says beside its addresses.
#ifndef RTCLAB_CONFORMANCE_SOCKET_IP_MARKS_H_
#define RTCLAB_CONFORMANCE_SOCKET_IP_MARKS_H_

#include <cstdint>

namespace rtclab::conformance {

struct IpMarks {
  uint8_t dscp = 0;  // RFC 2474: 0 to 63
  uint8_t ecn = 0;   // RFC 3168: 0 not capable, 1 ECT(1), 2 ECT(0), 3 congestion experienced
  uint8_t hop_limit =
      0;  // TTL or hop limit; 0: the system's default when sending, not known when received
  // Sending only: the DF bit on IPv4, no fragmenting by this host on IPv6. Linux does not tell the DF bit of a received datagram to UDP
  // sockets, so it is always false there.
  bool dont_fragment = false;

  // The IPv4 TOS octet or IPv6 traffic class.
  uint8_t traffic_class() const { return static_cast<uint8_t>(dscp << 2 | (ecn & 3)); }
  void set_traffic_class(uint8_t value) {
    dscp = static_cast<uint8_t>(value >> 2);
    ecn = value & 3;
  }
  bool operator==(const IpMarks&) const = default;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_IP_MARKS_H_
