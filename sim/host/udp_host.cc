#include "sim/host/udp_host.h"

#include <algorithm>
#include <utility>

#include "ns3/packet.h"
#include "ns3/socket.h"
#include "ns3/udp-socket-factory.h"

namespace rtclab::sim {
namespace {

// RFC 6335 section 6: the dynamic ports.
constexpr uint16_t kEphemeralLow = 49152, kEphemeralHigh = 65535;
constexpr int kRandomTries = 64;

}  // namespace

// One bound socket. On a node of ours the socket calls the receiver itself.
class UdpHost::Binding : public std::enable_shared_from_this<UdpHost::Binding> {
 public:
  Binding(ns3::Ptr<ns3::Socket> socket, const TransportAddress& local, UdpReceiver& receiver)
      : socket_(socket),
        fast_(dynamic_cast<UdpSocket*>(ns3::PeekPointer(socket))),
        local_(local),
        receiver_(&receiver) {}
  ~Binding() { Close(); }
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  bool Open() {
    if (fast_ != nullptr) {
      fast_->SetReceiver(receiver_);
      return fast_->BindLocal(local_);
    }
    if (socket_->Bind(ToNs3(local_)) != 0) return false;
    socket_->SetRecvCallback(ns3::MakeCallback(&Binding::Read, this));
    return true;
  }

  void Close() {
    if (receiver_ == nullptr) return;
    receiver_ = nullptr;
    if (fast_ != nullptr) {
      fast_->SetReceiver(nullptr);
    } else {
      socket_->SetRecvCallback(ns3::MakeNullCallback<void, ns3::Ptr<ns3::Socket>>());
    }
    socket_->Close();
  }

  bool Send(const TransportAddress& destination, ByteView payload, bool dont_fragment) {
    if (fast_ != nullptr) return fast_->SendSpan(destination, payload, dont_fragment);
    const auto packet =
        ns3::Create<ns3::Packet>(payload.data(), static_cast<uint32_t>(payload.size()));
    return socket_->SendTo(packet, 0, ToNs3(destination)) >= 0;
  }

 private:
  void Read(ns3::Ptr<ns3::Socket>) {
    const auto keep_alive = shared_from_this();
    ns3::Address from;
    while (receiver_ != nullptr) {
      const ns3::Ptr<ns3::Packet> packet = socket_->RecvFrom(from);
      if (!packet) return;
      Bytes payload(packet->GetSize());
      packet->CopyData(payload.data(), packet->GetSize());
      receiver_->OnDatagram(SimulatorNow(), {FromNs3(from), local_, payload});
    }
  }

  ns3::Ptr<ns3::Socket> socket_;
  UdpSocket* fast_;
  TransportAddress local_;
  UdpReceiver* receiver_;
};

UdpHost::UdpHost(ns3::Ptr<ns3::Node> node, std::string name, std::vector<IpAddress> addresses,
                 Rng rng)
    : node_(node), name_(std::move(name)), addresses_(std::move(addresses)), rng_(rng) {
  if (const auto ip = node_->GetObject<IpNode>()) handover_ = &ip->fabric().handover();
}

UdpHost::~UdpHost() = default;

bool UdpHost::Owns(const IpAddress& ip) const {
  return std::find(addresses_.begin(), addresses_.end(), ip) != addresses_.end();
}

Result<TransportAddress> UdpHost::BindExactly(const TransportAddress& local,
                                              UdpReceiver& receiver) {
  if (IsBound(local)) return rtclab::Fail(local.ToString() + " is in use on " + name_);
  auto binding = std::make_shared<Binding>(
      ns3::Socket::CreateSocket(node_, ns3::UdpSocketFactory::GetTypeId()), local, receiver);
  if (!binding->Open()) return rtclab::Fail(local.ToString() + " is in use on " + name_);
  bindings_.emplace(local, std::move(binding));
  return local;
}

Result<TransportAddress> UdpHost::Bind(const TransportAddress& local, UdpReceiver& receiver) {
  if (!Owns(local.ip)) return rtclab::Fail(local.ip.ToString() + " is not an address of " + name_);
  if (local.port != 0) return BindExactly(local, receiver);
  for (int i = 0; i < kRandomTries; ++i) {
    const auto port = static_cast<uint16_t>(rng_.Uniform(kEphemeralLow, kEphemeralHigh));
    if (auto bound = BindExactly({local.ip, port}, receiver)) return bound;
  }
  for (int port = kEphemeralLow; port <= kEphemeralHigh; ++port) {
    if (auto bound = BindExactly({local.ip, static_cast<uint16_t>(port)}, receiver)) return bound;
  }
  return rtclab::Fail("No free port on " + local.ip.ToString() + " of " + name_);
}

Result<TransportAddress> UdpHost::BindPair(const TransportAddress& local, UdpReceiver& receiver) {
  if (!Owns(local.ip)) return rtclab::Fail(local.ip.ToString() + " is not an address of " + name_);
  const auto try_port = [&](uint16_t port) -> Result<TransportAddress> {
    const TransportAddress even{local.ip, port};
    const TransportAddress odd{local.ip, static_cast<uint16_t>(port + 1)};
    auto first = BindExactly(even, receiver);
    if (!first) return first;
    if (auto second = BindExactly(odd, receiver); !second) {
      Unbind(even);
      return second;
    }
    return first;
  };
  if (local.port % 2 != 0) return rtclab::Fail("A pair of ports starts with an even one");
  if (local.port != 0) return try_port(local.port);
  for (int i = 0; i < kRandomTries; ++i) {
    const auto half = rng_.Uniform(kEphemeralLow / 2, kEphemeralHigh / 2);
    if (auto bound = try_port(static_cast<uint16_t>(half * 2))) return bound;
  }
  for (int port = kEphemeralLow; port < kEphemeralHigh; port += 2) {
    if (auto bound = try_port(static_cast<uint16_t>(port))) return bound;
  }
  return rtclab::Fail("No free pair of ports on " + local.ip.ToString() + " of " + name_);
}

void UdpHost::Unbind(const TransportAddress& local) {
  const auto it = bindings_.find(local);
  if (it == bindings_.end()) return;
  const auto keep_alive = it->second;
  bindings_.erase(it);
  keep_alive->Close();
}

bool UdpHost::IsBound(const TransportAddress& local) const { return bindings_.contains(local); }

bool UdpHost::Send(const TransportAddress& source, const TransportAddress& destination,
                   ByteView payload, bool dont_fragment) {
  const auto it = bindings_.find(source);
  if (it == bindings_.end() || destination.family() != source.family() ||
      payload.size() > MaxUdpPayload(source.family())) {
    return false;
  }
  return it->second->Send(destination, payload, dont_fragment);
}

}  // namespace rtclab::sim
