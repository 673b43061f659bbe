// An IP host, router or gateway: an ns3::Object that is aggregated to an ns3::Node in place of
// ns-3's InternetStack. It does what plain UDP needs and nothing else: longest-prefix routes, TTL,
// ICMP, fragments, a UDP demultiplexer, and a gateway's NAT and firewall.
//
// Neighbours are known (no ARP or neighbour discovery); there is no multicast and no broadcast.
#ifndef RTCLAB_SIM_IP_IP_NODE_H_
#define RTCLAB_SIM_IP_IP_NODE_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ns3/net-device.h"
#include "ns3/node.h"
#include "ns3/object.h"
#include "ns3/packet.h"
#include "sim/ip/gateway.h"
#include "sim/ip/packet_bytes.h"
#include "sim/ip/reassembly.h"
#include "sim/ip/route_table.h"
#include "sim/link/fabric.h"
#include "sim/link/link_device.h"
#include "stack/base/datagram.h"

namespace rtclab::sim {

// A bound UDP socket, as the node sees it.
class UdpEndpoint {
 public:
  virtual ~UdpEndpoint() = default;
  // False: it does not take datagrams from there, as if there were no socket. The payload is valid
  // during the call.
  virtual bool Deliver(const Datagram& packet, const ns3::Packet& whole) = 0;
  virtual void DeliverIcmp(const IcmpError& error) = 0;
};

class IpNode final : public ns3::Object, private LinkReceiver, private PacketSink {
 public:
  // Between ports of a LAN packets are switched, as by the Ethernet switch that a home router has
  // in it: no TTL, no NAT, no firewall. Between a LAN port and an outside port is the gateway.
  enum class Zone : uint8_t { kRouted, kLan, kOutside };

  static ns3::TypeId GetTypeId();

  IpNode();
  ~IpNode() override;

  // Once, after aggregation to `node`. `where` names the node in traces: "host/alice".
  void Setup(Fabric& fabric, ns3::Ptr<ns3::Node> node, std::string where);
  // `device` is on the node already. Any ns-3 device that carries IP will do; a LinkDevice is
  // called directly. Returns the port's number, from 0.
  int AddPort(ns3::Ptr<ns3::NetDevice> device, Zone zone);
  void AddAddress(int port, const IpAddress& address);
  void AddRoute(const IpAddress& prefix, int length, int port);
  void EnableForwarding() { forwarding_ = true; }
  void SetGateway(std::unique_ptr<Gateway> gateway) { gateway_ = std::move(gateway); }

  const std::string& where() const { return where_; }
  Fabric& fabric() { return *fabric_; }
  const Gateway* gateway() const { return gateway_.get(); }
  Gateway* gateway() { return gateway_.get(); }
  bool IsLocal(const IpAddress& address) const;
  // The address that a packet to `destination` leaves with when its socket names none; none without
  // a route.
  IpAddress SourceFor(const IpAddress& destination) const;

  // `local`'s address may be 0.0.0.0 or ::. False when it is taken. The endpoint outlives its
  // binding.
  bool BindUdp(const TransportAddress& local, UdpEndpoint& endpoint);
  void UnbindUdp(const TransportAddress& local);
  bool IsUdpBound(const TransportAddress& local) const;
  // The next free port of 49152 to 65535 on that address, in order; 0 when there is none.
  uint16_t NextEphemeralPort(const IpAddress& ip);

  // Sends a datagram from one of the node's addresses by the port that has it. False, with nothing
  // sent, without a route. The payload is at most MaxUdpPayload() bytes.
  bool SendUdp(const TransportAddress& source, const TransportAddress& destination,
               ByteView payload, IpOptions options);

 protected:
  void DoDispose() override;

 private:
  struct Port {
    ns3::Ptr<ns3::NetDevice> device;
    LinkDevice* link = nullptr;  // `device`, where it is one of ours
    Zone zone = Zone::kRouted;
    uint16_t mtu = 0;
  };
  struct LocalAddress {
    IpAddress ip;
    int port = 0;
  };
  // A packet on its way through this node: with its first bytes, read.
  struct Transit {
    ns3::Ptr<ns3::Packet> packet;
    IpView view;
    int in_port = 0;
    std::array<uint8_t, kHeadBytes> head;
    std::size_t head_size = 0;
    bool reassembled = false;  // here, so it may be cut again whatever the family
  };
  enum class IcmpReason : uint8_t {
    kPortUnreachable,
    kNoRoute,
    kProtocolUnreachable,
    kTimeExceeded,
    kTooBig,
  };
  static constexpr int kLoopback = -1;

  void OnLinkPacket(int port, const ns3::Ptr<ns3::Packet>& packet) override;
  void Accept(const ns3::Ptr<ns3::Packet>& packet) override;  // own packets to own addresses
  void OnForeignPacket(ns3::Ptr<ns3::NetDevice> device, ns3::Ptr<const ns3::Packet> packet,
                       uint16_t protocol, const ns3::Address&, const ns3::Address&,
                       ns3::NetDevice::PacketType type);

  void Receive(int in_port, const ns3::Ptr<ns3::Packet>& packet);
  bool Read(Transit& transit);
  void Route(Transit& transit);
  void Forward(Transit& transit, int out_port);
  bool TtlAllows(Transit& transit);
  void PassOutbound(Transit& transit, int out_port);
  void PassInbound(Transit& transit);
  std::optional<PacketInfo> Inspect(Transit& transit);
  bool Rewrite(Transit& transit, const Gateway::Decision& decision);
  void DropByGateway(const Transit& transit, const Gateway::Decision& decision);
  // `original`: the packet as it came, for an ICMP error to quote.
  void Output(Transit& transit, int out_port, const ns3::Packet& original);
  void Transmit(int out_port, const ns3::Ptr<ns3::Packet>& packet);
  void SendFragments(const ns3::Packet& packet, int out_port);
  void RefuseTooBig(const ns3::Packet& original, int in_port, int out_port);
  bool Reassemble(Transit& transit);

  void DeliverLocally(Transit& transit);
  void DeliverUdp(const Transit& transit, ByteView bytes);
  void DeliverIcmp(const Transit& transit, ByteView bytes);
  UdpEndpoint* FindEndpoint(const TransportAddress& local) const;

  bool SendOwn(const ns3::Ptr<ns3::Packet>& packet, const IpAddress& source,
               const IpAddress& destination, bool may_fragment);
  // Answers with an ICMP error where RFC 1122 section 3.2.2 and RFC 4443 section 2.4 allow one.
  void SendIcmpError(const ns3::Packet& offending, int in_port, IcmpReason reason,
                     uint32_t mtu = 0);
  void Drop(const ns3::Packet& packet, const char* rule, std::string detail = {});
  IpAddress PortAddress(int port, AddressFamily family) const;
  int OutPort(const IpAddress& source, const IpAddress& destination) const;

  Fabric* fabric_ = nullptr;
  ns3::Ptr<ns3::Node> node_;
  std::string where_;
  std::vector<Port> ports_;
  std::vector<LocalAddress> addresses_;
  RouteTable routes_;
  bool forwarding_ = false;
  std::unique_ptr<Gateway> gateway_;
  std::unordered_map<TransportAddress, UdpEndpoint*, TransportAddressHash> endpoints_;
  Reassembler reassembler_;
  uint16_t next_identification_ = 0;
  uint32_t next_fragment_id_ = 0;
  uint16_t next_ephemeral_ = 49152;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_IP_IP_NODE_H_
