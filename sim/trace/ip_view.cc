#include "sim/trace/ip_view.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rtclab::sim {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kFragment = 44;

//  RFC 791 section 3.1
//   0                   1                   2                   3
//  |Version|  IHL  |Type of Service|          Total Length         |
//  |         Identification        |Flags|      Fragment Offset    |
//  |  Time to Live |    Protocol   |         Header Checksum       |
//  |                       Source Address                          |
//  |                    Destination Address                        |
bool ParseV4(ByteView head, std::size_t packet_size, IpView& view) {
  if (head.size() < kIpv4HeaderSize) return false;
  const uint8_t* p = head.data();
  const std::size_t header = static_cast<std::size_t>(p[0] & 0x0f) * 4;
  view.total_length = LoadU16(p + 2);
  if (header < kIpv4HeaderSize || header > head.size() || view.total_length < header) return false;
  if (packet_size != 0 && view.total_length > packet_size) return false;
  view.version = 4;
  view.tos = p[1];
  view.identification = LoadU16(p + 4);
  const uint16_t flags = LoadU16(p + 6);
  view.dont_fragment = (flags & 0x4000) != 0;
  view.more_fragments = (flags & 0x2000) != 0;
  view.fragment_offset = static_cast<uint32_t>(flags & 0x1fff) * 8;
  view.ttl = p[8];
  view.protocol = p[9];
  view.header_checksum_ok = InternetChecksum().Add(head.first(header)).Value() == 0;
  view.tuple.source.ip = IpAddress::V4(LoadU32(p + 12));
  view.tuple.destination.ip = IpAddress::V4(LoadU32(p + 16));
  view.l4_offset = static_cast<uint16_t>(header);
  return true;
}

//  RFC 8200 section 3
//  |Version| Traffic Class |           Flow Label                  |
//  |         Payload Length        |  Next Header  |   Hop Limit   |
//  |                  Source Address (128 bits)                    |
//  |                Destination Address (128 bits)                 |
bool ParseV6(ByteView head, std::size_t packet_size, IpView& view) {
  if (head.size() < kIpv6HeaderSize) return false;
  const uint8_t* p = head.data();
  view.total_length = kIpv6HeaderSize + LoadU16(p + 4);
  if (packet_size != 0 && view.total_length > packet_size) return false;
  view.version = 6;
  view.tos = static_cast<uint8_t>(LoadU16(p) >> 4);
  view.protocol = p[6];
  view.ttl = p[7];
  view.tuple.source.ip = *IpAddress::FromBytes(head.subspan(8, 16));
  view.tuple.destination.ip = *IpAddress::FromBytes(head.subspan(24, 16));
  view.l4_offset = kIpv6HeaderSize;
  // The one extension header that hosts here make: RFC 8200 section 4.5.
  if (view.protocol == kFragment) {
    if (head.size() < kIpv6HeaderSize + kIpv6FragmentHeaderSize) return false;
    const uint16_t offset = LoadU16(p + 42);
    view.protocol = p[40];
    view.fragment_offset = offset & 0xfff8;
    view.more_fragments = (offset & 1) != 0;
    view.identification = LoadU32(p + 44);
    view.l4_offset += kIpv6FragmentHeaderSize;
    if (view.total_length < view.l4_offset) return false;
  }
  return true;
}

IpProtocol ToProtocol(const IpView& view) {
  switch (view.protocol) {
    case kTcp:
      return IpProtocol::kTcp;
    case kUdp:
      return IpProtocol::kUdp;
    default:
      return view.version == 4 ? IpProtocol::kIcmp : IpProtocol::kIcmpv6;
  }
}

void ParsePorts(ByteView head, IpView& view) {
  if (view.fragment_offset != 0) return;
  const ByteView l4 = head.subspan(view.l4_offset);
  if ((view.protocol == kUdp || view.protocol == kTcp) && l4.size() >= 4) {
    view.tuple.source.port = LoadU16(l4.data());
    view.tuple.destination.port = LoadU16(l4.data() + 2);
    if (view.protocol == kTcp && l4.size() >= 14) view.tcp_flags = l4[13];
  } else if (view.is_icmp() && l4.size() >= 2) {
    view.icmp_type = l4[0];
    view.icmp_code = l4[1];
    if (view.is_icmp_echo() && l4.size() >= 6) {
      view.tuple.source.port = view.tuple.destination.port = LoadU16(l4.data() + 4);
    }
  }
}

}  // namespace

bool IpView::is_icmp_error() const {
  if (!is_icmp() || fragment_offset != 0 || l4_head_size < 2) return false;
  if (version == 6) return icmp_type < 128;
  return icmp_type == 3 || icmp_type == 4 || icmp_type == 5 || icmp_type == 11 || icmp_type == 12;
}

bool IpView::is_icmp_echo() const {
  if (!is_icmp() || fragment_offset != 0) return false;
  return version == 4 ? icmp_type == 0 || icmp_type == 8 : icmp_type == 128 || icmp_type == 129;
}

std::optional<IpView> IpView::Parse(ByteView head, std::size_t packet_size) {
  if (head.empty()) return std::nullopt;
  IpView view;
  const int version = head[0] >> 4;
  if (version == 4 ? !ParseV4(head, packet_size, view)
                   : version != 6 || !ParseV6(head, packet_size, view)) {
    return std::nullopt;
  }
  head = head.first(std::min<std::size_t>(head.size(), view.total_length));
  view.l4_head_size = static_cast<uint16_t>(head.size() - view.l4_offset);
  ParsePorts(head, view);
  view.tuple.protocol = ToProtocol(view);
  return view;
}

InternetChecksum& InternetChecksum::Add(ByteView data) {
  const uint8_t* p = data.data();
  std::size_t left = data.size();
  unsigned __int128 sum = sum_;
  for (; left >= 32; p += 32, left -= 32) {
    uint64_t words[4];
    std::memcpy(words, p, 32);
    sum += words[0];
    sum += words[1];
    sum += words[2];
    sum += words[3];
  }
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    sum += word;
  }
  if (left > 0) {
    uint64_t word = 0;  // padded with zeros: RFC 1071 section 4.1
    std::memcpy(&word, p, left);
    sum += word;
  }
  sum_ = sum;
  return *this;
}

InternetChecksum& InternetChecksum::AddU16(uint16_t v) {
  uint8_t bytes[2];
  StoreU16(bytes, v);
  return Add(bytes);
}

InternetChecksum& InternetChecksum::AddPseudoHeader(const IpAddress& source,
                                                    const IpAddress& destination, uint8_t protocol,
                                                    uint32_t length) {
  uint8_t rest[8] = {};
  StoreU32(rest, length);
  rest[7] = protocol;
  return Add(source.bytes()).Add(destination.bytes()).Add(rest);
}

uint16_t InternetChecksum::Value() const {
  uint64_t sum = 0;
  for (unsigned __int128 rest = sum_; rest != 0; rest >>= 32) {
    sum += static_cast<uint32_t>(rest);
  }
  while (sum >> 16) sum = (sum >> 16) + (sum & 0xffff);
  uint16_t value = static_cast<uint16_t>(~sum);
  if constexpr (std::endian::native == std::endian::little) {
    value = static_cast<uint16_t>(value << 8 | value >> 8);
  }
  return value;
}

std::optional<PacketInfo> DescribePacket(ByteView bytes, const IpView& view) {
  PacketInfo info;
  info.tuple = view.tuple;
  info.size = view.total_length;
  if (view.is_icmp_error()) {
    const std::size_t quoted = view.l4_offset + std::size_t{8};
    if (bytes.size() <= quoted) return std::nullopt;
    const std::optional<IpView> embedded = IpView::Parse(bytes.subspan(quoted), 0);
    if (!embedded) return std::nullopt;
    info.icmp_error = IcmpEmbedded{view.icmp_type, view.icmp_code, embedded->tuple};
  } else if (view.is_icmp()) {
    info.icmp_echo_reply = view.icmp_type == (view.version == 4 ? 0 : 129);
  } else if (view.protocol == kTcp) {
    info.tcp_fin = (view.tcp_flags & 0x01) != 0;
    info.tcp_syn = (view.tcp_flags & 0x02) != 0;
    info.tcp_rst = (view.tcp_flags & 0x04) != 0;
    info.tcp_ack = (view.tcp_flags & 0x10) != 0;
  }
  return info;
}

ByteView UdpPayload(ByteView packet) {
  std::optional<IpView> view = IpView::Parse(packet, 0);
  if (!view) return {};
  packet = packet.first(std::min<std::size_t>(packet.size(), view->total_length));
  if (view->is_icmp_error()) {
    if (packet.size() < view->l4_offset + std::size_t{8}) return {};
    packet = packet.subspan(view->l4_offset + std::size_t{8});
    view = IpView::Parse(packet, 0);
    if (!view) return {};
  }
  if (!view->is_udp() || view->fragment_offset != 0) return {};
  const std::size_t start = view->l4_offset + kUdpHeaderSize;
  return packet.size() < start ? ByteView() : packet.subspan(start);
}

}  // namespace rtclab::sim
