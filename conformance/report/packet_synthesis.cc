#include "conformance/report/packet_synthesis.h"

#include <algorithm>

namespace rtclab::conformance {
namespace {

constexpr uint8_t kProtocolTcp = 6, kProtocolUdp = 17;
constexpr std::size_t kMostSegment = 1'400;  // bytes of a stream in one packet
constexpr std::size_t kIpv4HeaderSize = 20, kUdpHeaderSize = 8;
constexpr std::size_t kMostLength = 65'535;  // of the length fields

// Internet checksum (RFC 1071) of several parts, of which all but the last have an even size.
class Checksum {
 public:
  Checksum& Add(ByteView bytes) {
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum_ += LoadU16(bytes.data() + i);
    if (bytes.size() % 2 != 0) sum_ += static_cast<uint32_t>(bytes.back()) << 8;
    return *this;
  }
  Checksum& Add(uint32_t value) {
    sum_ += (value >> 16) + (value & 0xffff);
    return *this;
  }
  uint16_t Take() const {
    uint64_t sum = sum_;
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
  }

 private:
  uint64_t sum_ = 0;
};

// Transport header and payload, whose checksum field stands at `at`, into an IP packet.
Bytes InsideIp(const IpAddress& from, const IpAddress& to, uint8_t protocol, Bytes segment,
               std::size_t at) {
  // The pseudo header of RFC 793 section 3.1 and RFC 8200 section 8.1.
  uint16_t sum = Checksum()
                     .Add(from.bytes())
                     .Add(to.bytes())
                     .Add(static_cast<uint32_t>(segment.size()))
                     .Add(uint32_t{protocol})
                     .Add(segment)
                     .Take();
  if (sum == 0 && protocol == kProtocolUdp) sum = 0xffff;
  StoreU16(segment.data() + at, sum);

  ByteWriter packet(segment.size() + 40);
  if (from.IsV4()) {
    packet.WriteU16(0x4500);
    packet.WriteU16(static_cast<uint16_t>(kIpv4HeaderSize + segment.size()));
    packet.WriteU16(0);       // identification
    packet.WriteU16(0x4000);  // don't fragment
    packet.WriteU8(64);       // hops
    packet.WriteU8(protocol);
    packet.WriteU16(0);
    packet.WriteBytes(from.bytes());
    packet.WriteBytes(to.bytes());
    packet.PatchU16(10, Checksum().Add(packet.view()).Take());
  } else {
    packet.WriteU32(0x60000000);
    packet.WriteU16(static_cast<uint16_t>(segment.size()));
    packet.WriteU8(protocol);
    packet.WriteU8(64);
    packet.WriteBytes(from.bytes());
    packet.WriteBytes(to.bytes());
  }
  packet.WriteBytes(segment);
  return packet.Take();
}

Bytes UdpSegment(uint16_t from, uint16_t to, ByteView payload) {
  ByteWriter segment(payload.size() + kUdpHeaderSize);
  segment.WriteU16(from);
  segment.WriteU16(to);
  segment.WriteU16(static_cast<uint16_t>(payload.size() + kUdpHeaderSize));
  segment.WriteU16(0);
  segment.WriteBytes(payload);
  return segment.Take();
}

Bytes TcpSegment(uint16_t from, uint16_t to, uint32_t sequence, uint32_t acknowledged,
                 ByteView payload) {
  ByteWriter segment(payload.size() + 20);
  segment.WriteU16(from);
  segment.WriteU16(to);
  segment.WriteU32(sequence);
  segment.WriteU32(acknowledged);
  segment.WriteU16(0x5018);  // header of 5 words, PSH and ACK
  segment.WriteU16(65'535);  // window
  segment.WriteU16(0);       // checksum
  segment.WriteU16(0);       // urgent pointer
  segment.WriteBytes(payload);
  return segment.Take();
}

}  // namespace

std::vector<Bytes> PacketSynthesis::Build(const Packet& packet) {
  TransportAddress remote = packet.remote;
  const bool secure = packet.transport == Transport::kTls || packet.transport == Transport::kDtls;
  if (secure) remote.port = kClearStunPort;
  const TransportAddress& from = packet.sent ? packet.local : remote;
  const TransportAddress& to = packet.sent ? remote : packet.local;
  if (from.IsNone() || from.family() != to.family()) return {};
  std::vector<Bytes> out;
  if (packet.transport == Transport::kUdp || packet.transport == Transport::kDtls) {
    const std::size_t head = kUdpHeaderSize + (from.ip.IsV4() ? kIpv4HeaderSize : 0);
    if (packet.bytes.size() > kMostLength - head) return {};
    out.push_back(
        InsideIp(from.ip, to.ip, kProtocolUdp, UdpSegment(from.port, to.port, packet.bytes), 6));
    return out;
  }
  uint32_t& sequence = sequence_.try_emplace({from, to}, 1).first->second;
  const uint32_t acknowledged = sequence_.try_emplace({to, from}, 1).first->second;
  const ByteView bytes = packet.bytes;
  for (std::size_t i = 0; i < bytes.size(); i += kMostSegment) {
    const ByteView part = bytes.subspan(i, std::min(kMostSegment, bytes.size() - i));
    out.push_back(InsideIp(from.ip, to.ip, kProtocolTcp,
                           TcpSegment(from.port, to.port, sequence, acknowledged, part), 16));
    sequence += static_cast<uint32_t>(part.size());
  }
  return out;
}

}  // namespace rtclab::conformance
