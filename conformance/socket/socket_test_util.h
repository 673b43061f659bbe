// What the tests of this folder share: addresses on loopback, identities made once, temporary PEM files, a server that echoes.
#ifndef RTCLAB_CONFORMANCE_SOCKET_SOCKET_TEST_UTIL_H_
#define RTCLAB_CONFORMANCE_SOCKET_SOCKET_TEST_UTIL_H_

#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "conformance/socket/event_loop.h"
#include "conformance/socket/secure_stream.h"
#include "conformance/socket/tcp_socket.h"
#include "conformance/socket/udp_socket.h"
#include "stack/base/check.h"

namespace rtclab::conformance {

inline TransportAddress LoopbackOf(AddressFamily family, uint16_t port = 0) {
  return {family == AddressFamily::kIpv4 ? IpAddress::V4(127, 0, 0, 1) : *IpAddress::Parse("::1"),
          port};
}

inline std::string FamilyName(AddressFamily family) {
  return family == AddressFamily::kIpv4 ? "Ipv4" : "Ipv6";
}

// Self-signed, for localhost and both loopback addresses.
inline const ServerIdentity& TestIdentity(ServerIdentity::Key key) {
  static const std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  if (key == ServerIdentity::Key::kRsa) {
    static const auto rsa = ServerIdentity::SelfSigned(ServerIdentity::Key::kRsa, names);
    return rsa;
  }
  static const auto ecdsa = ServerIdentity::SelfSigned(ServerIdentity::Key::kEcdsa, names);
  return ecdsa;
}

// A file that is there as long as this object is.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) {
    std::string path = "/tmp/rtclab_socket_test_XXXXXX";
    const int descriptor = mkstemp(path.data());
    CHECK(descriptor >= 0);
    CHECK(write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    close(descriptor);
    path_ = path;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline SecureContext ServerContext(SecureProtocol protocol, SecureServerOptions options = {}) {
  if (options.identities.empty()) {
    options.identities = {TestIdentity(ServerIdentity::Key::kEcdsa)};
  }
  auto context = SecureContext::Server(protocol, options);
  CHECK(context.has_value());
  return *std::move(context);
}

// Sends back what comes over UDP, TCP, TLS and DTLS, each on a port of its own, in a thread of its own. A stream's client that sends "close"
// is closed with close_notify and FIN, "reset" with RST; after the client's own end the server answers "bye" and ends.
class EchoServer {
 public:
  explicit EchoServer(AddressFamily family)
      : udp_(*UdpSocket::Bind(LoopbackOf(family))),
        dtls_(*UdpSocket::Bind(LoopbackOf(family))),
        tcp_(*TcpListener::Listen(LoopbackOf(family))),
        tls_(*TcpListener::Listen(LoopbackOf(family))),
        dtls_context_(ServerContext(SecureProtocol::kDtls)),
        tls_context_(ServerContext(SecureProtocol::kTls)),
        cookies_(dtls_context_) {
    loop_.Add(udp_.descriptor(), [this](EventLoop::Ready) { EchoUdp(); });
    loop_.Add(dtls_.descriptor(), [this](EventLoop::Ready) { EchoDtls(); });
    loop_.Add(tcp_.descriptor(), [this](EventLoop::Ready) { Accept(tcp_, false); });
    loop_.Add(tls_.descriptor(), [this](EventLoop::Ready) { Accept(tls_, true); });
    thread_ =
        std::thread([this] { loop_.Run([](Timestamp) { return Timestamp::PlusInfinity(); }); });
  }
  ~EchoServer() {
    loop_.Stop();
    thread_.join();
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  const TransportAddress& udp() const { return udp_.local(); }
  const TransportAddress& dtls() const { return dtls_.local(); }
  const TransportAddress& tcp() const { return tcp_.local(); }
  const TransportAddress& tls() const { return tls_.local(); }

 private:
  struct Connection {
    TcpSocket socket;
    std::optional<SecureStream> secure;
  };

  void EchoUdp() {
    while (auto marked = udp_.ReceiveMarked(buffer_)) {
      (void)udp_.SendMarked(marked->datagram.source, marked->datagram.payload, {});
    }
  }

  void EchoDtls() {
    while (auto datagram = dtls_.Receive(buffer_)) {
      const auto found = associations_.find(datagram->source);
      if (found == associations_.end()) {
        auto answer = cookies_.HandleDatagram(datagram->source, datagram->payload);
        if (answer.transmit) dtls_.Send(datagram->source, *answer.transmit, false);
        if (!answer.accepted) continue;
        associations_.emplace(datagram->source, *std::move(answer.accepted));
      } else {
        found->second.HandleBytes(datagram->payload);
      }
      SecureStream& secure = associations_.at(datagram->source);
      while (auto record = secure.PollReceived()) {
        if (AsString(*record) == "close") {
          secure.Close();
        } else {
          (void)secure.Send(*record);
        }
      }
      while (auto out = secure.PollTransmit()) dtls_.Send(datagram->source, *out, false);
      if (secure.state() == SecureStream::State::kClosed) associations_.erase(datagram->source);
    }
  }

  void Accept(TcpListener& listener, bool tls) {
    while (auto socket = listener.Accept()) {
      const int descriptor = socket->descriptor();
      Connection connection{*std::move(socket), std::nullopt};
      if (tls) connection.secure = SecureStream::Server(tls_context_);
      connections_.emplace(descriptor, std::move(connection));
      loop_.Add(descriptor, [this, descriptor](EventLoop::Ready) { EchoStream(descriptor); });
    }
  }

  void EchoStream(int descriptor) {
    Connection& c = connections_.at(descriptor);
    const auto io = c.socket.Read(buffer_);
    if (io.status == TcpSocket::Status::kBlocked) return;
    bool end = io.status != TcpSocket::Status::kOk;
    const ByteView bytes(buffer_.data(), io.size);
    if (!c.secure) {
      end |= AsString(bytes) == "close";
      if (AsString(bytes) == "reset") return Drop(descriptor, true);
      if (!end) c.socket.Write(bytes);
      if (io.status == TcpSocket::Status::kEnd) c.socket.Write(AsBytes("bye"));
    } else {
      c.secure->HandleBytes(bytes);
      while (auto record = c.secure->PollReceived()) {
        if (AsString(*record) == "close") {
          c.secure->Close();
          end = true;
        } else if (AsString(*record) == "reset") {
          return Drop(descriptor, true);
        } else {
          (void)c.secure->Send(*record);
        }
      }
      end |= c.secure->state() != SecureStream::State::kHandshaking &&
             c.secure->state() != SecureStream::State::kOpen;
      while (auto out = c.secure->PollTransmit()) c.socket.Write(*out);
    }
    if (end) Drop(descriptor, false);
  }

  void Drop(int descriptor, bool reset) {
    loop_.Remove(descriptor);
    if (reset) connections_.at(descriptor).socket.Reset();
    connections_.erase(descriptor);
  }

  UdpSocket udp_, dtls_;
  TcpListener tcp_, tls_;
  SecureContext dtls_context_, tls_context_;
  DtlsListener cookies_;
  std::map<TransportAddress, SecureStream> associations_;
  std::map<int, Connection> connections_;
  Bytes buffer_ = Bytes(65'536);
  EventLoop loop_{EventLoop::AtInterrupt::kGoOn};
  std::thread thread_;
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_SOCKET_SOCKET_TEST_UTIL_H_
