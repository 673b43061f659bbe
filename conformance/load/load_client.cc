#include "conformance/load/load_client.h"

#include <algorithm>

#include "stack/base/sans_io.h"

namespace rtclab::conformance {
namespace {

// A relay that can't be written to for so many bytes loses what more there is, as a full queue would.
constexpr std::size_t kLoadWriteLimit = 1 << 20;
constexpr int kLoadUdpBuffer = 1 << 20;

turn::ClientTransport TransportOf(Transport transport) {
  switch (transport) {
    case Transport::kUdp:
      return turn::ClientTransport::kUdp;
    case Transport::kTcp:
      return turn::ClientTransport::kTcp;
    case Transport::kTls:
      return turn::ClientTransport::kTls;
    case Transport::kDtls:
      return turn::ClientTransport::kDtls;
  }
  return turn::ClientTransport::kUdp;
}

}  // namespace

LoadClient::LoadClient(LoadClientConfig config, EventLoop& loop, SendBatch& batch, Rng& rng,
                       OnEvent on_event)
    : config_(std::move(config)),
      loop_(loop),
      batch_(batch),
      rng_(rng),
      on_event_(std::move(on_event)) {}

LoadClient::~LoadClient() {
  batch_.Flush();  // it may hold datagrams of this socket
  if (udp_) loop_.Remove(udp_->descriptor());
  if (tcp_ && tcp_->descriptor() >= 0) loop_.Remove(tcp_->descriptor());
}

Result<void> LoadClient::Start() {
  started_ = RealNow();
  const bool stream = config_.transport == Transport::kTcp || config_.transport == Transport::kTls;
  if (stream) {
    auto socket = TcpSocket::Connect(config_.server);
    if (!socket) return tl::unexpected(socket.error());
    tcp_ = std::move(*socket);
    connecting_ = true;
    loop_.Add(tcp_->descriptor(), [this](EventLoop::Ready ready) { HandleReady(ready); });
    loop_.WantWritable(tcp_->descriptor(), true);
    return {};
  }
  auto local = LocalAddressFor(config_.server);
  if (!local) return tl::unexpected(local.error());
  auto socket = UdpSocket::Bind(*local);
  if (!socket) return tl::unexpected(socket.error());
  udp_ = std::move(*socket);
  udp_->SetBuffers(kLoadUdpBuffer);
  local_ = udp_->local();
  loop_.Add(udp_->descriptor(), [this](EventLoop::Ready ready) { HandleReady(ready); });
  if (config_.transport == Transport::kUdp) {
    Begin();
  } else {
    secure_ = SecureStream::Client(*config_.secure, config_.server_name);
    HandleSecure();
  }
  Drain();
  return {};
}

void LoadClient::Begin() {
  begun_ = true;
  turn::ClientConfig turn;
  turn.local = local_;
  turn.server = config_.server;
  turn.transport = TransportOf(config_.transport);
  turn.username = config_.username;
  turn.password = config_.password;
  turn.max_redirects = 0;  // no address that the user has not named
  turn_ = std::make_unique<turn::Client>(std::move(turn), rng_);
  turn_->Allocate(RealNow());
}

void LoadClient::Break(std::string why) {
  if (broken_.empty()) broken_ = std::move(why);
  if (tcp_ && tcp_->descriptor() >= 0) {
    loop_.Remove(tcp_->descriptor());
    tcp_->Close();
  }
}

void LoadClient::HandleReady(EventLoop::Ready ready) {
  HandleSocket(ready);
  Drain();
}

void LoadClient::HandleSocket(EventLoop::Ready ready) {
  if (udp_) {
    if (ready.broken) ReadIcmp();
    return ReadUdp();
  }
  if (connecting_) {
    const Result<bool> finished = tcp_->FinishConnect();
    if (!finished) return Break(finished.error().reason);
    if (!*finished) return;
    connecting_ = false;
    local_ = tcp_->local();
    loop_.WantWritable(tcp_->descriptor(), false);
    if (config_.transport == Transport::kTcp) {
      Begin();
    } else {
      secure_ = SecureStream::Client(*config_.secure, config_.server_name);
      HandleSecure();
    }
    return;
  }
  if (ready.writable) FlushTcp();
  if (ready.readable && broken_.empty()) ReadTcp();
}

// All of it, or the socket stays ready for ever. Once there is an allocation, ICMP errors are as good as forged.
void LoadClient::ReadIcmp() {
  while (const auto error = udp_->ReceiveIcmp()) {
    if (!allocated() && error->destination == config_.server && IsPortUnreachable(*error)) {
      Break("nothing listens there: ICMP port unreachable");
    }
  }
}

void LoadClient::ReadUdp() {
  thread_local ReceiveBatch batch;
  const std::size_t count = batch.Receive(*udp_);
  for (std::size_t i = 0; i < count; ++i) {
    const Datagram& datagram = batch.datagram(i);
    if (datagram.source != config_.server) continue;
    if (!secure_) {
      HandleMessage(datagram.payload);
      continue;
    }
    secure_->HandleBytes(datagram.payload);
    HandleSecure();
  }
}

void LoadClient::ReadTcp() {
  thread_local std::vector<uint8_t> buffer(65'536);
  const TcpSocket::Io io = tcp_->Read(buffer);
  if (io.status == TcpSocket::Status::kBlocked) return;
  if (io.status != TcpSocket::Status::kOk) return Break("the server closed the connection");
  const ByteView bytes = ByteView(buffer).first(io.size);
  if (!secure_) return HandlePlain(bytes);
  secure_->HandleBytes(bytes);
  HandleSecure();
}

// Everything that the association has to give, both ways.
void LoadClient::HandleSecure() {
  while (auto plain = secure_->PollReceived()) {
    if (udp_) {
      HandleMessage(*plain);
    } else {
      HandlePlain(*plain);
    }
  }
  while (auto bytes = secure_->PollTransmit()) {
    if (udp_) {
      batch_.Add(*udp_, config_.server, std::move(*bytes));
    } else {
      out_.insert(out_.end(), bytes->begin(), bytes->end());
    }
  }
  if (tcp_) FlushTcp();
  const SecureStream::State state = secure_->state();
  if (state == SecureStream::State::kOpen && !begun_) return Begin();
  if (state == SecureStream::State::kFailed || state == SecureStream::State::kClosed) {
    Break(secure_->reason());
  }
}

void LoadClient::HandlePlain(ByteView bytes) {
  framer_.Push(bytes);
  for (;;) {
    const auto frame = framer_.Next();
    if (!frame) return Break(frame.error().reason);
    if (!*frame) return;
    HandleMessage((*frame)->bytes);
  }
}

void LoadClient::HandleMessage(ByteView message) {
  if (turn_) turn_->HandlePacket(RealNow(), {config_.server, local_, message});
}

void LoadClient::SendMessage(Bytes&& message) {
  if (!broken_.empty()) return;
  if (secure_) {
    (void)secure_->Send(message);
    return HandleSecure();
  }
  if (udp_) return batch_.Add(*udp_, config_.server, std::move(message));
  if (out_.size() < kLoadWriteLimit) out_.insert(out_.end(), message.begin(), message.end());
  FlushTcp();
}

void LoadClient::FlushTcp() {
  if (!broken_.empty()) return;
  std::size_t offset = 0;
  while (offset < out_.size()) {
    const TcpSocket::Io io = tcp_->Write(ByteView(out_).subspan(offset));
    if (io.status == TcpSocket::Status::kBlocked) break;
    if (io.status != TcpSocket::Status::kOk) return Break("the connection broke");
    offset += io.size;
  }
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(offset));
  loop_.WantWritable(tcp_->descriptor(), !out_.empty());
}

void LoadClient::Drain() {
  next_timeout_ = Timestamp::PlusInfinity();
  if (turn_) {
    next_timeout_ = rtclab::Drain(
        *turn_, [this](Transmit&& t) { SendMessage(std::move(t.payload)); },
        [this](turn::ClientEvent&& e) { on_event_(*this, std::move(e)); });
  }
  if (secure_) next_timeout_ = std::min(next_timeout_, secure_->NextTimeout());
}

void LoadClient::HandleTimeout(Timestamp now) {
  if (secure_ && secure_->NextTimeout() <= now) {
    secure_->HandleTimeout();
    HandleSecure();
  }
  if (turn_ && turn_->NextTimeout() <= now) turn_->HandleTimeout(now);
  Drain();
}

}  // namespace rtclab::conformance
