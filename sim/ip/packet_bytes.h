// Makes and changes IP packets as bytes: UDP, ICMP errors and echoes, fragments, and the rewriting
// that routers and NATs do.
#ifndef RTCLAB_SIM_IP_PACKET_BYTES_H_
#define RTCLAB_SIM_IP_PACKET_BYTES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/trace/ip_view.h"
#include "stack/base/bytes.h"
#include "stack/base/datagram.h"
#include "stack/base/ip_address.h"

namespace rtclab::sim {

inline constexpr uint8_t kDefaultTtl = 64;  // RFC 1700 "IP TIME TO LIVE PARAMETER"

struct IpOptions {
  uint8_t ttl = kDefaultTtl;
  uint8_t tos = 0;
  bool dont_fragment = false;   // IPv4
  uint16_t identification = 0;  // IPv4
};

constexpr std::size_t IpHeaderSize(AddressFamily family) {
  return family == AddressFamily::kIpv4 ? kIpv4HeaderSize : kIpv6HeaderSize;
}

// Largest UDP payload that an IP packet can carry without jumbograms.
constexpr std::size_t MaxUdpPayload(AddressFamily family) {
  return family == AddressFamily::kIpv4 ? 65535 - 28 : 65535 - 8;
}

// Writes the IP header of a packet with `l4_size` bytes behind it. `out` has IpHeaderSize() bytes;
// both addresses are of one family.
void WriteIpHeader(uint8_t* out, const IpAddress& source, const IpAddress& destination,
                   uint8_t protocol, std::size_t l4_size, const IpOptions& options);

// Writes a whole UDP packet of UdpPacketSize() bytes, checksums included. The payload is at most
// MaxUdpPayload().
inline std::size_t UdpPacketSize(AddressFamily family, std::size_t payload) {
  return IpHeaderSize(family) + kUdpHeaderSize + payload;
}
void WriteUdpPacket(uint8_t* out, const TransportAddress& source,
                    const TransportAddress& destination, ByteView payload,
                    const IpOptions& options);

// The ICMP (RFC 792) or ICMPv6 (RFC 4443) error `type`/`code` about the packet `offending`, from
// `source` to the offending packet's source. As much is quoted as fits in 576 bytes (RFC 1812
// section 4.3.2.3) or 1280 (RFC 4443 section 2.4). `mtu`: for "fragmentation needed" and "packet
// too big", else 0.
Bytes MakeIcmpError(const IpAddress& source, ByteView offending, const IpView& view, uint8_t type,
                    uint8_t code, uint32_t mtu);

// The answer to the echo request `request`, or nothing when it is none.
std::optional<Bytes> MakeEchoReply(ByteView request, const IpView& view);

// What an ICMP error says about a UDP datagram that was sent: nothing when it quotes something
// else.
std::optional<IcmpError> ReadIcmpError(ByteView packet, const IpView& view);

// Whether the checksum of the UDP datagram or ICMP message in a whole packet is right. IPv4 UDP may
// come without (RFC 768).
bool L4ChecksumOk(ByteView packet, const IpView& view);

// Takes one from the TTL or hop limit. RFC 1624: the checksum is changed, not made anew, so that
// damage stays visible.
void DecrementTtl(uint8_t* head, const IpView& view);

// Rewrites addresses and ports (or the echo identifier) to those of `to`; checksums as above.
// `head` is the packet up to the end of its layer-4 checksum.
void RewriteTuple(std::span<uint8_t> head, const IpView& view, const FlowTuple& to);

// Rewrites the packet that an ICMP error quotes, with every checksum in it, and the error's own
// addresses. `packet` is the whole packet and its checksum is right.
void RewriteIcmpError(std::span<uint8_t> packet, const IpView& view, const FlowTuple& to,
                      const FlowTuple& embedded);

// Bytes from the start of the packet that RewriteTuple() may change.
std::size_t RewriteSpan(const IpView& view);

// Cuts a packet into fragments of at most `mtu` bytes: IPv4 by RFC 791 section 3.2, IPv6 (its
// source only) by RFC 8200 section 4.5 with `identification`.
std::vector<Bytes> Fragment(ByteView packet, const IpView& view, std::size_t mtu,
                            uint32_t identification);

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_IP_PACKET_BYTES_H_
