#include "scenarios/execution/background_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ns3/socket.h"
#include "ns3/tcp-socket-factory.h"
#include "ns3/uinteger.h"
#include "scenarios/execution/schedule.h"
#include "sim/ip/udp_socket.h"
#include "stack/base/check.h"

namespace rtclab::scenarios {
namespace {

constexpr uint16_t kFirstPort = 5001;
constexpr uint32_t kSegment = 1448;        // TCP payload of a 1,500-byte packet with time stamps
constexpr uint32_t kBuffer = 4 << 20;      // of both ends: never what limits the flow
constexpr int64_t kChunk = 65'536;         // bytes given to TCP at once
constexpr std::size_t kUdpPayload = 1172;  // 1,200 bytes of IP

// The first address of `host` of a family that `other` has too.
IpAddress AddressTowards(const sim::Network& network, const std::string& host,
                         const std::string& other) {
  const std::vector<IpAddress>& theirs = network.addresses(other);
  for (const IpAddress& address : network.addresses(host)) {
    const auto same = [&](const IpAddress& a) { return a.family() == address.family(); };
    if (std::any_of(theirs.begin(), theirs.end(), same)) return address;
  }
  CHECK(false);  // the loader has looked
}

// What arrived, over the time that the flow had.
results::Json Report(const FlowSpec& spec, const sim::Network& network, int64_t received) {
  results::Json json = {{"name", spec.name}, {"bytes_received", received}};
  const Timestamp end = std::min(network.Now(), Timestamp::Zero() + spec.stop);
  const TimeDelta time = end - (Timestamp::Zero() + spec.start);
  if (time > TimeDelta::Zero()) {
    json["throughput_bps"] = std::llround(static_cast<double>(received) * 8000 / time.millis_f());
  }
  return json;
}

// ns-3's sockets and their callbacks. A flow of files opens a connection a file, as RFC 8868 section 4.3 has it: each
// begins in slow start.
class TcpFlow final : public BackgroundFlow {
 public:
  TcpFlow(const FlowSpec& spec, sim::Network& network)
      : spec_(spec), network_(network), rng_(network.Stream("flow/" + spec.name)) {
    target_ = {AddressTowards(network, spec.to, spec.from), kFirstPort};
    listener_ =
        ns3::Socket::CreateSocket(network.node(spec.to), ns3::TcpSocketFactory::GetTypeId());
    Prepare(*listener_);
    while (listener_->Bind(sim::ToNs3(target_)) != 0) ++target_.port;
    listener_->Listen();
    listener_->SetAcceptCallback(
        ns3::MakeNullCallback<bool, ns3::Ptr<ns3::Socket>, const ns3::Address&>(),
        ns3::MakeCallback(&TcpFlow::OnAccepted, this));
    const TimeDelta first_pause = spec.starts_idle ? Pause() : TimeDelta::Zero();
    After(spec.start + first_pause, [this] { Connect(); });
  }

  ~TcpFlow() override {
    Silence(listener_);
    Silence(sender_);
    for (const auto& socket : accepted_) Silence(socket);
  }

  results::Json Result() const override {
    results::Json json = Report(spec_, network_, received_);
    if (spec_.file_max > 0) json["files"] = files_;
    return json;
  }

 private:
  using SocketPtr = ns3::Ptr<ns3::Socket>;

  static void Prepare(ns3::Socket& socket) {
    socket.SetAttribute("SegmentSize", ns3::UintegerValue(kSegment));
    socket.SetAttribute("SndBufSize", ns3::UintegerValue(kBuffer));
    socket.SetAttribute("RcvBufSize", ns3::UintegerValue(kBuffer));
  }

  void Silence(const SocketPtr& socket) {
    if (socket == nullptr) return;
    socket->TraceDisconnectWithoutContext("BytesInFlight",
                                          ns3::MakeCallback(&TcpFlow::OnBytesInFlight, this));
    socket->SetRecvCallback(ns3::MakeNullCallback<void, SocketPtr>());
    socket->SetSendCallback(ns3::MakeNullCallback<void, SocketPtr, uint32_t>());
    socket->SetConnectCallback(ns3::MakeNullCallback<void, SocketPtr>(),
                               ns3::MakeNullCallback<void, SocketPtr>());
    socket->SetCloseCallbacks(ns3::MakeNullCallback<void, SocketPtr>(),
                              ns3::MakeNullCallback<void, SocketPtr>());
    socket->SetAcceptCallback(ns3::MakeNullCallback<bool, SocketPtr, const ns3::Address&>(),
                              ns3::MakeNullCallback<void, SocketPtr, const ns3::Address&>());
  }

  TimeDelta Pause() {
    return TimeDelta::SecondsF(rng_.Exponential() * spec_.idle_mean.millis_f() / 1000);
  }

  bool Stopped() const { return network_.Now() >= Timestamp::Zero() + spec_.stop; }

  void Connect() {
    if (Stopped()) return;
    Silence(sender_);  // of the file before, which still closes
    closing_ = false;
    // 0: without end.
    left_ = spec_.file_max > 0
                ? static_cast<int64_t>(rng_.Uniform(static_cast<uint64_t>(spec_.file_min),
                                                    static_cast<uint64_t>(spec_.file_max)))
                : spec_.amount;
    endless_ = left_ == 0;
    sender_ =
        ns3::Socket::CreateSocket(network_.node(spec_.from), ns3::TcpSocketFactory::GetTypeId());
    Prepare(*sender_);
    in_flight_ = 0;
    sender_->TraceConnectWithoutContext("BytesInFlight",
                                        ns3::MakeCallback(&TcpFlow::OnBytesInFlight, this));
    target_.ip.IsV6() ? sender_->Bind6() : sender_->Bind();
    sender_->SetConnectCallback(ns3::MakeCallback(&TcpFlow::OnConnected, this),
                                ns3::MakeCallback(&TcpFlow::OnFailed, this));
    sender_->SetSendCallback(ns3::MakeCallback(&TcpFlow::OnWritable, this));
    sender_->Connect(sim::ToNs3(target_));
  }

  // NOLINTBEGIN(performance-unnecessary-value-param): the types of ns-3's callbacks.
  void OnConnected(SocketPtr socket) { Write(socket); }
  void OnFailed(SocketPtr) {
    Silence(sender_);
    After(TimeDelta::Seconds(1), [this] { Connect(); });
  }
  void OnWritable(SocketPtr socket, uint32_t) { Write(socket); }
  void OnBytesInFlight(uint32_t, uint32_t bytes) { in_flight_ = bytes; }
  // NOLINTEND(performance-unnecessary-value-param)

  void Write(const SocketPtr& socket) {
    if (socket != sender_ || closing_) return;
    while (endless_ || left_ > 0) {
      if (Stopped()) break;
      const int64_t room = socket->GetTxAvailable();
      // An endless flow has little waiting beside what is in flight, so that it ends when it is told to.
      if (endless_ && int64_t{kBuffer} - room - in_flight_ >= kChunk) return;
      const auto size = static_cast<uint32_t>(std::min({endless_ ? kChunk : left_, room, kChunk}));
      if (size == 0) return;
      const int written = socket->Send(ns3::Create<ns3::Packet>(size));
      if (written <= 0) return;
      if (!endless_) left_ -= written;
    }
    closing_ = true;
    socket->Close();
  }

  void OnAccepted(SocketPtr socket, const ns3::Address&) {
    accepted_.push_back(socket);
    socket->SetRecvCallback(ns3::MakeCallback(&TcpFlow::OnReadable, this));
    socket->SetCloseCallbacks(ns3::MakeCallback(&TcpFlow::OnClosed, this),
                              ns3::MakeCallback(&TcpFlow::OnClosed, this));
  }

  void OnReadable(SocketPtr socket) {
    while (const ns3::Ptr<ns3::Packet> packet = socket->Recv()) {
      if (packet->GetSize() == 0) break;
      received_ += packet->GetSize();
    }
  }

  void OnClosed(SocketPtr socket) {
    OnReadable(socket);
    Silence(socket);
    socket->Close();
    ++files_;
    if (spec_.file_max > 0) After(Pause(), [this] { Connect(); });
  }

  const FlowSpec& spec_;
  sim::Network& network_;
  Rng rng_;
  TransportAddress target_;
  SocketPtr listener_, sender_;
  std::vector<SocketPtr> accepted_;
  int64_t left_ = 0;
  int64_t in_flight_ = 0;
  bool endless_ = false;
  bool closing_ = false;
  int64_t received_ = 0;
  int files_ = 0;
};

class UdpFlow final : public BackgroundFlow, private sim::UdpReceiver {
 public:
  UdpFlow(const FlowSpec& spec, sim::Network& network) : spec_(spec), network_(network) {
    const IpAddress from = AddressTowards(network, spec.from, spec.to);
    const IpAddress to = AddressTowards(network, spec.to, spec.from);
    const auto source = network.host(spec.from).Bind({from, 0}, *this);
    const auto target = network.host(spec.to).Bind({to, 0}, *this);
    CHECK(source && target);
    source_ = *source;
    target_ = *target;
    After(spec.start, [this] { Send(); });
  }
  ~UdpFlow() override {
    network_.host(spec_.from).Unbind(source_);
    network_.host(spec_.to).Unbind(target_);
  }

  results::Json Result() const override { return Report(spec_, network_, received_); }

 private:
  void Send() {
    if (network_.Now() >= Timestamp::Zero() + spec_.stop) return;
    network_.host(spec_.from).Send(source_, target_, payload_);
    // The rate counts the IP packet: 20 or 40 bytes of IP header, 8 of UDP.
    const int64_t headers = target_.ip.IsV6() ? 48 : 28;
    const auto size = DataSize::Bytes(static_cast<int64_t>(payload_.size()) + headers);
    After(spec_.rate.TransmissionTime(size), [this] { Send(); });
  }
  void OnDatagram(Timestamp, const Datagram& packet) override {
    received_ += static_cast<int64_t>(packet.payload.size());
  }
  void OnIcmpError(Timestamp, const IcmpError&) override {}

  const FlowSpec& spec_;
  sim::Network& network_;
  TransportAddress source_, target_;
  // A first byte that is neither STUN nor anything else of RFC 7983.
  Bytes payload_ = Bytes(kUdpPayload, 0xff);
  int64_t received_ = 0;
};

}  // namespace

std::unique_ptr<BackgroundFlow> StartFlow(const FlowSpec& spec, sim::Network& network) {
  if (spec.kind == FlowSpec::Kind::kTcp) return std::make_unique<TcpFlow>(spec, network);
  return std::make_unique<UdpFlow>(spec, network);
}

}  // namespace rtclab::scenarios
