#include "conformance/socket/channel.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "conformance/socket/channel_impl.h"
#include "conformance/socket/system_address.h"
#include "conformance/socket/wait.h"

namespace rtclab::conformance {
namespace {

using Stage = Channel::Stage;

constexpr std::array<std::string_view, 4> kTransportNames = {"udp", "tcp", "tls", "dtls"};
constexpr std::size_t kPeerBuffer = 65'536;

bool IsSecure(Transport transport) {
  return transport == Transport::kTls || transport == Transport::kDtls;
}

Channel::Attempt Failed(Stage stage, std::string reason, bool timed_out = false) {
  return {.stage = stage, .reason = std::move(reason), .timed_out = timed_out};
}

// What opening came to: the channel, or why not.
template <typename T>
Channel::Attempt Outcome(Opening opening, std::unique_ptr<T> channel) {
  Channel::Attempt out{
      .stage = opening.stage, .reason = std::move(opening.reason), .timed_out = opening.timed_out};
  if (channel->secure() != nullptr) out.secure = *channel->secure();
  if (out.stage == Stage::kOpen) out.channel = std::move(channel);
  return out;
}

Result<std::optional<SecureStream>> MakeSecure(Transport transport, const ChannelOptions& options) {
  if (!IsSecure(transport)) return std::optional<SecureStream>();
  const std::string name =
      options.server_name.empty() ? options.server.ip.ToString() : options.server_name;
  if (options.context) {
    const bool dtls = options.context->protocol() == SecureProtocol::kDtls;
    if (dtls != (transport == Transport::kDtls)) {
      return Fail("the context is not one of " + std::string(ToString(transport)));
    }
    return std::optional(SecureStream::Client(*options.context, name));
  }
  auto context = SecureContext::Client(
      transport == Transport::kDtls ? SecureProtocol::kDtls : SecureProtocol::kTls, options.secure);
  if (!context) return tl::unexpected<Error>(context.error());
  return std::optional(SecureStream::Client(*context, name));
}

// Where to bind: an address of our own, never any-address, so that local() is what the server sees without a NAT.
Result<TransportAddress> LocalFor(const ChannelOptions& options) {
  if (options.local && !options.local->ip.IsNone() && !options.local->ip.IsAny()) {
    return *options.local;
  }
  auto local = LocalAddressFor(options.server);
  if (local && options.local) local->port = options.local->port;
  return local;
}

Channel::Attempt OpenDatagrams(const ChannelOptions& options, const TransportAddress& local,
                               std::optional<SecureStream> secure) {
  const Timestamp deadline = RealNow() + options.connect_timeout;
  auto socket = UdpSocket::Bind(local);
  if (!socket) return Failed(Stage::kSocket, socket.error().reason);
  socket->TellMarks();
  auto channel = std::make_unique<DatagramChannel>(*std::move(socket), options, std::move(secure));
  Opening opening = channel->Handshake(deadline);
  return Outcome(std::move(opening), std::move(channel));
}

Channel::Attempt OpenStream(Transport transport, const ChannelOptions& options,
                            const TransportAddress& local, std::optional<SecureStream> secure) {
  const Timestamp deadline = RealNow() + options.connect_timeout;
  auto socket = TcpSocket::Connect(options.server, local,
                                   {.reuse_port = options.reuse_local, .marks = options.marks});
  if (!socket) {
    const bool refused = socket.error().reason.starts_with("connect");
    return Failed(refused ? Stage::kConnect : Stage::kSocket, socket.error().reason);
  }
  auto channel =
      std::make_unique<StreamChannel>(transport, *std::move(socket), options.send_timeout);
  Opening opening = channel->FinishConnect(deadline);
  if (opening.stage == Stage::kOpen && secure) {
    opening = channel->Handshake(*std::move(secure), deadline);
  }
  return Outcome(std::move(opening), std::move(channel));
}

}  // namespace

std::string_view ToString(Transport transport) {
  return kTransportNames[static_cast<std::size_t>(transport)];
}

Channel::Attempt Channel::TryOpen(Transport transport, const ChannelOptions& options) {
  if (Interrupted()) return Failed(Stage::kInterrupted, "interrupted");
  auto secure = MakeSecure(transport, options);
  if (!secure) return Failed(Stage::kSocket, secure.error().reason);
  const auto local = LocalFor(options);
  if (!local) return Failed(Stage::kSocket, local.error().reason);
  return transport == Transport::kUdp || transport == Transport::kDtls
             ? OpenDatagrams(options, *local, *std::move(secure))
             : OpenStream(transport, options, *local, *std::move(secure));
}

Result<std::unique_ptr<Channel>> Channel::Open(Transport transport, const ChannelOptions& options) {
  Attempt attempt = TryOpen(transport, options);
  if (attempt.channel == nullptr) return Fail(std::move(attempt.reason));
  return std::move(attempt.channel);
}

Result<void> Channel::SendTo(const TransportAddress&, ByteView, const IpMarks&) {
  return Fail("only UDP sends to other addresses");
}

std::optional<IcmpError> Channel::ReceiveIcmp() { return std::nullopt; }

void Channel::CloseWrite() {}

const SecureInfo* Channel::secure() const { return nullptr; }

Result<PeerSocket> PeerSocket::Bind(const TransportAddress& local) {
  auto socket = UdpSocket::Bind(local);
  if (!socket) return tl::unexpected<Error>(socket.error());
  socket->TellMarks();
  return PeerSocket(*std::move(socket));
}

Result<void> PeerSocket::SendTo(const TransportAddress& destination, ByteView bytes,
                                const IpMarks& marks) {
  return socket_.SendMarked(destination, bytes, marks);
}

std::optional<Received> PeerSocket::Receive(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  if (buffer_ == nullptr) buffer_.reset(new uint8_t[kPeerBuffer]);
  for (;;) {
    if (auto marked = socket_.ReceiveMarked({buffer_.get(), kPeerBuffer})) {
      const Datagram& d = marked->datagram;
      return Received{Bytes(d.payload.begin(), d.payload.end()), d.source, RealNow(),
                      marked->marks};
    }
    while (auto error = socket_.ReceiveIcmp()) icmp_.push_back(*error);
    if (WaitFor(socket_.descriptor(), POLLIN, deadline, true) == 0) return std::nullopt;
  }
}

std::optional<IcmpError> PeerSocket::ReceiveIcmp(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  for (;;) {
    while (auto error = socket_.ReceiveIcmp()) icmp_.push_back(*error);
    if (!icmp_.empty()) {
      const IcmpError error = icmp_.front();
      icmp_.pop_front();
      return error;
    }
    // Readiness to read is not waited for: an error alone ends the wait.
    if (WaitFor(socket_.descriptor(), 0, deadline, true) == 0) return std::nullopt;
  }
}

struct PeerListener::Impl {
  TcpListener listener;
};

PeerListener::PeerListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PeerListener::PeerListener(PeerListener&&) noexcept = default;
PeerListener& PeerListener::operator=(PeerListener&&) noexcept = default;
PeerListener::~PeerListener() = default;

Result<PeerListener> PeerListener::Listen(const TransportAddress& local, int backlog) {
  auto listener = TcpListener::Listen(local, {.reuse_port = true, .backlog = backlog});
  if (!listener) return tl::unexpected<Error>(listener.error());
  return PeerListener(std::make_unique<Impl>(Impl{*std::move(listener)}));
}

const TransportAddress& PeerListener::local() const { return impl_->listener.local(); }

std::unique_ptr<Channel> PeerListener::Accept(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  do {
    if (auto socket = impl_->listener.Accept()) {
      return std::make_unique<StreamChannel>(Transport::kTcp, *std::move(socket),
                                             TimeDelta::Seconds(5));
    }
  } while (WaitFor(impl_->listener.descriptor(), POLLIN, deadline, true) != 0);
  return nullptr;
}

Result<TransportAddress> LocalAddressFor(const TransportAddress& destination) {
  const int descriptor = socket(SystemFamily(destination), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return Fail(SystemError("socket", destination));
  const SystemAddress address = ToSystem(destination);
  // On UDP it looks up the route, no more.
  const bool found = connect(descriptor, address.get(), address.length) == 0;
  const int error = errno;
  TransportAddress local = BoundAddress(descriptor);
  close(descriptor);
  if (!found) return Fail(SystemError("no route to", destination, error));
  local.port = 0;
  return local;
}

}  // namespace rtclab::conformance
