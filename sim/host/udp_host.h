// A host's UDP as protocols see it: local transport addresses that are bound and unbound at run
// time, datagrams in and out, ICMP errors in. Its sockets are ns-3 sockets: on a node of ours the
// span-based fast path of sim/ip's sockets is used, on any other ns-3 node (InternetStackHelper)
// ns3::Socket's own calls.
#ifndef RTCLAB_SIM_HOST_UDP_HOST_H_
#define RTCLAB_SIM_HOST_UDP_HOST_H_

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ns3/node.h"
#include "ns3/ptr.h"
#include "sim/ip/udp_socket.h"
#include "stack/base/datagram.h"
#include "stack/base/error.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"

namespace rtclab::sim {

class UdpHost {
 public:
  // `addresses`: the node's own, the ones that Bind() accepts. `rng` chooses ephemeral ports.
  UdpHost(ns3::Ptr<ns3::Node> node, std::string name, std::vector<IpAddress> addresses, Rng rng);
  ~UdpHost();
  UdpHost(const UdpHost&) = delete;
  UdpHost& operator=(const UdpHost&) = delete;

  const std::string& name() const { return name_; }
  const std::vector<IpAddress>& addresses() const { return addresses_; }
  ns3::Ptr<ns3::Node> node() const { return node_; }
  // Virtual time since the run began.
  Timestamp Now() const { return SimulatorNow(); }
  // For a Handover::Guard around calls from an event of one's own: saves an event where packets
  // pass ideal links. nullptr on a node that is not ours.
  Handover* handover() const { return handover_; }

  // Binds `local`; port 0 takes a free one of 49152 to 65535 (RFC 6335 section 6). Returns the
  // bound address. Fails when the address is not the host's or the port is taken.
  Result<TransportAddress> Bind(const TransportAddress& local, UdpReceiver& receiver);
  // A run of two ports with `local.port` or, when that is 0, a free even one first (TURN's
  // EVEN-PORT): returns the even address; both ports are bound to `receiver`, or none is.
  Result<TransportAddress> BindPair(const TransportAddress& local, UdpReceiver& receiver);
  // Does nothing when `local` is not bound. Safe inside the receiver's own call.
  void Unbind(const TransportAddress& local);
  bool IsBound(const TransportAddress& local) const;

  // Sends from a bound address. False, with nothing sent, when the source is not bound or there is
  // no route. Whatever answers arrives after the caller has returned, never inside the call.
  bool Send(const TransportAddress& source, const TransportAddress& destination, ByteView payload,
            bool dont_fragment = false);
  bool Send(const Transmit& transmit) {
    return Send(transmit.source, transmit.destination, transmit.payload, transmit.dont_fragment);
  }

 private:
  class Binding;

  bool Owns(const IpAddress& ip) const;
  Result<TransportAddress> BindExactly(const TransportAddress& local, UdpReceiver& receiver);

  ns3::Ptr<ns3::Node> node_;
  std::string name_;
  std::vector<IpAddress> addresses_;
  Rng rng_;
  Handover* handover_ = nullptr;
  std::unordered_map<TransportAddress, std::shared_ptr<Binding>, TransportAddressHash> bindings_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_HOST_UDP_HOST_H_
