// What ends or begins at a node itself: local delivery, UDP endpoints, packets of its own, ICMP.
#include <utility>

#include "sim/ip/ip_node.h"
#include "sim/ip/ip_rules.h"
#include "sim/link/link_rules.h"
#include "stack/base/check.h"

namespace rtclab::sim {
namespace {

// ICMP (RFC 792) and ICMPv6 (RFC 4443) types and codes, by what they say.
struct IcmpCode {
  uint8_t v4_type, v4_code, v6_type, v6_code;
};
// In the order of IpNode::IcmpReason.
constexpr std::array<IcmpCode, 5> kIcmpCodes = {{
    {3, 3, 1, 4},
    {3, 0, 1, 0},
    {3, 2, 4, 1},
    {11, 0, 3, 0},
    {3, 4, 2, 0},
}};

}  // namespace

// --- to this node ---

void IpNode::DeliverLocally(Transit& transit) {
  if (transit.view.is_fragment() && !Reassemble(transit)) return;
  const ByteView bytes = fabric_->FlattenForDelivery(*transit.packet);
  if (transit.view.is_udp()) {
    DeliverUdp(transit, bytes);
  } else if (transit.view.is_icmp()) {
    DeliverIcmp(transit, bytes);
  } else {
    SendIcmpError(*transit.packet, transit.in_port, IcmpReason::kProtocolUnreachable);
    Drop(*transit.packet, ip_rule::kProtocol);
  }
}

void IpNode::DeliverUdp(const Transit& transit, ByteView bytes) {
  if (!L4ChecksumOk(bytes, transit.view)) {
    Drop(*transit.packet, ip_rule::kUdpChecksum);
    return;
  }
  const uint8_t* udp = bytes.data() + transit.view.l4_offset;
  const Datagram datagram{
      transit.view.tuple.source, transit.view.tuple.destination,
      ByteView(udp + kUdpHeaderSize, static_cast<std::size_t>(LoadU16(udp + 4)) - kUdpHeaderSize)};
  UdpEndpoint* endpoint = FindEndpoint(datagram.destination);
  if (endpoint != nullptr && fabric_->tracer().listening()) {
    fabric_->tracer().Emit(fabric_->MakeEvent(*transit.packet, PacketEventKind::kReceived, where_));
  }
  if (endpoint == nullptr || !endpoint->Deliver(datagram, *transit.packet)) {
    SendIcmpError(*transit.packet, transit.in_port, IcmpReason::kPortUnreachable);
    Drop(*transit.packet, ip_rule::kUdpNoSocket,
         "No socket at " + datagram.destination.ToString() + ".");
  }
}

void IpNode::DeliverIcmp(const Transit& transit, ByteView bytes) {
  if (!L4ChecksumOk(bytes, transit.view)) {
    Drop(*transit.packet, ip_rule::kIcmpChecksum);
    return;
  }
  if (const auto reply = MakeEchoReply(bytes, transit.view)) {
    SendOwn(ns3::Create<ns3::Packet>(reply->data(), static_cast<uint32_t>(reply->size())),
            transit.view.tuple.destination.ip, transit.view.tuple.source.ip, true);
    return;
  }
  const auto error = ReadIcmpError(bytes, transit.view);
  if (!error) return;
  if (UdpEndpoint* endpoint = FindEndpoint(error->source)) {
    if (fabric_->tracer().listening()) {
      fabric_->tracer().Emit(
          fabric_->MakeEvent(*transit.packet, PacketEventKind::kReceived, where_));
    }
    endpoint->DeliverIcmp(*error);
  }
}

// --- UDP ---

UdpEndpoint* IpNode::FindEndpoint(const TransportAddress& local) const {
  auto it = endpoints_.find(local);
  if (it == endpoints_.end()) {
    it = endpoints_.find({IpAddress::Any(local.ip.family()), local.port});
  }
  return it == endpoints_.end() ? nullptr : it->second;
}

bool IpNode::IsUdpBound(const TransportAddress& local) const {
  if (FindEndpoint(local) != nullptr) return true;
  return local.ip.IsAny() &&
         std::any_of(endpoints_.begin(), endpoints_.end(), [&](const auto& entry) {
           return entry.first.port == local.port && entry.first.family() == local.family();
         });
}

bool IpNode::BindUdp(const TransportAddress& local, UdpEndpoint& endpoint) {
  if (IsUdpBound(local)) return false;
  endpoints_.emplace(local, &endpoint);
  return true;
}

void IpNode::UnbindUdp(const TransportAddress& local) { endpoints_.erase(local); }

uint16_t IpNode::NextEphemeralPort(const IpAddress& ip) {
  for (int tries = 0; tries <= 65535 - 49152; ++tries) {
    const uint16_t port = next_ephemeral_;
    next_ephemeral_ = port == 65535 ? 49152 : static_cast<uint16_t>(port + 1);
    if (!IsUdpBound({ip, port})) return port;
  }
  return 0;
}

bool IpNode::SendUdp(const TransportAddress& source, const TransportAddress& destination,
                     ByteView payload, IpOptions options) {
  if (source.family() != destination.family()) return false;
  options.identification = next_identification_++;
  const std::size_t size = UdpPacketSize(source.family(), payload.size());
  uint8_t* bytes = fabric_->BuildBuffer(size);
  WriteUdpPacket(bytes, source, destination, payload, options);
  return SendOwn(ns3::Create<ns3::Packet>(bytes, static_cast<uint32_t>(size)), source.ip,
                 destination.ip, !options.dont_fragment);
}

bool IpNode::SendOwn(const ns3::Ptr<ns3::Packet>& packet, const IpAddress& source,
                     const IpAddress& destination, bool may_fragment) {
  const bool loops = IsLocal(destination);
  const int out_port = loops ? kLoopback : OutPort(source, destination);
  if (!loops && out_port == RouteTable::kNone) return false;
  if (fabric_->tracer().listening()) {
    fabric_->tracer().Emit(fabric_->MakeEvent(*packet, PacketEventKind::kSent, where_));
  }
  if (loops) {
    fabric_->handover().Push(*this, packet);
  } else if (packet->GetSize() <= ports_[out_port].mtu) {
    Transmit(out_port, packet);
  } else if (may_fragment) {
    SendFragments(*packet, out_port);
  } else {
    RefuseTooBig(*packet, kLoopback, out_port);
  }
  return true;
}

// --- ICMP ---

void IpNode::SendIcmpError(const ns3::Packet& offending, int in_port, IcmpReason reason,
                           uint32_t mtu) {
  const ByteView bytes = fabric_->Flatten(offending);
  const auto view = IpView::Parse(bytes, bytes.size());
  if (!view || view->is_icmp_error() || view->fragment_offset != 0) return;
  const IpAddress& to = view->tuple.source.ip;
  const IpAddress& was_for = view->tuple.destination.ip;
  if (to.IsAny() || to.IsMulticast() || was_for.IsMulticast()) return;
  const IpAddress from =
      in_port == kLoopback && IsLocal(to) ? to : PortAddress(in_port, to.family());
  if (from.IsNone()) return;
  const IcmpCode& code = kIcmpCodes[static_cast<std::size_t>(reason)];
  const bool v4 = to.IsV4();
  const Bytes error = MakeIcmpError(from, bytes, *view, v4 ? code.v4_type : code.v6_type,
                                    v4 ? code.v4_code : code.v6_code, mtu);
  SendOwn(ns3::Create<ns3::Packet>(error.data(), static_cast<uint32_t>(error.size())), from, to,
          true);
}

}  // namespace rtclab::sim
