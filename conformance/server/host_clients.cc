// TurnHost's clients over TCP, TLS and DTLS.
#include <algorithm>

#include "conformance/server/host_impl.h"

namespace rtclab::conformance {
namespace {

// Bytes waiting for somebody who does not read. With more, a relay of RFC 6062 stops reading from the other side, and a client over TCP or
// TLS loses datagrams; one that asks and never listens is cut off in the end.
constexpr std::size_t kHighWater = 262'144;
constexpr std::size_t kWriteLimit = 1'048'576;
// Bytes read of one connection before the others have their turn.
constexpr int kReadsInARow = 8;
// And connections taken of one listener.
constexpr int kAcceptsInARow = 64;
// Bytes of a queue that are written and still there.
constexpr std::size_t kWrittenBytesKept = 65'536;

turn::ClientTransport StreamTransport(bool secure) {
  return secure ? turn::ClientTransport::kTls : turn::ClientTransport::kTcp;
}

// ChannelData or a Data indication: to be lost when it does not fit.
bool IsRelayedDatagram(ByteView message) {
  return message.size() >= 4 && (message[0] >> 6 == 1 || LoadU16(message.data()) == 0x0017);
}

}  // namespace

void WriteQueue::Push(ByteView more) {
  if (offset == bytes.size()) {
    bytes.clear();
    offset = 0;
  } else if (offset > kWrittenBytesKept && offset > size()) {
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    offset = 0;
  }
  bytes.insert(bytes.end(), more.begin(), more.end());
}

bool WriteQueue::WriteTo(TcpSocket& socket) {
  while (size() > 0) {
    const TcpSocket::Io io = socket.Write(ByteView(bytes).subspan(offset));
    if (io.status == TcpSocket::Status::kBlocked) return true;
    if (io.status != TcpSocket::Status::kOk) return false;
    offset += io.size;
  }
  return true;
}

void TurnHost::Impl::Accept(TcpListener& listener, bool secure) {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    auto socket = listener.Accept();
    if (!socket) {
      if (listener.exhausted()) Pause(listener.descriptor());
      return;
    }
    if (streams.size() + dtls_links.size() >= config.max_connections) continue;
    const turn::FiveTuple tuple{socket->remote(), listener.local(), StreamTransport(secure)};
    if (streams.contains(tuple)) EndStream(tuple);  // its end has not been read yet
    auto link = std::make_unique<StreamLink>(std::move(*socket), tuple);
    if (secure) link->secure = SecureStream::Server(*tls);
    link->opened = link->last_heard = RealNow();
    loop.Add(link->socket.descriptor(), [this, tuple](EventLoop::Ready ready) {
      const auto it = streams.find(tuple);
      if (it == streams.end()) return;
      if (ready.writable) Flush(*it->second);
      if (ready.readable) ReadStream(tuple);
    });
    streams[tuple] = std::move(link);
  }
}

void TurnHost::Impl::ReadStream(const turn::FiveTuple& tuple) {
  for (int i = 0; i < kReadsInARow; ++i) {
    const auto it = streams.find(tuple);
    if (it == streams.end() || it->second->ended) return;
    StreamLink& link = *it->second;
    const TcpSocket::Io io = link.socket.Read(buffer);
    if (io.status == TcpSocket::Status::kBlocked) return;
    if (io.status != TcpSocket::Status::kOk) {
      // What was asked before the end is still answered.
      link.ended = true;
      loop.WantReadable(link.socket.descriptor(), false);
      ended.push_back(tuple);
      return;
    }
    HandleStreamBytes(link, ByteView(buffer).first(io.size));
  }
}

void TurnHost::Impl::HandleStreamBytes(StreamLink& link, ByteView bytes) {
  if (!link.secure) return HandlePlainBytes(link, bytes);
  link.secure->HandleBytes(bytes);
  while (auto plain = link.secure->PollReceived()) HandlePlainBytes(link, *plain);
  Flush(link);
  const SecureStream::State state = link.secure->state();
  if (!link.ended &&
      (state == SecureStream::State::kClosed || state == SecureStream::State::kFailed)) {
    link.ended = true;
    ended.push_back(link.tuple);
  }
}

void TurnHost::Impl::HandlePlainBytes(StreamLink& link, ByteView bytes) {
  // Bound perhaps by bytes read a moment ago, which JoinData() will hear of after this round.
  if (link.connection || turn->IsDataConnection(link.tuple)) {
    return turn->HandleClientData(Now(), link.tuple, bytes);
  }
  if (link.ended) return;
  if (config.tamper != nullptr) {
    Bytes changed(bytes.begin(), bytes.end());
    if (!config.tamper->FromStream(link.tuple, changed)) return;
    link.framer.Push(changed);
  } else {
    link.framer.Push(bytes);
  }
  HandleFrames(link);
}

void TurnHost::Impl::HandleFrames(StreamLink& link) {
  for (;;) {
    const auto frame = link.framer.Next();
    if (!frame) {
      // Not STUN and not ChannelData: the stream can't be followed any further.
      link.ended = true;
      ended.push_back(link.tuple);
      return;
    }
    if (!*frame) return;
    link.last_heard = RealNow();
    HandleMessage(link.tuple, (*frame)->bytes);
    if (turn->IsDataConnection(link.tuple)) {
      const ByteView rest = link.framer.rest();
      if (!rest.empty()) turn->HandleClientData(Now(), link.tuple, rest);
      return;
    }
  }
}

void TurnHost::Impl::HandleMessage(const turn::FiveTuple& tuple, ByteView message) {
  if (config.tamper == nullptr) return turn->HandleClientMessage(Now(), tuple, message);
  Bytes changed(message.begin(), message.end());
  if (config.tamper->FromClient(tuple, changed)) {
    turn->HandleClientMessage(Now(), tuple, changed);
  }
}

void TurnHost::Impl::Write(turn::StreamWrite&& write) {
  const bool raw = turn->IsDataConnection(write.tuple);
  if (config.tamper != nullptr && !raw && !write.payload.empty()) {
    TransportAddress source = write.tuple.server;
    if (!config.tamper->ToClient(write.tuple, write.payload, source)) return;
    write.close = write.close || config.tamper->ClosesAfter(write.tuple, write.payload);
  }
  if (write.tuple.transport == turn::ClientTransport::kDtls) {
    const auto it = dtls_links.find(write.tuple);
    if (it == dtls_links.end()) return;
    if (!write.payload.empty()) (void)it->second->secure.Send(write.payload);
    if (write.close) it->second->secure.Close();
    return PumpDtls(write.tuple);
  }
  const auto it = streams.find(write.tuple);
  if (it == streams.end()) return;
  StreamLink& link = *it->second;
  if (!raw && link.out.size() > kHighWater && IsRelayedDatagram(write.payload)) return;
  if (link.secure) {
    if (!write.payload.empty()) (void)link.secure->Send(write.payload);
  } else {
    link.out.Push(write.payload);
  }
  if (write.close && !std::exchange(link.closing, true)) link.closing_since = RealNow();
  Flush(link);
}

void TurnHost::Impl::Flush(StreamLink& link) {
  if (link.secure) {
    if (link.closing && link.secure->state() == SecureStream::State::kOpen) link.secure->Close();
    while (auto bytes = link.secure->PollTransmit()) link.out.Push(*bytes);
  }
  const bool broken = !link.out.WriteTo(link.socket);
  const bool stuck = !link.connection && link.out.size() > kWriteLimit;
  const bool done = link.closing && link.out.size() == 0;
  if ((broken || stuck || done) && !link.ended) {
    link.ended = true;
    ended.push_back(link.tuple);
  }
  loop.WantWritable(link.socket.descriptor(), link.out.size() > 0 && !broken);
  if (!link.connection) return;
  const auto peer = peers.find(*link.connection);
  if (peer != peers.end()) Throttle(link, *peer->second);
}

void TurnHost::Impl::Throttle(StreamLink& link, PeerLink& peer) {
  if (!link.ended) loop.WantReadable(link.socket.descriptor(), peer.out.size() < kHighWater);
  loop.WantReadable(peer.socket.descriptor(), !peer.closing && link.out.size() < kHighWater);
}

void TurnHost::Impl::EndStream(const turn::FiveTuple& tuple) {
  const auto it = streams.find(tuple);
  if (it == streams.end()) return;
  const std::unique_ptr<StreamLink> link = std::move(it->second);
  streams.erase(it);
  if (link->secure) {
    link->secure->Close();
    while (auto bytes = link->secure->PollTransmit()) link->out.Push(*bytes);
  }
  link->out.WriteTo(link->socket);
  loop.Remove(link->socket.descriptor());
  link->socket.Close();
  // A connection that the server told to close is forgotten there already.
  if (!link->closing) turn->HandleDisconnect(Now(), tuple);
}

void TurnHost::Impl::HandleDtls(UdpPort& port, const Datagram& datagram) {
  const turn::FiveTuple tuple{datagram.source, datagram.destination, turn::ClientTransport::kDtls};
  auto it = dtls_links.find(tuple);
  if (it == dtls_links.end()) {
    if (streams.size() + dtls_links.size() >= config.max_connections) return;
    DtlsListener::Answer answer = port.dtls->HandleDatagram(datagram.source, datagram.payload);
    if (answer.transmit) {
      to_send.Add(port.socket, datagram.source, std::move(*answer.transmit));
    }
    if (!answer.accepted) return;
    it = dtls_links.emplace(tuple, std::make_unique<DtlsLink>(std::move(*answer.accepted), port))
             .first;
    it->second->opened = RealNow();
    dtls_timers.insert(tuple);
  } else {
    it->second->secure.HandleBytes(datagram.payload);
  }
  it->second->last_heard = RealNow();
  while (auto record = it->second->secure.PollReceived()) HandleMessage(tuple, *record);
  PumpDtls(tuple);
}

void TurnHost::Impl::PumpDtls(const turn::FiveTuple& tuple) {
  const auto it = dtls_links.find(tuple);
  if (it == dtls_links.end()) return;
  DtlsLink& link = *it->second;
  while (auto bytes = link.secure.PollTransmit()) {
    to_send.Add(link.port->socket, tuple.client, std::move(*bytes));
  }
  next_dtls_timer = std::min(next_dtls_timer, link.secure.NextTimeout());
  const SecureStream::State state = link.secure.state();
  if (state == SecureStream::State::kClosed || state == SecureStream::State::kFailed) {
    EndDtls(tuple);
  }
}

void TurnHost::Impl::EndDtls(const turn::FiveTuple& tuple) {
  dtls_timers.erase(tuple);
  if (dtls_links.erase(tuple) > 0) turn->HandleDisconnect(Now(), tuple);
}

Timestamp TurnHost::Impl::RunDtlsTimers(Timestamp real_now) {
  if (real_now < next_dtls_timer) return next_dtls_timer;
  Timestamp next = Timestamp::PlusInfinity();
  const std::vector<turn::FiveTuple> waiting(dtls_timers.begin(), dtls_timers.end());
  for (const turn::FiveTuple& tuple : waiting) {
    const auto it = dtls_links.find(tuple);
    if (it == dtls_links.end()) continue;
    SecureStream& secure = it->second->secure;
    if (secure.NextTimeout() <= real_now) {
      secure.HandleTimeout();
      PumpDtls(tuple);
      if (!dtls_links.contains(tuple)) continue;
    }
    if (secure.state() == SecureStream::State::kOpen && secure.NextTimeout().IsInfinite()) {
      dtls_timers.erase(tuple);
    }
    next = std::min(next, secure.NextTimeout());
  }
  if (!waiting.empty()) to_send.Flush();
  next_dtls_timer = next;
  return next;
}

void TurnHost::Impl::Pause(int listener) {
  loop.WantReadable(listener, false);
  paused.insert(listener);
}

void TurnHost::Impl::Sweep(Timestamp real_now) {
  for (const int listener : std::exchange(paused, {})) loop.WantReadable(listener, true);
  std::vector<turn::FiveTuple> over;
  for (const auto& [tuple, link] : streams) {
    const bool shaking = link->secure && link->secure->state() == SecureStream::State::kHandshaking;
    const bool late = shaking && real_now - link->opened > config.handshake_timeout;
    const bool idle = !link->connection && !allocated.contains(tuple) &&
                      real_now - link->last_heard > config.stream_idle;
    const bool unread = link->closing && real_now - link->closing_since > config.linger;
    if (late || idle || unread) over.push_back(tuple);
  }
  for (const turn::FiveTuple& tuple : over) EndStream(tuple);
  over.clear();
  for (const auto& [tuple, link] : dtls_links) {
    const bool shaking = link->secure.state() == SecureStream::State::kHandshaking;
    const bool late = shaking && real_now - link->opened > config.handshake_timeout;
    const bool idle = !allocated.contains(tuple) && real_now - link->last_heard > config.dtls_idle;
    if (late || idle) over.push_back(tuple);
  }
  for (const turn::FiveTuple& tuple : over) EndDtls(tuple);
  SweepPeers(real_now);
}

}  // namespace rtclab::conformance
