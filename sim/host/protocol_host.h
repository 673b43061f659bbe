// Runs one sans-IO protocol (stack/base/sans_io.h) on a UdpHost: datagrams, ICMP errors and time
// in, transmits out, events to a handler.
#ifndef RTCLAB_SIM_HOST_PROTOCOL_HOST_H_
#define RTCLAB_SIM_HOST_PROTOCOL_HOST_H_

#include <utility>
#include <vector>

#include "sim/host/timer.h"
#include "sim/host/udp_host.h"
#include "stack/base/sans_io.h"

namespace rtclab::sim {

// `OnEvent` is called as on_event(Timestamp now, Event&& event); it may call the protocol, Bind and
// Unbind: what that makes is drained in the same pass. `Protocol` outlives the host. A protocol
// with HandleIcmp(now, const IcmpError&) gets ICMP errors too.
template <typename Protocol, typename OnEvent>
class ProtocolHost final : private UdpReceiver {
 public:
  ProtocolHost(UdpHost& udp, Protocol& protocol, OnEvent on_event)
      : udp_(udp),
        protocol_(protocol),
        on_event_(std::move(on_event)),
        timer_([this](Timestamp now) { Run([now](Protocol& p) { p.HandleTimeout(now); }); }) {}
  ~ProtocolHost() override {
    for (const TransportAddress& local : bound_) udp_.Unbind(local);
  }
  ProtocolHost(const ProtocolHost&) = delete;
  ProtocolHost& operator=(const ProtocolHost&) = delete;

  UdpHost& udp() { return udp_; }
  Protocol& protocol() { return protocol_; }

  // As UdpHost's; unbound again with this object.
  Result<TransportAddress> Bind(const TransportAddress& local) {
    return Remember(udp_.Bind(local, *this));
  }
  Result<TransportAddress> BindPair(const TransportAddress& local) {
    Result<TransportAddress> bound = Remember(udp_.BindPair(local, *this));
    if (bound) {
      bound_.push_back({bound->ip, static_cast<uint16_t>(bound->port + 1)});
    }
    return bound;
  }
  void Unbind(const TransportAddress& local) {
    udp_.Unbind(local);
    std::erase(bound_, local);
  }

  // Calls `f(protocol)`, then drains. Every call that changes the protocol from outside goes
  // through here; inside the event handler the protocol may be called directly.
  template <typename F>
  void Run(F&& f) {
    f(protocol_);
    if (draining_) return;  // called from the event handler: the pass under way drains it
    draining_ = true;
    const Timestamp now = udp_.Now();
    const Timestamp next = Drain(
        protocol_, [this](auto&& transmit) { udp_.Send(transmit); },
        [this, now](auto&& event) { on_event_(now, std::forward<decltype(event)>(event)); });
    draining_ = false;
    timer_.Set(next);
  }

 private:
  Result<TransportAddress> Remember(Result<TransportAddress> bound) {
    if (bound) bound_.push_back(*bound);
    return bound;
  }

  void OnDatagram(Timestamp now, const Datagram& packet) override {
    Run([&](Protocol& p) { p.HandlePacket(now, packet); });
  }
  void OnIcmpError(Timestamp now, const IcmpError& error) override {
    if constexpr (requires(Protocol & p) { p.HandleIcmp(now, error); }) {
      Run([&](Protocol& p) { p.HandleIcmp(now, error); });
    }
  }

  UdpHost& udp_;
  Protocol& protocol_;
  OnEvent on_event_;
  Timer timer_;
  std::vector<TransportAddress> bound_;
  bool draining_ = false;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_HOST_PROTOCOL_HOST_H_
