// Reads an IPv4 or IPv6 packet's headers from its first bytes. What forwards, filters, translates,
// drops and traces packets sees them through this.
#ifndef RTCLAB_SIM_TRACE_IP_VIEW_H_
#define RTCLAB_SIM_TRACE_IP_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "sim/trace/packet_info.h"
#include "stack/base/bytes.h"

namespace rtclab::sim {

inline constexpr std::size_t kIpv4HeaderSize = 20;
inline constexpr std::size_t kIpv6HeaderSize = 40;
inline constexpr std::size_t kIpv6FragmentHeaderSize = 8;
inline constexpr std::size_t kUdpHeaderSize = 8;
// Enough of a packet for IpView::Parse(): the longest IPv4 header and a TCP header, and an IPv6
// header with a fragment header and a TCP header.
inline constexpr std::size_t kHeadBytes = 80;

struct IpView {
  uint8_t version = 4;
  uint8_t ttl = 0;               // hop limit
  uint8_t tos = 0;               // traffic class
  uint8_t protocol = 0;          // of what follows the IP headers
  uint16_t l4_offset = 0;        // where that begins
  uint32_t total_length = 0;     // bytes of IP packet, by its own header
  uint32_t identification = 0;   // of the datagram that a fragment is part of
  uint32_t fragment_offset = 0;  // bytes
  bool more_fragments = false;
  bool dont_fragment = false;      // IPv4
  bool header_checksum_ok = true;  // IPv4
  uint16_t l4_head_size = 0;       // bytes of `head` from l4_offset on
  uint8_t icmp_type = 0, icmp_code = 0;
  uint8_t tcp_flags = 0;
  // Ports of UDP and TCP, the identifier of an ICMP echo twice; 0 where there are none.
  FlowTuple tuple;

  bool is_fragment() const { return fragment_offset != 0 || more_fragments; }
  bool is_udp() const { return protocol == 17; }
  bool is_icmp() const { return protocol == (version == 4 ? 1 : 58); }
  // An ICMP message about another packet (RFC 792; RFC 4443 section 2.1: types below 128).
  bool is_icmp_error() const;
  bool is_icmp_echo() const;

  // `head`: the packet or its beginning, kHeadBytes of it if it has as many. `packet_size`: bytes
  // of the whole packet, or 0 when `head` is what an ICMP error quotes, which may be cut. Nullopt
  // when it is no IP packet, is shorter than its headers say or has a header that cannot be.
  static std::optional<IpView> Parse(ByteView head, std::size_t packet_size);
};

// RFC 1071: the sum of 16-bit words, folded. Of data at an even offset.
class InternetChecksum {
 public:
  InternetChecksum& Add(ByteView data);
  InternetChecksum& AddU16(uint16_t v);
  // Pseudo-header of RFC 768 or RFC 8200 section 8.1.
  InternetChecksum& AddPseudoHeader(const IpAddress& source, const IpAddress& destination,
                                    uint8_t protocol, uint32_t length);
  // What goes into the checksum field; 0 over data that contains a right checksum.
  uint16_t Value() const;

 private:
  // In the machine's byte order (RFC 1071 section 2 (B)); carries are folded in Value().
  unsigned __int128 sum_ = 0;
};

// What a NAT or firewall needs to know. `bytes`: the whole packet where `view` is an ICMP error,
// else the head will do. Nullopt for an ICMP error that quotes no packet that can be read.
std::optional<PacketInfo> DescribePacket(ByteView bytes, const IpView& view);

// The UDP payload of a whole packet that is no fragment, of the packet that an ICMP error quotes,
// or nothing.
ByteView UdpPayload(ByteView packet);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TRACE_IP_VIEW_H_
