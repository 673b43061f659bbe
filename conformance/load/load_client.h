// One client of a load: turn::Client over a socket of its own, UDP, TCP, TLS or DTLS, driven by an event loop.
#ifndef RTCLAB_CONFORMANCE_LOAD_LOAD_CLIENT_H_
#define RTCLAB_CONFORMANCE_LOAD_LOAD_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "conformance/socket/channel.h"
#include "conformance/socket/event_loop.h"
#include "conformance/socket/secure_stream.h"
#include "conformance/socket/tcp_socket.h"
#include "conformance/socket/udp_batch.h"
#include "conformance/socket/udp_socket.h"
#include "stack/base/rng.h"
#include "stack/stun/stream_framer.h"
#include "stack/turn/client.h"

namespace rtclab::conformance {

struct LoadClientConfig {
  Transport transport = Transport::kUdp;
  TransportAddress server;
  std::string server_name;
  std::string username;
  std::string password;
  std::optional<SecureContext> secure;  // for TLS and DTLS
};

class LoadClient {
 public:
  using OnEvent = std::function<void(LoadClient&, turn::ClientEvent&&)>;

  // `batch` collects datagrams of all clients; whoever runs the loop flushes it. All references must outlive the client.
  LoadClient(LoadClientConfig config, EventLoop& loop, SendBatch& batch, Rng& rng,
             OnEvent on_event);
  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  // Opens the socket and asks for the allocation, as soon as the connection and its handshake are there. Fails with the system's words.
  Result<void> Start();
  turn::Client& turn() { return *turn_; }
  const TransportAddress& relayed() const { return turn_->relayed().front(); }
  bool turn_started() const { return turn_ != nullptr; }
  bool allocated() const { return turn_ && turn_->state() == turn::Client::State::kAllocated; }
  // Sends what the client has to say and tells its events. Call after any use of turn().
  void Drain();
  // When it next wants HandleTimeout().
  Timestamp next_timeout() const { return next_timeout_; }
  void HandleTimeout(Timestamp now);
  // Why the connection is gone; empty while it is there.
  const std::string& broken() const { return broken_; }
  // When Start() was called: for the time that an allocation takes.
  Timestamp started() const { return started_; }

 private:
  void HandleReady(EventLoop::Ready ready);
  void HandleSocket(EventLoop::Ready ready);
  void ReadIcmp();
  void ReadUdp();
  void ReadTcp();
  void HandleSecure();
  void HandlePlain(ByteView bytes);
  void HandleMessage(ByteView message);
  void SendMessage(Bytes&& message);
  void FlushTcp();
  void Begin();
  void Break(std::string why);

  LoadClientConfig config_;
  EventLoop& loop_;
  SendBatch& batch_;
  Rng& rng_;
  OnEvent on_event_;
  std::unique_ptr<turn::Client> turn_;
  std::optional<UdpSocket> udp_;
  std::optional<TcpSocket> tcp_;
  std::optional<SecureStream> secure_;
  stun::StreamFramer framer_;
  Bytes out_;  // TCP: not yet taken by the system
  TransportAddress local_;
  Timestamp started_;
  Timestamp next_timeout_ = Timestamp::PlusInfinity();
  bool connecting_ = false;
  bool begun_ = false;
  std::string broken_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_LOAD_LOAD_CLIENT_H_
