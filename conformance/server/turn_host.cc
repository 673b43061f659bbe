#include "conformance/server/turn_host.h"

#include <algorithm>

#include "conformance/server/host_impl.h"
#include "stack/base/sans_io.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {
namespace {

// Rounds of ReceiveBatch a socket gets before the others have their turn.
constexpr int kBatchesInARow = 4;
// What a burst of relayed media needs; the system may give less.
constexpr int kUdpBuffer = 4 << 20;
constexpr TimeDelta kSweepInterval = TimeDelta::Seconds(1);

// A Binding request or indication, also one without the magic cookie.
bool LooksLikeBinding(ByteView payload) {
  return payload.size() >= stun::kHeaderSize && payload[0] == 0 &&
         (payload[1] == 0x01 || payload[1] == 0x11);
}

}  // namespace

TurnHost::Impl::~Impl() {
  for (const auto& [address, port] : udp_ports) loop.Remove(port->socket.descriptor());
}

Timestamp TurnHost::Impl::ToReal(Timestamp server_time) const {
  if (server_time.IsInfinite()) return server_time;
  // Rounded up: waking just before a timer would spin.
  return Timestamp::Nanos((server_time.nanos() + config.clock_speed - 1) / config.clock_speed);
}

UdpPort& TurnHost::Impl::Watch(UdpSocket socket) {
  socket.SetBuffers(kUdpBuffer);
  auto port = std::make_unique<UdpPort>(std::move(socket));
  UdpPort& result = *port;
  udp_ports[result.socket.local()] = std::move(port);
  loop.Add(result.socket.descriptor(), [this, &result](EventLoop::Ready) { ReadUdp(result); });
  return result;
}

Result<void> TurnHost::Impl::OpenContexts() {
  if (config.identities.empty()) {
    if (config.secure_listen.empty()) return {};
    return Fail("a listening address for TLS and DTLS needs a certificate");
  }
  const SecureServerOptions options{.identities = config.identities};
  auto stream = SecureContext::Server(SecureProtocol::kTls, options);
  if (!stream) return tl::unexpected(stream.error());
  auto datagram = SecureContext::Server(SecureProtocol::kDtls, options);
  if (!datagram) return tl::unexpected(datagram.error());
  tls = std::move(*stream);
  dtls = std::move(*datagram);
  return {};
}

Result<void> TurnHost::Impl::OpenUdp(const TransportAddress& address, bool secure) {
  auto socket = UdpSocket::Bind(address);
  if (!socket) return tl::unexpected(socket.error());
  UdpPort& port = Watch(std::move(*socket));
  port.listening = true;
  if (dtls) port.dtls = std::make_unique<DtlsListener>(*dtls);
  endpoints.push_back({secure ? Transport::kDtls : Transport::kUdp, port.socket.local()});
  return {};
}

Result<void> TurnHost::Impl::OpenTcp(const TransportAddress& address, bool secure) {
  auto listener = TcpListener::Listen(address);
  if (!listener) return tl::unexpected(listener.error());
  tcp_listeners.push_back(std::make_unique<TcpListener>(std::move(*listener)));
  TcpListener& opened = *tcp_listeners.back();
  loop.Add(opened.descriptor(),
           [this, &opened, secure](EventLoop::Ready) { Accept(opened, secure); });
  endpoints.push_back({secure ? Transport::kTls : Transport::kTcp, opened.local()});
  return {};
}

Result<void> TurnHost::Impl::OpenDiscovery() {
  if (config.nat_discovery.empty()) return {};
  stun::ServerConfig discovery;
  discovery.addresses = config.nat_discovery;
  discovery.software = config.turn.software;
  discovery.also_known = turn::KnownAttributes(config.turn);
  stun = std::make_unique<stun::Server>(std::move(discovery), rng);
  for (const TransportAddress& address : stun->ListenAddresses()) {
    const auto it = udp_ports.find(address);
    if (it == udp_ports.end()) {
      if (auto opened = OpenUdp(address, false); !opened) return opened;
    }
    udp_ports.at(address)->discovery = true;
  }
  return {};
}

Result<void> TurnHost::Impl::Open() {
  if (auto contexts = OpenContexts(); !contexts) return contexts;
  for (const TransportAddress& wanted : config.listen) {
    TransportAddress address = wanted;
    if (config.udp) {
      if (auto opened = OpenUdp(address, false); !opened) return opened;
      address = endpoints.back().address;  // TCP on the port that the system chose for UDP
    }
    if (config.tcp) {
      if (auto opened = OpenTcp(address, false); !opened) return opened;
    }
  }
  for (const TransportAddress& wanted : config.secure_listen) {
    TransportAddress address = wanted;
    if (config.udp) {
      if (auto opened = OpenUdp(address, true); !opened) return opened;
      address = endpoints.back().address;
    }
    if (config.tcp) {
      if (auto opened = OpenTcp(address, true); !opened) return opened;
    }
  }
  if (auto discovery = OpenDiscovery(); !discovery) return discovery;
  std::vector<TransportAddress>& listening = config.turn.listening;
  listening.clear();
  for (const Endpoint& endpoint : endpoints) {
    if (std::find(listening.begin(), listening.end(), endpoint.address) == listening.end()) {
      listening.push_back(endpoint.address);
    }
  }
  turn = std::make_unique<turn::Server>(config.turn, rng);
  return {};
}

void TurnHost::Impl::ReadUdp(UdpPort& port) {
  while (auto error = port.socket.ReceiveIcmp()) {
    if (!port.listening) turn->HandleIcmp(Now(), *error);
  }
  for (int round = 0; round < kBatchesInARow; ++round) {
    const std::size_t count = received.Receive(port.socket);
    for (std::size_t i = 0; i < count; ++i) HandleDatagram(port, received.datagram(i));
    if (count < ReceiveBatch::kCapacity) return;
  }
}

void TurnHost::Impl::HandleDatagram(UdpPort& port, const Datagram& datagram) {
  if (port.listening) return HandleClientDatagram(port, datagram);
  if (config.tamper == nullptr) return turn->HandlePacket(Now(), datagram);
  Bytes payload(datagram.payload.begin(), datagram.payload.end());
  if (!config.tamper->FromPeer(datagram.source, datagram.destination, payload)) return;
  turn->HandlePacket(Now(), {datagram.source, datagram.destination, payload});
}

void TurnHost::Impl::HandleClientDatagram(UdpPort& port, const Datagram& datagram) {
  // RFC 7983 section 7: what begins with 20 to 63 is DTLS.
  if (port.dtls && !datagram.payload.empty() && datagram.payload[0] >= 20 &&
      datagram.payload[0] <= 63) {
    return HandleDtls(port, datagram);
  }
  Bytes changed;
  Datagram seen = datagram;
  if (config.tamper != nullptr) {
    changed.assign(datagram.payload.begin(), datagram.payload.end());
    const turn::FiveTuple tuple{datagram.source, datagram.destination};
    if (!config.tamper->FromClient(tuple, changed)) return;
    seen.payload = changed;
  }
  if (port.discovery && LooksLikeBinding(seen.payload)) {
    stun->HandlePacket(Now(), seen);
  } else {
    turn->HandlePacket(Now(), seen);
  }
}

void TurnHost::Impl::SendUdp(Transmit&& transmit) {
  const auto it = udp_ports.find(transmit.source);
  if (it == udp_ports.end()) return;
  UdpPort* port = it->second.get();
  int copies = 1;
  if (config.tamper != nullptr) {
    if (port->listening) {
      const turn::FiveTuple tuple{transmit.destination, transmit.source};
      if (!config.tamper->ToClient(tuple, transmit.payload, transmit.source)) return;
    } else if (!config.tamper->ToPeer(transmit)) {
      return;
    }
    const auto moved = udp_ports.find(transmit.source);
    if (moved == udp_ports.end()) return;
    port = moved->second.get();
    copies = port->listening ? config.tamper->CopiesToClient(transmit.payload)
                             : config.tamper->CopiesToPeer(transmit);
  }
  for (; copies > 1; --copies) {
    to_send.Add(port->socket, transmit.destination, Bytes(transmit.payload),
                {.dont_fragment = transmit.dont_fragment});
  }
  to_send.Add(port->socket, transmit.destination, std::move(transmit.payload),
              {.dont_fragment = transmit.dont_fragment});
}

void TurnHost::Impl::DrainServers() {
  const auto send = [this](Transmit&& transmit) { SendUdp(std::move(transmit)); };
  for (bool progress = true; progress;) {
    progress = false;
    Drain(*turn, send, [this](turn::ServerEvent&& event) { HandleEvent(std::move(event)); });
    while (auto write = turn->PollStreamWrite()) {
      Write(std::move(*write));
      progress = true;
    }
    if (stun) Drain(*stun, send, [](stun::BindingServed&&) {});
    for (const turn::FiveTuple& tuple : std::exchange(ended, {})) {
      EndStream(tuple);
      progress = true;
    }
  }
  to_send.Flush();
}

Timestamp TurnHost::Impl::AfterRound(Timestamp real_now) {
  DrainServers();
  Timestamp next = RunDtlsTimers(real_now);
  if (turn->NextTimeout() <= Now()) {
    turn->HandleTimeout(Now());
    DrainServers();
  }
  if (real_now >= next_sweep) {
    Sweep(real_now);
    DrainServers();
    next_sweep = real_now + kSweepInterval;
  }
  next = std::min({next, ToReal(turn->NextTimeout()), next_sweep});
  return next;
}

TurnHost::TurnHost(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TurnHost::~TurnHost() = default;

Result<std::unique_ptr<TurnHost>> TurnHost::Start(HostConfig config, Rng& rng) {
  auto impl = std::make_unique<Impl>(std::move(config), rng);
  if (auto opened = impl->Open(); !opened) return tl::unexpected(opened.error());
  return std::unique_ptr<TurnHost>(new TurnHost(std::move(impl)));
}

const std::vector<TurnHost::Endpoint>& TurnHost::endpoints() const { return impl_->endpoints; }
const turn::Server& TurnHost::server() const { return *impl_->turn; }

void TurnHost::Run() {
  impl_->loop.Run([this](Timestamp now) { return impl_->AfterRound(now); });
}

void TurnHost::Stop() { impl_->loop.Stop(); }

}  // namespace rtclab::conformance
