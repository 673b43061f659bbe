#include "sim/ip/ip_node.h"

#include <algorithm>
#include <utility>

#include "ns3/header.h"
#include "sim/ip/ip_rules.h"
#include "sim/link/link_rules.h"
#include "stack/base/check.h"

namespace rtclab::sim {
namespace {

// The first bytes of a packet, to put changed ones in their place: the one way ns-3's Packet has.
class RawHead final : public ns3::Header {
 public:
  explicit RawHead(ByteView bytes) : bytes_(bytes) {}
  static ns3::TypeId GetTypeId() {
    static ns3::TypeId tid = ns3::TypeId("rtclab::RawHead").SetParent<ns3::Header>();
    return tid;
  }
  ns3::TypeId GetInstanceTypeId() const override { return GetTypeId(); }
  uint32_t GetSerializedSize() const override { return static_cast<uint32_t>(bytes_.size()); }
  void Serialize(ns3::Buffer::Iterator start) const override {
    start.Write(bytes_.data(), GetSerializedSize());
  }
  uint32_t Deserialize(ns3::Buffer::Iterator) override { return 0; }
  void Print(std::ostream&) const override {}

 private:
  ByteView bytes_;
};

void ReplaceHead(ns3::Packet& packet, ByteView head) {
  packet.RemoveAtStart(static_cast<uint32_t>(head.size()));
  packet.AddHeader(RawHead(head));
}

// New bytes under the uid of `like`.
ns3::Ptr<ns3::Packet> WithBytes(const ns3::Packet& like, ByteView bytes) {
  ns3::Ptr<ns3::Packet> packet = like.Copy();
  packet->RemoveAtStart(packet->GetSize());
  packet->AddAtEnd(ns3::Create<ns3::Packet>(bytes.data(), static_cast<uint32_t>(bytes.size())));
  return packet;
}

std::string Meaning(const char* rule) {
  for (const RuleInfo& info : ip_rule::kTable) {
    if (info.id == rule) return std::string(info.meaning);
  }
  return {};
}

}  // namespace

NS_OBJECT_ENSURE_REGISTERED(IpNode);

ns3::TypeId IpNode::GetTypeId() {
  static ns3::TypeId tid = ns3::TypeId("rtclab::IpNode").SetParent<ns3::Object>();
  return tid;
}

IpNode::IpNode() = default;
IpNode::~IpNode() = default;

void IpNode::DoDispose() {
  ports_.clear();
  endpoints_.clear();
  node_ = nullptr;
  ns3::Object::DoDispose();
}

void IpNode::Setup(Fabric& fabric, ns3::Ptr<ns3::Node> node, std::string where) {
  fabric_ = &fabric;
  node_ = node;
  where_ = std::move(where);
}

int IpNode::AddPort(ns3::Ptr<ns3::NetDevice> device, Zone zone) {
  const int number = static_cast<int>(ports_.size());
  auto* link = dynamic_cast<LinkDevice*>(ns3::PeekPointer(device));
  ports_.push_back({device, link, zone, device->GetMtu()});
  if (link != nullptr) {
    link->SetReceiver(this, number);
  } else {
    for (const uint16_t protocol : {kEtherTypeIpv4, kEtherTypeIpv6}) {
      node_->RegisterProtocolHandler(ns3::MakeCallback(&IpNode::OnForeignPacket, this), protocol,
                                     device);
    }
  }
  return number;
}

void IpNode::AddAddress(int port, const IpAddress& address) {
  addresses_.push_back({address, port});
}

void IpNode::AddRoute(const IpAddress& prefix, int length, int port) {
  routes_.Add(prefix, length, port);
}

bool IpNode::IsLocal(const IpAddress& address) const {
  return std::any_of(addresses_.begin(), addresses_.end(),
                     [&](const LocalAddress& local) { return local.ip == address; });
}

IpAddress IpNode::PortAddress(int port, AddressFamily family) const {
  for (const LocalAddress& local : addresses_) {
    if (local.port == port && local.ip.family() == family) return local.ip;
  }
  for (const LocalAddress& local : addresses_) {
    if (local.ip.family() == family) return local.ip;
  }
  return {};
}

IpAddress IpNode::SourceFor(const IpAddress& destination) const {
  if (IsLocal(destination)) return destination;
  const int port = routes_.Find(destination);
  return port == RouteTable::kNone ? IpAddress() : PortAddress(port, destination.family());
}

// RFC 1122 section 3.3.4.2, the strong host model: a packet leaves by the interface whose address
// it carries, or a multi-homed host could not tell its paths apart.
int IpNode::OutPort(const IpAddress& source, const IpAddress& destination) const {
  for (const LocalAddress& local : addresses_) {
    if (local.ip == source)
      return routes_.Find(destination, forwarding_ ? RouteTable::kNone : local.port);
  }
  return RouteTable::kNone;
}

// --- receiving ---

void IpNode::OnLinkPacket(int port, const ns3::Ptr<ns3::Packet>& packet) { Receive(port, packet); }

void IpNode::Accept(const ns3::Ptr<ns3::Packet>& packet) { Receive(kLoopback, packet); }

void IpNode::OnForeignPacket(ns3::Ptr<ns3::NetDevice> device, ns3::Ptr<const ns3::Packet> packet,
                             uint16_t, const ns3::Address&, const ns3::Address&,
                             ns3::NetDevice::PacketType) {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i].device != device) continue;
    Handover::Guard guard(fabric_->handover());
    Receive(static_cast<int>(i), packet->Copy());
    return;
  }
}

bool IpNode::Read(Transit& transit) {
  const uint32_t size = transit.packet->GetSize();
  transit.head_size = transit.packet->CopyData(transit.head.data(), kHeadBytes);
  const auto view = IpView::Parse(ByteView(transit.head).first(transit.head_size), size);
  if (!view) {
    Drop(*transit.packet, ip_rule::kMalformed);
    return false;
  }
  if (!view->header_checksum_ok) {
    Drop(*transit.packet, ip_rule::kChecksum);
    return false;
  }
  transit.view = *view;
  return true;
}

void IpNode::Receive(int in_port, const ns3::Ptr<ns3::Packet>& packet) {
  Transit transit;
  transit.packet = packet;
  transit.in_port = in_port;
  if (Read(transit)) Route(transit);
}

void IpNode::Route(Transit& transit) {
  const IpAddress& destination = transit.view.tuple.destination.ip;
  if (destination.IsMulticast() || destination.IsBroadcast()) {
    Drop(*transit.packet, ip_rule::kMulticast);
    return;
  }
  const bool external = transit.in_port >= 0 && gateway_ && gateway_->IsExternal(destination);
  if (!external && IsLocal(destination)) {
    DeliverLocally(transit);
    return;
  }
  const bool outside = transit.in_port >= 0 && ports_[transit.in_port].zone == Zone::kOutside;
  if (outside && gateway_) {
    PassInbound(transit);
    return;
  }
  if (!forwarding_) {
    Drop(*transit.packet, ip_rule::kNotForUs);
    return;
  }
  const int out_port = routes_.Find(destination);
  if (out_port == RouteTable::kNone && !external) {
    SendIcmpError(*transit.packet, transit.in_port, IcmpReason::kNoRoute);
    Drop(*transit.packet, ip_rule::kNoRoute, "No route to " + destination.ToString() + ".");
    return;
  }
  const bool inside = transit.in_port >= 0 && ports_[transit.in_port].zone == Zone::kLan;
  if (inside && !external && ports_[out_port].zone == Zone::kLan) {
    Output(transit, out_port, *transit.packet);  // switched
  } else if (inside && gateway_) {
    PassOutbound(transit, out_port);
  } else {
    Forward(transit, out_port);
  }
}

// --- between ports ---

bool IpNode::TtlAllows(Transit& transit) {
  if (transit.view.ttl > 1) return true;
  SendIcmpError(*transit.packet, transit.in_port, IcmpReason::kTimeExceeded);
  Drop(*transit.packet, ip_rule::kTtl);
  return false;
}

void IpNode::Forward(Transit& transit, int out_port) {
  if (!TtlAllows(transit)) return;
  const bool fits = transit.packet->GetSize() <= ports_[out_port].mtu;
  const ns3::Ptr<ns3::Packet> original = fits ? transit.packet : transit.packet->Copy();
  DecrementTtl(transit.head.data(), transit.view);
  ReplaceHead(*transit.packet, ByteView(transit.head).first(transit.view.l4_offset));
  Output(transit, out_port, *original);
}

bool IpNode::Reassemble(Transit& transit) {
  const ByteView bytes = fabric_->Flatten(*transit.packet);
  const auto whole = reassembler_.Add(SimulatorNow(), bytes, transit.view);
  if (!whole) return false;
  transit.packet = WithBytes(*transit.packet, *whole);
  transit.reassembled = true;
  return Read(transit);
}

// What NAT and firewall judge: a whole packet (RFC 4787 section 11 has fragments put together or
// tracked) of a protocol they know.
std::optional<PacketInfo> IpNode::Inspect(Transit& transit) {
  if (transit.view.is_fragment() && !Reassemble(transit)) return std::nullopt;
  const IpView& view = transit.view;
  const bool known = view.is_udp() || view.is_icmp() || view.protocol == 6;
  if (!known) {
    Drop(*transit.packet, ip_rule::kProtocol);
    return std::nullopt;
  }
  ByteView bytes = ByteView(transit.head).first(transit.head_size);
  if (view.is_icmp_error()) {
    bytes = fabric_->Flatten(*transit.packet);
    // RFC 5508 section 4.2 REQ-3: an error with a wrong checksum is not translated.
    if (!L4ChecksumOk(bytes, view)) {
      Drop(*transit.packet, ip_rule::kIcmpChecksum);
      return std::nullopt;
    }
  }
  const auto info = view.l4_head_size < 8 ? std::nullopt : DescribePacket(bytes, view);
  if (!info) Drop(*transit.packet, ip_rule::kMalformed);
  return info;
}

void IpNode::DropByGateway(const Transit& transit, const Gateway::Decision& decision) {
  fabric_->Drop(*transit.packet, *decision.where, decision.verdict.rule, decision.verdict.detail,
                /*at_node=*/true);
}

// Puts the verdict's addresses and the decremented TTL into the packet.
bool IpNode::Rewrite(Transit& transit, const Gateway::Decision& decision) {
  const Verdict& verdict = decision.verdict;
  if (decision.changed && fabric_->tracer().listening()) {
    PacketEvent event =
        fabric_->MakeEvent(*transit.packet, PacketEventKind::kTranslated, gateway_->nat_name());
    event.translated = verdict.tuple;
    fabric_->tracer().Emit(event);
  }
  if (decision.changed && verdict.embedded) {
    const ByteView bytes = fabric_->Flatten(*transit.packet);
    Bytes rewritten(bytes.begin(), bytes.end());
    RewriteIcmpError(rewritten, transit.view, verdict.tuple, *verdict.embedded);
    transit.packet = WithBytes(*transit.packet, rewritten);
    if (!Read(transit)) return false;
  } else if (decision.changed) {
    RewriteTuple(std::span(transit.head).first(transit.head_size), transit.view, verdict.tuple);
    transit.view.tuple = verdict.tuple;
  }
  DecrementTtl(transit.head.data(), transit.view);
  ReplaceHead(*transit.packet, ByteView(transit.head).first(RewriteSpan(transit.view)));
  return true;
}

void IpNode::PassOutbound(Transit& transit, int out_port) {
  if (!TtlAllows(transit)) return;
  const auto info = Inspect(transit);
  if (!info) return;
  const Gateway::Decision decision = gateway_->Outbound(SimulatorNow(), *info);
  if (decision.verdict.dropped()) {
    DropByGateway(transit, decision);
    return;
  }
  if (decision.verdict.action == Verdict::Action::kHairpin) {
    out_port = routes_.Find(decision.verdict.tuple.destination.ip);
  }
  if (out_port == RouteTable::kNone) {
    Drop(*transit.packet, ip_rule::kNoRoute);
    return;
  }
  const bool fits = transit.packet->GetSize() <= ports_[out_port].mtu;
  const ns3::Ptr<ns3::Packet> original = fits ? transit.packet : transit.packet->Copy();
  if (Rewrite(transit, decision)) Output(transit, out_port, *original);
}

void IpNode::PassInbound(Transit& transit) {
  if (!TtlAllows(transit)) return;
  const auto info = Inspect(transit);
  if (!info) return;
  const Gateway::Decision decision = gateway_->Inbound(SimulatorNow(), *info);
  if (decision.verdict.dropped()) {
    DropByGateway(transit, decision);
    return;
  }
  const int out_port = routes_.Find(decision.verdict.tuple.destination.ip);
  // What is not for the LAN would only go back where it came from.
  if (out_port == RouteTable::kNone || ports_[out_port].zone != Zone::kLan) {
    SendIcmpError(*transit.packet, transit.in_port, IcmpReason::kNoRoute);
    Drop(*transit.packet, ip_rule::kNoRoute);
    return;
  }
  const bool fits = transit.packet->GetSize() <= ports_[out_port].mtu;
  const ns3::Ptr<ns3::Packet> original = fits ? transit.packet : transit.packet->Copy();
  if (Rewrite(transit, decision)) Output(transit, out_port, *original);
}

void IpNode::Output(Transit& transit, int out_port, const ns3::Packet& original) {
  if (transit.packet->GetSize() <= ports_[out_port].mtu) {
    Transmit(out_port, transit.packet);
    return;
  }
  const bool may_cut =
      transit.view.version == 4 ? !transit.view.dont_fragment : transit.reassembled;
  if (may_cut) {
    SendFragments(*transit.packet, out_port);
  } else {
    RefuseTooBig(original, transit.in_port, out_port);
  }
}

void IpNode::Transmit(int out_port, const ns3::Ptr<ns3::Packet>& packet) {
  const Port& port = ports_[out_port];
  if (port.link != nullptr) {
    port.link->SendIp(packet);
    return;
  }
  uint8_t first = 0;
  packet->CopyData(&first, 1);
  port.device->Send(packet, port.device->GetBroadcast(),
                    first >> 4 == 6 ? kEtherTypeIpv6 : kEtherTypeIpv4);
}

void IpNode::SendFragments(const ns3::Packet& packet, int out_port) {
  const ByteView bytes = fabric_->Flatten(packet);
  const auto view = IpView::Parse(bytes, bytes.size());
  CHECK(view);
  for (const Bytes& fragment : Fragment(bytes, *view, ports_[out_port].mtu, next_fragment_id_++)) {
    Transmit(out_port, WithBytes(packet, fragment));
  }
}

void IpNode::RefuseTooBig(const ns3::Packet& original, int in_port, int out_port) {
  const Port& port = ports_[out_port];
  SendIcmpError(original, in_port, IcmpReason::kTooBig, port.mtu);
  fabric_->Drop(original, port.link != nullptr ? port.link->where() : where_, link_rule::kMtu,
                "A packet of " + std::to_string(original.GetSize()) +
                    " bytes does not fit the MTU of " + std::to_string(port.mtu) +
                    " and must not be fragmented.",
                /*at_node=*/true);
}

// --- drops ---

void IpNode::Drop(const ns3::Packet& packet, const char* rule, std::string detail) {
  fabric_->Drop(packet, where_, rule, detail.empty() ? Meaning(rule) : std::move(detail),
                /*at_node=*/true);
}

}  // namespace rtclab::sim
