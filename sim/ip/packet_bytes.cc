#include "sim/ip/packet_bytes.h"

#include <algorithm>
#include <cstring>

#include "stack/base/check.h"

namespace rtclab::sim {
namespace {

constexpr uint8_t kIcmp = 1, kUdp = 17, kFragmentHeader = 44, kIcmpv6 = 58;

void CopyTo(uint8_t* out, ByteView bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
}

void WriteIcmpChecksum(std::span<uint8_t> message, const IpAddress& source,
                       const IpAddress& destination) {
  StoreU16(message.data() + 2, 0);
  InternetChecksum sum;
  if (source.IsV6()) {
    sum.AddPseudoHeader(source, destination, kIcmpv6, static_cast<uint32_t>(message.size()));
  }
  StoreU16(message.data() + 2, sum.Add(message).Value());
}

// RFC 1624 equation 3: HC' = ~(~HC + ~m + m').
void AdjustChecksum(uint8_t* field, ByteView before, ByteView after) {
  uint32_t sum = static_cast<uint16_t>(~LoadU16(field));
  for (std::size_t i = 0; i + 1 < before.size(); i += 2) {
    sum += static_cast<uint16_t>(~LoadU16(before.data() + i));
    sum += LoadU16(after.data() + i);
  }
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  StoreU16(field, static_cast<uint16_t>(~sum));
}

std::size_t SourceOffset(const IpView& view) { return view.version == 4 ? 12 : 8; }

// Where the layer-4 checksum that covers addresses or ports is, if the packet has it in its first
// `size` bytes and uses it.
std::optional<std::size_t> L4ChecksumOffset(ByteView bytes, const IpView& view) {
  if (view.fragment_offset != 0) return std::nullopt;
  std::size_t offset = view.l4_offset;
  if (view.protocol == kUdp) {
    offset += 6;
  } else if (view.protocol == 6) {
    offset += 16;
  } else if (view.is_icmp()) {
    offset += 2;
  } else {
    return std::nullopt;
  }
  if (offset + 2 > bytes.size()) return std::nullopt;
  if (view.protocol == kUdp && LoadU16(bytes.data() + offset) == 0) return std::nullopt;
  return offset;
}

void RewriteAddresses(std::span<uint8_t> head, const IpView& view, const FlowTuple& to,
                      std::optional<std::size_t> l4_checksum) {
  const std::size_t at = SourceOffset(view);
  const std::size_t size = to.source.ip.bytes().size();
  std::array<uint8_t, 32> before;
  std::copy_n(head.begin() + at, 2 * size, before.begin());
  CopyTo(head.data() + at, to.source.ip.bytes());
  CopyTo(head.data() + at + size, to.destination.ip.bytes());
  const ByteView old_bytes = ByteView(before).first(2 * size);
  const ByteView new_bytes = ByteView(head).subspan(at, 2 * size);
  if (view.version == 4) AdjustChecksum(head.data() + 10, old_bytes, new_bytes);
  // ICMP for IPv4 has no pseudo-header.
  if (l4_checksum && !(view.version == 4 && view.is_icmp())) {
    AdjustChecksum(head.data() + *l4_checksum, old_bytes, new_bytes);
  }
}

void RewritePorts(std::span<uint8_t> head, const IpView& view, const FlowTuple& to,
                  std::optional<std::size_t> l4_checksum) {
  uint8_t after[4];
  StoreU16(after, to.source.port);
  StoreU16(after + 2, to.destination.port);
  std::size_t at = view.l4_offset, size = 4;
  if (view.is_icmp()) {
    if (!view.is_icmp_echo()) return;
    at += 4;
    size = 2;
    // An echo has one identifier; the side that was translated is the one that changed.
    if (to.source.port == view.tuple.source.port) StoreU16(after, to.destination.port);
  }
  if (view.fragment_offset != 0 || at + size > head.size()) return;
  uint8_t before[4];
  std::copy_n(head.begin() + at, size, before);
  std::copy_n(after, size, head.begin() + at);
  if (l4_checksum) {
    AdjustChecksum(head.data() + *l4_checksum, ByteView(before, size), ByteView(after, size));
  }
}

}  // namespace

void WriteIpHeader(uint8_t* out, const IpAddress& source, const IpAddress& destination,
                   uint8_t protocol, std::size_t l4_size, const IpOptions& options) {
  CHECK(source.family() == destination.family());
  if (source.IsV4()) {
    out[0] = 0x45;
    out[1] = options.tos;
    StoreU16(out + 2, static_cast<uint16_t>(kIpv4HeaderSize + l4_size));
    StoreU16(out + 4, options.identification);
    StoreU16(out + 6, options.dont_fragment ? 0x4000 : 0);
    out[8] = options.ttl;
    out[9] = protocol;
    StoreU16(out + 10, 0);
    CopyTo(out + 12, source.bytes());
    CopyTo(out + 16, destination.bytes());
    StoreU16(out + 10, InternetChecksum().Add(ByteView(out, kIpv4HeaderSize)).Value());
    return;
  }
  StoreU32(out, 0x60000000u | static_cast<uint32_t>(options.tos) << 20);
  StoreU16(out + 4, static_cast<uint16_t>(l4_size));
  out[6] = protocol;
  out[7] = options.ttl;
  CopyTo(out + 8, source.bytes());
  CopyTo(out + 24, destination.bytes());
}

void WriteUdpPacket(uint8_t* out, const TransportAddress& source,
                    const TransportAddress& destination, ByteView payload,
                    const IpOptions& options) {
  CHECK(payload.size() <= MaxUdpPayload(source.family()));
  const std::size_t length = kUdpHeaderSize + payload.size();
  WriteIpHeader(out, source.ip, destination.ip, kUdp, length, options);
  uint8_t* udp = out + IpHeaderSize(source.family());
  StoreU16(udp, source.port);
  StoreU16(udp + 2, destination.port);
  StoreU16(udp + 4, static_cast<uint16_t>(length));
  StoreU16(udp + 6, 0);
  CopyTo(udp + kUdpHeaderSize, payload);
  const uint16_t sum =
      InternetChecksum()
          .AddPseudoHeader(source.ip, destination.ip, kUdp, static_cast<uint32_t>(length))
          .Add(ByteView(udp, length))
          .Value();
  StoreU16(udp + 6, sum == 0 ? 0xffff : sum);  // RFC 768: zero means none
}

Bytes MakeIcmpError(const IpAddress& source, ByteView offending, const IpView& view, uint8_t type,
                    uint8_t code, uint32_t mtu) {
  const std::size_t header = IpHeaderSize(source.family());
  const std::size_t limit = source.IsV4() ? 576 : 1280;
  const ByteView quoted = offending.first(std::min(offending.size(), limit - header - 8));
  Bytes out(header + 8 + quoted.size());
  WriteIpHeader(out.data(), source, view.tuple.source.ip, source.IsV4() ? kIcmp : kIcmpv6,
                8 + quoted.size(), {});
  const std::span<uint8_t> message = std::span(out).subspan(header);
  message[0] = type;
  message[1] = code;
  // RFC 1191 section 4 has the MTU in the second half of the word, RFC 4443 section 3.2 in all of
  // it.
  StoreU32(message.data() + 4, mtu);
  CopyTo(message.data() + 8, quoted);
  WriteIcmpChecksum(message, source, view.tuple.source.ip);
  return out;
}

std::optional<Bytes> MakeEchoReply(ByteView request, const IpView& view) {
  const bool v4 = view.version == 4;
  if (!view.is_icmp_echo() || view.icmp_type != (v4 ? 8 : 128)) return std::nullopt;
  const ByteView body = request.subspan(view.l4_offset);
  if (body.size() < 8) return std::nullopt;
  const IpAddress& source = view.tuple.destination.ip;
  const IpAddress& destination = view.tuple.source.ip;
  const std::size_t header = IpHeaderSize(source.family());
  Bytes out(header + body.size());
  WriteIpHeader(out.data(), source, destination, view.protocol, body.size(), {});
  CopyTo(out.data() + header, body);
  out[header] = v4 ? 0 : 129;
  WriteIcmpChecksum(std::span(out).subspan(header), source, destination);
  return out;
}

std::optional<IcmpError> ReadIcmpError(ByteView packet, const IpView& view) {
  if (!view.is_icmp_error()) return std::nullopt;
  const ByteView message = packet.subspan(view.l4_offset);
  if (message.size() < 8) return std::nullopt;
  const auto quoted = IpView::Parse(message.subspan(8), 0);
  if (!quoted || !quoted->is_udp() || quoted->fragment_offset != 0 || quoted->l4_head_size < 4) {
    return std::nullopt;
  }
  IcmpError error;
  error.source = quoted->tuple.source;
  error.destination = quoted->tuple.destination;
  error.type = view.icmp_type;
  error.code = view.icmp_code;
  const bool too_big = view.version == 4 ? error.type == 3 && error.code == 4 : error.type == 2;
  if (too_big) {
    error.mtu = LoadU32(message.data() + 4);
    if (view.version == 4) error.mtu &= 0xffff;
  }
  return error;
}

bool L4ChecksumOk(ByteView packet, const IpView& view) {
  ByteView l4 = packet.first(view.total_length).subspan(view.l4_offset);
  InternetChecksum sum;
  if (view.is_udp()) {
    if (l4.size() < kUdpHeaderSize) return false;
    const std::size_t length = LoadU16(l4.data() + 4);
    if (length < kUdpHeaderSize || length > l4.size()) return false;
    l4 = l4.first(length);
    // RFC 8200 section 8.1: over IPv6 a receiver discards datagrams without a checksum.
    if (LoadU16(l4.data() + 6) == 0) return view.version == 4;
  } else if (l4.size() < 4) {
    return false;
  }
  if (view.is_udp() || view.version == 6) {
    sum.AddPseudoHeader(view.tuple.source.ip, view.tuple.destination.ip, view.protocol,
                        static_cast<uint32_t>(l4.size()));
  }
  return sum.Add(l4).Value() == 0;
}

void DecrementTtl(uint8_t* head, const IpView& view) {
  if (view.version == 6) {
    --head[7];
    return;
  }
  const uint8_t before[2] = {head[8], head[9]};
  --head[8];
  AdjustChecksum(head + 10, before, ByteView(head + 8, 2));
}

std::size_t RewriteSpan(const IpView& view) {
  std::size_t l4 = 0;
  if (view.fragment_offset == 0) l4 = view.protocol == 6 ? 18 : 8;
  return view.l4_offset + std::min<std::size_t>(l4, view.l4_head_size);
}

void RewriteTuple(std::span<uint8_t> head, const IpView& view, const FlowTuple& to) {
  const auto checksum = L4ChecksumOffset(head, view);
  RewriteAddresses(head, view, to, checksum);
  RewritePorts(head, view, to, checksum);
  // A computed zero of UDP is sent as all ones.
  if (checksum && view.is_udp() && LoadU16(head.data() + *checksum) == 0) {
    StoreU16(head.data() + *checksum, 0xffff);
  }
}

void RewriteIcmpError(std::span<uint8_t> packet, const IpView& view, const FlowTuple& to,
                      const FlowTuple& embedded) {
  const std::span<uint8_t> message = packet.subspan(view.l4_offset);
  const std::span<uint8_t> quoted = message.subspan(8);
  const auto quoted_view = IpView::Parse(quoted, 0);
  CHECK(quoted_view);
  const std::size_t size = std::min<std::size_t>(quoted.size(), quoted_view->total_length);
  RewriteTuple(quoted.first(size), *quoted_view, embedded);
  RewriteAddresses(packet, view, to, std::nullopt);
  WriteIcmpChecksum(message, to.source.ip, to.destination.ip);
}

std::vector<Bytes> Fragment(ByteView packet, const IpView& view, std::size_t mtu,
                            uint32_t identification) {
  const bool v4 = view.version == 4;
  const std::size_t header = v4 ? view.l4_offset : kIpv6HeaderSize + kIpv6FragmentHeaderSize;
  CHECK(mtu >= header + 8);
  const std::size_t step = (mtu - header) / 8 * 8;
  const ByteView payload = packet.first(view.total_length).subspan(view.l4_offset);
  std::vector<Bytes> out;
  for (std::size_t at = 0; at < payload.size(); at += step) {
    const ByteView part = payload.subspan(at, std::min(step, payload.size() - at));
    const bool more = at + part.size() < payload.size() || view.more_fragments;
    const std::size_t offset = view.fragment_offset + at;
    Bytes fragment(header + part.size());
    CopyTo(fragment.data(), packet.first(v4 ? header : kIpv6HeaderSize));
    if (v4) {
      StoreU16(fragment.data() + 2, static_cast<uint16_t>(fragment.size()));
      StoreU16(fragment.data() + 6, static_cast<uint16_t>(offset / 8 | (more ? 0x2000 : 0)));
      StoreU16(fragment.data() + 10, 0);
      StoreU16(fragment.data() + 10,
               InternetChecksum().Add(ByteView(fragment).first(header)).Value());
    } else {
      StoreU16(fragment.data() + 4, static_cast<uint16_t>(fragment.size() - kIpv6HeaderSize));
      fragment[6] = kFragmentHeader;
      fragment[40] = view.protocol;
      StoreU16(fragment.data() + 42, static_cast<uint16_t>(offset | (more ? 1 : 0)));
      StoreU32(fragment.data() + 44, identification);
    }
    CopyTo(fragment.data() + header, part);
    out.push_back(std::move(fragment));
  }
  return out;
}

}  // namespace rtclab::sim
