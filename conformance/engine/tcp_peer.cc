#include "conformance/engine/tcp_peer.h"

#include <fmt/format.h>

#include "conformance/engine/peer_echo.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kPortCloses = TimeDelta::Seconds(5);

class LocalTcpPeer : public TcpPeer {
 public:
  explicit LocalTcpPeer(PeerListener listener) : listener_(std::move(listener)) {}
  const TransportAddress& local() const override { return listener_.local(); }
  std::unique_ptr<PeerStream> Accept(TimeDelta limit) override { return listener_.Accept(limit); }

 private:
  PeerListener listener_;
};

// The peer's end of a connection, as peer-echo passes it on: its addresses are those of the other host.
class RemoteStream : public Channel {
 public:
  RemoteStream(EchoControl control, const TransportAddress& local, const TransportAddress& remote)
      : Channel(Transport::kTcp, local, remote), control_(std::move(control)) {}

  Result<void> Send(ByteView bytes) override { return control_.channel->Send(bytes); }
  std::optional<conformance::Received> Receive(TimeDelta limit) override {
    if (!control_.buffer.empty()) {
      return conformance::Received{std::exchange(control_.buffer, {}), remote(), RealNow(), {}};
    }
    auto received = control_.channel->Receive(limit);
    if (received) received->from = remote();
    return received;
  }
  bool closed() const override { return control_.buffer.empty() && control_.channel->closed(); }
  std::string_view close_reason() const override { return control_.channel->close_reason(); }
  void CloseWrite() override { control_.channel->CloseWrite(); }
  void Reset() override { control_.channel->Reset(); }

 private:
  EchoControl control_;
};

class RemoteTcpPeer : public TcpPeer {
 public:
  RemoteTcpPeer(EchoControl control, const TransportAddress& local)
      : control_(std::move(control)), local_(local) {}
  const TransportAddress& local() const override { return local_; }
  std::unique_ptr<PeerStream> Accept(TimeDelta limit) override {
    if (!control_.channel) return nullptr;
    const auto from = control_.TakeAddress(limit);
    if (!from) return nullptr;
    return std::make_unique<RemoteStream>(std::move(control_), local_, *from);
  }

 private:
  EchoControl control_;
  TransportAddress local_;
};

}  // namespace

bool RemotePeers(Session& session, AddressFamily family) {
  if (session.target().peers.kind != PeerPlan::Kind::kRemote) return false;
  if (session.run().peers.contains(family)) return true;
  throw Stop{{.outcome = Outcome::kSkipped,
              .reason = fmt::format("there is no {} peer on the other host",
                                    family == AddressFamily::kIpv6 ? "IPv6" : "IPv4")}};
}

Result<std::unique_ptr<TcpPeer>> ListenHere(const TransportAddress& local) {
  auto listener = PeerListener::Listen(local);
  if (!listener) return Fail(listener.error().reason);
  return std::make_unique<LocalTcpPeer>(std::move(*listener));
}

Result<std::unique_ptr<TcpPeer>> ListenThere(const PeerPlan& plan, AddressFamily family) {
  TransportAddress own;
  auto control =
      EchoControl::Open(plan.remote, plan.remote_token, EchoKind::kListen, family, {}, own);
  if (!control) return Fail(control.error().reason);
  return std::make_unique<RemoteTcpPeer>(std::move(*control), own);
}

Result<TransportAddress> ClosedPortThere(const PeerPlan& plan, AddressFamily family) {
  TransportAddress own;
  auto control =
      EchoControl::Open(plan.remote, plan.remote_token, EchoKind::kListen, family, {}, own);
  if (!control) return Fail(control.error().reason);
  // peer-echo closes its port before its end of the connection.
  control->channel->CloseWrite();
  if (control->Fill(control->buffer.size() + 1, kPortCloses) || !control->channel->closed()) {
    return Fail("peer-echo did not close its port");
  }
  return own;
}

PeerConnection ConnectThere(const PeerPlan& plan, const TransportAddress& to) {
  TransportAddress own;
  auto control =
      EchoControl::Open(plan.remote, plan.remote_token, EchoKind::kConnect, to.family(), to, own);
  if (!control) {
    const EchoControl::Failure& failure = control.error();
    return {nullptr, failure.reason, failure.refused, !failure.refused && !failure.not_connected};
  }
  return {std::make_unique<RemoteStream>(std::move(*control), own, to), {}, false, false};
}

}  // namespace rtclab::conformance
