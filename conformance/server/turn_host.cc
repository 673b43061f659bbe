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
constexpr int kPortAttempts = 20;
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
  socket.TellMarks();
  auto port = std::make_unique<UdpPort>(std::move(socket));
  UdpPort& result = *port;
  udp_ports[result.socket.local()] = std::move(port);
  loop.Add(result.socket.descriptor(),
           [this, &result](EventLoop::Ready ready) { ReadUdp(result, ready); });
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

// TCP on the port that the system chose for UDP, which may be taken there: then another one.
Result<void> TurnHost::Impl::OpenBoth(const TransportAddress& wanted, bool secure) {
  for (int attempt = 1;; ++attempt) {
    TransportAddress address = wanted;
    if (config.udp) {
      if (auto opened = OpenUdp(address, secure); !opened) return opened;
      address = endpoints.back().address;
    }
    if (!config.tcp) return {};
    auto opened = OpenTcp(address, secure);
    if (opened || !config.udp || wanted.port != 0 || attempt == kPortAttempts) return opened;
    loop.Remove(udp_ports.at(address)->socket.descriptor());
    udp_ports.erase(address);
    endpoints.pop_back();
  }
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
    if (auto opened = OpenBoth(wanted, false); !opened) return opened;
  }
  for (const TransportAddress& wanted : config.secure_listen) {
    if (auto opened = OpenBoth(wanted, true); !opened) return opened;
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

void TurnHost::Impl::ReadUdp(UdpPort& port, EventLoop::Ready ready) {
  while (ready.broken) {
    const auto error = port.socket.ReceiveIcmp();
    if (!error) break;
    if (!port.listening) turn->HandleIcmp(Now(), *error);
  }
  for (int round = 0; round < kBatchesInARow; ++round) {
    const std::size_t count = received.Receive(port.socket);
    const Timestamp now = Now();
    for (std::size_t i = 0; i < count; ++i) {
      HandleDatagram(now, port, received.datagram(i));
      SendRelayed(port, received.marks(i));
    }
    if (count < ReceiveBatch::kCapacity) return;
  }
}

void TurnHost::Impl::HandleDatagram(Timestamp now, UdpPort& port, const Datagram& datagram) {
  if (port.listening) return HandleClientDatagram(now, port, datagram);
  if (config.tamper == nullptr) return turn->HandlePacket(now, datagram);
  Bytes payload(datagram.payload.begin(), datagram.payload.end());
  if (!config.tamper->FromPeer(datagram.source, datagram.destination, payload)) return;
  turn->HandlePacket(now, {datagram.source, datagram.destination, payload});
}

void TurnHost::Impl::HandleClientDatagram(Timestamp now, UdpPort& port, const Datagram& datagram) {
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
    stun->HandlePacket(now, seen);
  } else {
    turn->HandlePacket(now, seen);
  }
}

// What a datagram that arrived at `from` made, before the next one is handled: what it made on the other side of the relay has its marks.
void TurnHost::Impl::SendRelayed(const UdpPort& from, const IpMarks& marks) {
  while (auto transmit = turn->PollTransmit()) SendUdp(std::move(*transmit), &from, marks);
}

void TurnHost::Impl::SendUdp(Transmit&& transmit, const UdpPort* from, const IpMarks& marks) {
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
  IpMarks out{.dont_fragment = transmit.dont_fragment};
  // RFC 8656 sections 13 and 14: application data keeps its DSCP and ECN. Linux does not tell the DF bit of what it received, so that is
  // taken for 0, and the hop limit begins anew: the alternate behaviours.
  if (from != nullptr && from->listening != port->listening) {
    out.dscp = marks.dscp;
    out.ecn = marks.ecn;
  }
  to_send.Add(port->socket, transmit.destination, std::move(transmit.payload), out);
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
      // Another connection may have come from the same address since.
      const auto it = streams.find(tuple);
      if (it != streams.end() && it->second->ended) EndStream(tuple);
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
